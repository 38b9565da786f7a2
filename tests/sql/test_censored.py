"""The censored view by hand and against a published series."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sql.censored import censored
from sql.query import SHAPE, QueryError, metric
from sql.snapshot import Snapshot
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 3, 31, 12)


def finished(minutes: float, **columns: Any) -> dict[str, Any]:
    """An exam that ended so long before its final report."""
    ended = datetime(2026, 3, 2, 10)
    stamps = {"exam_ended_at": ended, "first_final_at": ended + timedelta(minutes=minutes)}
    return {**exam_row(minutes), **stamps, **columns}


def waiting(minutes: float, **columns: Any) -> dict[str, Any]:
    """An exam that has waited so long at the data cut-off."""
    stamps = {"exam_ended_at": THROUGH - timedelta(minutes=minutes), "first_final_at": None}
    return {**exam_row(None), **stamps, **columns}


def of(folder: Path, *exams: dict[str, Any]) -> Snapshot:
    return snapshot_of(folder, THROUGH, fct_exam=list(exams))


def only(snapshot: Snapshot, **asked: Any) -> dict[str, Any]:
    (row,) = censored(snapshot, "report_final", **asked).to_dicts()
    return row


def test_remission_times_of_freireich(tmp_path: Path) -> None:
    """6-MP arm of Freireich et al. (1963), the textbook series: 9 of 21 end, S(22) = 0.538, S(23) = 0.448."""
    ends = (6, 6, 6, 7, 10, 13, 16, 22, 23)
    censors = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
    snapshot = of(tmp_path, *map(finished, ends), *map(waiting, censors))
    row = only(snapshot)
    assert (row["n"], row["numerator"], row["denominator"]) == (21, 9.0, 21.0)
    assert (row["value"], row["lower"], row["upper"]) == (23.0, 13.0, None)
    assert only(snapshot, statistic="p75")["value"] is None  # 0.448 is never passed


def test_without_waiting_exams_it_is_the_order_statistic(tmp_path: Path) -> None:
    """10 to 40: half is left at 20 already, a quarter at 30; nothing is left at 40, of which no bound is known."""
    snapshot = of(tmp_path, *map(finished, (40, 10, 30, 20)))
    assert [only(snapshot, statistic=s)["value"] for s in ("p50", "p75", "p90")] == [20.0, 30.0, 40.0]
    assert only(snapshot)["upper"] is None


def test_a_pile_of_waiting_exams_cannot_look_like_an_improvement(tmp_path: Path) -> None:
    """Three were quick, three wait since a day: the finished say 20 min, the whole does not reach its half."""
    snapshot = of(tmp_path, *map(finished, (10, 20, 30)), *[waiting(1440)] * 3)
    assert metric(snapshot, "report_final")["value"].to_list() == [20.0]
    assert only(snapshot)["value"] == 30.0
    assert only(snapshot, statistic="p75")["value"] is None


def test_one_censored_at_the_time_of_an_end_is_at_risk_of_it(tmp_path: Path) -> None:
    """At 10 min two are at risk, one ends: half is left. Were the other gone before, nothing would be."""
    assert only(of(tmp_path, finished(10), waiting(10)))["value"] == 10.0
    assert only(of(tmp_path, finished(10), waiting(10)), statistic="p75")["value"] is None


def test_what_runs_backwards_or_has_no_start_is_left_out(tmp_path: Path) -> None:
    odd = {**finished(5), "exam_ended_at": None}
    row = only(of(tmp_path, finished(10), finished(-5), waiting(-3), odd))
    assert (row["n"], row["numerator"], row["value"]) == (1, 1.0, 10.0)


def test_groups_and_shape(tmp_path: Path) -> None:
    exams = finished(10, facility="NORTH"), waiting(90, facility="WEST"), finished(30, facility="WEST")
    frame = censored(of(tmp_path, *exams), "report_final", groups=("facility",), statistic="p50")
    assert tuple(frame.columns) == SHAPE
    assert frame.select("group_value", "n", "value").rows() == [("NORTH", 1, 10.0), ("WEST", 2, 30.0)]


@pytest.mark.parametrize(
    "asked",
    [
        {"metric_id": "reads"}, {"metric_id": "report_final", "statistic": "mean"},
        {"metric_id": "report_final", "groups": ("moon",)}, {"metric_id": "report_final", "period": "decade"},
    ],
)  # fmt: skip
def test_what_it_cannot_answer_is_refused(tmp_path: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        censored(of(tmp_path), **asked)
