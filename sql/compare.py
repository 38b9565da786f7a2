"""A metric against itself: an earlier period, its own groups, its own course. Pages make no differences."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.control import chart_statement
from sql.definitions import definition
from sql.filters import Filters
from sql.measure import answer, metric
from sql.snapshot import Snapshot

#: Which way a change is good -> sign of a difference that is better.
_BETTER_SIGN = {"lower": -1, "higher": 1}
_EARLIER = {"value": "previous", "n": "previous_n", "lower": "previous_lower", "upper": "previous_upper"}


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


def changes(
    snapshot: Snapshot,
    metric_id: str,
    *,
    by: Sequence[str] = ("facility", "modality"),
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """What changed most, and where: a row for each value of each grouping of `by`, the largest change first.

    Columns: group_name, group_value, n, previous_n, value, previous, delta, relative, share and previous_share (of the
    grouping's n, 0-1), weighted (delta × share: how much the group moves the whole, exact for means of unchanged mix),
    verdict, is_clear. A group that is new or gone has no delta. Empty where nothing is compared.
    """
    filters = filters or Filters()
    found = [_change(snapshot, metric_id, group, filters, statistic) for group in by if filters.before() is not None]
    if not found:
        return pl.DataFrame(schema=_CHANGE_SCHEMA)
    return pl.concat(found).sort(pl.col("weighted").abs(), "group_name", "group_value", descending=[True, False, False],
                                 nulls_last=True)  # fmt: skip


_CHANGE_SCHEMA: dict[str, type[pl.DataType]] = {
    "group_name": pl.String, "group_value": pl.String, "n": pl.Int64, "previous_n": pl.Int64, "value": pl.Float64,
    "previous": pl.Float64, "delta": pl.Float64, "relative": pl.Float64, "share": pl.Float64,
    "previous_share": pl.Float64, "weighted": pl.Float64, "verdict": pl.String, "is_clear": pl.Boolean,
}  # fmt: skip


def _change(snapshot: Snapshot, metric_id: str, group: str, filters: Filters, statistic: str | None) -> pl.DataFrame:
    now = metric(snapshot, metric_id, groups=(group,), filters=filters, statistic=statistic)
    then = _earlier(snapshot, metric_id, (group,), filters, statistic)
    joined = now.join(then, on="group_value", how="full", coalesce=True).with_columns(
        pl.lit(group).alias("group_name"), pl.col("n", "previous_n").fill_null(0)
    )
    return (
        joined.with_columns(
            *_differences(definition(snapshot, metric_id).better),
            (pl.col("n") / pl.col("n").sum()).alias("share"),
            (pl.col("previous_n") / pl.col("previous_n").sum()).alias("previous_share"),
        )
        .with_columns((pl.col("delta") * pl.col("share")).alias("weighted"))
        .select(pl.col(name).cast(kind) for name, kind in _CHANGE_SCHEMA.items())
    )


def trend(
    snapshot: Snapshot,
    metric_id: str,
    *,
    period: str,
    groups: Sequence[str] = (),
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """A metric by period: the standard shape and is_partial, where the dates or the data end inside the period."""
    filters = filters or Filters()
    found = metric(snapshot, metric_id, groups=groups, period=period, filters=filters, statistic=statistic)
    starts, ends = pl.col("period_start"), pl.col("period_end")
    is_partial = ends > pl.lit(snapshot.data_through.date())
    if filters.since is not None:
        is_partial |= starts < pl.lit(filters.since)
    if filters.until is not None:
        is_partial |= ends > pl.lit(filters.until)
    return found.with_columns(is_partial.alias("is_partial"))


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
    asked = definition(snapshot, metric_id)
    return answer(snapshot, asked, "control", lambda ask: chart_statement(asked, ask, f"'{period}'"), groups=groups,
                  period=period, filters=filters, statistic=statistic)  # fmt: skip


def _earlier(
    snapshot: Snapshot, metric_id: str, groups: tuple[str, ...], filters: Filters, statistic: str | None
) -> pl.DataFrame:
    """The comparison's values by group_value; without rows where nothing is compared."""
    before = filters.before()
    then = metric(snapshot, metric_id, groups=groups, filters=before or filters, statistic=statistic)
    named = then.select("group_value", *(pl.col(old).alias(new) for old, new in _EARLIER.items()))
    return named if before is not None else named.clear()


def _differences(better: str) -> list[pl.Expr]:
    delta = pl.col("value") - pl.col("previous")
    good = delta.sign() * _BETTER_SIGN.get(better, 0)
    has_sign = better in _BETTER_SIGN
    verdict = pl.when(good > 0).then(pl.lit("better")).when(good < 0).then(pl.lit("worse")).when(good == 0).then(
        pl.lit("same"))  # fmt: skip
    return [
        delta.alias("delta"),
        pl.when(pl.col("previous") != 0).then(delta / pl.col("previous").abs()).alias("relative"),
        (verdict if has_sign else pl.lit(None, dtype=pl.String)).alias("verdict"),
        ((pl.col("lower") > pl.col("previous_upper")) | (pl.col("upper") < pl.col("previous_lower"))).alias("is_clear"),
    ]
