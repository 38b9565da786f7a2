"""Missing links, by hand: what each system should tell of an exam, and of how many exams it told it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.warehouse import Warehouse, event, exam, image, report


def links(house: Warehouse, facility: str, columns: str) -> dict[str, tuple[Any, ...]]:
    rows = house.rows(f"SELECT link, {columns} FROM dq_system_link WHERE facility = '{facility}'")
    return {row[0]: row[1:] for row in rows}


def test_links_of_exams_that_count(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20", final="2026-03-02 12:00"),
        image("i1", "2026-03-02 10:05", "A1"),
        event("scheduled", "2026-03-01 10:00", "A1", origin="schedule", slot_at="2026-03-02 10:00"),
        *exam("A2", "2026-03-09 10:01", "2026-03-09 10:20"),
        event("exam_started", "2026-03-09 10:02", "A2", origin="mpps"),
        *exam("A3", "2026-03-09 11:00", "2026-03-09 11:20"), event("discontinued", "2026-03-09 11:30", "A3"),
        *exam("W1", "2026-03-09 10:00", "2026-03-09 10:30", facility="WEST", station="WCT01", procedure_code="HEAD"),
    )  # fmt: skip
    told = links(house, "NORTH", "n_linked, n_exams, n_linked_7d, n_exams_7d")
    assert told == {
        "order": (2, 2, 1, 1), "booking": (1, 2, 0, 1), "visit": (0, 2, 0, 1), "status": (2, 2, 1, 1),
        "step": (1, 2, 1, 1), "images": (1, 2, 0, 1), "report": (1, 2, 0, 1), "charge": (0, 2, 0, 1),
        "reject_note": (0, 2, 0, 1),
    }  # fmt: skip
    assert {link for link, (n,) in links(house, "WEST", "n_linked").items() if n} == {"order", "status"}
    assert links(house, "NORTH", "CAST(last_at AS VARCHAR)")["images"] == ("2026-03-02 10:20:00",)


def test_what_is_linked_with_what(tmp_path: Path) -> None:
    """Whole; without images; images and report without an order; images alone."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 15:00", "2026-03-02 15:20", final="2026-03-02 17:00"),
        image("i1", "2026-03-02 15:05", "A1"),
        *exam("A2", "2026-03-02 15:00", "2026-03-02 15:20", mrn="2", final="2026-03-02 17:00"),
        image("i3", "2026-03-02 15:05", "A3", mrn="3", study_uid="1.3", series_uid="1.3.1"),
        report("2026-03-02 17:00", "A3", mrn="3"), event("final_report", "2026-03-02 17:00", "A3", mrn="3"),
        image("i4", "2026-03-02 15:05", "A4", mrn="4", study_uid="1.4", series_uid="1.4.1"),
    )  # fmt: skip
    assert house.row("""
        SELECT sum(n_exams), sum(n_orders), sum(n_studies), sum(n_reports), sum(n_orders_performed),
               sum(n_orders_with_study), sum(n_studies_with_order), sum(n_reports_with_both)
        FROM dq_linkage""") == (4, 2, 3, 3, 2, 1, 1, 1)
