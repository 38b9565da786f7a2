"""What a metric folds: the rows behind its value, for questions that need more than the value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.asked import ask_of
from sql.definitions import definition
from sql.filters import Filters
from sql.noted import noted
from sql.shape import picked
from sql.snapshot import Snapshot


@noted
def units(
    snapshot: Snapshot,
    metric_id: str,
    *,
    groups: Sequence[str] = (),
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """What a metric folds, a row of its table each: g0, g1, ... (values of the groups), day, and value for a percentile
    or numerator, denominator and n. Rows that the metric leaves out of its n are left out. Raises QueryError.
    """
    asked = definition(snapshot, metric_id)
    ask, params = ask_of(asked, tuple(groups), "all", filters or Filters(), statistic or asked.statistic)
    keys = "".join(f"p.g{number}, " for number in range(len(groups)))
    is_length = asked.kind in ("percentile", "max")
    columns = ("value",) if is_length else ("numerator", "denominator", "n")
    folded = ", ".join(f"CAST(p.{column} AS DOUBLE) AS {column}" for column in columns)
    kept = "p.value >= 0" if asked.kind == "percentile" else f"p.{columns[0]} IS NOT NULL"
    return snapshot.execute(
        f"{picked(asked, ask)} SELECT {keys}p.on_day AS day, {folded} FROM picked p WHERE {kept}", params
    )
