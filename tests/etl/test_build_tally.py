"""Sums that a night adds to: what is taken away, what was the latest, and what was told ahead, against a full build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from etl import build_tally
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
