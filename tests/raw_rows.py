"""Hand-made raw rows for tests: tables of `etl.records`, filled row by row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import duckdb

from etl.intake import numbers, raw_columns
from etl.records import RECORDS

Row = tuple[str, dict[str, Any]]  # record type, columns


def at(text: str) -> datetime:
    """`2026-03-02 10:00` as UTC instant."""
    return datetime.fromisoformat(text)


def make_tables(con: duckdb.DuckDBPyConnection, prefix: str = "") -> None:
    for record in RECORDS:
        names = ", ".join(f'"{name}" {kind}' for name, kind in raw_columns(record))
        con.execute(f"CREATE TABLE IF NOT EXISTS {prefix}raw_{record} ({names})")


def insert(con: duckdb.DuckDBPyConnection, batch: int, rows: Iterable[Row], prefix: str = "") -> None:
    """Append `rows` as messages of one file of `batch`."""
    for position, (record, columns) in enumerate(rows):
        row = {"batch_id": batch, "file_id": f"f{batch}", "position": position, "row_number": 0, **columns}
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        con.execute(f"INSERT INTO {prefix}raw_{record} ({names}) VALUES ({marks})", list(row.values()))
        for name, sql in numbers(record).items():
            con.execute(f"UPDATE {prefix}raw_{record} SET {name} = {sql} WHERE {name} IS NULL")


def link(kind: str, survivor: str, prior: str, when: str | None = None, authority: str = "NORTH") -> Row:
    """A patient link row between two identifiers of one authority."""
    ends = {"patient_id": survivor, "prior_id": prior, "patient_authority": authority, "prior_authority": authority}
    return "patient_link", {"kind": kind, "at": at(when) if when else None, **ends}
