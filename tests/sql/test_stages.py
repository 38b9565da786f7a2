"""Stages that add up, whatever is missing or out of order; the same exams under five definitions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sql.filters import Filters
from sql.query import five_definitions, stage_fates, stages
from tests.snapshots import exam_row, snapshot_of

START = datetime(2026, 3, 2, 10)
THROUGH = datetime(2026, 4, 1)
#: Minutes after the order at which a milestone is told.
WAY = {"booked": 10, "arrived": 60, "exam_started": 70, "exam_ended": 90, "images_available": 95, "first_prelim": 120,
       "first_final": 150}  # fmt: skip


def exam(day: int = 2, **changed: int | None) -> dict[str, Any]:
    """An exam on a day of March with `WAY`, some milestones at other minutes, None for never."""
    start = START.replace(day=day)
    told = {f"{name}_at": None if m is None else start + timedelta(minutes=m) for name, m in (WAY | changed).items()}
    return exam_row(None, f"2026-03-{day:02} 11:30", ordered_at=start, **told)


def means(tmp_path: Path, *exams: dict[str, Any], filters: Filters | None = None) -> dict[str, float]:
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=list(exams))
    return dict(stages(snapshot, filters).select("stage", "mean").iter_rows())


def test_the_stages_of_one_exam_are_its_way(tmp_path: Path) -> None:
    assert means(tmp_path, exam()) == {
        "booking": 10, "slot_wait": 50, "begin": 10, "exam": 20, "archive": 5, "read": 25, "sign": 30, "total": 150
    }  # fmt: skip


def test_without_a_booking_two_stages_become_one(tmp_path: Path) -> None:
    """Beside a booked one: each stage is a mean over both exams, so they add up."""
    told = means(tmp_path, exam(), exam(booked=None))
    assert told == {
        "booking": 5, "slot_wait": 25, "arrival": 30, "begin": 10, "exam": 20, "archive": 5, "read": 25, "sign": 30,
        "total": 150,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"images_available": 85}, {"archive": 0, "read": 30}),  # sent before the exam was closed
        ({"images_available": 200}, {"archive": 60, "read": 0, "sign": 0}),  # told after the final report
        ({"booked": 65}, {"booking": 65, "slot_wait": 0, "begin": 5}),  # booked after arrival
        ({"first_prelim": 160}, {"read": 55, "sign": 0}),  # preliminary after final: the final was first
        ({"first_prelim": None}, {"read": 55, "sign": 0}),
        ({"arrived": -5}, {"slot_wait": 0, "begin": 60}),
    ],
)
def test_out_of_order_is_no_time_and_the_rest_adds_up(tmp_path: Path, changed: Any, told: dict[str, float]) -> None:
    found = means(tmp_path, exam(**changed))
    assert {name: found[name] for name in told} == told
    assert sum(value for name, value in found.items() if name != "total") == found["total"] == 150


def test_crossed_milestones_are_counted(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=[exam(), exam(images_available=85), exam(images_available=200)])
    crossed = dict(stages(snapshot).select("stage", "n_crossed").iter_rows())
    assert {name: n for name, n in crossed.items() if n} == {"archive": 2, "read": 1}


def test_exams_that_lack_a_milestone_are_left_out_and_told(tmp_path: Path) -> None:
    rows = [exam(), exam(arrived=None), exam(first_final=None, first_prelim=None), exam(first_final=-1),
            exam() | {"is_countable": False}]  # fmt: skip
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    assert stages(snapshot)["n_exams"].to_list()[-1] == 1
    assert stage_fates(snapshot).rows() == [
        ("used", "", 1), ("missing", "arrived", 1), ("missing", "first_final", 1),
        ("negative", "final before ordered", 1),
    ]  # fmt: skip


def test_the_parts_of_a_change_add_up(tmp_path: Path) -> None:
    rows = [exam(3), exam(17, arrived=90, exam_started=95), exam(18, first_final=300, booked=None)]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    filters = Filters(since=date(2026, 3, 15), until=date(2026, 3, 29), compare="previous")
    found = {row["stage"]: row for row in stages(snapshot, filters).to_dicts()}
    assert found["total"]["delta"] == 75
    assert found["total"]["previous_n"] == 1
    parts = [row for name, row in found.items() if name != "total"]
    assert sum(row["delta"] or 0 for row in parts) == pytest.approx(75)
    assert sum(row["share_of_change"] or 0 for row in parts) == pytest.approx(1)
    assert (found["arrival"]["previous"], found["arrival"]["delta"]) == (0, 30)  # no exam had this stage before
    assert stages(snapshot, Filters())["delta"].to_list() == [None] * 9
    empty = Filters(since=date(2026, 2, 1), until=date(2026, 2, 15), compare="previous")
    assert stages(snapshot, empty).is_empty()
    first = stages(snapshot, Filters(since=date(2026, 3, 1), until=date(2026, 3, 15), compare="previous"))
    assert first["delta"].to_list() == [None] * 8


def test_five_definitions_of_the_same_exams(tmp_path: Path) -> None:
    def lengths(read: float | None, final: float, order: float, first: float) -> dict[str, Any]:
        return exam_row(None) | {"read_final_min": read, "report_final_min": final, "order_to_final_min": order,
                                 "first_read_min": first}  # fmt: skip

    rows = [lengths(50, 60, 100, 30), lengths(70, 80, 50_000, 50), lengths(None, 1, 1, 1), lengths(5, -1, 1, 1),
            lengths(1, 1, 1, 1) | {"is_countable": False}, lengths(41_000, 41_000, 41_000, 5)]  # fmt: skip
    found = {row["view"]: row for row in five_definitions(snapshot_of(tmp_path, THROUGH, fct_exam=rows)).to_dicts()}
    assert {name: row["n_own"] for name, row in found.items()} == {
        "radiologist": 4, "grid": 4, "referrer": 5, "nhs_england": 4, "first_read": 5
    }  # fmt: skip
    assert {row["n"] for row in found.values()} == {3}
    assert found["grid"]["mean"] == pytest.approx((60 + 80 + 41_000) / 3)
    assert found["referrer"]["p50"] == 41_000
    assert found["first_read"]["p90"] == pytest.approx(46)
    assert found["nhs_england"]["within"] == pytest.approx(2 / 3)  # four weeks are 40,320 minutes
    assert found["grid"]["within"] is None
