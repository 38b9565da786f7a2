"""Sessions, hours and days of a device, by hand. Monday 2026-03-02; New York is UTC-5 until 2026-03-08 07:00 UTC."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from tests.warehouse import Warehouse, event, exam


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Staffed Mon-Fri 8-12 and 13-17, Sunday all day; closed on Thursday 5th."""
    return Warehouse(tmp_path_factory.mktemp("device")).built(
        # Monday: patient 1 twice touching (08:10-08:40), patient 2 after 10 min, patient 3 overlapping patient 2.
        *exam("A1", "2026-03-02 13:10", "2026-03-02 13:25", mrn="1"),
        *exam("A2", "2026-03-02 13:25", "2026-03-02 13:40", mrn="1"),
        *exam("B1", "2026-03-02 13:50", "2026-03-02 14:10", mrn="2"),
        *exam("C1", "2026-03-02 14:00", "2026-03-02 14:30", mrn="3"),
        # over lunch: 11:50 to 12:20 local; then after a gap across the pause 13:05
        *exam("D1", "2026-03-02 16:50", "2026-03-02 17:20", mrn="4"),
        *exam("E1", "2026-03-02 18:05", "2026-03-02 18:15", mrn="5"),
        # Tuesday: 06:50 is earlier than an hour before opening, 08:20 is 20 min late; exam over midnight 23:50-00:20
        *exam("F1", "2026-03-03 11:50", "2026-03-03 12:00", mrn="6"),
        *exam("G1", "2026-03-03 13:20", "2026-03-03 13:30", mrn="7"),
        *exam("H1", "2026-03-04 04:50", "2026-03-04 05:20", mrn="8"),
        # Wednesday: at opening
        *exam("I1", "2026-03-04 13:00", "2026-03-04 13:30", mrn="9"),
        # Thursday, closed
        *exam("J1", "2026-03-05 15:00", "2026-03-05 15:20", mrn="9"),
        # Sunday of the spring change: 23 hours staffed; 01:30-03:30 on the clock is one hour
        *exam("K1", "2026-03-08 06:30", "2026-03-08 07:30", mrn="9"),
        # no session: backwards and longer than a day
        *exam("L1", "2026-03-09 15:00", "2026-03-09 14:00", mrn="9"),
        *exam("M1", "2026-03-09 15:00", "2026-03-10 15:01", mrn="9"),
        event("arrived", "2026-03-10 15:30", "M1", mrn="9"),
        # a device that the site does not list
        *exam("U1", "2026-03-02 15:00", "2026-03-02 15:20", mrn="9", station="MOBILE"),
    )


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """486, 629 and 717 seconds, in an hour, in three and in three of a free day: as binary fractions of minutes no
    order of them sums to 1,832 / 60."""
    times = (
        ("02 13:00:00", "02 13:08:06"), ("02 13:15:00", "02 13:25:29"), ("02 13:30:00", "02 13:41:57"),
        ("03 13:00:00", "03 13:08:06"), ("03 14:00:00", "03 14:10:29"), ("03 15:00:00", "03 15:11:57"),
        ("07 13:00:00", "07 13:08:06"), ("07 14:00:00", "07 14:10:29"), ("07 15:00:00", "07 15:11:57"),
    )  # fmt: skip
    exams = [
        exam(f"A{n}", f"2026-03-{since}", f"2026-03-{until}", mrn=str(n)) for n, (since, until) in enumerate(times)
    ]
    return Warehouse(tmp_path_factory.mktemp("seconds")).built(*(row for rows in exams for row in rows))


def test_sessions_merge_one_patients_touching_exams(house: Warehouse) -> None:
    assert house.rows("""
        SELECT session_number, n_exams, busy_started_local, gap_before_min, is_same_block, is_turnover
        FROM fct_device_busy WHERE device = 'N-CT1' AND busy_date = DATE '2026-03-02' ORDER BY 1""") == [
        (1, 2, local("02 08:10"), None, False, False),
        (2, 1, local("02 08:50"), 10.0, True, True),
        (3, 1, local("02 09:00"), -10.0, True, False),
        (4, 1, local("02 11:50"), 140.0, True, False),
        (5, 1, local("02 13:05"), 45.0, False, False),
    ]


def test_no_session_from_a_broken_clock(house: Warehouse) -> None:
    assert house.rows("SELECT 1 FROM fct_device_busy WHERE busy_date >= DATE '2026-03-09'") == []


def test_busy_minutes_are_split_over_the_hours_they_touch(house: Warehouse) -> None:
    assert house.rows("""
        SELECT hour, staffed_min, busy_min, busy_staffed_min, idle_min, overtime_min, n_exams FROM fct_device_hour
        WHERE device = 'N-CT1' AND hour_local BETWEEN TIMESTAMP '2026-03-02 08:00' AND TIMESTAMP '2026-03-02 13:59'
        ORDER BY hour""") == [
        (8, 60.0, 40.0, 40.0, 20.0, 0.0, 3),   # 08:10-08:40, 08:50-09:00
        (9, 60.0, 30.0, 30.0, 30.0, 0.0, 1),   # union of 09:00-09:10 and 09:00-09:30
        (10, 60.0, 0.0, 0.0, 60.0, 0.0, 0),
        (11, 60.0, 10.0, 10.0, 50.0, 0.0, 1),
        (12, 0.0, 20.0, 0.0, 0.0, 20.0, 0),    # lunch pause
        (13, 60.0, 10.0, 10.0, 50.0, 0.0, 1),
    ]  # fmt: skip


def test_days(house: Warehouse) -> None:
    assert house.rows("""
        SELECT day_local, staffed_min, busy_min, busy_staffed_min, overtime_min, first_started_local, late_min,
               is_on_time
        FROM fct_device_day WHERE device = 'N-CT1' AND day_local < DATE '2026-03-09' ORDER BY 1""") == [
        (date(2026, 3, 2), 480.0, 110.0, 90.0, 20.0, local("02 08:10"), 10.0, True),
        (date(2026, 3, 3), 480.0, 30.0, 10.0, 20.0, local("03 08:20"), 20.0, False),   # 10 + 10 + 10 before midnight
        (date(2026, 3, 4), 480.0, 50.0, 30.0, 20.0, local("04 08:00"), 0.0, True),     # 20 after midnight + 30
        (date(2026, 3, 5), 0.0, 20.0, 0.0, 20.0, None, None, None),
        (date(2026, 3, 6), 480.0, 0.0, 0.0, 0.0, None, None, None),
        (date(2026, 3, 8), 1380.0, 60.0, 60.0, 0.0, local("08 01:30"), 90.0, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "at", "part"),
    [
        ("fct_device_hour", "hour_local = TIMESTAMP '2026-03-02 08:00'", "busy_staffed_min"),
        ("fct_device_day", "day_local = DATE '2026-03-02'", "busy_staffed_min"),
        ("fct_device_day", "day_local = DATE '2026-03-03'", "busy_staffed_min"),
        ("fct_device_day", "day_local = DATE '2026-03-07'", "overtime_min"),
    ],
)
def test_minutes_are_those_of_their_whole_seconds(seconds: Warehouse, table: str, at: str, part: str) -> None:
    told = seconds.rows(f"SELECT busy_min, {part} FROM {table} WHERE device = 'N-CT1' AND {at}")
    assert told == [(1832 / 60, 1832 / 60)]


def test_idle_pieces_of_staffed_time(house: Warehouse) -> None:
    """Pieces since the same session belong together: 09:30 is the end of the union, 00:20 of an exam at night."""
    found = house.rows("""
        SELECT idle_from_local, idle_min, idle_since_at FROM fct_device_idle
        WHERE device = 'N-CT1' AND day_local BETWEEN DATE '2026-03-02' AND DATE '2026-03-06' ORDER BY 1""")
    assert found[:-3] == [
        (local("02 08:00"), 10.0, None),                           # nothing is known of the time before
        (local("02 08:40"), 10.0, local("02 13:40")),
        (local("02 09:30"), 140.0, local("02 14:30")),
        (local("02 13:00"), 5.0, local("02 17:20")),               # the exam over lunch began before the pause
        (local("02 13:15"), 225.0, local("02 18:15")),
        (local("03 08:00"), 20.0, local("03 12:00")),              # an exam before opening
        (local("03 08:30"), 210.0, local("03 13:30")),
        (local("03 13:00"), 240.0, local("03 13:30")),
        # 08:00 to 08:30 on Wednesday is busy, after an exam around midnight; Thursday is closed
        (local("04 08:30"), 210.0, local("04 13:30")),
    ]  # fmt: skip
    assert found[-3:] == [
        (local("04 13:00"), 240.0, local("04 13:30")),
        (local("06 08:00"), 240.0, local("05 15:20")),             # the exam on the closed day
        (local("06 13:00"), 240.0, local("05 15:20")),
    ]  # fmt: skip


def test_idle_time_ends_at_the_data_cut_off(house: Warehouse) -> None:
    query = "SELECT max(idle_to_at) FROM fct_device_idle WHERE device = 'N-CT1'"
    assert house.row(query) == (datetime(2026, 3, 10, 15, 30),)


def test_idle_time_is_what_staffed_hours_are_not_busy(house: Warehouse) -> None:
    """Also on the Sunday of the spring change, which has 23 hours."""
    assert (
        house.rows("""
        SELECT day_local, sum(h.idle_min), (SELECT sum(i.idle_min) FROM fct_device_idle i
               WHERE i.device = 'N-CT1' AND i.day_local = h.day_local)
        FROM (SELECT CAST(hour_local AS DATE) AS day_local, idle_min FROM fct_device_hour WHERE device = 'N-CT1') h
        GROUP BY day_local HAVING sum(h.idle_min) > 0
            AND sum(h.idle_min) IS DISTINCT FROM (SELECT sum(i.idle_min) FROM fct_device_idle i
                WHERE i.device = 'N-CT1' AND i.day_local = h.day_local)""")
        == []
    )


def test_staffed_time_ends_at_the_data_cut_off(house: Warehouse) -> None:
    """The last event is told for Tuesday 10th 15:30 UTC, 11:30 in New York."""
    assert house.row(
        "SELECT staffed_min FROM fct_device_day WHERE device = 'N-CT1' AND day_local = DATE '2026-03-10'"
    ) == (210.0,)
    assert house.rows("SELECT 1 FROM fct_device_day WHERE day_local > DATE '2026-03-10'") == []


def test_unlisted_device_appears_under_its_station(house: Warehouse) -> None:
    assert house.row("SELECT device, facility, modality, is_listed FROM dim_device WHERE NOT is_listed") == (
        "NORTH:MOBILE", "NORTH", "CT", False,
    )  # fmt: skip
    assert ("device", "NORTH", "NORTH:MOBILE", 1) in house.rows("FROM dq_unmapped")
    assert house.row("SELECT n_exams FROM fct_device_busy WHERE device = 'NORTH:MOBILE'") == (1,)


def test_a_correction_far_back_changes_only_what_it_must(tmp_path: Path) -> None:
    """An end that arrives later joins two sessions and moves the turnover of the third."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 13:10", "2026-03-02 13:25", mrn="1"),
        *exam("A2", "2026-03-02 13:30", "2026-03-02 13:40", mrn="1"),
        *exam("B1", "2026-03-02 13:50", "2026-03-02 14:10", mrn="2"),
        *exam("C1", "2026-03-04 13:50", "2026-03-04 14:10", mrn="2"),
    )
    query = "SELECT n_exams, gap_before_min FROM fct_device_busy ORDER BY busy_started_at"
    assert house.rows(query) == [(1, None), (1, 5.0), (1, 10.0), (1, None)]
    house.built(event("exam_ended", "2026-03-02 13:45", "A1"))
    assert house.rows(query) == [(2, None), (1, 5.0), (1, None)]
    assert house.build(full=True).digest == house.build().digest
