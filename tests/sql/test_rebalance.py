"""Moves between two facilities by hand: one whose reports wait for the night, and one that is read at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sql.filters import Filters
from sql.planning.change import Change, ChangeError
from sql.planning.model import model
from sql.planning.rebalance import SCHEMA, candidates
from sql.query import rebalance, what_if
from sql.snapshot import Snapshot, open_snapshot
from tests.snapshots import write_snapshot

DAYS, FIRST = 28, datetime(2026, 10, 5)
THROUGH = FIRST + timedelta(days=DAYS - 1, hours=23)
#: The night begins at 18; EAST and NORTH are read on these hours' wall clock, UTC.
NIGHT_MIN = 18 * 60
WHOLE = Filters(since=FIRST.date(), until=THROUGH.date() + timedelta(days=1))


def exam(facility: str, reader: str, line: str, day: int, ended_at: int, read_at: int) -> dict[str, Any]:
    """A CT that ends and is read, in five minutes, from minutes of a day on; its report is due after two hours."""
    ended, begun = (FIRST + timedelta(days=day, minutes=minute) for minute in (ended_at, read_at))
    return {
        "exam_key": f"{facility}-{reader}-{day}-{ended_at}", "facility": facility, "modality": "CT",
        "service_line": line, "priority": "routine", "patient_class": "outpatient", "device": f"{facility}-CT1",
        "patient_key": f"{facility}-{day}-{ended_at}", "radiologist": reader, "is_countable": True,
        "arrived_at": ended - timedelta(minutes=20), "exam_started_at": ended - timedelta(minutes=5),
        "exam_started_local": ended - timedelta(minutes=5), "exam_ended_at": ended, "exam_ended_local": ended,
        "read_started_at": begun, "first_final_at": begun + timedelta(minutes=5), "target_min": 120.0,
    }  # fmt: skip


def department(folder: Path, *, east_from: int) -> Snapshot:
    """Sixteen exams a day at each: EAST's are read one after another from a minute of the day on, NORTH's at once.

    One reader of NORTH has no pause, so that the other, all day at work, is known to have time to spare.
    """
    exams = [
        one
        for day in range(DAYS)
        for number in range(8)
        for one in (
            exam("NORTH", "quick", "body", day, 480 + 6 * number, 490 + 6 * number),
            exam("NORTH", "spare", "neuro", day, 483 + 70 * number, 493 + 70 * number),
            exam("EAST", "late", "body", day, 480 + 60 * number, east_from + 12 * number),
            exam("EAST", "late", "neuro", day, 510 + 60 * number, east_from + 12 * number + 6),
        )
    ]
    shifts = [{"minute_of_week": minute, "shift": "day" if minute % 1440 < NIGHT_MIN else "night"}
              for minute in range(7 * 1440)]  # fmt: skip
    places = [{"facility": facility, "zone": "UTC"} for facility in ("EAST", "NORTH")]
    tables = {"fct_exam": exams, "dim_shift": shifts, "dim_facility": places}
    # Models are kept by the snapshot's id, so each department has its own.
    return open_snapshot(write_snapshot(folder / "hand.duckdb", tables, THROUGH, seq=east_from))


def test_reports_that_wait_for_the_night_are_moved_to_those_who_read_by_day(tmp_path: Path) -> None:
    """All of EAST's 16 a day are late and none of NORTH's; the reader who has time to spare takes them at once."""
    snapshot = department(tmp_path, east_from=NIGHT_MIN)
    found = rebalance(snapshot, WHOLE, runs=3)
    best = found.row(0, named=True)
    assert best["move"] == "route:facility=EAST,to=NORTH,modality=CT"
    assert (best["n_moved"], best["n_late"], best["n"]) == (16 * DAYS, 16 * DAYS, 32 * DAYS)
    assert (best["share_from"], best["share_to"]) == (1.0, 0.0)
    assert (best["before"], best["after"], best["change"]) == (16 * DAYS, 0, -16 * DAYS)
    assert (best["lower"], best["upper"]) == (-16 * DAYS, -16 * DAYS)
    assert best["report_final_p50_change_min"] < 0
    assert best["wait_p50_change_min"] == 0
    assert best["is_valid"]
    told = what_if(snapshot, Change.parse(best["move"]), WHOLE, runs=3).row(0, named=True)
    assert (told["delta"], told["lower"], told["upper"]) == (best["change"], best["lower"], best["upper"])
    assert found.select("move", "change", "is_clear").rows()[:3] == [
        ("route:facility=EAST,to=NORTH,modality=CT", -16 * DAYS, True),
        ("route:facility=EAST,to=NORTH,service_line=body", -8 * DAYS, True),
        ("route:facility=EAST,to=NORTH,service_line=neuro", -8 * DAYS, True),
    ]
    sent = found.row(3, named=True)
    assert (sent["move"], sent["is_clear"]) == ("send:facility=EAST,to=NORTH,modality=CT", False)
    assert sent["change"] > 0


def test_it_says_so_where_nothing_helps(tmp_path: Path) -> None:
    """EAST is read late, but by day as NORTH: the lists are one, so moving reads changes nothing and is not tried.

    Patients sent to NORTH only wait longer there, and are read as late by the same.
    """
    snapshot = department(tmp_path, east_from=14 * 60)
    tried = candidates(model(snapshot, WHOLE), WHOLE)
    assert [str(move.change) for move in tried] == ["send:facility=EAST,to=NORTH,modality=CT"]
    route = what_if(snapshot, Change.parse("route:facility=EAST,to=NORTH,modality=CT"), WHOLE, runs=2)
    assert route["delta"].to_list() == [0.0] * route.height
    found = rebalance(snapshot, WHOLE, runs=2)
    assert found.select("is_valid", "is_clear").rows() == [(True, False)]
    assert found["change"][0] > 0


def test_only_what_may_move_and_be_seen_moves(tmp_path: Path) -> None:
    snapshot = department(tmp_path, east_from=NIGHT_MIN)
    assert {move.change.facility for move in candidates(model(snapshot, WHOLE), WHOLE)} == {"EAST"}
    for asked in (WHOLE.replace(modality=("MR",)), WHOLE.replace(facility=("NORTH",)), WHOLE.within(["EAST"])):
        found = rebalance(snapshot, asked, runs=1)
        assert found.is_empty()
        assert dict(found.schema) == SCHEMA
    with pytest.raises(ChangeError, match="no filter on priority"):
        rebalance(snapshot, WHOLE.replace(priority=("stat",)))


def test_whom_a_move_harms_is_counted(tmp_path: Path) -> None:
    """A filter on EAST says where moves begin; the misses are those of both."""
    snapshot = department(tmp_path, east_from=NIGHT_MIN)
    found = rebalance(snapshot, WHOLE.replace(facility=("EAST",)), runs=1)
    assert set(found["n"]) == {32 * DAYS}
    assert found.row(-1, named=True)["change"] > 0
