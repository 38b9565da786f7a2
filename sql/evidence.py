"""What a number is made of: what became of every row that it could have used, and which clocks told its times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, partial
from inspect import signature
from typing import NamedTuple

import polars as pl

from sql import fates, implied
from sql.asked import clause_of, dates_of, must_have
from sql.candidates import CLOCKED, candidates, completeness_sql, fate_sql, source_of
from sql.catalog import Catalog, Metric
from sql.definitions import definition
from sql.elsewhere import needed
from sql.filters import CLOCKS, Filters
from sql.noted import Call, noted
from sql.shape import weight_sql
from sql.snapshot import Snapshot
from sql.windows import windowed

#: Tables of devices: their busy time is told by the clocks of the exams on them.
DEVICE_TABLES = frozenset({"fct_device_hour", "fct_device_day", "fct_device_busy"})
#: Tables whose rows are of one exam each.
EXAM_TABLES = frozenset({"fct_exam", "fct_read", "fct_appointment", "fct_header", "fct_prior_case", "fct_discrepancy"})


class Verdict(NamedTuple):
    """Whether a number can be relied on: `fault` is few, incomplete, or empty where it can; `share` of values known."""

    fault: str
    n: int
    share: float


@noted
def completeness(
    snapshot: Snapshot, metric_id: str, filters: Filters | None = None, statistic: str | None = None
) -> pl.DataFrame:
    """What became of every row that a metric could have used: columns kind, reason, n, share (of n, 0-1), n_rows.

    n counts as the metric's n does, n_rows counts rows of its table; `used` has the n of the metric. Kinds are used;
    missing (a value is not known, named by the milestone); waiting (its end may still come); negative (runs backwards);
    excluded (exams that do not count, by exclusion_reason); other (rows that the metric does not ask about).
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    statistic = statistic or asked.statistic
    must_have(asked, (), "all", statistic)
    key = ("completeness", asked.id, statistic, filters.replace(compare="none"))
    return snapshot.keep(key, lambda: _completeness(snapshot, asked, statistic, filters))


def _completeness(snapshot: Snapshot, asked: Metric, statistic: str, filters: Filters) -> pl.DataFrame:
    if _is_once(asked, statistic):
        return fates.fates_of(fates.counted(snapshot, asked, filters, _told_ends(asked)))
    clause = clause_of(asked, filters)
    implied_sql = implied.completeness_sql(asked, clause, *dates_of(clause), statistic)
    sql = implied_sql or completeness_sql(asked, clause.sql, *dates_of(clause), {statistic: ""})
    return snapshot.execute(sql, clause.params)


@noted
def clocks(snapshot: Snapshot, metric_id: str, filters: Filters | None = None) -> pl.DataFrame:
    """Which source told each end of the intervals that a metric used: milestone, source, rung, n, share (0-1).

    rung 1 is the preferred clock of the milestone, higher ones its fallbacks. For device time, the exams that count and
    ended in the period. Empty for a metric whose ends are not milestones.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    key = ("clocks", asked.id, filters.replace(compare="none"))
    return snapshot.keep(key, lambda: _clocks(snapshot, asked, filters))


def _clocks(snapshot: Snapshot, asked: Metric, filters: Filters) -> pl.DataFrame:
    ends = _ends(asked)
    if _is_counted(asked, asked.statistic):
        return fates.clocks_of(snapshot, fates.counted(snapshot, asked, filters, ends), filters, ends)
    if not ends:
        return pl.DataFrame(schema=fates.CLOCK_COLUMNS)
    alias = "b" if asked.table in DEVICE_TABLES else "e"
    sources = ", ".join(f"{alias}.{source_of(milestone)}" for milestone in ends)
    if asked.table in DEVICE_TABLES:
        clause = filters.where((*_columns("fct_exam"), *CLOCKS), anchor="exam_ended_local", alias="b", table="fct_exam")
        rows = f"fct_exam b WHERE b.is_countable AND {clause.sql}"
    else:
        clause = clause_of(asked, filters)
        fate = fate_sql(asked, asked.statistic, "NULL")
        exams = windowed("JOIN fct_exam e", asked.windows, *dates_of(clause), needed(asked.id, filters))
        rows = f"""({candidates(asked, *dates_of(clause))}) b {exams} ON e.exam_key = b.exam_key
        WHERE {fate} = 'used|' AND {clause.sql}"""
    used = snapshot.execute(f"SELECT {sources}, count(*) AS n FROM {rows} GROUP BY ALL", clause.params)
    return fates.clocks_of(snapshot, used, filters, ends)


def gathered(snapshot: Snapshot, calls: Iterable[Call]) -> tuple[list[Callable[[], object]], list[Call]]:
    """What answers the questions of `completeness` and `clocks` about the same rows at once, and the other calls."""
    asked: list[tuple[Metric, Filters]] = []
    others: list[Call] = []
    for call in calls:
        if call.ask not in (completeness, clocks):
            others.append(call)
            continue
        given = _signature(call.ask).bind(*call.args, **call.options).arguments
        metric = definition(snapshot, given["metric_id"])
        is_counted = _is_once if call.ask is completeness else _is_counted
        if is_counted(metric, given.get("statistic") or metric.statistic):
            asked.append((metric, (given.get("filters") or Filters()).replace(compare="none")))
        else:
            others.append(call)
    ends = {metric.id: _told_ends(metric) for metric, _ in asked}
    tasks = [partial(fates.ask, snapshot, metrics, filters, ends) for metrics, filters in fates.gathered(asked)]
    told = dict.fromkeys(Filters(since=f.since, until=f.until) for metric, f in asked if ends[metric.id])
    return [*tasks, *(partial(fates.ask_rungs, snapshot, dates) for dates in told)], others


#: What a question takes: to read it off takes longer than to find its arguments.
_signature = cache(signature)


def _ends(asked: Metric) -> list[str]:
    """The milestones whose clocks tell of a metric's rows."""
    if asked.table not in DEVICE_TABLES | EXAM_TABLES:
        return []
    return [m for m in dict.fromkeys((asked.clock_start, asked.clock_stop)) if m in CLOCKED]


def _told_ends(asked: Metric) -> list[str]:
    """Those of these milestones of which each row of the metric's own table says which clocks told them."""
    ends = _ends(asked)
    is_told = asked.table in EXAM_TABLES and {*map(source_of, ends)} <= {*_columns(asked.table)}
    return ends if is_told else []


def _is_once(asked: Metric, statistic: str) -> bool:
    """Whether what became of rows can be counted: each row of the metric's own table counts once."""
    is_usual = statistic == asked.statistic or not asked.choices
    return is_usual and weight_sql(asked, asked.statistic) == "1" and fates.is_plain(asked)


def _is_counted(asked: Metric, statistic: str) -> bool:
    """Whether it is counted by the clocks that told the ends of rows."""
    return bool(_told_ends(asked)) and _is_once(asked, statistic)


def verdict(asked: Metric, fates: pl.DataFrame) -> Verdict:
    """What `completeness` says of a number: `few` rows for its min_n, or `incomplete`: fewer known than its floor.

    The share is of used among used, missing and negative: what still waits will have a value, and is not held against.
    """
    n: Counter[str] = Counter()
    for kind, many in zip(fates["kind"].to_list(), fates["n"].to_list(), strict=True):
        n[kind] += many
    used = n["used"]
    due = used + n["missing"] + n["negative"]
    share = used / due if due else 1.0
    fault = "incomplete" if share < asked.floor else "few" if used < asked.min_n else ""
    return Verdict(fault, used, share)


def _columns(table: str) -> tuple[str, ...]:
    return tuple(column.name for column in Catalog.load().models[table].columns)
