"""One exam's row: which clock wins, what became of the order, durations on the wall clock's bad days."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.raw_rows import Row, link
from tests.warehouse import Warehouse, event, exam, image, order, report

DAY = "2026-03-02"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


def clock(text: str) -> datetime:
    return datetime.fromisoformat(f"{DAY} {text}")


def test_best_origin_wins_then_first_start_and_last_end(warehouse: Warehouse) -> None:
    warehouse.built(
        order(f"{DAY} 08:00"),
        event("exam_started", f"{DAY} 09:05", origin="ris"), event("exam_ended", f"{DAY} 09:50", origin="ris"),
        event("exam_started", f"{DAY} 09:10", origin="mpps"), event("exam_started", f"{DAY} 09:12", origin="mpps"),
        event("exam_ended", f"{DAY} 09:30", origin="mpps"), event("exam_ended", f"{DAY} 09:40", origin="mpps"),
        event("exam_started", f"{DAY} 08:59", origin="report"),
        image("a", f"{DAY} 09:15"), image("b", f"{DAY} 09:38"),
        event("arrived", f"{DAY} 08:40", origin="schedule"), event("arrived", f"{DAY} 08:50", origin="ris"),
    )  # fmt: skip
    assert warehouse.row("""
        SELECT exam_started_at, exam_ended_at, exam_started_source, exam_ended_source, arrived_at, arrived_source,
               wait_min, exam_duration_min, exam_started_local, device, n_images, n_series FROM fct_exam""") == (
        clock("09:10"), clock("09:40"), "mpps", "mpps", clock("08:50"), "ris", 20.0, 30.0, clock("04:10"),
        "N-CT1", 2, 1,
    )  # fmt: skip


def test_without_mpps_and_ris_images_then_report_fields(warehouse: Warehouse) -> None:
    warehouse.built(
        order(f"{DAY} 08:00"), image("a", f"{DAY} 09:15", acquisition_duration_s=90.0),
        image("late", f"{DAY} 11:00", is_original=False), event("exam_ended", f"{DAY} 09:50", origin="report"),
        order(f"{DAY} 08:00", "A2"), event("exam_ended", f"{DAY} 09:50", "A2", origin="report"),
    )  # fmt: skip
    query = "SELECT exam_started_at, exam_ended_at, exam_ended_source FROM fct_exam ORDER BY accession"
    assert warehouse.rows(query) == [
        (clock("09:15"), datetime(2026, 3, 2, 9, 16, 30), "image"), (None, clock("09:50"), "report"),
    ]  # fmt: skip


def test_first_and_last_reports_and_the_reader_of_the_first_final(warehouse: Warehouse) -> None:
    warehouse.built(
        *exam("A1", f"{DAY} 09:00", f"{DAY} 09:30"),
        *(event(code, f"{DAY} {at}", origin="report") for code, at in (
            ("preliminary_report", "10:00"), ("preliminary_report", "10:20"), ("final_report", "12:00"),
            ("final_report", "13:00"), ("addendum", "14:00"), ("read_started", "09:55"))),
        report(f"{DAY} 10:00", status="preliminary", interpreter_id="R9", assistant_id="T1", assistant_authority="NET"),
        report(f"{DAY} 12:00"), report(f"{DAY} 13:00", interpreter_id="R2"), report(f"{DAY} 14:00", status="addendum"),
        report(f"{DAY} 15:00", status="corrected"),
    )  # fmt: skip
    assert warehouse.row("""
        SELECT first_prelim_at, last_prelim_at, first_final_at, last_final_at, report_prelim_min, report_final_min,
               first_read_min, prelim_to_final_min, n_addenda, n_corrections FROM fct_exam""") == (
        clock("10:00"), clock("10:20"), clock("12:00"), clock("13:00"), 30.0, 150.0, 30.0, 120.0, 1, 1,
    )  # fmt: skip
    reads = warehouse.rows("SELECT role, radiologist, read_at, read_local FROM fct_read ORDER BY role")
    assert [(role, at, local) for role, _, at, local in reads] == [
        ("final", clock("12:00"), clock("07:00")), ("preliminary", clock("10:00"), clock("05:00")),
    ]  # fmt: skip
    signer = warehouse.row("SELECT radiologist FROM fct_exam")[0]
    assert reads[0][1] == signer != reads[1][1]
    assert warehouse.rows("SELECT status FROM fct_report_version ORDER BY version_number") == [
        ("preliminary",), ("final",), ("final",), ("addendum",), ("corrected",),
    ]  # fmt: skip


#: Sequence of (code, hour, origin) -> (is_cancelled, is_no_show, is_discontinued, exclusion_reason).
FATES: dict[str, tuple[list[tuple[str, int, str]], tuple[bool, bool, bool, str | None]]] = {
    "ordered only": ([("ordered", 8, "order")], (False, False, False, "not_performed")),
    "cancelled": ([("ordered", 8, "order"), ("cancelled", 9, "order")], (True, False, False, "cancelled")),
    "cancelled, ordered again": (
        [("ordered", 8, "order"), ("cancelled", 9, "order"), ("ordered", 10, "order")],
        (False, False, False, "not_performed"),
    ),
    "cancelled, performed after all": (
        [("ordered", 8, "order"), ("exam_started", 10, "ris"), ("exam_ended", 11, "ris"), ("cancelled", 12, "order")],
        (False, False, False, None),
    ),
    "appointment cancelled and booked again": (
        [("scheduled", 8, "schedule"), ("cancelled", 9, "schedule"), ("rescheduled", 10, "schedule")],
        (False, False, False, "not_performed"),
    ),
    "no show": ([("scheduled", 8, "schedule"), ("no_show", 12, "schedule")], (False, True, False, "no_show")),
    "no show, came later": (
        [("no_show", 9, "schedule"), ("arrived", 10, "ris"), ("exam_started", 11, "ris"), ("exam_ended", 12, "ris")],
        (False, False, False, None),
    ),
    "discontinued": ([("exam_started", 9, "mpps"), ("discontinued", 10, "mpps")], (False, False, True, "discontinued")),
    "discontinued, done on the second try": (
        [("exam_started", 9, "mpps"), ("discontinued", 10, "mpps"), ("exam_started", 11, "mpps"),
         ("exam_ended", 12, "mpps")],
        (False, False, False, None),
    ),
    "report only": ([("final_report", 9, "report")], (False, False, False, "not_performed")),
}  # fmt: skip


def test_what_became_of_the_order(warehouse: Warehouse) -> None:
    rows: list[Row] = []
    for number, (sequence, _) in enumerate(FATES.values()):
        for code, hour, origin in sequence:
            rows.append(event(code, f"{DAY} {hour:02d}:00", f"A{number:02d}", mrn=f"M{number}", origin=origin))
    warehouse.built(*rows)
    found: list[tuple[Any, ...]] = warehouse.rows(
        "SELECT is_cancelled, is_no_show, is_discontinued, exclusion_reason FROM fct_exam ORDER BY accession"
    )
    assert dict(zip(FATES, found, strict=True)) == {name: fate for name, (_, fate) in FATES.items()}


def test_latest_word_counts_absent_keeps_and_empty_deletes(warehouse: Warehouse) -> None:
    warehouse.load(order(f"{DAY} 08:00", priority="S", patient_class="E", location="ED", procedure_code="CTH"))
    warehouse.load(order(f"{DAY} 10:00", priority=None, patient_class="I", location="", procedure_code="CXR",
                         order_control="XO"))  # fmt: skip
    warehouse.load(order(f"{DAY} 09:00", priority="R", patient_class=None, location="ED2", procedure_code=None))
    warehouse.build()
    assert warehouse.row("SELECT priority, patient_class, location, procedure, region FROM fct_exam") == (
        "routine", "inpatient", None, "XR_CHEST_2V", "CHEST",
    )  # fmt: skip


def test_intervals_run_on_utc_and_calendars_on_the_wall_clock(warehouse: Warehouse) -> None:
    """Clocks in New York go from 01:59 to 03:00 on 2026-03-08 and back from 01:59 to 01:00 on 2026-11-01."""
    warehouse.built(
        *exam("A1", "2026-03-08 06:50", "2026-03-08 07:10", final="2026-03-08 07:30"),
        *exam("A2", "2026-11-01 05:50", "2026-11-01 06:10", final="2026-11-01 05:00"),
    )
    assert warehouse.rows("""
        SELECT exam_started_local, exam_ended_local, exam_duration_min, report_final_min FROM fct_exam
        ORDER BY accession""") == [
        (datetime(2026, 3, 8, 1, 50), datetime(2026, 3, 8, 3, 10), 20.0, 20.0),
        (datetime(2026, 11, 1, 1, 50), datetime(2026, 11, 1, 1, 10), 20.0, -70.0),
    ]
    assert ("report_final_min", 1, -70.0) in warehouse.rows(
        "SELECT interval_name, n_negative, worst_min FROM dq_negative WHERE n_negative > 0"
    )


def test_most_specific_valid_target(warehouse: Warehouse) -> None:
    """NORTH CT stat emergency: 45 min in 2025, 30 min (0.5 h) from 2026; other stat emergency 60; all else two days."""
    urgent = {"priority": "S", "patient_class": "E"}
    warehouse.built(
        *exam("A1", "2025-06-02 15:00", "2025-06-02 15:10", final="2025-06-02 15:50", **urgent),
        *exam("A2", "2026-06-02 15:00", "2026-06-02 15:10", final="2026-06-02 15:40", **urgent),
        *exam("A3", "2026-06-02 15:00", "2026-06-02 15:10", facility="WEST", station="WCT01", mrn="2", **urgent),
        *exam("A4", "2026-06-03 15:00", "2026-06-03 15:10", final="2026-06-07 15:40"),
    )
    assert warehouse.rows("SELECT target_min, is_within_target FROM fct_exam ORDER BY accession") == [
        (45.0, True), (30.0, True), (60.0, None), (2880.0, False),
    ]  # fmt: skip


def test_door_is_the_first_arrival_of_the_visit_and_follows_a_late_message(warehouse: Warehouse) -> None:
    warehouse.built(order(f"{DAY} 08:00", visit_id="V1"), event("exam_started", f"{DAY} 09:00"))
    assert warehouse.row("SELECT door_at, arrived_at FROM fct_exam") == (None, None)
    warehouse.built(
        event("arrived", f"{DAY} 07:30", None, origin="adt", visit_id="V1"),
        event("arrived", f"{DAY} 07:20", None, origin="adt", visit_id="V1"),
        event("arrived", f"{DAY} 06:00", None, origin="adt", visit_id="V2"),
    )
    assert warehouse.row("SELECT door_at, arrived_at FROM fct_exam") == (clock("07:20"), None)


def test_work_rvu_by_fee_on_the_day_and_credit(warehouse: Warehouse) -> None:
    def charge(number: int, code: str, day: str, quantity: float = 1.0, kind: str = "CG") -> Row:
        return "charge", {
            "source": "BILL", "facility_alias": "NORTH", "accession": "A1", "charge_code": code, "quantity": quantity,
            "transaction_type": kind, "at": f"2026-03-{day}", "message_id": f"m{number}",
        }  # fmt: skip

    warehouse.built(
        order(f"{DAY} 08:00"), charge(1, "C1", "03"), charge(2, "C1", "04"), charge(3, "C2", "04", 3.0),
        charge(4, "C1", "04", 1.0, "CD"), charge(4, "C1", "04", 1.0, "CD"), charge(5, "NOFEE", "04"),
    )  # fmt: skip
    assert warehouse.row("SELECT wrvu FROM fct_exam") == (pytest.approx(1.25 + 1.5 + 0.6 - 1.5),)


def test_outside_study_is_kept_and_does_not_count(warehouse: Warehouse) -> None:
    warehouse.built(
        image("x", "2025-12-01 10:00", None, study_uid="7.7", series_uid="7.7.1", imported_at=f"{DAY} 09:00"),
        event("images_imported", f"{DAY} 09:00", None, origin="image", study_uid="7.7"),
    )
    assert warehouse.row("SELECT is_imported, exclusion_reason, has_study, exam_started_at FROM fct_exam") == (
        True, "outside_import", True, None,
    )  # fmt: skip
    assert warehouse.row("SELECT modality, facility, imported_at FROM fct_import") == ("CT", "NORTH", clock("09:00"))


def test_an_outside_study_without_a_known_procedure_has_the_region_of_its_body_part(warehouse: Warehouse) -> None:
    regions = {"ABDOMENPELVIS": "ABDOMEN+PELVIS", "brain": "HEAD", "CHEST": "CHEST", "ODD": "ODD"}
    for n, body_part in enumerate(regions):
        at, study = {"imported_at": f"{DAY} 09:0{n}"}, f"7.{n}"
        warehouse.load(
            image(f"x{n}", "2025-12-01 10:00", None, study_uid=study, series_uid=f"{study}.1", body_part=body_part,
                  **at),
            event("images_imported", f"{DAY} 09:0{n}", None, origin="image", study_uid=study),
        )  # fmt: skip
    warehouse.build()
    assert warehouse.rows("SELECT region FROM fct_import ORDER BY imported_at") == [(r,) for r in regions.values()]


def test_one_study_under_two_accessions_lends_its_times(warehouse: Warehouse) -> None:
    warehouse.load(order(f"{DAY} 08:00", "A1", study_uid="5.5"), order(f"{DAY} 08:00", "A2", study_uid="5.5"))
    warehouse.build()
    warehouse.load(image("a", f"{DAY} 09:00", "A1", study_uid="5.5"), image("b", f"{DAY} 09:20", "A1", study_uid="5.5"))
    warehouse.build()
    assert warehouse.rows("""
        SELECT accession, n_images, has_study, exam_started_at, exam_ended_at FROM fct_exam ORDER BY accession""") == [
        ("A1", 2, True, clock("09:00"), clock("09:20")), ("A2", 0, True, clock("09:00"), clock("09:20")),
    ]  # fmt: skip
    assert warehouse.rows("FROM dq_identity") == [("study_uid", "bridge", 1)]


def test_timeline_keeps_every_event_and_marks_the_picked(warehouse: Warehouse) -> None:
    warehouse.built(
        event("exam_started", f"{DAY} 09:05"), event("exam_started", f"{DAY} 09:10", origin="mpps"),
        event("exam_started", f"{DAY} 09:10", origin="mpps"), event("exam_ended", None, origin="ris"),
    )  # fmt: skip
    query = 'SELECT event_number, code, "at", origin, is_milestone FROM fct_exam_event ORDER BY 1'
    assert warehouse.rows(query) == [
        (1, "exam_started", clock("09:05"), "ris", False), (2, "exam_started", clock("09:10"), "mpps", True),
        (3, "exam_ended", None, "ris", False),
    ]  # fmt: skip


def test_unknown_facility_is_listed_not_dropped(warehouse: Warehouse) -> None:
    warehouse.built(*exam("A1", f"{DAY} 09:00", f"{DAY} 09:30", facility="NOWHERE"))
    assert warehouse.row("SELECT facility, exclusion_reason FROM fct_exam") == ("unmapped", "unlinked_facility")
    assert ("facility", "unmapped", "unmapped", 1) in warehouse.rows("FROM dq_unmapped")


def test_merges_in_a_circle_are_one_patient_and_reported(warehouse: Warehouse) -> None:
    warehouse.load(order(f"{DAY} 08:00", "A1", mrn="1"), order(f"{DAY} 08:00", "A2", mrn="2"), link("merge", "1", "2"))
    warehouse.build()
    assert warehouse.rows("FROM dq_identity") == []
    warehouse.built(link("merge", "2", "1", "2026-03-03"))
    assert warehouse.row("SELECT count(DISTINCT patient_key) FROM fct_exam") == (1,)
    assert warehouse.rows("FROM dq_identity") == [("patient_id", "merge_cycle", 1)]


def test_the_slot_is_the_one_told_last(warehouse: Warehouse) -> None:
    """A later word without a slot leaves the slot as it was told, by whatever kind of event."""
    warehouse.built(
        order(f"{DAY} 08:00"),
        event("scheduled", f"{DAY} 08:01", slot_at=clock("10:00")),
        event("rescheduled", f"{DAY} 08:02", slot_at=clock("11:00")),
        event("scheduled", f"{DAY} 08:03"),
    )
    assert warehouse.row("SELECT scheduled_at FROM fct_exam") == (clock("11:00"),)


def test_a_word_known_to_the_day_closes_by_its_message_and_a_replacement_keeps_open(warehouse: Warehouse) -> None:
    warehouse.built(
        order(f"{DAY} 08:00"), event("ordered", f"{DAY} 08:00", origin="order"),
        event("cancelled", None, origin="order", message_at=f"{DAY} 09:00"),
        order(f"{DAY} 08:00", "A2"), event("ordered", f"{DAY} 10:00", "A2", origin="order"),
        event("cancelled", None, "A2", origin="order", message_at=f"{DAY} 09:00"),
        order(f"{DAY} 08:00", "A3"), event("cancelled", f"{DAY} 09:00", "A3", origin="order"),
        event("ordered", f"{DAY} 09:00", "A3", origin="order", detail="replacement"),
    )  # fmt: skip
    assert warehouse.rows("SELECT accession, is_cancelled, cancelled_at FROM fct_exam ORDER BY accession") == [
        ("A1", True, None), ("A2", False, None), ("A3", False, clock("09:00")),
    ]  # fmt: skip


def test_a_station_is_named_within_the_facility_of_its_message(warehouse: Warehouse) -> None:
    """One study under one accession at NORTH, performed at WEST."""
    warehouse.built(
        order(f"{DAY} 08:00", study_uid="9.1"),
        event("exam_started", f"{DAY} 09:00", None, facility="WEST", station="WCT01", study_uid="9.1"),
    )
    assert warehouse.row("SELECT facility, device FROM fct_exam") == ("NORTH", "W-CT1")


def test_the_earliest_correction_or_addendum_proves_a_lost_final(warehouse: Warehouse) -> None:
    warehouse.built(
        *exam("A1", f"{DAY} 09:00", f"{DAY} 09:30"),
        event("addendum", f"{DAY} 10:00", origin="report"), event("corrected_report", f"{DAY} 11:00", origin="report"),
    )  # fmt: skip
    assert warehouse.row("SELECT first_final_at, last_final_at FROM fct_exam") == (clock("10:00"), clock("10:00"))


def test_of_versions_at_one_instant_the_message_number_decides(warehouse: Warehouse) -> None:
    """Not the pseudonym, which would make the row depend on the key."""
    pairs = [(f"A{n}", f"R{n}") for n in range(8)]
    warehouse.built(
        *(report(f"{DAY} 12:00", accession, message_id="1", interpreter_id="R8") for accession, _ in pairs),
        *(report(f"{DAY} 12:00", accession, message_id="2", interpreter_id=reader) for accession, reader in pairs),
    )
    assert warehouse.row("SELECT count(DISTINCT radiologist) FROM fct_exam") == (1,)


def test_header_of_an_image_wins_over_a_later_study_listing(warehouse: Warehouse) -> None:
    """The same object by DICOM and by FHIR is one image, and the listing does not take its clock and device away."""
    header = image("a", f"{DAY} 09:15", standard="dicom", message_at=clock("09:16"))
    listing = image(
        "a", f"{DAY} 09:00", standard="fhir", message_at=clock("12:00"), serial=None, ae_title=None, station=None,
        acquired_clock="series",
    )  # fmt: skip
    warehouse.built(order(f"{DAY} 08:00"), listing, header)
    query = "SELECT n_images, exam_started_at, device FROM fct_exam"
    assert warehouse.row(query) == (1, clock("09:15"), "N-CT1")
