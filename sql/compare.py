"""A metric against itself: an earlier period, its own groups, its own course. Pages make no differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

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
#: What is told of a group of the earlier period, and what stands beside the present one.
_EARLIER = ("group_value", "value", "n", "lower", "upper")
_BESIDE: dict[str, type[pl.DataType]] = {
    "previous": pl.Float64, "previous_n": pl.Int64, "previous_lower": pl.Float64, "previous_upper": pl.Float64,
    "delta": pl.Float64, "relative": pl.Float64, "verdict": pl.String, "is_clear": pl.Boolean,
}  # fmt: skip
_ABSENT = (None, None, None, None)


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
    before = filters.before()
    then = None if before is None else metric(
        snapshot, metric_id, groups=groups, filters=before, statistic=statistic)  # fmt: skip
    return now.hstack(_beside(now, then, definition(snapshot, metric_id).better))


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


def _beside(now: pl.DataFrame, then: pl.DataFrame | None, better: str) -> list[pl.Series]:
    """The columns beside the present groups. A page compares a dozen times a few groups: a join and expressions over
    frames take six times as long as lists."""
    earlier = {} if then is None else {group: rest for group, *rest in _rows(then, *_EARLIER)}
    rows = []
    for group, value, lower, upper in _rows(now, "group_value", "value", "lower", "upper"):
        previous, n, low, high = earlier.get(group, _ABSENT)
        delta = None if value is None or previous is None else value - previous
        relative = delta / abs(previous) if delta is not None and previous else None
        is_clear = _is_clear(lower, upper, low, high)
        rows.append((previous, n, low, high, delta, relative, _verdict(better, delta), is_clear))
    columns = zip(*rows, strict=True) if rows else ((),) * len(_BESIDE)
    return [pl.Series(name, values, kind) for (name, kind), values in zip(_BESIDE.items(), columns, strict=True)]


def _rows(frame: pl.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name].to_list() for name in names), strict=True)


def _verdict(better: str, change: float | None) -> str | None:
    """As `judged`, of one change."""
    if better not in _BETTER_SIGN or change is None:
        return None
    good = change * _BETTER_SIGN[better]
    return "better" if good > 0 else "worse" if good < 0 else "same"


def _is_clear(lower: float | None, upper: float | None, low: float | None, high: float | None) -> bool | None:
    """Whether two intervals do not overlap; None where that is not known."""
    is_above = None if lower is None or high is None else lower > high
    is_below = None if upper is None or low is None else upper < low
    if is_above or is_below:
        return True
    return None if is_above is None or is_below is None else False


def judged(better: str, change: pl.Expr) -> pl.Expr:
    """better, worse or same, of a change in a metric; NULL where neither way is better."""
    if better not in _BETTER_SIGN:
        return pl.lit(None, dtype=pl.String)
    good = change.sign() * _BETTER_SIGN[better]
    return pl.when(good > 0).then(pl.lit("better")).when(good < 0).then(pl.lit("worse")).when(good == 0).then(
        pl.lit("same"))  # fmt: skip
