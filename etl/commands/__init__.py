"""The verbs of the command line. Heavy modules are imported when a verb is called, so that help is instant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from etl.home import Home
    from etl.log import Log
    from etl.pipeline import Progress

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Paths = Annotated[
    list[str] | None,
    typer.Argument(help="Files, folders or URLs (s3://bucket/folder); default: the inbox.", show_default=False),
]


def show(result: Any, *, as_json: bool) -> None:
    """Print a verb's result: JSON, or one aligned line a fact."""
    if as_json:
        typer.echo(json.dumps(result, default=str, indent=1))
        return
    from etl.log import plain  # noqa: PLC0415

    flat = dict(_flatten(result))
    width = max((len(key) for key in flat), default=0)
    for key, value in flat.items():
        typer.echo(f"{key:<{width}}  {plain(value)}")


def _flatten(result: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(result, dict):
        for key, value in result.items():
            yield from _flatten(value, f"{prefix} {key}".strip())
    elif isinstance(result, list):
        for number, value in enumerate(result, 1):
            yield from _flatten(value, f"{prefix} {number}".strip())
    else:
        yield prefix.replace("_", " "), result


def opened(*, as_json: bool) -> tuple[Home, Log]:
    """The home that the environment names and its log."""
    from etl.home import open_home  # noqa: PLC0415
    from etl.log import Log  # noqa: PLC0415

    home = open_home()
    return home, Log(home.log, as_json=as_json)


@contextmanager
def progress_bar(*, as_json: bool) -> Iterator[Progress]:
    """A progress bar for long work on a terminal; silent in pipes, under cron and with --json."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=as_json or not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def update(stage: str, done: int, of: int) -> None:
            name = "ingest" if stage == "ingest" else "build"
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=of)
            bar.update(tasks[name], completed=done, total=of, description=f"{name} {'' if stage == name else stage}")

        yield update
