"""intake.duckdb, the private raw store: one table a record type, the ledger, defects and quarantine. Append-only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from etl.frames import insert
from etl.identity_nodes import EXAM_RECORDS, mention_of, patient_number
from etl.records import LOADED, RECORDS, SQL_TYPE
from etl.transaction import transaction
from sql.engine import SOUND

if TYPE_CHECKING:
    import polars as pl

#: Batches after which the engine makes blocks of few rows one again; in between, what a night adds stays as written.
TIDY_BATCHES = 16
#: Tables beside the records.
LEDGER = """
CREATE TABLE IF NOT EXISTS raw_batch (
    batch_id BIGINT, loaded_at TIMESTAMP, n_files BIGINT, n_read BIGINT, n_kept BIGINT, n_rejected BIGINT,
    n_duplicate BIGINT, n_defects BIGINT);
CREATE TABLE IF NOT EXISTS raw_file (
    file_id VARCHAR, batch_id BIGINT, path VARCHAR, size BIGINT, standard VARCHAR, n_read BIGINT, n_kept BIGINT,
    n_rejected BIGINT, n_duplicate BIGINT);
CREATE TABLE IF NOT EXISTS raw_path (path VARCHAR, size BIGINT, modified_ns BIGINT, file_id VARCHAR);
CREATE TABLE IF NOT EXISTS raw_message (message_hash BLOB, file_id VARCHAR, position BIGINT, batch_id BIGINT);
CREATE TABLE IF NOT EXISTS raw_defect (
    batch_id BIGINT, file_id VARCHAR, position BIGINT, field VARCHAR, reason VARCHAR);
CREATE TABLE IF NOT EXISTS raw_flow (
    batch_id BIGINT, standard VARCHAR, source VARCHAR, receiver VARCHAR, kind VARCHAR, facility_alias VARCHAR,
    day DATE, n_messages BIGINT, n_defective BIGINT);
CREATE TABLE IF NOT EXISTS raw_fault (
    batch_id BIGINT, standard VARCHAR, source VARCHAR, kind VARCHAR, facility_alias VARCHAR, day DATE, field VARCHAR,
    reason VARCHAR, n_defects BIGINT);
CREATE TABLE IF NOT EXISTS raw_quarantine (
    batch_id BIGINT, file_id VARCHAR, position BIGINT, path VARCHAR, standard VARCHAR, reason VARCHAR,
    detail VARCHAR, content BLOB, replayed_batch BIGINT);
CREATE TABLE IF NOT EXISTS raw_message_run (file VARCHAR, n BIGINT, since BIGINT, upto BIGINT);
"""


def raw_columns(record: str) -> list[tuple[str, str]]:
    """(name, SQL type) of a raw table: columns added by load, those of the record, and its numbers."""
    told = [(c.name, SQL_TYPE[c.kind]) for c in (*LOADED, *RECORDS[record])]
    return [*told, *((name, "UBIGINT") for name in numbers(record))]


def numbers(record: str) -> dict[str, str]:
    """Numbers that load stores beside a row, with their SQL: of its mention, or of the patient who moves."""
    if record in EXAM_RECORDS:
        return {"mention": mention_of(record)}
    return {"mover": patient_number()} if record == "room_move" else {}


def insert_record(con: duckdb.DuckDBPyConnection, record: str, rows: pl.DataFrame, batch_id: int) -> None:
    """Append rows of one record type with their batch and their numbers."""
    insert(con, f"raw_{record}", rows, batch_id, ", ".join(f"{sql} AS {name}" for name, sql in numbers(record).items()))


def tidy_seldom(con: duckdb.DuckDBPyConnection, before: int, last: int) -> None:
    """Leave blocks of few rows as they are, but where batches after `before` up to `last` pass a multiple of
    `TIDY_BATCHES`: beside ten million exams the engine takes as long to make them one as a night to be read."""
    if last // TIDY_BATCHES == before // TIDY_BATCHES:
        con.execute("SET max_vacuum_tasks = 0")


def _add_missing(con: duckdb.DuckDBPyConnection) -> None:
    """Columns that a raw store of an earlier version does not have yet; its rows say nothing of them."""
    found = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = current_database()"
    ).fetchall()
    known = set(found)
    for record in RECORDS:
        for name, kind in raw_columns(record):
            if (f"raw_{record}", name) not in known:
                con.execute(f'ALTER TABLE raw_{record} ADD COLUMN "{name}" {kind}')
                if name in numbers(record):
                    con.execute(f"UPDATE raw_{record} SET {name} = {numbers(record)[name]}")


def open_intake(path: Path, *, memory_limit: str = "4GB") -> duckdb.DuckDBPyConnection:
    """The writer's connection, with all tables. Only the ETL, under its lock, may call this."""
    is_new = not path.exists()
    con = duckdb.connect(str(path), config={"memory_limit": memory_limit})
    con.execute(SOUND)
    con.execute("SET TimeZone = 'UTC'")
    if is_new:
        path.chmod(0o600)
    with transaction(con):
        con.execute(LEDGER)
        for record in RECORDS:
            columns = ", ".join(f'"{name}" {kind}' for name, kind in raw_columns(record))
            con.execute(f"CREATE TABLE IF NOT EXISTS raw_{record} ({columns})")
        _add_missing(con)
    return con
