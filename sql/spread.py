"""How a metric's values spread: counts by range, for a histogram beside the percentiles."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.asked import QueryError, clause_of, dates_of
from sql.definitions import definition
from sql.filters import Filters
from sql.noted import noted
from sql.snapshot import Snapshot
from sql.windows import windowed

#: Ends of the ranges of a length in minutes: a quarter of an hour to two days, wider as they grow.
EDGES = (0.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 360.0, 720.0, 1440.0, 2880.0)


@noted
def spread(
    snapshot: Snapshot, metric_id: str, *, filters: Filters | None = None, edges: Sequence[float] = EDGES
) -> pl.DataFrame:
    """Values of a percentile metric by range: columns low, high (NULL: open), n, share, cumulative (0-1).

    Ranges are half-open and start at the first edge; all are there, also empty ones, unless there is no value at all.
    Values that run backwards are left out, as the metric leaves them out. Raises QueryError.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    if asked.kind != "percentile":
        raise QueryError(f"{asked.id} has no spread: it is no percentile")
    clause = clause_of(asked, filters)
    ends = ", ".join(f"({low!r}, {high!r})" for low, high in zip(edges, [*edges[1:], None], strict=True))
    body = windowed(asked.body, asked.windows, *dates_of(clause))
    return snapshot.execute(
        f"""WITH ranges AS (SELECT * FROM (VALUES {ends.replace("None", "NULL")}) r(low, high)),
        taken AS (SELECT CAST(b.value AS DOUBLE) AS value, count(*) AS n FROM ({body}) b
                  WHERE b.value >= 0 AND {clause.sql} GROUP BY b.value),
        told AS (SELECT r.low, r.high, CAST(coalesce(sum(t.n), 0) AS BIGINT) AS n
                 FROM ranges r LEFT JOIN taken t ON t.value >= r.low AND (r.high IS NULL OR t.value < r.high)
                 WHERE EXISTS (SELECT 1 FROM taken) GROUP BY r.low, r.high)
        SELECT CAST(low AS DOUBLE) AS low, CAST(high AS DOUBLE) AS high, n, n / sum(n) OVER () AS share,
        sum(n) OVER (ORDER BY low) / sum(n) OVER () AS cumulative
        FROM told ORDER BY low""",
        clause.params,
    )
