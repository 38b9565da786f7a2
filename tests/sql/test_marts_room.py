"""Stays in rooms and occupied hours, by hand. Monday 2026-03-02; New York is UTC-5 until 2026-03-08 07:00 UTC."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.raw_rows import Row, link
from tests.slow import first_of, slow
from tests.warehouse import Warehouse, event, exam

STAYS = """
    SELECT room, device, strftime(entered_local, '%d %H:%M'), strftime(left_local, '%d %H:%M'), end_source, fate
    FROM fct_room_stay ORDER BY told_local, room"""


def move(kind: str, at: str, room: str | None = "RAD^CT1", *, mrn: str | None = "1", **columns: Any) -> Row:
    given = {"standard": "hl7", "source": "HIS@NORTH", "facility_alias": "NORTH", "message_at": at}
    who = {"patient_id": mrn, "patient_authority": "NORTH" if mrn else None}
    return "room_move", {**given, **who, "kind": kind, "at": at, "room": room, **columns}


def encounter(number: int, version: int, *moves: tuple[str, str], room: str = "CT1", **columns: Any) -> list[Row]:
    """The moves that one version of an encounter tells."""
    said = {"stay_ref": f"Encounter/{number}", "stay_number": 0, "message_at": f"2026-03-02 20:0{version}"}
    named = {"message_id": f"Encounter/{number}/{version}", "standard": "fhir", **columns}
    return [move(kind, at, room, **said, **named) for kind, at in moves]


def installed(folder: Path, rooms: dict[str, str]) -> Warehouse:
    """Staffed Mon-Fri 8-12 and 13-17, Sunday all day; closed on Thursday 5th. `rooms`: device -> room of the site."""
    folder.mkdir(exist_ok=True)
    house = Warehouse(folder)
    path = house.site / "devices.csv"
    head, *lines = path.read_text("utf-8").splitlines()
    lines = [f"{line},{rooms.get(line.partition(',')[0], '')}" for line in lines]
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return installed(tmp_path_factory.mktemp("room"), {"N-CT1": "rad^ct1", "N-DX1": "XR"}).built(
        # Monday 08:00 to 08:40 local; the next patient comes before the first has left: 08:30 to 09:10
        move("entered", "2026-03-02 13:00"), move("left", "2026-03-02 13:40"),
        move("entered", "2026-03-02 13:30", mrn="2"), move("left", "2026-03-02 14:10", mrn="2"),
        # over noon: 11:50 to 12:20
        move("entered", "2026-03-02 16:50", mrn="3"), move("left", "2026-03-02 17:20", mrn="3"),
        # no departure, but half an hour later the patient is in a bay that no device stands in
        move("entered", "2026-03-02 19:00", mrn="4"), move("entered", "2026-03-02 19:30", "ED^BAY", mrn="4"),
        # no departure, and 61 minutes later elsewhere: nobody knows when the room was left
        move("entered", "2026-03-02 20:00", mrn="5"), move("entered", "2026-03-02 21:01", "ED^BAY", mrn="5"),
        # departures without arrival; an arrival told twice is of the later one
        move("left", "2026-03-02 21:10", mrn="6"), move("left", "2026-03-02 21:12", mrn="6"),
        move("entered", "2026-03-02 21:20", mrn="7"), move("entered", "2026-03-02 21:25", mrn="7"),
        move("left", "2026-03-02 21:35", mrn="7"),
        # the room alone, in the site's table alone
        move("entered", "2026-03-03 13:00", "RAD^XR"), move("left", "2026-03-03 13:10", "RAD^XR"),
        move("entered", "2026-03-04 13:00", "xr"), move("left", "2026-03-05 13:00", "xr"),       # a day: a stay
        move("entered", "2026-03-05 13:30", "XR"), move("left", "2026-03-06 13:31", "XR"),       # over a day
        # Sunday of the spring change: 01:30 to 03:30 on the clock is one hour
        move("entered", "2026-03-08 06:30", mrn="8"), move("left", "2026-03-08 07:30", mrn="8"),
        # exams: on Wednesday one with no word of the room, on Friday none at all; radiography once
        *exam("A1", "2026-03-02 13:05", "2026-03-02 13:35"),
        *exam("A2", "2026-03-04 14:00", "2026-03-04 14:20", mrn="2"),
        *exam("D1", "2026-03-03 13:02", "2026-03-03 13:08", station="NDX01", modality="DX"),
        event("arrived", "2026-03-10 15:30", "M1", mrn="9"),
    )  # fmt: skip


def test_stays(house: Warehouse) -> None:
    ct, xr = ("RAD^CT1", "N-CT1"), ("N-DX1",)
    assert house.rows(STAYS) == [
        (*ct, "02 08:00", "02 08:40", "departure", "used"),
        (*ct, "02 08:30", "02 09:10", "departure", "used"),
        (*ct, "02 11:50", "02 12:20", "departure", "used"),
        (*ct, "02 14:00", "02 14:30", "next_arrival", "used"),
        ("ED^BAY", None, "02 14:30", None, "none", "unmapped"),
        (*ct, "02 15:00", None, "none", "no_departure"),
        ("ED^BAY", None, "02 16:01", None, "none", "unmapped"),
        (*ct, None, "02 16:10", "departure", "no_arrival"),
        (*ct, None, "02 16:12", "departure", "no_arrival"),
        (*ct, "02 16:20", None, "none", "no_departure"),
        (*ct, "02 16:25", "02 16:35", "departure", "used"),
        ("RAD^XR", *xr, "03 08:00", "03 08:10", "departure", "used"),
        ("xr", *xr, "04 08:00", "05 08:00", "departure", "used"),
        ("XR", *xr, "05 08:30", "06 08:31", "departure", "too_long"),
        (*ct, "08 01:30", "08 03:30", "departure", "used"),
    ]  # fmt: skip
    assert house.rows("SELECT * FROM dq_unmapped WHERE kind = 'room'") == [("room", "NORTH", "ED^BAY", 2)]


def test_hours_hold_the_union_of_stays(house: Warehouse) -> None:
    assert house.rows("""
        SELECT hour(hour_local), staffed_min, busy_staffed_min, room_min, room_staffed_min FROM fct_room_hour
        WHERE device = 'N-CT1' AND hour_local BETWEEN TIMESTAMP '2026-03-02 07:00' AND TIMESTAMP '2026-03-02 16:59'
            AND (staffed_min > 0 OR room_min > 0) ORDER BY 1""") == [
        (8, 60.0, 30.0, 60.0, 60.0),   # 08:00-08:40 and 08:30-09:00
        (9, 60.0, 0.0, 10.0, 10.0),
        (10, 60.0, 0.0, 0.0, 0.0),
        (11, 60.0, 0.0, 10.0, 10.0),
        (12, 0.0, 0.0, 20.0, 0.0),     # pause
        (13, 60.0, 0.0, 0.0, 0.0),
        (14, 60.0, 0.0, 30.0, 30.0),
        (15, 60.0, 0.0, 0.0, 0.0),
        (16, 60.0, 0.0, 10.0, 10.0),
    ]  # fmt: skip


def test_minutes_are_those_of_their_whole_seconds(tmp_path: Path) -> None:
    """486, 629 and 717 seconds: as binary fractions of minutes no order sums to 1,832 / 60."""
    times = ("13:00:00", "13:08:06"), ("13:15:00", "13:25:29"), ("13:30:00", "13:41:57")
    stays = [move(kind, f"2026-03-02 {at}", mrn=str(n)) for n, stay in enumerate(times, 1)
             for kind, at in zip(("entered", "left"), stay, strict=True)]  # fmt: skip
    told = installed(tmp_path / "seconds", {"N-CT1": "rad^ct1"}).built(
        *stays, *exam("A1", "2026-03-02 14:05", "2026-03-02 14:35")
    )
    assert told.rows("SELECT room_min, room_staffed_min FROM fct_room_hour WHERE room_min > 0") == [
        (1832 / 60, 1832 / 60)
    ]


def test_a_repeated_or_skipped_hour_is_no_time(house: Warehouse) -> None:
    assert house.row("""
        SELECT sum(room_min), sum(room_staffed_min) FROM fct_room_hour
        WHERE device = 'N-CT1' AND CAST(hour_local AS DATE) = DATE '2026-03-08'""") == (60.0, 60.0)


def test_a_silent_day_is_not_an_empty_one(house: Warehouse) -> None:
    """Wednesday has an exam and no stay, Friday has neither; nothing was ever told of the room in the west."""
    assert house.rows("""
        SELECT day(hour_local), bool_and(is_reported), bool_or(is_reported) FROM fct_room_hour
        WHERE device = 'N-CT1' AND staffed_min > 0 GROUP BY 1 ORDER BY 1""") == [
        (2, True, True), (3, True, True), (4, False, False), (6, True, True), (8, True, True), (9, True, True),
        (10, True, True),
    ]  # fmt: skip
    assert house.rows("SELECT DISTINCT device FROM fct_room_hour ORDER BY 1") == [("N-CT1",), ("N-DX1",)]


def test_occupancy_stands_from_the_first_to_the_last_day_told(house: Warehouse) -> None:
    body = next((Path(__file__).parents[2] / "sql" / "metrics").glob("*_room_occupancy.sql")).read_text("utf-8")
    used = house.rows(f"""
        SELECT day(period_local), sum(numerator), sum(denominator) FROM ({body}) WHERE device = 'N-CT1'
        GROUP BY 1 ORDER BY 1""")
    assert used == [(2, 120.0, 480.0), (3, 0.0, 480.0), (6, 0.0, 480.0), (8, 60.0, 1380.0)]


def stays_of(folder: Path, *rows: Row) -> list[tuple[Any, ...]]:
    return installed(folder, {"N-CT1": "CT1"}).built(*rows).rows(STAYS)


def test_a_cancelled_move_never_was(tmp_path: Path) -> None:
    """A cancellation takes the last move of its kind up to its own time; what was told again stands."""
    found = stays_of(
        tmp_path,
        move("entered", "2026-03-02 13:00"), move("not_entered", "2026-03-02 13:00", None),
        move("entered", "2026-03-02 13:20"), move("left", "2026-03-02 13:30"),
        move("not_left", "2026-03-02 13:35", None), move("left", "2026-03-02 13:50"),
        move("not_entered", "2026-03-02 13:00", None, mrn="2"), move("entered", "2026-03-02 14:00", mrn="2"),
        move("entered", "2026-03-02 15:00", mrn="3"), move("left", "2026-03-02 15:10", mrn="3"),
        move("entered", "2026-03-02 16:00", mrn="3"), move("not_entered", "2026-03-02 16:00", None, mrn="3"),
    )  # fmt: skip
    assert found == [
        ("RAD^CT1", "N-CT1", "02 08:20", "02 08:50", "departure", "used"),
        ("RAD^CT1", "N-CT1", "02 09:00", None, "none", "no_departure"),
        ("RAD^CT1", "N-CT1", "02 10:00", "02 10:10", "departure", "used"),
    ]


def test_the_last_version_of_an_encounter_tells_all_of_its_stays(tmp_path: Path) -> None:
    begun, ended = ("entered", "2026-03-02 13:00"), ("left", "2026-03-02 13:30")
    found = stays_of(
        tmp_path,
        *encounter(1, 1, begun), *encounter(1, 2, ("entered", "2026-03-02 13:05"), ended),
        *encounter(2, 1, ("entered", "2026-03-02 13:05"), ended),      # of the same patient: the same stay
        *encounter(3, 1, begun, ended, mrn="3"), *encounter(3, 2, ("void", "2026-03-02 20:00"), mrn="3"),
        *encounter(4, 1, ("left", "2026-03-02 13:50"), ("entered", "2026-03-02 14:00"), mrn="4"),
        *encounter(5, 1, ("entered", "2026-03-02 15:00"), mrn="5"),
    )  # fmt: skip
    assert found == [
        ("CT1", "N-CT1", "02 08:05", "02 08:30", "departure", "used"),
        ("CT1", "N-CT1", "02 09:00", "02 08:50", "departure", "backwards"),
        ("CT1", "N-CT1", "02 10:00", None, "none", "no_departure"),
    ]


@pytest.mark.parametrize("order", first_of([(1, 0, 3, 2), (0, 1, 2, 3), (0, 2, 1, 3), (1, 3, 2, 0)]))
def test_an_encounter_that_comes_to_be_of_another_patient(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Whichever of both moves afterwards: the encounter tells of its last patient alone, in every order of arrival."""
    stay = ("entered", "2026-03-02 13:00"), ("left", "2026-03-02 13:30")
    batches = [
        encounter(1, 1, *stay, mrn="1"), encounter(1, 2, *stay, mrn="2"),
        [move("entered", "2026-03-02 14:00", mrn="1"), move("left", "2026-03-02 14:10", mrn="1")],
        [move("entered", "2026-03-02 15:00", mrn="2"), move("left", "2026-03-02 15:10", mrn="2"),
         link("merge", "2", "9", "2026-03-02 16:00")],
    ]  # fmt: skip
    house = installed(tmp_path, {"N-CT1": "rad^ct1"})
    for number in order:
        house.load(*batches[number])
        digest = house.build().digest
    told = "SELECT count(*), count(DISTINCT mover_key) FROM fct_room_stay"
    assert house.row(told) == (3, 2)
    assert house.build(full=True).digest == digest


def test_a_patient_merged_in_the_room_leaves_it_under_the_other_number(tmp_path: Path) -> None:
    moves = (move("entered", "2026-03-02 13:00", mrn="T1"), move("left", "2026-03-02 13:20", mrn="7"))
    apart, merged = tmp_path / "apart", tmp_path / "merged"
    assert [row[-1] for row in stays_of(apart, *moves)] == ["no_departure", "no_arrival"]
    assert [row[-1] for row in stays_of(merged, *moves, link("merge", "7", "T1", "2026-03-02 13:10"))] == ["used"]


def test_who_has_no_number_is_known_by_the_visit(tmp_path: Path) -> None:
    moves = [move("entered", "2026-03-02 13:00", mrn=None, visit_id="V1"),
             move("left", "2026-03-02 13:20", mrn=None, visit_id="V1"),
             move("left", "2026-03-02 13:10", mrn=None, visit_id="V2")]  # fmt: skip
    assert [row[-1] for row in stays_of(tmp_path, *moves)] == ["used", "no_arrival"]


@slow
def test_any_order_of_arrival_gives_the_same_marts(tmp_path: Path) -> None:
    """Also told twice, and with the cancellation or the merge before what it speaks of."""
    rows = [
        move("entered", "2026-03-02 13:00", mrn="T1"), move("left", "2026-03-02 13:30", mrn="7"),
        move("entered", "2026-03-02 13:10", mrn="9"), move("not_entered", "2026-03-02 13:10", None, mrn="9"),
        link("merge", "7", "T1", "2026-03-02 13:10"),
    ]  # fmt: skip
    base = exam("A1", "2026-03-02 13:05", "2026-03-02 13:25", mrn="7")
    digests = set()
    for number, order in enumerate(((0, 1, 2, 3, 4), (3, 1, 4, 0, 2), (4, 2, 1, 3, 0))):
        house = installed(tmp_path / str(number), {"N-CT1": "CT1"}).built(*base)
        for part in (order[:2], order[2:4], order[4:] + order[:2]):
            house.built(*(rows[index] for index in part))
        digests.add(house.build().digest)
        assert house.row("SELECT sum(room_min) FROM fct_room_hour") == (30.0,)
    assert len(digests) == 1
    assert house.build(full=True).digest in digests


def test_a_late_stay_changes_hours_far_back(tmp_path: Path) -> None:
    house = installed(tmp_path, {"N-CT1": "CT1"}).built(
        *exam("A1", "2026-03-02 13:05", "2026-03-02 13:25"), *exam("A2", "2026-03-12 13:05", "2026-03-12 13:25"),
        move("entered", "2026-03-12 13:00"), move("left", "2026-03-12 13:30"),
    )  # fmt: skip
    query = "SELECT min(hour_local), sum(room_min) FROM fct_room_hour"
    assert house.row(query) == (datetime(2026, 3, 12), 30.0)
    house.built(move("entered", "2026-03-02 13:00", mrn="2"), move("left", "2026-03-02 13:40", mrn="2"))
    assert house.row(query) == (datetime(2026, 3, 2), 70.0)
    house.built(move("not_entered", "2026-03-02 13:00", None, mrn="2"))
    assert house.row(query) == (datetime(2026, 3, 12), 30.0)
    assert house.build(full=True).digest == house.build().digest


def test_an_arrival_in_the_room_is_not_one_at_the_door(tmp_path: Path) -> None:
    house = installed(tmp_path, {"N-CT1": "CT1"})
    tracked = {"origin": "adt", "visit_id": "V1^NORTH", "status_code": "A10"}
    house.built(
        *exam("A1", "2026-03-02 13:05", "2026-03-02 13:25", visit_id="V1^NORTH"),
        event("arrived", "2026-03-02 13:00", None, station="RAD^CT1", **tracked),
    )
    assert house.row("SELECT door_at FROM fct_exam") == (None,)
    house.built(event("arrived", "2026-03-02 12:00", None, station="ED", **tracked))
    assert house.row("SELECT door_at FROM fct_exam") == (datetime(2026, 3, 2, 12),)
