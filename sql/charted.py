"""Control charts of percentiles, folded here: values are gathered once for the course and for the limits.

The same numbers as those of the statement that is shown (`sql.control`, which says what they mean), which any client
can run; a test holds them together.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pyarrow as pa

from sql.bundle import Bundle
from sql.catalog import PERCENTILES
from sql.control import D2, EXPECTED, MIN_POINTS, MIN_WEEKDAYS, RUN
from sql.ordered import Numbers, percentile_in, with_values
from sql.shape import SHAPE
from sql.unfinished import partial_of

_JUDGED = ("center", "low", "high", "widened", "signal", "run_since")
_GROUP = "group_value"


def quantile_chart(bundle: Bundle, days: tuple[date | None, date], rows: pa.RecordBatchReader) -> pl.DataFrame:
    """The columns of `sql.query.control` for a bundle of one set and one percentile, from the rows of
    `sql.ordered.lists_statement`; `days` are those of the data that are whole (`sql.unfinished`)."""
    return charted(bundle, days, *with_values(bundle, rows))


def charted(
    bundle: Bundle, days: tuple[date | None, date], course: pl.DataFrame, values: list[Numbers]
) -> pl.DataFrame:
    """As `quantile_chart`, from the answer to the bundle and the values of each of its rows in order."""
    (statistic,), ((_, period),), (filters,) = bundle.statistics, bundle.sets, bundle.slices
    flags = partial_of(bundle.metric, statistic, filters, course, days)
    course = course.with_columns(flags.alias("is_partial")).with_row_index("place")
    p = PERCENTILES[statistic] or 0.0
    judged = _judged(_limited(_used(course, p, by_day=period == "day"), values, p))
    found = course.join(judged, on="place", how="left", maintain_order="left").with_columns(chart=pl.lit("quantile"))
    return found.select(*SHAPE, "is_partial", "chart", *_JUDGED).sort("period_start", _GROUP)


def _used(course: pl.DataFrame, p: float, *, by_day: bool) -> pl.DataFrame:
    """The points that are judged, by group in order of time, with the stratum that they are compared in."""
    stratum = pl.col("period_start").dt.weekday() if by_day else pl.lit(0, pl.Int8)
    is_large = pl.col("n") * min(p, round(1 - p, 9)) >= EXPECTED
    points = course.with_columns(stratum.alias("stratum")).sort(_GROUP, "period_start")
    points = points.filter(pl.col("value").is_not_null() & ~pl.col("is_partial") & is_large)
    points = points.filter(pl.len().over(_GROUP, "stratum") >= (MIN_WEEKDAYS if by_day else 1))
    return points.filter(pl.len().over(_GROUP) >= MIN_POINTS)


def _limited(points: pl.DataFrame, values: list[Numbers], p: float) -> pl.DataFrame:
    """With center, low, high and widened."""
    places = points["place"].to_list()
    members = points.with_row_index("at").group_by(_GROUP, "stratum").agg("at")["at"].to_list()
    pools = [np.concatenate([values[places[at]] for at in mine]) for mine in members]
    below = np.empty(len(points))
    for mine, pool in zip(members, pools, strict=True):
        pool.sort()
        middle = percentile_in(pool, p)
        for at in mine:
            low, high = (np.searchsorted(values[places[at]], middle, side) for side in ("left", "right"))
            below[at] = (low + high) / 2 / len(values[places[at]])
    n = pl.col("n")
    z = (pl.Series("below", below) - p) / (p * (1 - p) / n).sqrt()
    points = points.with_columns(z.alias("z"))
    step = (pl.col("z") - pl.col("z").shift().over(_GROUP)).abs()
    points = points.with_columns(pl.max_horizontal(1.0, step.mean().over(_GROUP) / D2).alias("widened"))
    rank = ((n - 1) * p + 1) / (n + 1)
    reach = 3 * pl.col("widened") * (rank * (1 - rank) / (n + 2)).sqrt()
    shares = points.select(rank.alias("center"), (rank - reach).alias("low"), (rank + reach).alias("high"))
    limits = {name: np.empty(len(points)) for name in shares.columns}
    for mine, pool in zip(members, pools, strict=True):
        for name, limit in limits.items():
            limit[mine] = _at(pool, shares[name].gather(mine).to_numpy())
    return points.with_columns(pl.Series(name, limit, nan_to_null=True) for name, limit in limits.items())


def _at(pool: Numbers, shares: Numbers) -> Numbers:
    """The values of a sorted pool at shares, interpolated as the percentiles are; NaN outside 0-1."""
    place = (len(pool) - 1) * np.clip(shares, 0, 1)
    low = np.floor(place).astype(np.int64)
    found = pool[low] + (pool[np.minimum(low + 1, len(pool) - 1)] - pool[low]) * (place - low)
    return np.where((shares > 0) & (shares < 1), found, np.nan)


def _judged(points: pl.DataFrame) -> pl.DataFrame:
    """With signal and run_since."""
    side, value = pl.col("side"), pl.col("value")
    points = points.with_columns((value - pl.col("center")).sign().alias("side"))
    is_new = (side == 0) | side.ne_missing(side.shift().over(_GROUP))
    points = points.with_columns(is_new.cum_sum().over(_GROUP).alias("run"))
    is_run = (pl.int_range(1, pl.len() + 1).over(_GROUP, "run") >= RUN) & (side != 0)
    is_outside = (value < pl.col("low")) | (value > pl.col("high"))
    return points.select(
        "place", "center", "low", "high", "widened",
        pl.when(is_outside).then(pl.lit("outside")).when(is_run).then(pl.lit("run")).alias("signal"),
        pl.when(is_run).then(pl.col("period_start").min().over(_GROUP, "run")).alias("run_since"),
    )  # fmt: skip
