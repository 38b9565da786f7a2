"""SIU: appointments, SCH-25 and slots. Expectations by hand."""

from __future__ import annotations

import pytest

from etl.records import Parsed
from tests.etl.hl7_lines import PID, defects, events, message, one, parse, rows, segment, utc

SCH = {1: "AP1^HIS", 2: "APF1^RISB", 6: "ROUTINE^Routine", 26: "P1^HIS", 27: "F1^RISB"}
AIS = {3: "70450^CT HEAD W/O^L", 4: "20260120100000", 7: "30", 8: "min"}
AIL = {3: "CT1^A^^NGTH"}


def booking(
    trigger: str, sch: dict[int, str] | None = None, *more: str, app: str = "RIS", ais: dict[int, str] | None = None
) -> Parsed:
    lines = [
        segment("SCH", {**SCH, **(sch or {})}),
        PID,
        "RGS|1",
        segment("AIS", ais or AIS),
        segment("AIL", AIL),
        *more,
    ]
    return parse(message(f"SIU^{trigger}", *lines, app=app))


def test_appointment_columns() -> None:
    row = one(booking("S12"), "appointment")
    assert {name: row[name] for name in row if row[name] is not None} == {
        "standard": "hl7", "source": "RIS@NGTH", "message_id": "C1", "message_at": utc("2026-01-15T14:00:00"),
        "facility_alias": "NGTH", "appointment_id": "APF1^RISB", "placer_id": "P1^HIS", "filler_id": "F1^RISB",
        "patient_id": "M1", "patient_authority": "NORTH", "birth_date": utc("1968-04-12").date(), "sex": "F",
        "procedure_code": "70450", "procedure_text": "CT HEAD W/O", "procedure_system": "L",
        "at": utc("2026-01-15T14:00:00"), "at_precision": "second", "at_zone_source": "facility",
        "status": "booked", "slot_at": utc("2026-01-20T15:00:00"), "duration_min": 30.0, "resource": "CT1",
        "reason_code": "ROUTINE", "position": 0, "row_number": 0,
    }  # fmt: skip


def test_booking_event_carries_slot_and_station() -> None:
    row = one(booking("S12"), "event")
    assert (row["code"], row["origin"], row["at"]) == ("scheduled", "schedule", utc("2026-01-15T14:00:00"))
    assert (row["slot_at"], row["station"], row["appointment_id"]) == (utc("2026-01-20T15:00:00"), "CT1", "APF1^RISB")


@pytest.mark.parametrize(
    ("trigger", "status", "event"),
    [
        ("S12", "booked", "scheduled"), ("S13", "rescheduled", "rescheduled"), ("S14", "booked", None),
        ("S15", "cancelled", "cancelled"), ("S16", "discontinued", "cancelled"), ("S17", "deleted", "cancelled"),
        ("S18", "booked", None), ("S19", "booked", None), ("S20", "booked", None), ("S21", "booked", None),
        ("S22", "booked", None), ("S23", "blocked", None), ("S24", "open", None), ("S26", "noshow", "no_show"),
        ("S27", "booked", "scheduled"),
    ],
)  # fmt: skip
def test_triggers(trigger: str, status: str, event: str | None) -> None:
    parsed = booking(trigger)
    assert one(parsed, "appointment")["status"] == status
    assert [e[0] for e in events(parsed)] == ([event] if event else [])


@pytest.mark.parametrize(
    ("trigger", "said", "status", "event"),
    [
        ("S14", "Noshow", "noshow", "no_show"), ("S14", "No-Show", "noshow", "no_show"),
        ("S14", "Blocked", "blocked", None),
        ("S12", "Overbook", "overbooked", "scheduled"), ("S12", "Booked", "booked", "scheduled"),
        ("S13", "Booked", "rescheduled", "rescheduled"), ("S12", "Waitlist", "waitlist", None),
        ("S12", "Pending", "pending", None), ("S14", "Arrived", "arrived", "arrived"),
        ("S14", "Started", "started", None),
        ("S14", "Complete", "completed", None), ("S14", "Cancelled", "cancelled", "cancelled"),
        ("S14", "DC", "discontinued", "cancelled"), ("S14", "Deleted", "deleted", "cancelled"),
        ("S14", "AR", "ar", "arrived"),
    ],
)  # fmt: skip
def test_sch_25_wins_over_the_trigger(trigger: str, said: str, status: str, event: str | None) -> None:
    parsed = booking(trigger, {25: said})
    assert one(parsed, "appointment")["status"] == status
    assert [e[0] for e in events(parsed)] == ([event] if event else [])


def test_status_of_the_service_where_sch_25_is_absent() -> None:
    assert one(booking("S14", ais={**AIS, 10: "Noshow"}), "appointment")["status"] == "noshow"


def test_unknown_status_keeps_the_trigger() -> None:
    parsed = booking("S12", {25: "Perhaps"})
    assert one(parsed, "appointment")["status"] == "booked"
    assert defects(parsed) == [("SCH-25", "unknown_code")]


@pytest.mark.parametrize(
    ("number", "unit", "minutes"),
    [
        ("30", "min", 30.0), ("45", "", 45.0), ("1.5", "hr^hour^ISO+", 90.0), ("600", "s", 10.0), ("1", "H", 60.0),
        ("90", "MINUTES", 90.0),
    ],
)  # fmt: skip
def test_duration(number: str, unit: str, minutes: float) -> None:
    assert one(booking("S12", ais={**AIS, 7: number, 8: unit}), "appointment")["duration_min"] == minutes


def test_duration_of_the_schedule_where_the_service_has_none() -> None:
    assert one(booking("S12", {9: "20", 10: "MIN"}, ais={3: AIS[3]}), "appointment")["duration_min"] == 20.0


def test_bad_duration_is_counted() -> None:
    assert defects(booking("S12", ais={**AIS, 7: "long"})) == [("AIS-7", "not a number")]
    assert defects(booking("S12", ais={**AIS, 8: "fortnight"})) == [("AIS-8", "unknown_unit")]


@pytest.mark.parametrize(
    ("sch", "more"),
    [({11: "1^^30^20260120100000"}, []), ({}, ["TQ1|1||||||20260120100000"])],
)
def test_slot_of_older_versions(sch: dict[int, str], more: list[str]) -> None:
    row = one(booking("S12", sch, *more, ais={3: AIS[3]}), "appointment")
    assert row["slot_at"] == utc("2026-01-20T15:00:00")


def test_the_imaging_service_of_several_is_taken() -> None:
    lines = [
        "SCH|AP1", PID, "RGS|1", "AIS|1||2345-7^GLUCOSE^LN|20260120080000", "AIL|1||LAB1", "RGS|2",
        "AIS|1||36643-5^XR CHEST 2 VIEWS^LN|20260120100000", "AIL|1||XR2",
    ]  # fmt: skip
    row = one(parse(message("SIU^S12", *lines, app="STRANGER")), "appointment")
    assert (row["procedure_code"], row["resource"], row["slot_at"]) == ("36643-5", "XR2", utc("2026-01-20T15:00:00"))


def test_bookings_of_other_departments_are_kept_without_rows() -> None:
    parsed = booking("S12", app="STRANGER", ais={3: "1^COLONOSCOPY^L", 4: "20260120100000"})
    assert (parsed.read, parsed.rejected, rows(parsed, "appointment"), events(parsed)) == (1, [], [], [])


def test_unknown_trigger_is_kept_and_counted() -> None:
    parsed = booking("S99")
    assert (parsed.rejected, parsed.rows) == ([], {})
    assert defects(parsed) == [("MSH-9.2", "unknown_trigger")]
