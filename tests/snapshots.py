"""Small snapshots by hand: the catalog's tables, a few rows in some of them, macros and comments as published."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from sql.catalog import Catalog
from sql.metric_macros import CREATED, install, signature
from sql.snapshot import Snapshot, open_snapshot
from tests.attached import attached

Rows = list[dict[str, Any]]


@cache
def _empty(has_macros: bool) -> bytes:
    """A snapshot file with all tables and comments, macros where they are wanted, and no row."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.duckdb"
        _create(path, has_macros)
        return path.read_bytes()


def _create(path: Path, has_macros: bool) -> None:
    if not has_macros:
        path.write_bytes(_empty(True))
        with duckdb.connect(str(path)) as con:
            con.execute("; ".join(f"DROP SCHEMA {schema} CASCADE" for schema in CREATED))
        return
    with duckdb.connect(str(path)) as con:
        for model in Catalog.load().tables.values():
            columns = ", ".join(f'"{column.name}" {column.type}' for column in model.columns)
            con.execute(f"CREATE TABLE {model.name} ({columns})")
        con.execute(
            """CREATE TABLE meta_snapshot (snapshot_id VARCHAR, seq BIGINT, built_at TIMESTAMP, data_through TIMESTAMP,
               digest VARCHAR, signature VARCHAR)"""
        )
        install(con)


def write_snapshot(
    path: Path, tables: dict[str, Rows], data_through: datetime, seq: int = 1, *, has_macros: bool = True
) -> Path:
    """A snapshot file with these rows; columns that a row does not name are NULL."""
    path.write_bytes(_empty(has_macros))
    with attached(path) as con:
        for table, rows in tables.items():
            if rows:
                con.register("new_rows", pl.DataFrame(rows, infer_schema_length=None))
                con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM new_rows")
                con.unregister("new_rows")
        con.execute(
            """UPDATE fct_exam SET exam_local = coalesce(exam_started_local, exam_ended_local)
               WHERE exam_local IS NULL"""
        )
        con.execute(
            """UPDATE fct_exam SET placed_local = coalesce(exam_ended_local, exam_started_local, scheduled_local,
                                                           ordered_local)
               WHERE placed_local IS NULL"""
        )
        con.execute("UPDATE fct_backlog_hour SET is_first_pass = FALSE WHERE is_first_pass IS NULL")
        con.execute(
            "INSERT INTO meta_snapshot VALUES (?, ?, ?, ?, 'd', ?)",
            [f"{seq:06d}-test", seq, data_through, data_through, signature()],
        )
    return path


def snapshot_of(path: Path, data_through: datetime, *, has_macros: bool = False, **tables: Rows) -> Snapshot:
    """The same, opened; without macros, which take most of the time to write and to open one, and few tests ask."""
    return open_snapshot(write_snapshot(path / "hand.duckdb", tables, data_through, has_macros=has_macros))


def exam_row(value: float | None, at: str = "2026-03-02 10:00", **columns: Any) -> dict[str, Any]:
    """An exam that counts, ended `at` on the wall clock, with the same value for each interval."""
    local = datetime.fromisoformat(at)
    usual = {"facility": "NORTH", "modality": "CT", "priority": "routine", "patient_class": "outpatient"}
    times = {"exam_started_local": local, "exam_ended_local": local, "is_countable": True}
    return {**usual, **times, "report_final_min": value, "wait_min": value, **columns}
