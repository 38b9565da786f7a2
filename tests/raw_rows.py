"""Hand-made raw rows for tests: tables of `etl.records`, filled row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import chain
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


#: Rows of one statement: to plan one costs most of the time of a row by itself.
AT_ONCE = 100


def insert(con: duckdb.DuckDBPyConnection, batch: int, rows: Iterable[Row], prefix: str = "") -> None:
    """Append `rows` as messages of one file of `batch`; those with values of the same kinds go together."""
    alike: dict[tuple[Any, ...], list[list[Any]]] = defaultdict(list)
    for position, (record, columns) in enumerate(rows):
        row = {"batch_id": batch, "file_id": f"f{batch}", "position": position, "row_number": 0, **columns}
        alike[record, tuple(row), tuple(map(type, row.values()))].append(list(row.values()))
    for (record, names, _), values in alike.items():
        marks = f"({', '.join('?' * len(names))})"
        quoted = ", ".join(f'"{name}"' for name in names)
        for some in (values[n : n + AT_ONCE] for n in range(0, len(values), AT_ONCE)):
            con.execute(
                f"INSERT INTO {prefix}raw_{record} ({quoted}) VALUES {', '.join([marks] * len(some))}",
                list(chain.from_iterable(some)),
            )
    for record in dict.fromkeys(record for record, *_ in alike):
        for name, sql in numbers(record).items():
            con.execute(f"UPDATE {prefix}raw_{record} SET {name} = {sql} WHERE {name} IS NULL")


def link(kind: str, survivor: str, prior: str, when: str | None = None, authority: str = "NORTH") -> Row:
    """A patient link row between two identifiers of one authority."""
    ends = {"patient_id": survivor, "prior_id": prior, "patient_authority": authority, "prior_authority": authority}
    return "patient_link", {"kind": kind, "at": at(when) if when else None, **ends}


def raw_rows(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a raw store by table, in an order of their own, without when they were loaded; names for paths."""
    told = con.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'raw_%' ORDER BY 1").fetchall()
    return {name: con.execute(_rows_of(con, name)).fetchall() for (name,) in told if name != "raw_message_run"}


def _rows_of(con: duckdb.DuckDBPyConnection, table: str) -> str:
    names = [name for name, *_ in con.execute(f"DESCRIBE {table}").fetchall()]
    shown = [
        r"regexp_extract(path, '[^/]+$') AS path" if name == "path" else f'"{name}"'
        for name in names
        if name not in ("loaded_at", "modified_ns")
    ]
    return f"SELECT {', '.join(shown)} FROM {table} ORDER BY ALL"
