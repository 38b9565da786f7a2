"""Models of the warehouse as data: each SQL file's header and body, in the order of their numbers."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).parents[1] / "sql"
_HEADER = re.compile(r"--\s*(\w+):\s*(.*)")


@dataclass(frozen=True, slots=True)
class Model:
    """One model: `materialize` is view or table (staging), table or work (marts; work is never published).

    `scope` names the touched keys that an incremental build derives again, with the expression of their since-bound.
    """

    name: str
    number: int
    materialize: str
    scope: str
    scope_column: str
    sorted_by: str
    columns: tuple[tuple[str, str], ...]
    body: str


def read_model(path: Path) -> Model:
    """The model of one file."""
    text = path.read_text("utf-8")
    pairs = [match.groups() for line in text.splitlines() if (match := _HEADER.match(line))]
    header = {key: value for key, value in pairs if key != "column"}
    scope, _, scope_column = header.get("scope", "all").partition(" ")
    columns = [value.split(None, 2) for key, value in pairs if key == "column"]
    return Model(
        name=header["name"],
        number=int(path.stem.split("_", 1)[0]),
        materialize=header.get("materialize", "table"),
        scope=scope,
        scope_column=scope_column,
        sorted_by=header.get("sorted_by", ""),
        columns=tuple((name, kind) for name, kind, *_ in columns),
        body="\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";"),
    )


def read_models(folder: str) -> tuple[Model, ...]:
    """All models of `sql/<folder>` by number."""
    return tuple(sorted((read_model(path) for path in (SQL / folder).glob("*.sql")), key=lambda m: (m.number, m.name)))


def models_signature() -> str:
    """SHA-256 over every file of staging and marts, as hex."""
    digest = hashlib.sha256()
    for path in sorted([*(SQL / "staging").glob("*.sql"), *(SQL / "marts").glob("*.sql"), SQL / "macros.py"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
