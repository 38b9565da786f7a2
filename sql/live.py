"""What is open at one instant: patients who wait, exams in progress, exams without a final report, next breach first.

The instant is the data cut-off of the snapshot, never a clock of today. Unread is what `backlog` counts at a full hour:
exams that count, ended and not final; the target is that of `within_target`, and its clock starts at the exam's end.
Who waits and who is in exam is held to the site's targets of `wait` (from arrival) and `exam_duration` (from begin):
the most specific one valid on the local day on which that began.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from sql.catalog import Catalog
from sql.filters import Filters
from sql.noted import noted
from sql.snapshot import Snapshot

STAGES = ("waiting", "in_exam", "unread")
#: Hours after which an arrival or a begin without an end is a lost message: as in `fct_room_stay` and `exam_session`.
LOST_HOURS = 24
#: Days after which an unread exam is lost rather than waiting, as in `fct_queue_read`; it still counts as unread.
LEFT_DAYS = 7
#: Minutes before its target in which an exam is due soon.
SOON_MIN = 60
#: Days of exams by which it is judged whether a facility tells arrivals and begins while they happen.
TOLD_DAYS = 7
#: Origins that tell a begin after the fact.
AFTERWARDS = ("report", "image")
#: Ages of unread exams against their target: column of `unread_ages`, low and high end in parts of the target.
BANDS: tuple[tuple[str, float, float], ...] = (
    ("n_first_half", 0.0, 0.5), ("n_second_half", 0.5, 1.0), ("n_over", 1.0, 2.0), ("n_far_over", 2.0, float("inf")),
)  # fmt: skip

#: State of an exam at `n.at`: a stage, or why it is not open.
STATE = f"""CASE
    WHEN e.is_countable AND e.exam_ended_at <= n.at
        THEN CASE WHEN e.first_final_at <= n.at THEN 'final' ELSE 'unread' END
    WHEN NOT e.is_countable AND e.exclusion_reason <> 'not_performed' THEN 'excluded'
    WHEN e.facility = 'unmapped' THEN 'unmapped'
    WHEN least(e.first_prelim_at, e.first_final_at) <= n.at THEN 'no_end'
    WHEN e.exam_started_at < n.at - INTERVAL {LOST_HOURS} HOUR THEN 'lost_end'
    WHEN e.exam_started_at <= n.at THEN 'in_exam'
    WHEN e.arrived_at < n.at - INTERVAL {LOST_HOURS} HOUR THEN 'lost_begin'
    WHEN e.arrived_at <= n.at THEN 'waiting'
    ELSE 'not_arrived' END"""
#: Which open exams a list shows: name -> condition on the columns of `open_exams`.
SHOW: dict[str, pl.Expr] = {
    "all": pl.lit(value=True), "over": pl.col("due") == "over", "soon": pl.col("due") == "soon",
    "unread": pl.col("stage") == "unread", "in_exam": pl.col("stage") == "in_exam",
    "waiting": pl.col("stage") == "waiting",
}  # fmt: skip
#: Stage -> the metric whose targets hold in it, beside those of reports.
TARGETS = {"waiting": "wait", "in_exam": "exam_duration"}
#: Target of each exam that waits or is in exam, by the rule of `stg_target`.
_HELD = f"""SELECT p.exam_key, arg_max(t.target_min, row(
                CAST(t.facility IS NOT NULL AS INTEGER) + CAST(t.modality IS NOT NULL AS INTEGER)
                    + CAST(t.priority IS NOT NULL AS INTEGER) + CAST(t.patient_class IS NOT NULL AS INTEGER),
                coalesce(t.valid_from, DATE '0001-01-01'), -t.target_min)) AS target_min
            FROM (SELECT s.*, CAST(s.since_local AS DATE) AS since_day FROM since s WHERE s.state <> 'unread') p
            JOIN dim_target t ON t.metric = CASE p.state {
    " ".join(f"WHEN '{stage}' THEN '{metric}'" for stage, metric in TARGETS.items())
} END
                AND (t.facility IS NULL OR t.facility = p.facility)
                AND (t.modality IS NULL OR t.modality = p.modality)
                AND (t.priority IS NULL OR t.priority = p.priority)
                AND (t.patient_class IS NULL OR t.patient_class = p.patient_class)
                AND (t.valid_from IS NULL OR t.valid_from <= p.since_day)
                AND (t.valid_to IS NULL OR t.valid_to > p.since_day)
            GROUP BY p.exam_key"""
#: The instant, as a row that joins: what is left of many rows comes piece by piece, and is put together again here.
NOW = "(SELECT CAST($at AS TIMESTAMP) AS at)"
_AGE = "date_diff('microsecond', {since}, {at}) / 60000000"
#: Where open exams lie: none in two of these, each found by what the engine skips rows by. Exams that count are unread
#: until a final report, others wait or are in exam for a day ($lost: LOST_HOURS before $at); of those that are unread
#: few are not left ($left: LEFT_DAYS before $at).
_UNREAD = ("e.is_countable AND e.first_final_at IS NULL", "e.is_countable AND e.first_final_at > $at")
_LEFT = tuple(f"{place} AND e.exam_ended_at < $left" for place in _UNREAD)
_KEPT = (
    *(f"{place} AND e.exam_ended_at >= $left" for place in _UNREAD),
    "NOT e.is_countable AND e.exam_started_at >= $lost",
    "NOT e.is_countable AND e.exam_started_at IS NULL AND e.arrived_at >= $lost",
)
#: What is read of them; of a hundred columns most would only have to be named by the engine.
_READ = """e.exam_key, e.facility, e.modality, e.device, e.procedure_name, e.procedure_local, e.priority,
    e.patient_class, e.service_line, e.is_countable, e.exclusion_reason, e.arrived_at, e.arrived_local,
    e.exam_started_at, e.exam_started_local, e.exam_ended_at, e.exam_ended_local, e.first_prelim_at, e.first_final_at,
    e.target_min"""
#: Open exams `timed` (with at, state, has_read, since_at, since_local and age_min) as `open_exams` tells them.
_TOLD = f"""SELECT t.exam_key, t.facility, t.modality, t.device, t.procedure_name, t.procedure_local, t.priority,
            t.patient_class, t.service_line, t.state AS stage, t.since_at, t.since_local, t.age_min, t.target_min,
            t.since_at + to_seconds(t.target_min * 60) AS due_at, t.target_min - t.age_min AS left_min,
            CASE WHEN left_min < 0 THEN 'over' WHEN left_min <= {SOON_MIN} THEN 'soon'
                 WHEN left_min IS NOT NULL THEN 'later' END AS due, t.has_read,
            t.state = 'unread' AND t.since_at < t.at - INTERVAL {LEFT_DAYS} DAY AS is_left
        FROM timed t"""
_ORDER = "ORDER BY left_min NULLS LAST, age_min DESC, exam_key"
#: Exams that are kept, of which a list goes on with those that are left: these are then read with all columns at once.
FEW = 200
#: Columns that are counted.
_COUNTED = ("facility", "modality", "priority", "patient_class", "stage", "age_min", "target_min", "left_min", "due",
            "has_read", "is_left")  # fmt: skip


def now_filters(filters: Filters) -> Filters:
    """The filters without what says nothing of an open exam: dates, hours, lengths, comparison, and the reader whom it
    has not yet."""
    return filters.replace(since=None, until=None, compare="none", radiologist=(), weekday=(), hour=(), length=())


@noted
def open_exams(snapshot: Snapshot, filters: Filters | None = None, at: datetime | None = None) -> pl.DataFrame:
    """Every open exam at `at` (UTC; the data cut-off): those with a target by the minutes left, then those without by
    age, and at the end those left unread for over `LEFT_DAYS`.

    Columns: exam_key, facility, modality, device, procedure_name, procedure_local, priority, patient_class,
    service_line, stage (of STAGES), since_at (UTC) and since_local (arrival, begin or end), age_min, target_min,
    due_at (UTC), left_min (negative where over), due (over, soon, later; NULL without a target), has_read (a report of
    any kind is there), is_left. At an earlier `at`, what is cancelled by now was never open.
    """
    return pl.concat([kept_exams(snapshot, filters, at), _left_exams(snapshot, filters, at)])


@noted
def kept_exams(snapshot: Snapshot, filters: Filters | None = None, at: datetime | None = None) -> pl.DataFrame:
    """The first of `open_exams`: those that are not left. They lie together, those that are left among all exams."""
    where, params = where_now(snapshot, filters, at)
    return snapshot.execute(
        f"""WITH placed AS (
            SELECT e.*, n.at, {STATE} AS state, e.first_prelim_at <= n.at IS TRUE AS has_read
            FROM ({_found(_KEPT, where)}) e CROSS JOIN {NOW} n
        ), since AS (
            SELECT p.*, CASE p.state WHEN 'waiting' THEN p.arrived_at WHEN 'in_exam' THEN p.exam_started_at
                    ELSE p.exam_ended_at END AS since_at,
                CASE p.state WHEN 'waiting' THEN p.arrived_local WHEN 'in_exam' THEN p.exam_started_local
                    ELSE p.exam_ended_local END AS since_local,
                {_AGE.format(since="since_at", at="p.at")} AS age_min
            FROM placed p WHERE p.state IN ('waiting', 'in_exam', 'unread')
        ), held AS ({_HELD}
        ), timed AS (
            SELECT p.* REPLACE (CASE WHEN p.state = 'unread' THEN p.target_min ELSE h.target_min END AS target_min)
            FROM since p LEFT JOIN held h ON h.exam_key = p.exam_key
        )
        {_TOLD}
        {_ORDER}""",
        params | {"lost": params["at"] - timedelta(hours=LOST_HOURS), "left": params["at"] - timedelta(days=LEFT_DAYS)},
    )


def _left_exams(
    snapshot: Snapshot, filters: Filters | None, at: datetime | None, columns: Sequence[str] = ()
) -> pl.DataFrame:
    """The last of `open_exams`: those left unread; in order, or some columns in none."""
    where, params = where_now(snapshot, filters, at)
    return snapshot.execute(
        f"""WITH timed AS (
            SELECT e.*, n.at, 'unread' AS state, e.first_prelim_at <= n.at IS TRUE AS has_read,
                e.exam_ended_at AS since_at, e.exam_ended_local AS since_local,
                {_AGE.format(since="e.exam_ended_at", at="n.at")} AS age_min
            FROM ({_found(_LEFT, where)}) e CROSS JOIN {NOW} n
        )
        SELECT {", ".join(columns) or "*"} FROM ({_TOLD}) o {"" if columns else _ORDER}""",
        params | {"left": params["at"] - timedelta(days=LEFT_DAYS)},
    )


def _found(places: Sequence[str], where: str) -> str:
    return " UNION ALL ".join(f"SELECT {_READ} FROM fct_exam e WHERE {place} AND {where}" for place in places)


def _counted(snapshot: Snapshot, filters: Filters | None, at: datetime | None) -> pl.DataFrame:
    """`open_exams`, the columns that are counted, in no order."""
    kept = kept_exams(snapshot, filters, at)
    left = _left_exams(snapshot, filters, at, () if kept.height < FEW else _COUNTED)
    return pl.concat([kept.select(_COUNTED), left.select(_COUNTED)])


def open_list(
    snapshot: Snapshot, show: str = "all", filters: Filters | None = None, limit: int | None = None
) -> pl.DataFrame:
    """`open_exams` at the data cut-off, those of one name of SHOW, in the same order; the first `limit` of them."""
    if limit is not None:
        kept = kept_exams(snapshot, filters).filter(SHOW[show])
        if kept.height >= limit:
            return kept[:limit]
    return open_exams(snapshot, filters).filter(SHOW[show])[:limit]


@noted
def last_over(snapshot: Snapshot, filters: Filters | None = None) -> float | None:
    """Minutes since the last target passed; None where no open exam is past its target."""
    left = pl.col("left_min")
    last: float | None = _counted(snapshot, filters, None).select(left.filter(left < 0).max()).item()
    return None if last is None else -last


@noted
def standing(
    snapshot: Snapshot, by: Sequence[str], filters: Filters | None = None, at: datetime | None = None
) -> pl.DataFrame:
    """Open exams counted by columns of _COUNTED (none: one row): n_waiting, n_in_exam, n_unread, n_no_read (unread
    without any report), n_over (past their target, in any stage) and n_over_unread, n_soon (within it for SOON_MIN at
    most), n_left, n, and
    longest_waiting_min, longest_in_exam_min, longest_unread_min, next_min (least minutes left; NULL where none)."""
    found = _counted(snapshot, filters, at)
    stage, due = pl.col("stage"), pl.col("due")
    parts = [
        *((stage == name).sum().alias(f"n_{name}") for name in STAGES),
        ((stage == "unread") & ~pl.col("has_read")).sum().alias("n_no_read"),
        (due == "over").sum().alias("n_over"), ((due == "over") & (stage == "unread")).sum().alias("n_over_unread"),
        (due == "soon").sum().alias("n_soon"),
        pl.col("is_left").sum().alias("n_left"), pl.len().alias("n"),
        *(pl.col("age_min").filter(stage == name).max().alias(f"longest_{name}_min") for name in STAGES),
        pl.col("left_min").filter(pl.col("left_min") >= 0).min().alias("next_min"),
    ]  # fmt: skip
    counted = found.group_by(by).agg(parts).sort(by, nulls_last=True) if by else found.select(parts)
    return counted.with_columns(pl.selectors.starts_with("n_").cast(pl.Int64), pl.col("n").cast(pl.Int64))


@noted
def told_live(snapshot: Snapshot, filters: Filters | None = None, at: datetime | None = None) -> pl.DataFrame:
    """By facility, of exams that ended in the `TOLD_DAYS` before: n_week, n_arrivals (with an arrival), n_begins (with
    a begin that was told while the exam went on). Where a number is 0, who waits there or is in exam is not known."""
    where, params = where_now(snapshot, filters, at)
    told = ", ".join(f"'{origin}'" for origin in AFTERWARDS)
    return snapshot.execute(
        f"""SELECT e.facility, count(*) AS n_week, count(e.arrived_at) AS n_arrivals,
            count(*) FILTER (WHERE e.exam_started_source NOT IN ({told})) AS n_begins
        FROM fct_exam e CROSS JOIN {NOW} n
        WHERE {where} AND e.is_countable AND e.exam_ended_at <= n.at
            AND e.exam_ended_at > n.at - INTERVAL {TOLD_DAYS} DAY
        GROUP BY e.facility ORDER BY e.facility""",
        params,
    )


@noted
def facilities_now(snapshot: Snapshot, filters: Filters | None = None, at: datetime | None = None) -> pl.DataFrame:
    """`standing` by facility beside `told_live`, with a row for each facility of either; n_waiting and n_in_exam are
    NULL where a facility had exams but told no arrivals, or no begins while they went on: not known is not zero."""
    told, counted = told_live(snapshot, filters, at), standing(snapshot, ("facility",), filters, at)
    both = told.join(counted, on="facility", how="full", coalesce=True).sort("facility", nulls_last=True)
    filled = both.with_columns(pl.selectors.starts_with("n_").fill_null(0), pl.col("n").fill_null(0))

    def known(name: str, told_by: str) -> pl.Expr:
        is_silent = (pl.col("n_week") > 0) & (pl.col(told_by) == 0) & (pl.col(name) == 0)
        return pl.when(~is_silent).then(pl.col(name)).alias(name)

    return filled.with_columns(known("n_waiting", "n_arrivals"), known("n_in_exam", "n_begins"))


@noted
def unread_ages(snapshot: Snapshot, filters: Filters | None = None, at: datetime | None = None) -> pl.DataFrame:
    """Unread exams by priority, the most urgent first, and by age against their own target: the columns of BANDS (a
    half-open range; on the target is within it), n_no_target, n, n_no_read, oldest_min (longest age)."""
    unread = _counted(snapshot, filters, at).filter(pl.col("stage") == "unread")
    part = pl.col("age_min") / pl.col("target_min")
    bands = [
        ((part > low) if low == 1.0 else (part >= low)).and_(part <= high if high == 1.0 else part < high)
        .sum().alias(name) for name, low, high in BANDS
    ]  # fmt: skip
    rank = {"stat": 0, "urgent": 1}
    return (
        unread.group_by("priority")
        .agg(*bands, pl.col("target_min").null_count().alias("n_no_target"), pl.len().alias("n"),
             (~pl.col("has_read")).sum().alias("n_no_read"), pl.col("age_min").max().alias("oldest_min"))
        .sort(pl.col("priority").replace_strict(rank, default=2, return_dtype=pl.Int8), "priority")
        .with_columns(pl.selectors.starts_with("n").cast(pl.Int64))
    )  # fmt: skip


def where_now(snapshot: Snapshot, filters: Filters | None, at: datetime | None) -> tuple[str, dict[str, Any]]:
    """The condition of filters on `fct_exam e` at an instant, and its parameters: `at` among them."""
    known = [column.name for column in Catalog.load().models["fct_exam"].columns]
    clause = now_filters(filters or Filters()).where(known, alias="e", table="fct_exam")
    return clause.sql, clause.params | {"at": at or snapshot.data_through}
