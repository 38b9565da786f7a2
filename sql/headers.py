"""Headers of the SQL files: `-- key: value` lines at the top, then one statement.

A missing, unknown, empty or repeated key is an error that names the file and the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).parent
#: Folder -> range of numbers.
NUMBERS = {"staging": (100, 199), "marts": (200, 299), "metrics": (300, 399), "checks": (400, 499)}
#: Keys that a header may have several times.
REPEATED = ("column", "history", "window")
_LINE = re.compile(r"--\s*(\w+):\s?(.*)")


class CatalogError(ValueError):
    """A SQL file whose header is not complete, or an id that no file has; names the file and the key."""


@dataclass(frozen=True, slots=True)
class Header:
    """Keys of a file with their values in order, and the statement below them."""

    path: Path
    number: int
    values: dict[str, list[str]]
    body: str

    def one(self, key: str, default: str = "") -> str:
        """The single value of a key."""
        return self.values.get(key, [default])[0].strip()

    def words(self, key: str) -> tuple[str, ...]:
        """The value of a key as its comma-separated parts."""
        return tuple(part.strip() for part in self.one(key).split(",") if part.strip())


def read_header(path: Path, required: set[str], optional: set[str]) -> Header:
    """Header and body of a file. Raises CatalogError for a missing, unknown, empty or repeated key, or number."""
    values: dict[str, list[str]] = {}
    lines = path.read_text("utf-8").splitlines()
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            break
        values.setdefault(match.group(1), []).append(match.group(2))
    faults = {
        "lacks": required - values.keys(),
        "has unknown": values.keys() - required - optional,
        "leaves empty": {key for key, given in values.items() if not all(text.strip() for text in given)},
        "repeats": {key for key, given in values.items() if len(given) > 1 and key not in REPEATED},
    }
    told = [f"{fault} {', '.join(sorted(keys))}" for fault, keys in faults.items() if keys]
    if told:
        raise CatalogError(f"{path.name}: header {'; '.join(told)}")
    number = path.stem.partition("_")[0]
    low, high = NUMBERS[path.parent.name]
    if not number.isdigit() or not low <= int(number) <= high:
        raise CatalogError(f"{path.name}: number outside {low}-{high}")
    body = "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";")
    return Header(path, int(number), values, body)
