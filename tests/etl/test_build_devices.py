"""Which days of devices a night makes again where exams turn out to be another patient's."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from etl.build_devices import derive_device_ranges
from tests.raw_rows import Row, link
from tests.slow import first_of
from tests.warehouse import Warehouse, exam, order


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Of each build that follows, the devices of which it makes days again."""
    found = []

    def watched(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
        derive_device_ranges(con, anew)
        told = con.execute("SELECT DISTINCT device FROM touched_device ORDER BY device").fetchall()
        found.append([device for (device,) in told])

    monkeypatch.setattr("etl.build_scope.derive_device_ranges", watched)
    return found


def busy(house: Warehouse) -> list[tuple[str, int]]:
    """Sessions with the number of their exams."""
    return house.rows("SELECT strftime(busy_started_local, '%d. %H:%M'), n_exams FROM fct_device_busy ORDER BY 1")


def test_exams_of_another_patient_move_a_device_only_where_they_meet(tmp_path: Path, derived: list[list[str]]) -> None:
    """Two exams one after the other, one of another day, one elsewhere at the same time: as the patients 1 and 2 become
    one and are two again, the first two become one session and are two again. 3 and 4 have nothing that meets."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20", mrn="1"),
        *exam("A2", "2026-03-02 10:20", "2026-03-02 10:40", mrn="2"),
        *exam("A3", "2026-04-02 10:00", "2026-04-02 10:20", mrn="2"),
        *exam("A4", "2026-04-02 10:05", "2026-04-02 10:25", mrn="3", station="NCT02"),
        *exam("A5", "2026-05-02 10:00", "2026-05-02 10:20", mrn="4"),
    )
    apart = busy(house)
    assert [n for _, n in apart] == [1] * 5
    ends = []
    for change in (
        link("merge", "1", "2", "2026-05-01"),
        link("unlink", "1", "2", "2026-05-02"),
        link("merge", "3", "4"),
    ):
        house.load(change)
        night = house.build()
        assert not night.is_full
        ends.append([n for _, n in busy(house)])
        assert night.touched > 0
        assert derived[-1] == ([] if change == link("merge", "3", "4") else ["N-CT1"])
        assert house.build(full=True).digest == night.digest
    assert ends == [[2, 1, 1, 1], [1] * 5, [1] * 5]
    assert busy(house) == apart


def test_exams_that_both_leave_one_patient_part(tmp_path: Path, derived: list[list[str]]) -> None:
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20", mrn="2"),
        *exam("A2", "2026-03-02 10:20", "2026-03-02 10:40", mrn="3"),
        link("merge", "1", "2", "2026-03-03"), link("merge", "1", "3", "2026-03-03"),
    )  # fmt: skip
    assert [n for _, n in busy(house)] == [2]
    house.load(link("unlink", "1", "2", "2026-03-04"), link("unlink", "1", "3", "2026-03-04"))
    night = house.build()
    assert [n for _, n in busy(house)] == [1, 1]
    assert derived[-1] == ["N-CT1"]
    assert house.build(full=True).digest == night.digest


def test_nobodys_exams_become_a_session_once_they_are_somebodys(tmp_path: Path, derived: list[list[str]]) -> None:
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20", mrn=None),
        *exam("A2", "2026-03-02 10:20", "2026-03-02 10:40", mrn=None),
    )
    assert [n for _, n in busy(house)] == [1, 1]
    house.load(order("2026-03-02 09:00", "A1", station="NCT01"), order("2026-03-02 09:00", "A2", station="NCT01"))
    night = house.build()
    assert [n for _, n in busy(house)] == [2]
    assert derived[-1] == ["N-CT1"]
    assert house.build(full=True).digest == night.digest


def test_sessions_at_once_keep_their_numbers_under_any_key(tmp_path: Path, derived: list[list[str]]) -> None:
    """One patient has two exams, another has one, all at the same time: which session is the first is not theirs."""
    times = "2026-03-02 10:00", "2026-03-02 10:20"
    house = Warehouse(tmp_path).built(
        *exam("A1", *times, mrn="9"), *exam("A2", *times, mrn="9"), *exam("A3", *times, mrn="91")
    )
    numbered = "SELECT session_number, n_exams FROM fct_device_busy ORDER BY 1"
    assert sorted(n for _, n in house.rows(numbered)) == [1, 2]
    keys = "SELECT list(DISTINCT patient_key ORDER BY patient_key) FROM fct_exam"
    lowest = (
        "SELECT arg_min(n, patient_key) FROM (SELECT patient_key, count(*) AS n FROM fct_exam GROUP BY patient_key)"
    )
    orders = []
    for lower in "87654":  # another key each time
        before, as_it_was = house.row(keys), house.rows(numbered)
        house.load(link("merge", lower, "9"))
        night = house.build()
        assert house.row(keys) != before
        assert house.rows(numbered) == as_it_was
        assert derived[-1] == []
        assert house.build(full=True).digest == night.digest
        orders.append(house.row(lowest))
    assert len(set(orders)) > 1, "no key came before the other one's, or none after"


@pytest.mark.parametrize("seed", first_of(range(6)))
def test_whoever_is_one_patient_a_night_gives_what_a_full_build_gives(tmp_path: Path, seed: int) -> None:
    """Exams back to back, at once and over each other on two devices, of few patients who merge and part."""
    chance = random.Random(seed)  # noqa: S311
    patients = [str(number) for number in range(1, 7)]

    def some(numbers: range) -> list[Row]:
        rows: list[Row] = []
        for number in numbers:
            began = datetime(2026, 3, chance.choice((2, 3)), 22) + timedelta(minutes=10 * chance.randrange(24))
            ended = began + timedelta(minutes=chance.choice((10, 20, 20, 90)))
            rows += exam(f"A{number}", f"{began}", f"{ended}", mrn=chance.choice(patients),
                         station=chance.choice(("NCT01", "NCT02")))  # fmt: skip
        return rows

    house = Warehouse(tmp_path).built(*some(range(40)))
    joined: list[tuple[str, str]] = []
    for night in range(4):
        one, other = chance.sample(patients, 2)
        changes = [link("merge", one, other, f"2026-03-1{night}")]
        if joined and chance.random() < 0.6:
            changes.append(link("unlink", *joined.pop(), f"2026-03-1{night} 12:00"))
        joined.append((one, other))
        again = exam("A1", "2026-03-02 22:00", "2026-03-02 23:00", mrn=chance.choice(patients))
        house.load(*changes, *(some(range(100 * night + 100, 100 * night + 103)) if night % 2 else again))
        told = house.build()
        assert not told.is_full
        assert house.build(full=True).digest == told.digest
