"""The parts of README.md that are made from the code: `python -m etl.readme` writes them and the dictionary anew.

A part lies between `<!-- made: name -->` and `<!-- end -->`; tests fail where it is not what the code says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import typer
from typer.core import TyperCommand, TyperGroup

from etl.cli import app
from etl.errors import EXIT_CODES
from etl.settings import Settings
from etl.site import CSV_FILES
from sql import versions, worked
from sql.catalog import Catalog
from sql.dictionary import DICTIONARY, grid, metric_grid, render

README = Path(__file__).parents[1] / "README.md"
_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> str:
    """One line a setting: variable, default, meaning."""
    return grid(
        ("Variable", "Default", "Meaning"),
        [
            (f"`RADOPS_{name.upper()}`", _default(field.default), field.description or "")
            for name, field in Settings.model_fields.items()
        ],
    )


def _default(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "" if value is None else f"`{text}`"


def exit_codes() -> str:
    """One line an exit code."""
    return grid(("Code", "Meaning"), [(str(code), words) for code, words in sorted(EXIT_CODES.items())])


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Every verb as it is typed after `radops`, with its command."""
    yield from _below(typer.main.get_command(app), "")


def _below(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for inner, sub in command.commands.items():
            yield from _below(sub, f"{name} {inner}".strip())
    elif isinstance(command, TyperCommand):
        yield name, command


def verbs() -> str:
    """One line a verb: arguments, options, what it does."""
    return grid(
        ("Verb", "Options", "Does"),
        [
            (f"`radops {name}{_arguments(command)}`", _options(command), (command.help or "").partition("\n")[0])
            for name, command in commands()
        ],
    )


def _arguments(command: TyperCommand) -> str:
    given = [p for p in command.params if p.param_type_name == "argument"]
    shown = [f"{(p.name or '').upper()}{'...' if p.nargs < 0 else ''}" for p in given]
    return "".join(f" {text}" if p.required else f" [{text}]" for p, text in zip(given, shown, strict=True))


def _options(command: TyperCommand) -> str:
    return " ".join(f"`{p.opts[0]}`" for p in command.params if p.param_type_name == "option")


def site_files() -> str:
    """One line a CSV file of the site folder: its columns."""
    return grid(("File", "Columns"), [(f"`{name}`", ", ".join(columns)) for name, columns in CSV_FILES.items()])


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings, "exit_codes": exit_codes, "verbs": verbs, "site_files": site_files, "metrics": metric_grid,
    "worked": worked.text,
}  # fmt: skip


def filled(text: str) -> str:
    """A README's text with every part made anew. Raises KeyError for a part that is not in `PARTS`."""
    return _PART.sub(lambda match: f"{match[1]}{PARTS[match[2]]()}{match[3]}", text)


if __name__ == "__main__":
    versions.main([])
    Catalog.load.cache_clear()
    README.write_text(filled(README.read_text("utf-8")), "utf-8")
    DICTIONARY.write_text(render(), "utf-8")
