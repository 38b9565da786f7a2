"""Repeats, outside priors, reading time, backlog, rejects and slots, by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.raw_rows import Row, link
from tests.warehouse import Warehouse, event, exam, image, order, report


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_repeats_by_kind_and_interval(tmp_path: Path) -> None:
    same = [link("same", "1", "E1")]
    west = [("patient_link", {"kind": "same", "patient_id": "w1", "patient_authority": "WEST", "prior_id": "E1",
                              "prior_authority": "NORTH"})]  # fmt: skip
    chest: dict[str, Any] = {"procedure_code": "CXR", "modality": "DX", "station": "NDX01"}
    house = Warehouse(tmp_path).built(
        *same, *west,
        *exam("A1", "2026-01-02 10:00", "2026-01-02 10:20"),
        *exam("A2", "2026-01-09 10:00", "2026-01-09 10:20"),                     # 7 days after A1, same facility
        *exam("A3", "2026-01-10 10:00", "2026-01-10 10:20", reason="FU"),        # planned
        *exam("W1", "2026-02-09 10:00", "2026-02-09 10:20", mrn="w1", facility="WEST", station="WCT01",
              procedure_code="HEAD"),                                            # 30 days after A3, elsewhere
        *exam("A4", "2026-05-20 10:00", "2026-05-20 10:20"),                     # 100 days after W1: no repeat
        *exam("X1", "2026-01-02 11:00", "2026-01-02 11:20", **chest),            # other region
        *exam("A5", "2026-01-03 10:00", "2026-01-03 10:20", mrn="2"),            # other patient
        *exam("A6", "2026-05-21 10:00", "2026-05-21 10:20"), event("discontinued", "2026-05-21 10:30", "A6"),
    )  # fmt: skip
    assert house.rows("""
        SELECT e.accession, p.accession, r.days, r.is_same_facility, r.kind, r.is_7d, r.is_30d, r.is_90d
        FROM fct_repeat r JOIN fct_exam e USING (exam_key) JOIN fct_exam p ON p.exam_key = r.prior_exam_key
        ORDER BY r.exam_started_local""") == [
        ("A2", "A1", 7.0, True, "repeat", True, True, True),
        ("A3", "A2", 1.0, True, "follow_up", True, True, True),
        ("W1", "A3", 30.0, False, "duplicate", False, True, True),
    ]


def prior(accession: str, mrn: str, answer: str, **columns: Any) -> list[Row]:
    given = {"outside_prior": answer, "outside_modality": "CT", "outside_body_part": "HEAD"}
    if answer == "none":
        given = {"outside_prior": "none"}
    return exam(
        accession, "2026-03-02 12:00", "2026-03-02 12:30", mrn=mrn, ordered="2026-03-02 09:00", **given, **columns
    )


def imported(mrn: str, when: str, procedure: str = "CTH") -> list[Row]:
    uid = f"7.{mrn}"
    return [
        image(f"x{mrn}", "2025-12-20 10:00", None, mrn=mrn, study_uid=uid, series_uid=uid, imported_at=when,
              procedure_code=procedure),
        event("images_imported", when, None, mrn=mrn, origin="image", study_uid=uid),
    ]  # fmt: skip


def test_availability_of_priors_by_evidence_and_repetition(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        *prior("P1", "1", "imported"), *imported("1", "2026-03-01 10:00"),              # seen before the exam
        *prior("P2", "2", "imported"),                                                  # claimed, never seen
        *prior("P3", "3", "held"), *imported("3", "2026-03-02 11:59"),                  # came in before the start
        *prior("P4", "4", "held"), *imported("4", "2026-03-03 10:00"),                  # too late
        *prior("P5", "5", "unavailable"), *imported("5", "2025-10-01 10:00"),           # older than 120 days
        *prior("P6", "6", "none"),
        *exam("P6B", "2026-04-01 11:00", "2026-04-01 11:20", mrn="6"),                  # within 30 days of P6
        *prior("P7", "7", "none"),
        *exam("P7B", "2026-04-01 13:00", "2026-04-01 13:20", mrn="7"),                  # 30 days and an hour
        *prior("P8", "8", "held", procedure_code="CXR", modality="DX", station="NDX01"),  # the index is another exam
    )  # fmt: skip
    assert house.rows("""
        SELECT e.accession, c.availability, c.is_repeated FROM fct_prior_case c JOIN fct_exam e USING (exam_key)
        ORDER BY 1""") == [
        ("P1", "imported", True), ("P2", "held", True), ("P3", "imported", True), ("P4", "held", True),
        ("P5", "unavailable", True), ("P6", "none", True), ("P7", "none", False), ("P8", "held", False),
    ]  # fmt: skip


def read(accession: str, mrn: str, started: str | None, final: str) -> list[Row]:
    rows = exam(accession, "2026-03-02 06:00", "2026-03-02 06:30", mrn=mrn, final=final)
    return [*rows, *([event("read_started", started, accession, mrn=mrn, origin="report")] if started else [])]


def test_active_reading_time_bridges_gaps_under_30_minutes(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        *read("A1", "1", "2026-03-02 14:00", "2026-03-02 14:10"),
        *read("A2", "2", None, "2026-03-02 14:40"),                  # from 14:30: gap of 20 min is bridged
        *read("A3", "3", "2026-03-02 15:10", "2026-03-02 15:20"),    # gap of exactly 30 min is not
    )  # fmt: skip
    query = "SELECT started_at, ended_at, minutes, n_reads, started_local FROM fct_reading_session ORDER BY 1"
    assert house.rows(query) == [
        (at("2026-03-02 14:00"), at("2026-03-02 14:40"), 40.0, 2, at("2026-03-02 09:00")),
        (at("2026-03-02 15:10"), at("2026-03-02 15:20"), 10.0, 1, at("2026-03-02 10:10")),
    ]
    house.built(*read("A4", "4", "2026-03-02 14:50", "2026-03-02 14:55"))
    assert house.rows(query) == [(at("2026-03-02 14:00"), at("2026-03-02 15:20"), 80.0, 4, at("2026-03-02 09:00"))]


def test_a_begin_told_after_the_report_is_none(tmp_path: Path) -> None:
    """Nobody reads for no time: as without a begin, the read is taken to have begun 10 minutes before its report."""
    house = Warehouse(tmp_path).built(*read("A1", "1", "2026-03-02 14:20", "2026-03-02 14:10"))
    assert house.row("SELECT read_started_at FROM fct_read") == (None,)
    assert house.row("SELECT started_at, minutes FROM fct_reading_session") == (at("2026-03-02 14:00"), 10.0)


def charged(code: str, accession: str, mrn: str, when: str) -> Row:
    return "charge", {
        "source": "BILL", "facility_alias": "NORTH", "accession": accession, "patient_id": mrn,
        "patient_authority": "NORTH", "message_id": f"C{accession}", "message_at": when, "at": when,
        "charge_code": code, "quantity": 1.0, "transaction_type": "CG",
    }  # fmt: skip


def test_work_of_a_stretch_of_reading(tmp_path: Path) -> None:
    """A charge that comes later finds the stretch and the procedure; what has none is not counted as nothing."""
    house = Warehouse(tmp_path).built(
        *read("A1", "1", "2026-03-02 14:00", "2026-03-02 14:10"), *read("A2", "2", None, "2026-03-02 14:40"),
        *read("A3", "3", "2026-03-02 16:00", "2026-03-02 16:10"),
    )  # fmt: skip
    query = "SELECT n_reads, n_charged, wrvu FROM fct_reading_session ORDER BY started_at"
    usual = "SELECT wrvu_usual FROM dim_procedure WHERE procedure = 'CT_HEAD_WO'"
    assert (house.rows(query), house.row(usual)) == ([(2, 0, None), (1, 0, None)], (None,))
    house.built(charged("C1", "A1", "1", "2026-03-02 18:00"), charged("C2", "A2", "2", "2026-03-02 18:00"))
    assert house.rows(query) == [(2, 2, 1.45), (1, 0, None)]
    assert house.row(usual) == (pytest.approx(0.725),)  # between 1.25 and 0.2
    house.built(
        *exam("A4", "2026-03-02 17:00", "2026-03-02 17:20", mrn="4"), charged("C1", "A4", "4", "2026-03-02 18:00"),
        event("discontinued", "2026-03-02 17:30", "A4", mrn="4"),
    )  # fmt: skip
    assert house.row("SELECT wrvu, is_countable FROM fct_exam WHERE accession LIKE '%A4'") == (1.25, False)
    assert house.row(usual) == (pytest.approx(0.725),), "an exam that does not count does not weigh"


def test_shift_and_after_hours_of_a_read(tmp_path: Path) -> None:
    """Day shift Mon-Fri 07:30-17:00, night 22:30-08:00: both work at 07:45, and it is in hours."""
    house = Warehouse(tmp_path).built(
        *read("A1", "1", None, "2026-03-03 12:29"), *read("A2", "2", None, "2026-03-03 12:45"),
        *read("A3", "3", None, "2026-03-03 23:00"), *read("A4", "4", None, "2026-03-07 15:00"),
    )  # fmt: skip
    assert house.rows("SELECT read_local, shift, is_after_hours FROM fct_read ORDER BY 1") == [
        (at("2026-03-03 07:29"), "night", True), (at("2026-03-03 07:45"), "day", False),
        (at("2026-03-03 18:00"), None, True), (at("2026-03-07 10:00"), None, True),
    ]  # fmt: skip


def test_backlog_at_each_full_hour(tmp_path: Path) -> None:
    """Target 30 min (stat emergency CT in NORTH). The data end at 14:10."""
    urgent = {"priority": "S", "patient_class": "E"}
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 08:30", "2026-03-02 09:00", mrn="1", final="2026-03-02 11:00", **urgent),
        *exam("A2", "2026-03-02 09:30", "2026-03-02 09:45", mrn="2", **urgent),
        *exam("A3", "2026-03-02 10:05", "2026-03-02 10:10", mrn="3", final="2026-03-02 10:50", **urgent),
        event("arrived", "2026-03-02 14:10", "A9", mrn="9"),
    )
    query = "SELECT hour(hour_at), n_waiting, n_past_target, oldest_min FROM fct_backlog_hour ORDER BY 1"
    assert house.rows(query) == [
        (9, 1, 0, 0.0), (10, 2, 1, 60.0), (11, 1, 1, 75.0), (12, 1, 1, 135.0), (13, 1, 1, 195.0), (14, 1, 1, 255.0),
    ]  # fmt: skip
    house.built(report("2026-03-02 11:30", "A2", mrn="2"),
                event("final_report", "2026-03-02 11:30", "A2", mrn="2", origin="report"))  # fmt: skip
    assert house.rows(query) == [(9, 1, 0, 0.0), (10, 2, 1, 60.0), (11, 1, 1, 75.0)]


def test_the_first_pass_of_an_hour_that_the_wall_clock_repeats(tmp_path: Path) -> None:
    """New York turns its clocks back on 1 November 2026 at 06:00 UTC."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-11-01 03:30", "2026-11-01 03:40", mrn="1"),
        event("arrived", "2026-11-01 07:10", "A9", mrn="9"),
    )
    assert house.rows("SELECT hour(hour_at), hour(hour_local), is_first_pass FROM fct_backlog_hour ORDER BY 1") == [
        (4, 0, False), (5, 1, True), (6, 1, False), (7, 2, False),
    ]  # fmt: skip


def test_rejects_and_image_counts(tmp_path: Path) -> None:
    def note(sop: str, reason: str, when: str) -> Row:
        return "reject", {"source": "PACS", "facility_alias": "NORTH", "accession": "A1", "sop_hash": sop, "at": when,
                          "reason_code": reason, "title_code": "113001", "patient_id": "1",
                          "patient_authority": "NORTH"}  # fmt: skip

    shot = {"modality": "DX", "serial": "S2", "model": "DX1", "view": "PA", "operator": "Smith^A"}
    house = Warehouse(tmp_path).built(
        order("2026-03-02 08:00", procedure_code="CXR", modality="DX"),
        image("a", "2026-03-02 09:00", **shot), image("b", "2026-03-02 09:01", **shot),
        image("c", "2026-03-02 09:02", **{**shot, "operator": "SMITH, A"}),
        note("b", "111209", "2026-03-02 09:30"), note("b", "111207", "2026-03-02 09:40"),
        note("gone", "999", "2026-03-02 09:50"),
    )  # fmt: skip
    query = "SELECT device, view, reason_code, reason, rejected_at FROM fct_image_reject ORDER BY rejected_at"
    assert house.rows(query) == [
        ("N-DX1", "PA", "111209", "Positioning", at("2026-03-02 09:30")),
        ("N-DX1", None, "999", None, at("2026-03-02 09:50")),
    ]  # fmt: skip
    assert house.rows("SELECT view, n_accepted, n_rejected FROM fct_image_count ORDER BY ALL") == [
        ("PA", 2, 1), (None, 0, 1),
    ]  # fmt: skip
    assert house.row("SELECT n_images, n_rejected FROM fct_exam") == (2, 2)


def test_the_last_word_on_a_slot(tmp_path: Path) -> None:
    def slot(status: str, told: str, when: str | None, number: str = "S1") -> Row:
        return "appointment", {
            "source": "SCH", "facility_alias": "NORTH", "accession": "A1", "appointment_id": number, "status": status,
            "slot_at": when, "duration_min": 30.0 if when else None, "resource": "NCT01" if when else None,
            "message_at": told, "message_id": told,
        }  # fmt: skip

    house = Warehouse(tmp_path).built(
        slot("noshow", "2026-03-04 10:00", None),
        slot("booked", "2026-03-01 10:00", "2026-03-03 15:00"),
        slot("rescheduled", "2026-03-02 10:00", "2026-03-04 09:30"),
        event("scheduled", "2026-03-01 10:00", origin="schedule", slot_at="2026-03-03 15:00"),
        event("rescheduled", "2026-03-02 10:00", origin="schedule", slot_at="2026-03-04 09:30"),
    )
    assert house.row("SELECT device, slot_at, slot_local, duration_min, status FROM fct_appointment") == (
        "N-CT1", at("2026-03-04 09:30"), at("2026-03-04 04:30"), 30.0, "noshow",
    )  # fmt: skip
    assert house.row("SELECT booked_at, scheduled_at FROM fct_exam") == (at("2026-03-01 10:00"), at("2026-03-04 09:30"))


FULL: dict[str, Any] = {
    "body_part": "HEAD",
    "series_description": "AX",
    "manufacturer": "ACME",
}


#: What the second header of an exam has otherwise, and what the exam lacks by it.
CHANGES: list[tuple[dict[str, Any], set[str]]] = [
    ({}, set()),
    ({"series_description": None, "protocol": "HEAD"}, set()),
    ({"series_description": None}, {"has_description"}),
    ({"body_part": None}, {"has_body_part"}),
    ({"body_part": "Unknown"}, {"has_body_part"}),
    ({"manufacturer": None}, {"has_maker"}),
    ({"model": None}, {"has_maker"}),
    ({"modality": None}, {"has_modality"}),
    ({"acquired_clock": "series"}, {"has_time"}),
    ({"acquired_at": None, "acquired_clock": None}, {"has_time"}),
    ({"patient_id": None}, {"has_identity"}),
]


def headers(number: int, change: dict[str, Any]) -> list[Row]:
    """An exam with a full header, another with a change, and a study listing."""
    name, mrn = f"A{number:02}", f"{number + 1}"
    own = {"study_uid": f"9.{number}", "series_uid": f"8.{number}", "accession": name, "patient_id": mrn}
    (kind, first), (_, second) = (image(f"{sop}-{number}", "2026-03-02 10:05", name, mrn=mrn) for sop in ("s1", "s2"))
    first, second = {**first, **own}, {**second, **own}
    listed = {**first, "sop_hash": f"s3-{number}", "standard": "fhir", "source": "https://x"}
    rows = exam(name, "2026-03-02 10:00", "2026-03-02 10:20", mrn=mrn)
    return [*rows, (kind, {**first, **FULL}), (kind, {**second, **FULL, **change}), (kind, listed)]


def test_what_headers_lack(tmp_path: Path) -> None:
    """Every header of the exam must have it; a study listing has none and is not asked."""
    house = Warehouse(tmp_path).built(*(row for n, (change, _) in enumerate(CHANGES) for row in headers(n, change)))
    names = ("has_identity", "has_modality", "has_body_part", "has_description", "has_maker", "has_time")
    told = house.rows(f"""
        SELECT {", ".join(names)}, n_headers, is_ready FROM fct_header JOIN fct_exam USING (exam_key)
        ORDER BY accession""")
    for (*flags, n_headers, is_ready), (change, lacking) in zip(told, CHANGES, strict=True):
        assert {name for name, flag in zip(names, flags, strict=True) if not flag} == lacking, change
        assert (n_headers, is_ready) == (2, not lacking), change


def test_the_calendar_begins_with_the_first_exam_of_our_own(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        *imported("1", "2026-03-03 10:00"),
        event("exam_started", "2025-12-20 10:00", None, mrn="1", study_uid="7.1"),  # told where it was made
        *exam("A1", "2026-03-05 15:00", "2026-03-05 15:20", mrn="2"),
        *exam("A2", "2026-03-02 15:00", "2026-03-02 15:20", mrn="3", facility="WEST", station="WCT01"),
        *exam("A3", "2026-03-04 15:00", "2026-03-04 15:20", mrn="4"),
    )
    assert house.row("SELECT min(day), max(day), count(*) FROM dim_calendar") == (date(2026, 3, 2), date(2026, 3, 5), 4)
