"""The marts' own rules: each check is a query for the rows that break it."""

from __future__ import annotations

import duckdb

from etl.build_models import read_checks
from etl.errors import CheckFailedError


def run_checks(con: duckdb.DuckDBPyConnection) -> None:
    """Run every check of `sql/checks`. Raises CheckFailedError naming the checks and how many rows break them."""
    broken = []
    for name, body in read_checks().items():
        row = con.execute(f"SELECT count(*) FROM ({body})").fetchone()
        if row and row[0]:
            broken.append(f"{name}: {row[0]} rows")
    if broken:
        raise CheckFailedError("checks failed, marts kept as they were: " + "; ".join(broken))
