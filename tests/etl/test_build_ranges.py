"""Late words about old exams: what a night derives again of devices, backlog and worklists is what a full build gives.

Exams lie months apart, run over midnight, overlap and wait for long; each change comes as a batch of its own, and after
two of them the marts are compared with marts derived from the raw rows alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.raw_rows import Row, link
from tests.slow import first_of
from tests.warehouse import Warehouse, event, exam, order, report

FIRST = datetime(2026, 1, 5)
DAYS = 110
#: Station, facility, modality, chance of a day with exams: one device rests for more than a month.
STATIONS = (("NCT01", "NORTH", "CT", 0.3), ("NDX01", "NORTH", "DX", 0.06), ("WCT01", "WEST", "CT", 0.12))


def said(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def stay(patient: str, entered: datetime, minutes: int, facility: str = "NORTH", room: str = "CT1") -> list[Row]:
    """A patient's stay in a room."""
    return [
        ("room_move", {"standard": "hl7", "source": f"HIS@{facility}", "facility_alias": facility, "kind": kind,
                       "at": said(at), "room": room, "patient_id": patient, "patient_authority": facility,
                       "message_at": said(at)})
        for kind, at in (("entered", entered), ("left", entered + timedelta(minutes=minutes)))
    ]  # fmt: skip


@dataclass
class World:
    """Exams told so far, and chance."""

    chance: random.Random
    exams: list[tuple[str, str, str, datetime]] = field(default_factory=list)  # accession, patient, facility, begin

    def exam(self, station: str, facility: str, modality: str, begin: datetime) -> list[Row]:
        """An exam; one in four without a report, one in six over midnight."""
        chance, number = self.chance, f"A{len(self.exams)}"
        patient = str(chance.randrange(12))
        begin = begin.replace(hour=4, minute=30) if chance.random() < 0.17 else begin
        end = begin + timedelta(minutes=chance.choice([10, 35, 70, 200]))
        waited = timedelta(minutes=chance.choice([-20, 5, 90, 3000, 12000, 30000]))
        self.exams.append((number, patient, facility, begin))
        rows = exam(number, said(begin), said(end), mrn=patient, facility=facility, station=station,
                    final=said(end + waited) if chance.random() < 0.75 else None, modality=modality,
                    priority=chance.choice("SR"), patient_class=chance.choice("OE"))  # fmt: skip
        if chance.random() < 0.5:
            rows += stay(patient, begin - timedelta(minutes=10), 60, facility)
        return rows

    def begun(self) -> list[Row]:
        """All that is told at first."""
        rows = []
        for number in range(DAYS):
            for station, facility, modality, often in STATIONS:
                for _ in range(self.chance.choice([1, 1, 3]) if self.chance.random() < often else 0):
                    at = FIRST + timedelta(days=number, minutes=self.chance.randrange(1440))
                    rows += self.exam(station, facility, modality, at)
        return rows

    def some(self) -> tuple[str, str, str, datetime]:
        return self.chance.choice(self.exams)


def _late_exam(world: World) -> list[Row]:
    station, facility, modality, _ = world.chance.choice(STATIONS)
    at = FIRST + timedelta(days=world.chance.randrange(DAYS + 3), minutes=world.chance.randrange(1440))
    return world.exam(station, facility, modality, at)


def _cancelled(world: World) -> list[Row]:
    number, patient, facility, begin = world.some()
    return [event("cancelled", said(begin + timedelta(days=130)), number, mrn=patient, facility=facility,
                  origin="order")]  # fmt: skip


def _ended_otherwise(world: World) -> list[Row]:
    number, patient, facility, begin = world.some()
    end = begin + timedelta(minutes=world.chance.choice([1, 400, 1200, 1700]))
    return [event("exam_ended", said(end), number, mrn=patient, facility=facility,
                  message_at=said(begin + timedelta(days=120)))]  # fmt: skip


def _reported_late(world: World) -> list[Row]:
    number, patient, facility, begin = world.some()
    at = said(begin + timedelta(days=world.chance.choice([1, 6, 9, 60])))
    return [report(at, number, mrn=patient, facility=facility),
            event("final_report", at, number, mrn=patient, facility=facility, origin="report")]  # fmt: skip


def _elsewhere(world: World) -> list[Row]:
    number, patient, facility, begin = world.some()
    station = world.chance.choice(["NCT01", "NDX01", "UNHEARD"])
    return [order(said(begin + timedelta(days=120)), number, mrn=patient, facility=facility, station=station,
                  order_control="XO")]  # fmt: skip


def _merged(world: World) -> list[Row]:
    one, other = world.chance.sample(range(12), 2)
    return [link("merge", str(one), str(other), "2026-04-30", authority=world.chance.choice(["NORTH", "WEST"]))]


def _stayed(world: World) -> list[Row]:
    at = FIRST + timedelta(days=world.chance.randrange(DAYS), minutes=world.chance.randrange(1440))
    return stay(str(world.chance.randrange(12)), at, world.chance.choice([20, 300, 1439]))


def _went_on(world: World) -> list[Row]:
    """The clock moves by some days, with or without an exam."""
    begin = max(begin for *_, begin in world.exams) + timedelta(days=world.chance.choice([0, 1, 4]), hours=3)
    return world.exam("NCT01", "NORTH", "CT", begin)


CHANGES: list[Callable[[World], list[Row]]] = [
    _late_exam, _cancelled, _ended_otherwise, _reported_late, _elsewhere, _merged, _stayed, _went_on,
]  # fmt: skip


@pytest.mark.parametrize("seed", first_of([1, 4]))
def test_late_words_about_old_exams_give_what_a_full_build_gives(tmp_path: Path, seed: int) -> None:
    world = World(random.Random(seed))  # noqa: S311
    house = _installed(tmp_path)
    house.load(*world.begun())
    house.build()
    changed: list[str] = []
    for number in range(len(CHANGES)):
        change = CHANGES[(number + seed) % len(CHANGES)]
        changed.append(change.__name__)
        house.load(*change(world), *world.chance.choice(CHANGES)(world))
        night = house.build()
        assert not night.is_full
        if number % 2:  # what a night does wrong is still wrong after the next one
            told = _tables(house)
            assert house.build(full=True).digest == night.digest, (changed[-2:], _changed(told, _tables(house)))


def test_a_late_report_moves_those_who_waited_for_days(tmp_path: Path) -> None:
    """A2, due later, was read in the night of its day, as is told much later: so A1, read five days on, was passed."""
    house = Warehouse(tmp_path)
    house.load(*exam("A1", "2026-03-02 10:00", "2026-03-02 11:00", final="2026-03-08 20:00"),
               *exam("A2", "2026-03-03 10:00", "2026-03-03 11:00", mrn="2"),
               *exam("A3", "2026-03-20 10:00", "2026-03-20 11:00", mrn="3"))  # fmt: skip
    house.build()
    passed = "SELECT n_passed_by FROM fct_queue_read JOIN fct_exam USING (exam_key) WHERE accession = 'A1'"
    assert house.rows(passed) == [(0,)]
    house.load(event("final_report", "2026-03-03 20:00", "A2", mrn="2", origin="report"))
    night = house.build()
    assert house.rows(passed) == [(1,)]
    assert house.build(full=True).digest == night.digest


def test_the_clock_alone_moves_the_backlog(tmp_path: Path) -> None:
    """An exam that nobody tells of again waits on as the cut-off moves; one of another group moves it."""
    house = Warehouse(tmp_path)
    house.load(*exam("A1", "2026-03-02 10:00", "2026-03-02 11:00"), *exam(
        "A2", "2026-03-02 10:00", "2026-03-02 11:00", mrn="2", final="2026-03-02 12:10", priority="S"))  # fmt: skip
    house.build()
    house.load(*exam("W1", "2026-03-03 10:00", "2026-03-03 10:20", mrn="3", facility="WEST", station="WCT01"))
    night = house.build()
    north = "FROM fct_backlog_hour WHERE facility = 'NORTH' AND priority = 'routine'"
    assert house.rows(f"SELECT count(*), max(hour_at) {north}") == [(24, datetime(2026, 3, 3, 10))]
    assert house.build(full=True).digest == night.digest


def _installed(root: Path) -> Warehouse:
    """The usual installation with rooms for two devices."""
    house = Warehouse(root)
    path = house.site / "devices.csv"
    rooms = {"N-CT1": "CT1", "W-CT1": "CT1"}
    head, *lines = path.read_text("utf-8").splitlines()
    lines = [f"{line},{rooms.get(line.partition(',')[0], '')}" for line in lines]
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return house


def _tables(house: Warehouse) -> set[tuple[str, int, str]]:
    return set(house.rows("FROM meta_table"))


def _changed(one: set[tuple[str, int, str]], other: set[tuple[str, int, str]]) -> list[str]:
    return sorted({name for name, *_ in one ^ other})
