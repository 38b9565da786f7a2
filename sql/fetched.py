"""Rows of a statement as Arrow, without the copy that the engine makes of an answer which has run already."""

from __future__ import annotations

import warnings
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

# A relation is bound three times before it runs, which takes longer than the copy of an answer that this is about.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)


def fetched(cursor: duckdb.DuckDBPyConnection, sql: str, bound: dict[str, Any], at_once: int) -> pa.RecordBatchReader:
    """The rows of a statement with its parameters, `at_once` in a batch. Raises duckdb.Error.

    Those of `execute` are taken out of its result by a second statement, which takes a third of a millisecond and holds
    all rows twice. So they are had as the engine's own relations have theirs, where it has that way still.
    """
    submit = getattr(cursor, "_submit", None)
    if submit is None:
        return cursor.execute(sql, bound).to_arrow_reader(at_once)
    return submit(sql, bound, "arrow", at_once).arrow_reader()


def frame_of(table: pa.Table) -> pl.DataFrame:
    """A table as a frame in one piece: read as a stream, which takes a third of the time of the way through polars'
    threads, that have to wake for it."""
    return pl.DataFrame(table.to_reader()).rechunk()
