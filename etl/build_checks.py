"""The marts' own rules: each check is a query for the rows that break it.

At night checks look at the rows that were made (`<mart>_new`): all others were judged when they were made, and what was
deleted is all that the touched keys had. That nothing else came or went is told by the number of rows of each mart.
"""

from __future__ import annotations

import duckdb

from etl.build_models import read_checks
from etl.errors import CheckFailedError


def run_checks(con: duckdb.DuckDBPyConnection, measured: dict[str, tuple[int, int]]) -> None:
    """Run every check of `sql/checks`, and hold each mart to its rows as counted in `measured` (rows, digest).

    Raises CheckFailedError naming the checks and how many rows break them.
    """
    broken = []
    for name, body in read_checks().items():
        n = con.execute(f"SELECT count(*) FROM ({body})").fetchall()[0][0]
        if n:
            broken.append(f"{name}: {n} rows")
    totals = " UNION ALL ".join(f"SELECT '{mart}', count(*) FROM {mart}" for mart in measured)
    for mart, n in con.execute(totals).fetchall():
        if n != measured[mart][0]:
            broken.append(f"rows of {mart}: {n} instead of {measured[mart][0]}")
    if broken:
        raise CheckFailedError("checks failed, marts kept as they were: " + "; ".join(broken))
