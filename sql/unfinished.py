"""Which periods of a course are unfinished: drawn as whole, they would look like a fall.

* The dates asked for, or the data, begin or end inside it. The data end on the last local day that they reach at all
  facilities: of a cut-off at 02:00 UTC, New York has the evening of the day before.
* Of a length between two stamps: so many of its cases still wait for their end that what is known is that of the quick
  ones. They are told by a share of known values below the usual one of the group, by more than the statistic bears;
  only of the newest periods, since what was over `SETTLED_DAYS` days ago and has no end is lost, not waiting.

Written twice, over the columns of the standard shape: for a statement, and for a frame. A test holds them together.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from sql.catalog import PERCENTILES, Metric
from sql.filters import Filters
from sql.kaplan_meier import is_censorable
from sql.noted import noted
from sql.snapshot import Snapshot

#: First day of the data: a week or month that it lies in is not whole.
FIRST_DAY = """SELECT (SELECT CAST(e.exam_ended_local AS DATE) FROM fct_exam e
WHERE e.is_countable AND e.exam_ended_local IS NOT NULL ORDER BY e.exam_ended_local LIMIT 1) AS day"""
#: The local day of the cut-off where it is earliest: all days before it are over everywhere.
LAST_DAY = """SELECT CAST(coalesce(
    (SELECT min(timezone(f.zone, timezone('UTC', m.through))) FROM dim_facility f), m.through) AS DATE) AS day
FROM (SELECT coalesce(data_through, built_at) AS through FROM meta_snapshot) m"""
#: Days after which a case without an end is taken for lost.
SETTLED_DAYS = 31
#: Share of the cases above (or below) a percentile that may be missing: a fifth. A mean bears as little as p90.
BEARS, BEARS_MEAN = 0.2, 0.02


def last_day(snapshot: Snapshot) -> date:
    """The day before which all days are over in the data, at every facility."""
    found: date = snapshot.execute(LAST_DAY)["day"][0]
    return found


def partial_sql(metric: Metric, since: str, until: str) -> str:
    """Statement over `course` (the standard shape and `probability`): its columns and is_partial."""
    cut = f"""SELECT c.*, c.period_end > d.last_day OR coalesce(c.period_start < d.first_day, FALSE)
           OR coalesce(c.period_start < CAST({since} AS DATE), FALSE)
           OR coalesce(c.period_end > CAST({until} AS DATE), FALSE) AS is_partial, d.last_day
FROM course c
CROSS JOIN (SELECT ({LAST_DAY}) AS last_day, ({FIRST_DAY}) AS first_day) d"""
    if not is_censorable(metric):
        return f"SELECT * EXCLUDE (last_day) FROM ({cut})"
    return f"""SELECT * EXCLUDE (last_day, is_partial, share_known, is_waiting),
       is_partial OR is_waiting AND count(*) FILTER (WHERE NOT is_partial AND NOT is_waiting) OVER (
           PARTITION BY group_value ORDER BY period_start ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) = 0
           AS is_partial
FROM (SELECT *, coalesce(period_end > last_day - {SETTLED_DAYS} AND share_known
             < median(share_known) FILTER (WHERE NOT is_partial) OVER (PARTITION BY group_value)
               - CASE WHEN probability IS NULL THEN {BEARS_MEAN} ELSE (1 - probability) * {BEARS} END, FALSE)
             AS is_waiting
      FROM (SELECT *, n / denominator AS share_known FROM ({cut})))"""


@noted
def data_from(snapshot: Snapshot) -> date | None:
    """Day of the first exam that counts; None without one."""
    first: date | None = snapshot.execute(FIRST_DAY)["day"][0]
    return first


@noted
def whole_days(snapshot: Snapshot) -> tuple[date | None, date]:
    """First day of the data, None without one, and the day before which all days are over in them."""
    return data_from(snapshot), last_day(snapshot)


def partial_of(
    metric: Metric, statistic: str, filters: Filters, frame: pl.DataFrame, days: tuple[date | None, date]
) -> pl.Series:
    """is_partial of each row of a metric by period, in the standard shape; `days` are the `whole_days`."""
    starts, ends, (data_from, through) = pl.col("period_start"), pl.col("period_end"), days
    cut = ends > pl.lit(through)
    for first in (data_from, filters.since):
        if first is not None:
            cut |= starts < pl.lit(first)
    if filters.until is not None:
        cut |= ends > pl.lit(filters.until)
    told = frame.with_columns(cut.fill_null(value=False).alias("is_partial"))
    if not is_censorable(metric):
        return told["is_partial"]
    probability = PERCENTILES[statistic]
    bears = BEARS_MEAN if probability is None else (1 - probability) * BEARS
    known = pl.col("n") / pl.col("denominator")
    usual = known.filter(~pl.col("is_partial")).median().over("group_value")
    is_recent = (pl.lit(through) - ends).dt.total_days() < SETTLED_DAYS
    told = told.with_row_index("place").sort("period_start", maintain_order=True)
    told = told.with_columns((is_recent & (known < usual - bears)).fill_null(value=False).alias("is_waiting"))
    is_whole = (~pl.col("is_partial") & ~pl.col("is_waiting")).cast(pl.Int64)
    later = is_whole.cum_sum(reverse=True).over("group_value")
    return told.with_columns(pl.col("is_partial") | (pl.col("is_waiting") & (later == 0))).sort("place")["is_partial"]
