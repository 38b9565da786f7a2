"""Decisions on procedure names: what a person put beside them, as the CSV file that `radops map --take` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from app.texts import text
from sql.csv_text import to_csv

#: Columns of the file, as the site's procedures.csv has them.
COLUMNS = ("facility", "code", "text", "procedure", "decided_by", "valid_from")


class Decided(NamedTuple):
    """The file, empty where it cannot be written, and what is said of it."""

    body: bytes
    told: str


def row_id(row: Mapping[str, Any]) -> str:
    """The row of a name within the queue."""
    return f"{row['label_key']}-{row['modality'] or ''}"


def decide_id(row: Mapping[str, Any]) -> dict[str, str]:
    """Id of the control that holds a name's decision."""
    return {"kind": "decide", "row": row_id(row)}


def decide(
    queue: pl.DataFrame, known: Sequence[str], chosen: Mapping[str, str | None], decided_by: str, valid_from: str
) -> Decided:
    """The decided names of a queue: `chosen` holds procedures by row; nothing is written while something is wrong."""
    wanted = {row: procedure.strip() for row, procedure in chosen.items() if procedure and procedure.strip()}
    if not wanted:
        return Decided(b"", text("mappings.told.nothing"))
    if not decided_by.strip():
        return Decided(b"", text("mappings.told.nobody"))
    if wrong := sorted(set(wanted.values()) - set(known)):
        return Decided(b"", text("mappings.told.unknown", name=", ".join(wrong)))
    try:
        date.fromisoformat(valid_from.strip() or "2000-01-01")
    except ValueError:
        return Decided(b"", text("mappings.told.date"))
    rows = [
        (row["facility"], row["code"], row["text"], wanted[row_id(row)], decided_by.strip(), valid_from.strip() or None)
        for row in queue.iter_rows(named=True)
        if row_id(row) in wanted and (row["code"] or row["text"])
    ]
    if not rows:
        return Decided(b"", text("mappings.told.nothing"))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return Decided(to_csv(frame), text("mappings.told.done", n=len(rows)))
