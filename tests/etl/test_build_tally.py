"""Sums that a night adds to: what is taken away, what was the latest, and what was told ahead, against a full build."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl import build_tally
from tests.raw_rows import Row, at
from tests.slow import slow
from tests.warehouse import Warehouse, event, exam, order

FLOW = """
    SELECT facility, n_events, CAST(last_at AS VARCHAR) FROM dq_message_flow
    WHERE source = 'RIS' AND origin = 'ris' ORDER BY facility, last_at"""


def rebuilt_alike(house: Warehouse, query: str) -> list[tuple[Any, ...]]:
    """Rows of an incremental build, once a full one has given the same marts."""
    night = house.build()
    assert not night.is_full
    told = house.rows(query)
    assert house.build(full=True).digest == night.digest
    return told


def test_the_latest_event_that_goes_to_another_facility_leaves_the_one_before(tmp_path: Path) -> None:
    """An exam known by its study alone is at WEST, until its order says NORTH."""
    of_study = {"facility": "WEST", "source": "RIS", "study_uid": "9.1"}
    house = Warehouse(tmp_path).built(
        event("exam_started", "2026-03-02 10:00", "W1", facility="WEST", source="RIS"),
        event("exam_started", "2026-03-03 09:00", "W2", facility="WEST", source="RIS"),
        event("exam_started", "2026-03-02 11:00", None, **of_study),
    )
    assert house.rows(FLOW) == [("WEST", 2, "2026-03-02 11:00:00"), ("WEST", 1, "2026-03-03 09:00:00")]
    house.load(order("2026-03-02 08:00", "A1", study_uid="9.1"))
    assert rebuilt_alike(house, FLOW) == [
        ("NORTH", 1, "2026-03-02 11:00:00"),
        ("WEST", 1, "2026-03-02 10:00:00"),
        ("WEST", 1, "2026-03-03 09:00:00"),
    ]


def test_the_newest_exam_with_a_link_that_no_longer_counts_leaves_the_one_before(tmp_path: Path) -> None:
    query = """
        SELECT n_exams, n_linked, CAST(last_at AS VARCHAR) FROM dq_system_link
        WHERE facility = 'NORTH' AND link = 'status'"""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20"),
        *exam("A2", "2026-03-09 10:00", "2026-03-09 10:20"),
    )
    assert house.rows(query) == [(2, 2, "2026-03-09 10:20:00")]
    house.load(event("discontinued", "2026-03-09 10:30", "A2"))
    assert rebuilt_alike(house, query) == [(1, 1, "2026-03-02 10:20:00")]


def test_rows_are_looked_at_again_only_where_the_latest_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Warehouse(tmp_path).built(*exam("A1", "2026-03-02 10:00", "2026-03-02 10:20"))
    again: list[str] = []
    monkeypatch.setattr(build_tally, "_find_again", lambda con, model, kept: again.append(model.name))
    house.load(order("2026-03-02 08:00"), *exam("A2", "2026-03-02 10:00", "2026-03-02 10:10"))
    house.build()
    assert not again
    house.load(event("discontinued", "2026-03-02 10:30", "A1"))
    house.build()
    assert again == ["fct_link_count"]


def test_an_event_told_ahead_counts_once_the_data_reach_it(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        event("exam_started", "2026-03-02 10:00", "A1", source="RIS"),
        event("exam_ended", "2026-03-12 10:00", "A1", source="RIS", message_at="2026-03-02 10:05"),
        event("exam_ended", "2026-04-12 10:00", "A2", source="RIS", message_at="2026-03-02 10:05"),
    )
    assert house.rows(FLOW) == [("NORTH", 1, "2026-03-02 10:00:00")]
    house.load(*exam("B1", "2026-03-20 10:00", "2026-03-20 10:30"))
    assert rebuilt_alike(house, FLOW) == [("NORTH", 1, "2026-03-02 10:00:00"), ("NORTH", 1, "2026-03-12 10:00:00")]


MINUTES = "SELECT learned_by, minutes, n_reads FROM fct_read_minutes ORDER BY ALL"


def read(name: str, final: str, minutes: int | None = None) -> list[Row]:
    """An exam that R1 reads, begun so many minutes before, or without a begin."""
    rows = exam(name, "2026-03-02 06:00", "2026-03-02 06:30", mrn=name, final=final)
    begun = [] if minutes is None else [at(final) - timedelta(minutes=minutes)]
    return [*rows, *(event("read_started", when, name, mrn=name, origin="report") for when in begun)]


def test_a_report_moves_the_gap_before_the_next_one_and_no_other(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        *read("A", "2026-03-03 08:00"),
        *read("B", "2026-03-03 08:40"),
        *read("C", "2026-03-03 08:50"),
        *read("D", "2026-03-03 12:00", 7),
    )
    assert house.rows(MINUTES) == [("gap", 10.0, 1), ("gap", 40.0, 1), ("timed", 7.0, 1), (None, None, 1)]
    house.load(*read("E", "2026-03-03 08:35"))
    assert rebuilt_alike(house, MINUTES) == [
        ("gap", 5.0, 1), ("gap", 10.0, 1), ("gap", 35.0, 1), ("timed", 7.0, 1), (None, None, 1)]  # fmt: skip


def test_a_read_stops_to_teach_after_a_year_and_still_tells_the_gap_behind_it(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(*read("A", "2026-03-03 08:00"), *read("B", "2026-03-03 08:40"))
    assert house.rows(MINUTES) == [("gap", 40.0, 1), (None, None, 1)]
    house.load(*exam("N", "2027-03-03 08:00", "2027-03-03 08:20", mrn="N"))  # a year after the first, not the second
    assert rebuilt_alike(house, MINUTES) == [("gap", 40.0, 1)]
    house.load(*exam("M", "2027-03-03 09:00", "2027-03-03 09:20", mrn="M"))
    assert rebuilt_alike(house, MINUTES) == []


def test_a_device_that_loses_its_first_exam_is_in_service_from_the_next(tmp_path: Path) -> None:
    query = "SELECT CAST(first_exam_at AS VARCHAR) FROM dim_device WHERE device = 'N-CT1'"
    house = Warehouse(tmp_path).built(
        *exam("A", "2026-03-02 15:00", "2026-03-02 15:20"), *exam("B", "2026-03-02 16:00", "2026-03-02 16:20")
    )
    assert house.rows(query) == [("2026-03-02 15:00:00",)]
    house.load(order("2026-03-12 15:00", "A", station="NDX01", order_control="XO"))
    assert rebuilt_alike(house, query) == [("2026-03-02 16:00:00",)]
    house.load(event("exam_started", "2026-03-02 14:00", "B", message_at="2026-03-12 15:00"))
    assert rebuilt_alike(house, query) == [("2026-03-02 14:00:00",)]


def test_idle_runs_are_counted_as_wholes(tmp_path: Path) -> None:
    """The device is staffed until noon and from one: a run goes on over the pause, and an exam within cuts it."""
    query = "SELECT minutes, n FROM fct_device_minutes WHERE device = 'N-CT1' AND measure = 'idle_run' ORDER BY 1"
    house = Warehouse(tmp_path).built(
        *exam("A", "2026-03-02 15:00", "2026-03-02 16:00"), *exam("B", "2026-03-02 20:00", "2026-03-02 22:00")
    )
    assert house.rows(query) == [(180.0, 1)]
    house.load(*exam("C", "2026-03-02 18:30", "2026-03-02 18:40"))
    assert rebuilt_alike(house, query) == [(80.0, 1), (90.0, 1)]


@slow
def test_a_standstill_of_months_is_one_since_the_last_exam(tmp_path: Path) -> None:
    """Each night goes on with it, whose session is looked for in the month before and then among all."""
    query = """
        SELECT idle_since_at, max(day_local) FROM fct_device_idle WHERE device = 'N-CT1'
        GROUP BY idle_since_at ORDER BY idle_since_at DESC LIMIT 1"""
    house = Warehouse(tmp_path).built(*exam("A", "2026-03-02 15:00", "2026-03-02 16:00"))
    for number, day in enumerate(("2026-03-20", "2026-05-06", "2026-05-07", "2026-07-06")):
        house.load(*exam(f"B{number}", f"{day} 15:00", f"{day} 16:00", facility="WEST", station="WCT01"))
        assert rebuilt_alike(house, query) == [(datetime(2026, 3, 2, 16), date.fromisoformat(day))]


WAITING = "SELECT CAST(exam_ended_at AS VARCHAR), n_exams FROM fct_waiting ORDER BY 1"
#: At 16:00, 17:00 and 18:00 UTC.
BACKLOG = "SELECT CAST(hour_at AS VARCHAR), n_waiting, oldest_min FROM fct_backlog_hour ORDER BY 1 LIMIT 3"


def test_exams_that_wait_are_counted_until_they_have_a_report(tmp_path: Path) -> None:
    """Two of them ended at once; whoever waits since before a night waits on in its hours."""
    house = Warehouse(tmp_path).built(
        *exam("A", "2026-03-02 15:00", "2026-03-02 15:20", mrn="A"),
        *exam("B", "2026-03-02 15:05", "2026-03-02 15:20", mrn="B"),
        *exam("C", "2026-03-02 15:30", "2026-03-02 15:50", mrn="C", final="2026-03-02 16:30"),
        *exam("D", "2026-03-02 18:30", "2026-03-02 18:40", mrn="D", station="NDX01"),
    )
    assert house.rows(WAITING) == [("2026-03-02 15:20:00", 2), ("2026-03-02 18:40:00", 1)]
    told = [("2026-03-02 16:00:00", 3, 40.0), ("2026-03-02 17:00:00", 2, 100.0), ("2026-03-02 18:00:00", 2, 160.0)]
    assert house.rows(BACKLOG) == told
    house.load(*exam("A", "2026-03-02 15:00", "2026-03-02 15:20", mrn="A", final="2026-03-02 17:30")[-2:])
    assert rebuilt_alike(house, WAITING) == [("2026-03-02 15:20:00", 1), ("2026-03-02 18:40:00", 1)]
    assert house.rows(BACKLOG) == [*told[:2], ("2026-03-02 18:00:00", 1, 160.0)]
    house.load(event("discontinued", "2026-03-02 15:30", "B", mrn="B"))
    assert rebuilt_alike(house, WAITING) == [("2026-03-02 18:40:00", 1)]
    assert house.rows(BACKLOG) == [("2026-03-02 16:00:00", 2, 40.0), ("2026-03-02 17:00:00", 1, 100.0)]
