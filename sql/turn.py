"""Since when a number runs otherwise: the place in its course at which it changed most, where that is no chance.

Pettitt's test for one change point (Appl Stat 1979;28:126-135): of all ways to part the course in an earlier and a
later piece, the one whose pieces differ most by rank. It asks nothing of how the values spread, and single odd days
move it little. By day each weekday is compared with its own median first, so that a weekend is no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import exp

import polars as pl

from sql.compare import trend
from sql.filters import Filters
from sql.measure import metric
from sql.noted import Call
from sql.snapshot import Snapshot

#: Columns of the answer.
TURN: dict[str, type[pl.DataType]] = {
    "group_value": pl.String, "since": pl.Date, "is_up": pl.Boolean, "probability": pl.Float64,
}  # fmt: skip
#: Most days of a course by day, beyond them it is by week; fewest points; how likely chance may be.
MOST_DAYS, MIN_POINTS, CHANCE = 124, 14, 0.05


def turns(
    snapshot: Snapshot, metric_id: str, *, filters: Filters, groups: Sequence[str] = (), statistic: str | None = None
) -> pl.DataFrame:
    """Where the course of each group over the period and the one before it changed, a row where it did.

    Columns: group_value; since, first day (or Monday of the week) of the later piece; is_up, whether its values lie
    higher; probability of such a difference by chance. Empty where nothing is compared. Raises QueryError.
    """
    asked = _course_of(filters)
    if asked is None:
        return pl.DataFrame(schema=TURN)
    period, whole = asked
    course = trend(snapshot, metric_id, period=period, groups=groups, filters=whole, statistic=statistic)
    known = course.filter(~pl.col("is_partial") & pl.col("value").is_not_null()).sort("period_start")
    if period == "day":
        of_weekday = pl.col("value").median().over("group_value", pl.col("period_start").dt.weekday())
        known = known.with_columns(pl.col("value") - of_weekday)
    rows = [
        (key, part["period_start"][at], up > 0, chance)
        for (key,), part in known.group_by("group_value", maintain_order=True)
        if part.height >= MIN_POINTS
        for at, up, chance in [change_point(part["value"].to_list())]
        if chance <= CHANCE
    ]
    return pl.DataFrame(rows, schema=TURN, orient="row")


def turns_asked(snapshot: Snapshot, metric_id: str, *, filters: Filters, statistic: str | None = None) -> list[Call]:
    """What `turns` asks without groups, to be asked at once (`sql.together.ask_all`)."""
    asked = _course_of(filters)
    if asked is None:
        return []
    period, whole = asked
    return [Call(metric, (snapshot, metric_id), {"period": period, "filters": whole, "statistic": statistic})]


def _course_of(filters: Filters) -> tuple[str, Filters] | None:
    """Period and filters of the course over both periods; None where nothing is compared."""
    before = filters.before()
    if before is None or before.since is None or filters.until is None:
        return None
    period = "day" if (filters.until - before.since).days <= MOST_DAYS else "week"
    return period, filters.replace(since=before.since, compare="none")


def change_point(values: Sequence[float]) -> tuple[int, int, float]:
    """Index of the first value behind the change; by how many pairs later values are more often higher than lower
    (negative: lower); probability of such a difference by chance. Needs two values or more."""
    n = len(values)
    # pairs inside a piece cancel out, so each value may be compared with all others
    risen = list(accumulate(sum((other > one) - (other < one) for other in values) for one in values))[:-1]
    at = max(range(n - 1), key=lambda place: abs(risen[place]))
    return at + 1, risen[at], min(1.0, 2 * exp(-6 * risen[at] ** 2 / (n**3 + n**2)))
