"""Which of several words about an exam is taken, and what no word means, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.warehouse import Warehouse, event, image, order, report


@pytest.fixture
def house(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


def test_an_exam_without_a_charge_has_no_work_rvu(house: Warehouse) -> None:
    """Not none at all: how much it is worth is not known."""
    assert house.built(order("2026-03-02 08:00")).row("SELECT wrvu FROM fct_exam") == (None,)


def test_dose_reports_are_not_the_modality(house: Warehouse) -> None:
    """However many there are."""
    reports = [image(f"r{n}", "2026-03-02 09:00", modality="SR") for n in range(3)]
    house.built(image("a", "2026-03-02 09:00"), *reports)
    assert house.row("SELECT modality FROM fct_exam") == ("CT",)


def test_classes_of_both_standards(house: Warehouse) -> None:
    """HL7 table 0004 and the ActCode that FHIR names."""
    taken = {"E": "emergency", "EMER": "emergency", "I": "inpatient", "IMP": "inpatient", "AMB": "outpatient"}
    house.built(*(order("2026-03-02 08:00", f"A-{told}", patient_class=told) for told in taken))
    found = dict(house.rows("SELECT accession, patient_class FROM fct_exam"))
    assert found == {f"A-{told}": word for told, word in taken.items()}


def test_a_serial_number_says_more_than_a_station(house: Warehouse) -> None:
    """Stations are renamed and copied; S1 is N-CT1, NDX01 is N-DX1."""
    house.built(image("a", "2026-03-02 09:00", serial="S1", station="NDX01"))
    assert house.row("SELECT device FROM fct_exam") == ("N-CT1",)


def test_the_preliminary_read_is_the_trainee_s_and_the_final_one_the_signer_s(house: Warehouse) -> None:
    both = {"interpreter_id": "R1", "assistant_id": "T1", "assistant_authority": "NET"}
    house.built(
        order("2026-03-02 08:00"),
        report("2026-03-02 10:00", status="preliminary", **both), report("2026-03-02 12:00", **both),
        event("preliminary_report", "2026-03-02 10:00", origin="report"),
        event("final_report", "2026-03-02 12:00", origin="report"),
    )  # fmt: skip
    assert house.rows("""
        SELECT r.role, r.radiologist = e.radiologist, r.radiologist = e.assistant
        FROM fct_read r JOIN fct_exam e USING (exam_key) ORDER BY role""") == [
        ("final", True, False), ("preliminary", False, True),
    ]  # fmt: skip


def test_an_addendum_that_is_sent_twice_is_one(house: Warehouse) -> None:
    added = [report(f"2026-03-02 {at}", status="addendum", message_at=f"2026-03-02 {sent}")
             for at, sent in (("13:00", "13:00"), ("13:00", "14:00"), ("15:00", "15:00"))]  # fmt: skip
    house.built(order("2026-03-02 08:00"), report("2026-03-02 12:00"), *added)
    assert house.row("SELECT n_addenda FROM fct_exam") == (2,)


def test_only_the_duplicate_reason_declares_a_repeat(house: Warehouse) -> None:
    said: list[dict[str, str]] = [{"reason": "R51"}, {"duplicate_reason": "A"}, {}]
    house.built(*(order("2026-03-02 08:00", f"A{n}", mrn=str(n), **words) for n, words in enumerate(said)))
    found = house.rows("SELECT accession, is_declared_repeat FROM fct_exam ORDER BY 1")
    assert found == [("A0", False), ("A1", True), ("A2", False)]
