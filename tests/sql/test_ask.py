"""Asking beside the value: what became of every row, which clock was used, what changed, and how it went over time."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sql.catalog import Catalog, CatalogError
from sql.filters import Filters
from sql.measure import unapplied
from sql.query import QueryError, clocks, compare, completeness, explain, metric, trend
from sql.snapshot import Snapshot
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 4, 15, 12)
MARCH = Filters(since=date(2026, 3, 1), until=date(2026, 4, 1), compare="previous")
AT = datetime(2026, 3, 2, 12)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"groups": ("availability",)}, "wait has no group availability; it has facility"),
        ({"groups": ("facility", "facility")}, "a group is named twice"),
        ({"period": "decade"}, "has no period decade; it has all, day"),
        ({"statistic": "p42"}, "has no statistic p42; it has p50"),
    ],
)
def test_what_the_catalog_does_not_allow_is_refused(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(QueryError, match=told):
        explain("wait", **asked)


def test_unknown_metric_is_refused() -> None:
    with pytest.raises(CatalogError, match="no metric 'speed'"):
        explain("speed")


def test_filters_that_do_not_apply_are_named() -> None:
    metrics = Catalog.load().metrics
    assert unapplied(metrics["utilization"], MARCH.replace(priority=("stat",), device=("D",))) == ("priority",)
    assert unapplied(metrics["freshness"], MARCH) == ("since", "until")


def test_scope_holds_in_every_question(tmp_path: Path) -> None:
    rows = [exam_row(1.0), exam_row(9.0, facility="WEST"), exam_row(None, facility="WEST", is_countable=False)]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    scoped = Filters(facility=("WEST",)).within(["NORTH"])
    assert metric(snapshot, "report_final", filters=scoped).rows() == []
    assert completeness(snapshot, "report_final", scoped).rows() == []
    assert clocks(snapshot, "report_final", scoped).rows() == []
    only_north = metric(snapshot, "report_final", groups=("facility",), filters=Filters().within(["NORTH"]))
    assert only_north["group_value"].to_list() == ["NORTH"]


def two_months(folder: Path) -> Snapshot:
    february, march = "2026-02-10", "2026-03-10"
    rows = [
        *[exam_row(10.0, february, modality="CT")] * 30,
        *[exam_row(20.0, march, modality="CT")] * 30,
        *[exam_row(10.0, february, modality="MR")] * 10,
        *[exam_row(8.0, march, modality="MR")] * 30,
        *[exam_row(7.0, february, modality="US")] * 5,
        *[exam_row(0.0, march, modality="XA")] * 5,
    ]
    return snapshot_of(folder, THROUGH, fct_exam=rows)


def test_compare_with_the_month_before(tmp_path: Path) -> None:
    found = compare(two_months(tmp_path), "report_final", groups=("modality",), filters=MARCH)
    columns = ("group_value", "value", "previous", "previous_n", "delta", "relative", "verdict", "is_clear")
    assert found.select(columns).rows() == [
        ("CT", 20.0, 10.0, 30, 10.0, 1.0, "worse", True), ("MR", 8.0, 10.0, 10, -2.0, -0.2, "better", True),
        ("XA", 0.0, None, None, None, None, None, None),
    ]  # fmt: skip


def test_nothing_is_compared_without_a_comparison(tmp_path: Path) -> None:
    found = compare(two_months(tmp_path), "report_final", filters=MARCH.replace(compare="none"))
    assert found.select("previous", "delta", "verdict").rows() == [(None, None, None)]


def test_neither_way_is_better_for_occupancy(tmp_path: Path) -> None:
    hours = [
        {"hour_local": datetime(2026, month, 3), "observed_min": 60.0, "busy_min": 10.0 * month} for month in (2, 3)
    ]
    found = compare(snapshot_of(tmp_path, THROUGH, fct_device_hour=hours), "occupancy_by_hour", filters=MARCH)
    assert found["delta"].to_list() == pytest.approx([10 / 60])
    assert found["verdict"].to_list() == [None]


def test_trend_says_which_periods_are_not_whole(tmp_path: Path) -> None:
    rows = [exam_row(1.0, at) for at in ("2026-02-10", "2026-03-10", "2026-04-10")]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    asked = Filters(since=date(2026, 2, 2), until=date(2026, 5, 1))
    found = trend(snapshot, "report_final", period="month", filters=asked)
    assert found.select("period_start", "is_partial").rows() == [
        (date(2026, 2, 1), True), (date(2026, 3, 1), False), (date(2026, 4, 1), True),
    ]  # fmt: skip
    assert trend(snapshot, "report_final", period="year", filters=Filters())["is_partial"].to_list() == [True]


def backlog_row(hour_at: str, hour_local: str, n: int) -> dict[str, Any]:
    return {
        "facility": "NORTH", "hour_at": datetime.fromisoformat(hour_at), "n_past_target": 1, "wrvu_waiting": 0.5,
        "hour_local": datetime.fromisoformat(hour_local), "n_waiting": n,
    }  # fmt: skip


def test_backlog_is_the_count_at_the_last_hour_of_each_period(tmp_path: Path) -> None:
    """New York turns its clocks back on 1 November 2026 at 06:00 UTC; the data ends within the hour that repeats."""
    hours = [
        backlog_row("2026-10-31 20:00", "2026-10-31 16:00", 9),
        backlog_row("2026-11-01 03:00", "2026-10-31 23:00", 3),
        backlog_row("2026-11-01 05:00", "2026-11-01 01:00", 5) | {"is_first_pass": True},
        backlog_row("2026-11-01 06:00", "2026-11-01 01:00", 7),
    ]
    place = [{"facility": "NORTH", "zone": "America/New_York"}]
    through = datetime(2026, 11, 1, 6, 20)
    snapshot = snapshot_of(tmp_path, through, fct_backlog_hour=hours, dim_facility=place)
    by_month = metric(snapshot, "backlog", period="month")
    assert by_month.select("period_start", "value", "n").rows() == [
        (date(2026, 10, 1), 3.0, 3), (date(2026, 11, 1), 7.0, 7),
    ]  # fmt: skip
    assert metric(snapshot, "backlog").select("value").rows() == [(7.0,)]
    inpatients = [backlog_row("2026-10-31 20:00", "2026-10-31 16:00", 2) | {"patient_class": "inpatient"}]
    (tmp_path / "mixed").mkdir()
    mixed = snapshot_of(tmp_path / "mixed", through, fct_backlog_hour=hours + inpatients, dim_facility=place)
    by_class = metric(mixed, "backlog", groups=("patient_class",)).select("group_value", "value", "n").rows()
    assert by_class == [("(none)", 7.0, 7), ("inpatient", 0.0, 0)]
    assert metric(snapshot, "backlog", statistic="past_target").select("value", "n").rows() == [(1.0, 7)]
    until = Filters(until=date(2026, 11, 1))
    assert metric(snapshot, "backlog", filters=until).select("value").rows() == [(3.0,)]


def test_a_late_report_is_a_miss_before_it_comes(tmp_path: Path) -> None:
    """Data through 12:00; ended at 10:00. A target of 119 min has passed, one of 121 has not."""
    ended = {"exam_ended_at": datetime(2026, 4, 15, 10)}
    rows = [
        exam_row(60.0, target_min=60.0, is_within_target=True, first_final_at=AT, **ended),
        exam_row(None, target_min=119.0, **ended),
        exam_row(None, target_min=120.0, **ended),
        exam_row(None, target_min=121.0, **ended),
        exam_row(-5.0, target_min=60.0, is_within_target=True, first_final_at=AT, **ended),
        exam_row(5.0, **ended),
    ]
    found = metric(snapshot_of(tmp_path, THROUGH, fct_exam=rows), "within_target")
    assert found.select("n", "numerator").rows() == [(2, 1.0)]


def test_only_devices_that_tell_of_rejects_have_a_reject_rate(tmp_path: Path) -> None:
    images = [
        {"device": d, "taken_local": date(2026, 3, 2), "n_accepted": 9, "n_rejected": n}
        for d, n in (("A", 1), ("B", 0))
    ]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_image_count=images, fct_image_reject=[{"device": "A"}])
    assert metric(snapshot, "reject_rate", groups=("device",)).select("group_value", "value").rows() == [("A", 0.1)]


def test_the_longest_silence_of_a_group(tmp_path: Path) -> None:
    senders = [
        {"facility": "NORTH", "source": s, "last_at": AT, "silent_hours": h} for s, h in (("RIS", 2.0), ("CT", 50.0))
    ]
    found = metric(snapshot_of(tmp_path, THROUGH, dq_freshness=senders), "freshness", groups=("facility",))
    assert found.select("group_value", "n", "value").rows() == [("NORTH", 2, 50.0)]
