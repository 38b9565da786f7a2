"""Between the engine and Polars: a query as a frame, a frame as a temporary table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:  # Polars takes longer to load than a run without anything new
    import polars as pl


def query(con: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> pl.DataFrame:
    """The rows of `sql` as a frame; column types follow the engine's."""
    import polars as pl  # noqa: PLC0415

    frame = con.sql(sql, params=parameters).pl()
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table becomes a frame; only an array becomes a series
    return frame


def table(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Create or replace the temporary table `name` with the rows of `frame`."""
    con.register("frame_rows", frame.to_arrow())
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM frame_rows")
    finally:
        con.unregister("frame_rows")


def insert(con: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame, batch_id: int, derived: str = "") -> None:
    """Append `rows` with their batch to a table by column name; columns that they lack are NULL.

    `derived` is SQL for further columns of each row.
    """
    import polars as pl  # noqa: PLC0415

    if rows.height:
        con.register("frame_rows", rows.with_columns(batch_id=pl.lit(batch_id, pl.Int64)))
        con.execute(f"INSERT INTO {name} BY NAME SELECT *{derived and ', ' + derived} FROM frame_rows")
        con.unregister("frame_rows")
