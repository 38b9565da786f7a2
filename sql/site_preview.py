"""What a change of the site's files would do to the numbers, before it is in force.

The rows that are proposed go through the models of the build into the metric, over the exams of the snapshot; the same
snapshot with the rows in force is what the page shows today.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.filters import Filters
from sql.measure import metric
from sql.noted import noted
from sql.rederive import metric_over, with_list
from sql.site_files import Row
from sql.site_rows import given
from sql.snapshot import Snapshot

_DEVICE_MODELS = (
    "staffing", "device_service", "device_clock", "device_tick", "device_block", "staffed_piece", "busy_island",
    "device_piece", "busy_staffed_piece", "device_start", "fct_device_hour",
)  # fmt: skip
#: What the models of targets read of an exam; those of other days are not needed.
_EXAMS = """SELECT e.exam_key, e.facility, e.modality, e.priority, e.patient_class, e.exam_ended_at, z.zone
    FROM main.fct_exam e JOIN dim_facility z ON z.facility = e.facility WHERE e.exam_ended_at IS NOT NULL {dates}"""
#: Exams as they would be: `is_within_target` is the one column beside the target that depends on it.
_WITH_TARGET = """SELECT
        e.* REPLACE (t.target_min AS target_min, e.report_final_min <= t.target_min AS is_within_target)
    FROM main.fct_exam e LEFT JOIN stg_target t ON t.exam_key = e.exam_key"""
_CRITICAL = "critical_communication"
#: Of a share within a target: its n, who missed it, the share.
_MISSED = (pl.col("n"), (pl.col("denominator") - pl.col("numerator")).round().cast(pl.Int64).alias("missed"),
           pl.col("value").alias("share"))  # fmt: skip
_CLOCK = "SELECT s.data_through FROM meta_snapshot s"
#: Devices as the hours of the snapshot have them; sessions over 24 hours are none, so three days more hold all.
_DEVICES = """SELECT h.device, h.facility, h.modality, z.zone, {since} AS since_day, {until} AS until_day,
        CAST({since} AS TIMESTAMP) - INTERVAL 3 DAY AS load_from, CAST({until} AS TIMESTAMP) + INTERVAL 3 DAY AS load_to
    FROM (SELECT w.device, arg_max(w.facility, w.hour_at) AS facility, arg_max(w.modality, w.hour_at) AS modality
          FROM main.fct_device_hour w GROUP BY w.device) h
    JOIN dim_facility z ON z.facility = h.facility"""
_HOURS_IN_FORCE = "SELECT s.device, CAST(s.weekday AS VARCHAR) AS weekday, s.opens, s.closes FROM dim_staffing s"
_DAYS_IN_FORCE = "SELECT d.facility, d.day AS date, d.kind FROM dim_special_day d"


@noted
def target_preview(snapshot: Snapshot, proposed: Sequence[Row], filters: Filters | None = None) -> pl.DataFrame:
    """Exams past their target by facility and for all (`group_value` all, first), with the targets in force and with
    those proposed: group_value, n_before, missed_before, share_before, n_after, missed_after, share_after.

    The share is that of `within_target`; exams that still wait within their target are in neither n.
    """
    asked = filters or Filters()
    dates = "".join(
        f" AND e.exam_ended_local {sign} TIMESTAMP '{day.isoformat()}'"
        for sign, day in ((">=", asked.since), ("<", asked.until))
        if day is not None
    )
    tables = with_list(
        {**given("targets.csv", proposed), "stg_exam_fact": _EXAMS.format(dates=dates)}, ("target", "stg_target")
    )
    tables += f",\nfct_exam AS ({_WITH_TARGET})"
    sides = [
        pl.concat([metric(snapshot, "within_target", groups=groups, filters=asked) for groups in ((), ("facility",))]),
        pl.concat([metric_over(snapshot, "within_target", tables, groups, asked) for groups in ((), ("facility",))]),
    ]
    return _beside(sides, _MISSED)


@noted
def critical_preview(snapshot: Snapshot, proposed: Sequence[Row], filters: Filters | None = None) -> pl.DataFrame:
    """Critical results told too late by facility and for all (`group_value` all, first), with the limits in force and
    with those proposed: the columns of `target_preview`; n counts results of a category with a limit whose outcome is
    known."""
    asked, tables = filters or Filters(), with_list(given("targets.csv", proposed), ("target", "dim_target"))
    sides = [
        pl.concat([metric(snapshot, _CRITICAL, groups=groups, filters=asked) for groups in ((), ("facility",))]),
        pl.concat([metric_over(snapshot, _CRITICAL, tables, groups, asked) for groups in ((), ("facility",))]),
    ]
    return _beside(sides, _MISSED)


@noted
def staffing_preview(
    snapshot: Snapshot,
    staffing: Sequence[Row] | None,
    days: Sequence[Row] | None,
    filters: Filters | None = None,
) -> pl.DataFrame:
    """Utilization by device and for all (`group_value` all, first), with hours and special days in force (None) and
    with those proposed: group_value, staffed_before (hours), share_before, staffed_after, share_after."""
    asked = filters or Filters()
    since, until = (
        "DATE '1900-01-02'" if day is None and not is_end else "DATE '9999-01-01'" if day is None else f"DATE '{day}'"
        for day, is_end in ((asked.since, False), (asked.until, True))
    )
    tables = with_list(
        {
            "clock": _CLOCK,
            **given("staffing.csv", staffing or ()),
            **({} if staffing is not None else {"site_staffing": _HOURS_IN_FORCE}),
            "site_calendar": _DAYS_IN_FORCE if days is None else given("calendar.csv", days)["site_calendar"],
            "touched_device": _DEVICES.format(since=since, until=until),
        },
        _DEVICE_MODELS,
    )
    sides = [
        pl.concat([metric(snapshot, "utilization", groups=groups, filters=asked) for groups in ((), ("device",))]),
        pl.concat([metric_over(snapshot, "utilization", tables, groups, asked) for groups in ((), ("device",))]),
    ]
    return _beside(sides, ((pl.col("denominator") / 60).alias("staffed"), pl.col("value").alias("share")))


def _beside(sides: Sequence[pl.DataFrame], columns: Sequence[pl.Expr]) -> pl.DataFrame:
    """Two answers by group side by side, a row for each group of either; the whole comes first."""
    before, after = (side.select("group_value", *columns) for side in sides)
    names = before.columns[1:]
    both = before.rename({name: f"{name}_before" for name in names}).join(
        after.rename({name: f"{name}_after" for name in names}), on="group_value", how="full", coalesce=True
    )
    return both.sort(pl.col("group_value") != "all", "group_value")
