"""What became of a booked slot, and how late it was cancelled, by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sql.catalog import Catalog
from tests.raw_rows import Row
from tests.warehouse import Warehouse, event, exam, order

Slot = tuple[str, str, str | None]  # status, when told, slot


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def slot(status: str, told: str, when: str | None, accession: str = "A1", number: str = "S1") -> Row:
    return "appointment", {
        "source": "SCH", "facility_alias": "NORTH", "accession": accession, "appointment_id": number, "status": status,
        "slot_at": when, "duration_min": 30.0 if when else None, "resource": "NCT01" if when else None, "at": told,
        "message_at": told, "message_id": f"{told}{number}",
    }  # fmt: skip


BOOKED: Slot = ("booked", "2026-03-01 10:00", "2026-03-04 15:00")
#: What was told of an appointment -> (outcome, cancelled at, shares: 24h, same_day, any). The slot is 10:00 local.
CANCELS: dict[str, tuple[list[Slot], tuple[str | None, str | None, tuple[int | None, ...] | None]]] = {
    "nothing more": ([], (None, None, None)),
    "in time": ([("cancelled", "2026-03-03 14:59", None)], ("cancelled", "2026-03-03 14:59", (0, 0, 1))),
    "24 hours before": ([("cancelled", "2026-03-03 15:00", None)], ("cancelled", "2026-03-03 15:00", (0, 0, 1))),
    "a minute later": ([("cancelled", "2026-03-03 15:01", None)], ("cancelled", "2026-03-03 15:01", (1, 0, 1))),
    "last minute of the day before": (
        [("cancelled", "2026-03-04 04:59", None)], ("cancelled", "2026-03-04 04:59", (1, 0, 1)),
    ),
    "local midnight": ([("cancelled", "2026-03-04 05:00", None)], ("cancelled", "2026-03-04 05:00", (1, 1, 1))),
    "after the slot": ([("cancelled", "2026-03-05 09:00", None)], ("cancelled", "2026-03-05 09:00", (1, 1, 1))),
    "said twice": (
        [("cancelled", "2026-03-02 09:00", None), ("cancelled", "2026-03-04 14:00", None)],
        ("cancelled", "2026-03-02 09:00", (0, 0, 1)),
    ),
    "taken back and cancelled again": (
        [("cancelled", "2026-03-02 09:00", None), ("booked", "2026-03-02 10:00", None),
         ("cancelled", "2026-03-04 14:00", None)],
        ("cancelled", "2026-03-04 14:00", (1, 1, 1)),
    ),
    "moved a week, then in time": (
        [("rescheduled", "2026-03-02 09:00", "2026-03-11 14:00"), ("cancelled", "2026-03-04 14:00", None)],
        ("cancelled", "2026-03-04 14:00", (0, 0, 1)),
    ),
    "stopped": ([("discontinued", "2026-03-04 14:00", None)], ("cancelled", "2026-03-04 14:00", (1, 1, 1))),
    "made in error": ([("deleted", "2026-03-04 14:00", None)], (None, None, None)),
    "did not come": ([("noshow", "2026-03-04 16:00", None)], ("no_show", None, (0, 0, 0))),
    "came": ([("arrived", "2026-03-04 14:50", None)], ("kept", None, (0, 0, 0))),
}  # fmt: skip


def test_what_became_of_a_slot(tmp_path: Path) -> None:
    """Each case is an order with an appointment of its own."""
    rows = []
    for n, (told, _) in enumerate(CANCELS.values()):
        rows += [order("2026-03-01 09:00", f"A{n}", mrn=f"{n}"), *(slot(*s, f"A{n}", f"S{n}") for s in [BOOKED, *told])]
    house = Warehouse(tmp_path).built(*rows)
    for n, (case, (_, (outcome, cancelled, late))) in enumerate(CANCELS.items()):
        of = f"a.exam_key = (SELECT exam_key FROM fct_exam WHERE accession = 'A{n}')"
        expected = (outcome, None if cancelled is None else at(cancelled))
        assert house.row(f"SELECT outcome, cancelled_at FROM fct_appointment a WHERE {of}") == expected, case
        found = shares(house, "late_cancel_rate", "is_within_day, is_same_day, is_cancelled", f" AND {of}")
        assert found == [late or (None, None, None)], case


def shares(house: Warehouse, metric: str, columns: str = "numerator", more: str = "") -> list[tuple[Any, ...]]:
    """Rows of a metric's body with one more condition, the data being known until the end of March."""
    known = "(SELECT TIMESTAMP '2026-04-01' AS data_through)"
    body = Catalog.load().metrics[metric].body.replace("meta_snapshot", known)
    return house.rows(f"SELECT {columns} FROM ({body}{more}) ORDER BY ALL")


def test_an_order_cancels_the_slot_of_which_its_booking_says_nothing(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        order("2026-03-01 09:00"), slot(*BOOKED), event("cancelled", "2026-03-04 13:00", origin="order")
    )
    assert house.row("SELECT status, outcome, cancelled_at FROM fct_appointment") == (
        "booked", "cancelled", at("2026-03-04 13:00"),
    )  # fmt: skip
    assert shares(house, "slot_fill") == [(0,)]


def test_the_patient_who_came_filled_the_last_appointment_only(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-09 15:00", "2026-03-09 15:20"),
        slot(*BOOKED), slot("cancelled", "2026-03-04 14:00", None),
        slot("booked", "2026-03-04 14:05", "2026-03-09 15:00", number="S2"),
        *exam("A2", "2026-03-09 16:00", "2026-03-09 16:20", mrn="2"),
        slot("booked", "2026-03-01 10:00", "2026-03-09 15:30", "A2", "S3"),
        slot("noshow", "2026-03-09 15:50", None, "A2", "S3"),  # given up too early: the patient came late
    )  # fmt: skip
    assert house.rows("SELECT slot_at, outcome FROM fct_appointment ORDER BY slot_at") == [
        (at("2026-03-04 15:00"), "cancelled"), (at("2026-03-09 15:00"), "kept"), (at("2026-03-09 15:30"), "kept"),
    ]  # fmt: skip
    assert shares(house, "slot_fill") == [(0,), (1,), (1,)]
    assert shares(house, "no_show_rate") == [(0,), (0,), (None,)]


def test_moved_to_another_scanner(tmp_path: Path) -> None:
    """Booked on N-CT1 (NCT01): done there, on the radiography room, and where no device is known."""
    booked = ("booked", "2026-03-01 10:00", "2026-03-09 15:00")
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-09 15:00", "2026-03-09 15:20"), slot(*booked),
        *exam("A2", "2026-03-09 15:00", "2026-03-09 15:20", mrn="2", station="NDX01"), slot(*booked, "A2", "S2"),
        slot("arrived", "2026-03-09 14:55", None, "A2", "S2"),
    )  # fmt: skip
    assert shares(house, "scheduled_vs_performed", "is_moved, device") == [(0, "N-CT1"), (1, "N-CT1")]


def test_a_moved_slot_is_told_when_it_is_moved(tmp_path: Path) -> None:
    """And told again, it was told before."""
    house = Warehouse(tmp_path).built(
        order("2026-03-01 09:00"), slot(*BOOKED),
        slot("booked", "2026-03-02 10:00", "2026-03-05 15:00"), slot("booked", "2026-03-03 10:00", "2026-03-05 15:00"),
    )  # fmt: skip
    assert house.row("SELECT slot_at, slot_told_local FROM fct_appointment") == (
        at("2026-03-05 15:00"), at("2026-03-02 05:00"),
    )  # fmt: skip


def test_third_next_available(tmp_path: Path) -> None:
    """N-CT1 takes two patients on each staffed weekday, of whom the day before knows; Thursday 5 March is closed."""
    weekdays = [day for n in range(33) if (day := date(2026, 2, 2) + timedelta(days=n)).weekday() < 5]
    usual = [
        slot("booked", f"{day - timedelta(days=1)} 12:00", f"{day} {hour}:00", f"B{day}{hour}", f"B{day}{hour}")
        for day in weekdays
        for hour in (15, 16)
    ]
    ahead = {"09": "ab", "10": "cd", "11": "ef"}
    booked = [
        slot("booked", "2026-03-06 14:00", f"2026-03-{day} 15:00", f"A{name}", f"A{name}")
        for day, names in ahead.items()
        for name in names
    ]
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-02-02 15:00", "2026-02-02 15:20"), event("arrived", "2026-03-09 20:00", "A2", mrn="2"),
        *usual, *booked,
        slot("cancelled", "2026-03-07 14:00", None, "Ae", "Ae"),  # free again on Sunday
        slot("cancelled", "2026-03-09 14:00", None, "Ac", "Ac"),  # too late for Monday's begin
        *(slot("booked", "2026-03-09 14:00", "2026-03-12 15:00", f"A{name}", f"A{name}") for name in "gh"),
    )  # fmt: skip
    assert [(day.day, value) for day, value in shares(house, "third_next_available", "period_local, value")] == [
        (1, 1),  # 28 days after the first booking: 2 on Sunday, on Monday 2, whose patients book on Sunday
        (2, 2),  # Monday is full; 2 on Tuesday, 2 on Wednesday
        (3, 3),  # 2 on Wednesday, closed, 2 on Friday
        (4, 4),  # 2 on Friday, 2 on Sunday
        (6, 3),  # 2 on Sunday, 2 on Monday
        (8, 3),  # 2 today, Monday and Tuesday full, 1 on Wednesday
        (9, 3),  # today and Tuesday full, 1 on Wednesday, 2 on Thursday: that they are taken is told later today
    ]
