"""The imaging decision table, row by row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from etl.sources import hl7
from tests.etl.hl7_lines import PID, SITE, message, segment

NEW = segment("ORC", {1: "NW", 2: "P1^HIS"})
CANCEL = segment("ORC", {1: "CA", 2: "P1^HIS"})


def n_orders(*lines: str, app: str = "STRANGER") -> int:
    parsed = hl7.parse(message("ORM^O01", PID, *lines, app=app), SITE)
    assert parsed.rejected == []
    return parsed.rows["order"].n if "order" in parsed.rows else 0


def obr(code: str, section: str = "", second: str = "") -> str:
    return segment("OBR", {1: "1", 4: code, 24: section, 44: second})


def test_row_1_ipc_or_zds() -> None:
    assert n_orders(NEW, obr("1^SOMETHING"), "IPC|A1") == 1
    assert n_orders(NEW, obr("1^SOMETHING"), "ZDS|1.2.3^RIS^Application^DICOM") == 1
    assert n_orders(NEW, obr("1^SOMETHING", "LAB"), "IPC|A1") == 1


def test_row_2_sections_of_the_site() -> None:
    assert n_orders(NEW, obr("1^SOMETHING", "XRAYDEPT"), app="RIS") == 1
    assert n_orders(NEW, obr("1^SOMETHING", "XRAYDEPT")) == 0
    everything = replace(SITE, senders=(replace(SITE.senders[0], radiology=("*",)),))
    for lines, expected in (((NEW, obr("1^X", "LAB")), 1), ((CANCEL,), 1), ((NEW, "RXO|1^ASPIRIN"), 0)):
        found = hl7.parse(message("ORM^O01", PID, *lines), everything).rows
        assert ("order" in found) == bool(expected)


@pytest.mark.parametrize(
    ("section", "modality"),
    [
        ("CT", "CT"), ("MR", "MR"), ("MG", "MG"), ("RAD", None), ("NMR", "MR"), ("NMS", "NM"), ("RUS", "US"),
        ("ous", "US"),
        ("VUS", "US"), ("CUS", "US"), ("CTH", "XA"), ("XRC", "RF"), ("RX", "RG"), ("PET", "PT"),
    ],
)  # fmt: skip
def test_row_3_imaging_sections(section: str, modality: str | None) -> None:
    parsed = hl7.parse(message("ORM^O01", PID, NEW, obr("1^SOMETHING", section), app="STRANGER"), SITE)
    assert [row["modality"] for row in parsed.records("order")] == [modality]


@pytest.mark.parametrize(
    "section", ["LAB", "CH", "HM", "MB", "SP", "AU", "EC", "PHY", "CP", "ICU", "RT", "SR", "ECG", "XC", "VA"]
)
def test_row_4_other_sections(section: str) -> None:
    assert n_orders(NEW, obr("70450^CT HEAD^C4", section)) == 0


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("70450^HEAD STUDY^C4", 1), ("70450^HEAD STUDY^CPT4", 1), ("80053^PANEL^C4", 0), ("70450^HEAD STUDY^L", 0),
        ("X^Y^L^74177^AP STUDY^C4", 1), ("CT_HEAD_WO^^RADOPS", 1), ("99213^VISIT^C4", 0), ("7045^HEAD^C4", 0),
    ],
)  # fmt: skip
def test_row_5_procedure_codes(code: str, expected: int) -> None:
    assert n_orders(NEW, obr(code)) == expected
    assert n_orders(NEW, obr("1^SOMETHING", "", code)) == expected  # OBR-44


def test_row_5_codes_that_the_site_decided(tmp_path: Path) -> None:
    (tmp_path / "procedures.csv").write_text(
        "facility,code,text,procedure,decided_by,valid_from\nNORTH,KOPF1,,CT_HEAD_WO,x,2026-01-01\n"
    )
    site = replace(SITE, folder=tmp_path)
    for code, expected in (("KOPF1", True), ("KOPF2", False)):
        found = hl7.parse(message("ORM^O01", PID, NEW, obr(f"{code}^Kopf"), app="STRANGER"), site).rows
        assert ("order" in found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CT Head", 1), ("MRI Ankle Lt", 1), ("XR CHEST PA AND LATERAL", 1), ("US ABDOMEN", 1),
        ("Mammogram screening breast", 1),
        ("UREA AND ELECTROLYTES", 0), ("COMPLETE BLOOD COUNT", 0), ("CT/NG DNA AMP", 0), ("CT NG RNA", 0),
        ("PT/INR", 0),
        ("PT KNEE", 0), ("PET CT WHOLE BODY", 1), ("Vital Signs", 0), ("Chest physiotherapy", 0), ("HEAD", 0),
        ("CT", 0),
        ("Bacteria identified in Stool by Culture", 0), ("GLUCOSE POST 12H", 0), ("TransthoracicEcho", 0),
    ],
)  # fmt: skip
def test_row_6_procedure_texts(text: str, expected: int) -> None:
    assert n_orders(NEW, obr(f"1^{text}^L")) == expected


def test_pt_alone_decides_nothing() -> None:
    """PT is physical therapy in table 0074 and PET in DICOM."""
    assert n_orders(NEW, obr("1^PT KNEE", "PT")) == 0
    site = replace(SITE, senders=(replace(SITE.senders[0], radiology=("PT",)),))
    assert "order" in hl7.parse(message("ORM^O01", PID, NEW, obr("1^WHOLE BODY", "PT")), site).rows
    assert n_orders(NEW, obr("1^PET CT BRAIN", "PT")) == 1
    assert n_orders(NEW, obr("78816^WHOLE BODY^C4", "PT")) == 1


@pytest.mark.parametrize("detail", ["RXO|1^ASPIRIN", "ODS|P||1^DIET", "RQD|1|2^IMPLANT", "BPO|1|BLOOD"])
def test_row_7_orders_of_other_departments(detail: str) -> None:
    assert n_orders(NEW, detail) == 0
    assert n_orders(CANCEL, detail) == 0


def test_rows_8_and_9_orc_alone() -> None:
    assert n_orders(CANCEL) == 1
    assert n_orders(segment("ORC", {1: "SC", 2: "P1^HIS", 5: "CM"})) == 1
    assert n_orders(segment("ORC", {1: "OK", 2: "P1^HIS"})) == 0
    assert n_orders(segment("ORC", {1: "OK", 2: "P1^HIS"}), app="RIS") == 1


def test_laboratory_results_are_no_exams() -> None:
    lines = [
        segment("OBR", {3: "L1^LAB", 4: "us-0003^UREA AND ELECTROLYTES", 22: "20260115", 25: "F"}),
        "OBX|1|NM|1||5||||||F",
    ]
    parsed = hl7.parse(message("ORU^R01", PID, *lines), SITE)
    assert (parsed.read, parsed.rejected, parsed.rows) == (1, [], {})


def test_only_the_imaging_groups_of_a_mixed_message() -> None:
    lines = [NEW, obr("1^GLUCOSE", "LAB"), NEW, obr("2^CT HEAD", "CT"), NEW, obr("3^BLOOD COUNT", "HM")]
    assert n_orders(*lines) == 1
