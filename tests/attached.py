"""Databases of tests in the one engine of their process: to start another takes longer than most of what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@contextmanager
def attached(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose tables are those of the file, for the block; the file is written and closed after it."""
    engine = _engine()
    name = str(path).replace("'", "''")
    engine.execute(f"ATTACH '{name}' AS attached{' (READ_ONLY)' if read_only else ''}; USE attached")
    try:
        yield engine
    finally:
        engine.execute("USE memory; DETACH attached")
