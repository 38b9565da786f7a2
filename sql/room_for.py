"""How many more exams a week fit into the staffed time of each device."""

from __future__ import annotations

import polars as pl

from sql.filters import Filters
from sql.measure import metric
from sql.noted import noted
from sql.snapshot import Snapshot


@noted
def room_for(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """`unused_capacity` of each device as exams a week, most first: group_value (device), weekly.

    The mean over the days of the filters, or of the data where they are open. Idle time counts whole, also in pieces
    shorter than an exam, and nothing is kept free for emergencies.
    """
    found = metric(snapshot, "unused_capacity", groups=("device",), filters=filters)
    weeks = (pl.col("period_end") - pl.col("period_start")).dt.total_days() / 7
    return found.select("group_value", (pl.col("value") / weeks).alias("weekly")).sort(
        "weekly", "group_value", descending=[True, False]
    )
