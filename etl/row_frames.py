"""Rows of typed records as frames: columns by name and kind, made by the compiled twin where there is one."""

from __future__ import annotations

import polars as pl

from etl import rows_twin
from etl.records import ENVELOPE, RECORDS, Kind, Parsed

POLARS: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "timestamp": pl.Datetime("us"),
    "integer": pl.Int64(),
    "real": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}
#: Kinds as the compiled twin names them (etl/_columns.c).
LETTERS: dict[Kind, str] = {
    "text": "s", "timestamp": "t", "integer": "i", "real": "r", "boolean": "b", "date": "d",
}  # fmt: skip
#: Rows by record type: the id of each file with its rows, which are the columns, position and row number.
Chunks = list[tuple[str, list[tuple[object, ...]]]]
Collected = dict[str, Chunks]


def frames_of(file_id: str, parsed: Parsed) -> dict[str, pl.DataFrame]:
    """Rows of one file as a frame a record type, with `file_id` as a column."""
    collected: Collected = {}
    collect(collected, file_id, parsed)
    return frames(collected)


def collect(collected: Collected, file_id: str, parsed: Parsed) -> None:
    """Add the rows of one file."""
    for record, rows in (*parsed.rows.items(), ("envelope", parsed.envelopes)):
        collected.setdefault(record, []).append((file_id, rows.rows))


def frames(collected: Collected) -> dict[str, pl.DataFrame]:
    """Rows of each record type as a frame, the id of their file first. Raises where no column can hold a value."""
    return {record: _frame(record, chunks) for record, chunks in collected.items()}


def _frame(record: str, chunks: Chunks) -> pl.DataFrame:
    columns = ENVELOPE if record == "envelope" else RECORDS[record]
    if (kernel := rows_twin.KERNEL) is not None:
        names = ("file_id", *(column.name for column in columns), "position", "row_number")
        kinds = f"s{''.join(LETTERS[column.kind] for column in columns)}ii"
        try:
            return pl.DataFrame(_Arrow(kernel.columns(chunks, names, kinds)))
        except (ValueError, OverflowError, TypeError):  # a value of another kind: the twin tells what becomes of it
            pass
    schema = {"file_id": pl.String(), **{c.name: POLARS[c.kind] for c in columns}}
    schema |= {"position": pl.Int64(), "row_number": pl.Int64()}
    rows = [(file_id, *row) for file_id, rows in chunks for row in rows]
    values = zip(*rows, strict=True) if rows else ((),) * len(schema)
    return pl.DataFrame(dict(zip(schema, map(list, values), strict=True)), schema=schema)


class _Arrow:
    """Columns that the compiled twin made, for whoever takes Arrow's C data interface."""

    def __init__(self, capsules: tuple[object, object]) -> None:
        self.capsules = capsules

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self.capsules
