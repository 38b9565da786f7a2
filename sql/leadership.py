"""The numbers that leaders read: which measures, their scorecard by facility, and their course up to a month's end.

The pack's files, its report and the Reports page are made from these two frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from sql.catalog import Metric
from sql.compare import compare, trend
from sql.definitions import definitions
from sql.filters import Filters
from sql.rows import rows
from sql.snapshot import Snapshot
from sql.unfinished import data_from, last_day


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of the scorecard: its name, as a heading, metric, statistic, theme; whether its course is drawn."""

    name: str
    label: str
    metric: str
    statistic: str
    theme: str
    has_course: bool = False
    is_headline: bool = False


THEMES = ("turnaround", "utilization", "repeats", "workload")
MEASURES: tuple[Measure, ...] = (
    Measure("exams", "Exams", "volume", "value", "workload", is_headline=True),
    Measure("report_p50", "Report, median", "report_final", "p50", "turnaround", is_headline=True),
    Measure("report_p90", "90 % within", "report_final", "p90", "turnaround", has_course=True, is_headline=True),
    Measure(
        "within_target", "Within target", "within_target", "value", "turnaround", has_course=True, is_headline=True
    ),
    Measure("order_to_exam", "Order to exam", "order_to_exam", "p50", "turnaround"),
    Measure("wait", "Wait", "wait", "p50", "turnaround"),
    Measure("first_read", "First read", "first_read", "p50", "turnaround"),
    Measure("utilization", "Utilization", "utilization", "value", "utilization", has_course=True, is_headline=True),
    Measure("throughput", "Exams an hour", "throughput", "value", "utilization"),
    Measure("first_case", "First case on time", "first_case_on_time", "value", "utilization"),
    Measure("no_show", "No-shows", "no_show_rate", "value", "utilization", has_course=True),
    Measure("overtime", "Overtime", "overtime", "value", "utilization"),
    Measure("unused", "Unused room for exams", "unused_capacity", "value", "utilization"),
    Measure("repeats_30d", "Repeats, 30 d", "repeat_exam_rate", "30d", "repeats", has_course=True, is_headline=True),
    Measure("duplicates_30d", "Done elsewhere, 30 d", "duplicate_across_facilities", "30d", "repeats"),
    Measure("rejects", "Rejected images", "reject_rate", "value", "repeats", has_course=True),
    Measure("discontinued", "Given up", "discontinued_rate", "all", "repeats"),
    Measure("waiting", "Unread", "backlog", "waiting", "workload", is_headline=True),
    Measure("past_target", "Past target", "backlog", "past_target", "workload"),
    Measure("reads", "Reads", "reads", "final", "workload"),
    Measure("reads_per_hour", "Reads an hour", "reads_per_hour", "value", "workload", has_course=True),
    Measure("after_hours", "After hours", "share_after_hours", "value", "workload", has_course=True),
    Measure("amended", "Amended", "addendum_rate", "any", "workload"),
)
#: The row of everything together.
ALL = "all"
SCORECARD = (
    "facility", "facility_name", "theme", "measure", "metric", "title", "statistic", "unit", "value", "n", "is_small",
    "target", "previous", "previous_n", "delta", "relative", "verdict", "is_clear", "version",
)  # fmt: skip
COURSE = ("facility", "measure", "metric", "statistic", "unit", "grain", "period_start", "period_end", "value", "n",
          "is_small", "is_partial", "target")  # fmt: skip
_COMPARED = ("delta", "relative", "verdict", "is_clear")
#: Statistics that look so many days back: while the data begin, they rise by themselves.
LOOKS_BACK = {"30d": 30}
#: Months that a course goes back, the same month of the year before included; weeks where the data begin later.
MONTHS, WEEKS = 13, 13
#: Days of data before a month's end from which its course is drawn by month.
ENOUGH_DAYS = 180


def scorecard(snapshot: Snapshot, filters: Filters) -> pl.DataFrame:
    """A row a facility (`all` first) and measure: its value beside target and `filters.compare`; columns `SCORECARD`.

    A facility without rows has no value and n 0; is_small below the metric's min_n; is_clear as `compare` says. What
    adds up over a period is not compared where the data do not cover both periods; nor what looks days back where they
    begin too late for it.
    """
    places = _places(snapshot, filters)
    known = definitions(snapshot)
    parts = [_measured(snapshot, measure, known[measure.metric], places, filters) for measure in _asked(known)]
    order = {measure.name: number for number, measure in enumerate(MEASURES)}
    found = pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(SCORECARD, pl.String))
    if not covers(snapshot, filters):
        added = [metric for metric in known if known[metric].kind == "sum"]
        found = found.with_columns(
            pl.when(pl.col("metric").is_in(added).not_()).then(pl.col(name)).alias(name) for name in _COMPARED
        )
    if not reaches_back(snapshot, filters):
        back = pl.col("statistic").is_in(list(LOOKS_BACK))
        found = found.with_columns(pl.when(back.not_()).then(pl.col(name)).alias(name) for name in _COMPARED)
    ranked = found.with_columns(pl.col("measure").replace_strict(order, return_dtype=pl.Int64).alias("place"))
    return ranked.sort("place", maintain_order=True).select(SCORECARD)


def course(snapshot: Snapshot, filters: Filters) -> pl.DataFrame:
    """The measures that are drawn, by facility and month or week up to `filters.until`; columns `COURSE`.

    Raises ValueError where the filters have no end.
    """
    grain, since, until = window(snapshot, filters)
    known = definitions(snapshot)
    asked = filters.replace(since=since, until=until, compare="none")
    parts = []
    for measure in _asked(known):
        metric = known[measure.metric]
        for groups in _groups(metric) if measure.has_course else ():
            found = trend(snapshot, metric.id, period=grain, groups=groups, filters=asked, statistic=measure.statistic)
            parts.append(
                found.rename({"group_value": "facility"})
                .with_columns(*_named(measure, metric), pl.lit(grain).alias("grain"),
                              (pl.col("n") < metric.min_n).alias("is_small"))
                .sort("facility", "period_start").select(COURSE)
            )  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(COURSE, pl.String))


def window(snapshot: Snapshot, filters: Filters) -> tuple[str, date, date]:
    """Grain, first day and the day behind the last of a course: months, or whole weeks where the data begin late."""
    if filters.until is None:
        raise ValueError("a course ends on a day")
    first = data_from(snapshot)
    if first is not None and (filters.until - first).days >= ENOUGH_DAYS:
        index = filters.until.year * 12 + filters.until.month - 1 - MONTHS
        return "month", date(index // 12, index % 12 + 1, 1), filters.until
    monday = filters.until - timedelta(days=filters.until.weekday())
    return "week", monday - timedelta(weeks=WEEKS), monday


def covers(snapshot: Snapshot, filters: Filters) -> bool:
    """Whether the data begin before the period compared with, if any, and reach to the end of the period."""
    first, before = data_from(snapshot), filters.before()
    begins = filters.since if before is None else before.since
    return (
        first is not None and begins is not None and filters.until is not None
        and first <= begins and last_day(snapshot) >= filters.until
    )  # fmt: skip


def reaches_back(snapshot: Snapshot, filters: Filters) -> bool:
    """Whether the data begin so early that what the period compared with looks back to is known."""
    first, before = data_from(snapshot), filters.before()
    if first is None or before is None or before.since is None:
        return True
    return all(first + timedelta(days=days) <= before.since for days in LOOKS_BACK.values())


def _asked(known: dict[str, Metric]) -> Iterator[Measure]:
    """The measures whose metric and statistic a snapshot knows: an older one may lack some."""
    for measure in MEASURES:
        if measure.metric in known and measure.statistic in known[measure.metric].statistics:
            yield measure


def _groups(metric: Metric) -> tuple[tuple[str, ...], ...]:
    return ((), ("facility",)) if "facility" in metric.groups else ((),)


def _places(snapshot: Snapshot, filters: Filters) -> pl.DataFrame:
    """`all` and the facilities that may be seen, each with its name."""
    known = rows(snapshot, "dim_facility", columns=("facility", "facility_name"), limit=100_000,
                 filters=Filters().within(filters.scope)).sort("facility")  # fmt: skip
    whole = pl.DataFrame({"facility": [ALL], "facility_name": [None]}, schema=known.schema)
    return pl.concat([whole, known])


def _measured(
    snapshot: Snapshot, measure: Measure, metric: Metric, places: pl.DataFrame, filters: Filters
) -> pl.DataFrame:
    found = pl.concat(
        [
            compare(snapshot, metric.id, groups=groups, filters=filters, statistic=measure.statistic)
            for groups in _groups(metric)
        ]
    ).rename({"group_value": "facility"})
    joined = places.join(found, on="facility", how="left", maintain_order="left")
    n = pl.col("n").fill_null(0)
    counted = [n, pl.col("previous_n").fill_null(0), (n < metric.min_n).alias("is_small")]
    return joined.with_columns(*_named(measure, metric), *counted).select(SCORECARD)


def _named(measure: Measure, metric: Metric) -> list[pl.Expr]:
    told = {"theme": measure.theme, "measure": measure.name, "metric": metric.id, "title": metric.title,
            "statistic": measure.statistic, "unit": metric.unit, "version": metric.version}  # fmt: skip
    return [pl.lit(value).alias(name) for name, value in told.items()] + [
        pl.lit(metric.goal, dtype=pl.Float64).alias("target")
    ]
