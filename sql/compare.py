"""A metric against itself: an earlier period, its own groups, its own course. Pages make no differences."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import polars as pl

from sql.asked import must_have
from sql.bundle import Bundle
from sql.catalog import PERCENTILES
from sql.charted import charted, quantile_chart
from sql.control import chart_statement
from sql.definitions import definition, is_current
from sql.filters import Filters
from sql.measure import answer, metric
from sql.noted import noted
from sql.ordered import lists_statement
from sql.sets_of_seconds import with_values
from sql.snapshot import Snapshot
from sql.unfinished import partial_of, whole_days

#: Which way a change is good -> sign of a difference that is better.
_BETTER_SIGN = {"lower": -1, "higher": 1}
_EARLIER = [pl.col(name).alias("previous" if name == "value" else f"previous_{name}")
            for name in ("value", "n", "lower", "upper")]  # fmt: skip


def compare(
    snapshot: Snapshot,
    metric_id: str,
    *,
    groups: Sequence[str] = (),
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """A metric beside the period that `filters.compare` names: the standard shape and, for each group,

    previous, previous_n, previous_lower, previous_upper; delta (in the unit), relative (of the previous value);
    verdict (better, worse, same; NULL where neither way is better or nothing is compared); is_clear (the intervals do
    not overlap; NULL where there are none). Only groups that have rows now.
    """
    filters = filters or Filters()
    now = metric(snapshot, metric_id, groups=groups, filters=filters, statistic=statistic)
    then = _earlier(snapshot, metric_id, tuple(groups), filters, statistic)
    joined = now.join(then, on="group_value", how="left", maintain_order="left")
    return joined.with_columns(*_differences(definition(snapshot, metric_id).better))


def trend(
    snapshot: Snapshot,
    metric_id: str,
    *,
    period: str,
    groups: Sequence[str] = (),
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """A metric by period: the standard shape and is_partial, where a period is unfinished (`sql.unfinished`)."""
    filters = filters or Filters()
    found = metric(snapshot, metric_id, groups=groups, period=period, filters=filters, statistic=statistic)
    asked = definition(snapshot, metric_id)
    flags = partial_of(asked, statistic or asked.statistic, filters, found, whole_days(snapshot))
    return found.with_columns(flags.alias("is_partial"))


@noted
def control(
    snapshot: Snapshot,
    metric_id: str,
    *,
    period: str = "week",
    groups: Sequence[str] = (),
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """A metric's course as a control chart (`sql.control`): the columns of `trend` and

    chart (share, quantile, individuals), center, low, high (in the unit; NULL where a point is not judged, low or high
    also where none can be told), widened (how far the limits are wider than chance alone asks, from 1), signal
    (outside, run, NULL), run_since (first period of the run that the point continues). Raises QueryError.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    chosen = statistic or asked.statistic
    if is_current(snapshot) and asked.kind == "percentile" and PERCENTILES.get(chosen) is not None:
        must_have(asked, groups, period, chosen)
        one = Bundle(asked, ((tuple(groups), period),), (chosen,), (filters.replace(compare="none"),))
        days = whole_days(snapshot)
        many, fold = with_values(snapshot, one, partial(charted, one, days)), partial(quantile_chart, one, days)
        if many is not None:
            return many
        return snapshot.execute(*lists_statement(one), fold=fold, of=("control", period, chosen))
    return answer(snapshot, asked, "control", lambda ask: chart_statement(asked, ask, f"'{period}'"), groups=groups,
                  period=period, filters=filters, statistic=chosen)  # fmt: skip


def _earlier(
    snapshot: Snapshot, metric_id: str, groups: tuple[str, ...], filters: Filters, statistic: str | None
) -> pl.DataFrame:
    """The comparison's values by group_value; without rows where nothing is compared."""
    before = filters.before()
    then = metric(snapshot, metric_id, groups=groups, filters=before or filters, statistic=statistic)
    named = then.select("group_value", *_EARLIER)
    return named if before is not None else named.clear()


def judged(better: str, change: pl.Expr) -> pl.Expr:
    """better, worse or same, of a change in a metric; NULL where neither way is better."""
    if better not in _BETTER_SIGN:
        return pl.lit(None, dtype=pl.String)
    good = change.sign() * _BETTER_SIGN[better]
    return pl.when(good > 0).then(pl.lit("better")).when(good < 0).then(pl.lit("worse")).when(good == 0).then(
        pl.lit("same"))  # fmt: skip


@lru_cache(maxsize=8)
def _differences(better: str) -> list[pl.Expr]:
    delta = pl.col("value") - pl.col("previous")
    return [
        delta.alias("delta"),
        pl.when(pl.col("previous") != 0).then(delta / pl.col("previous").abs()).alias("relative"),
        judged(better, delta).alias("verdict"),
        ((pl.col("lower") > pl.col("previous_upper")) | (pl.col("upper") < pl.col("previous_lower"))).alias("is_clear"),
    ]
