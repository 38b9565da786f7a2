"""DFT: charges. Expectations by hand."""

from __future__ import annotations

import pytest

from tests.etl.hl7_lines import PID, defects, message, one, parse, rows, segment, utc

FT1 = {
    4: "20260115103000", 6: "CG", 7: "LOCAL1", 10: "2", 23: "F1^RISB", 25: "70450^CT head^C4", 26: "26~TC",
}  # fmt: skip
VISIT = segment("PV1", {2: "O", 19: "V7^^^NORTH"})


@pytest.mark.parametrize("kind", ["DFT^P03", "DFT^P11"])
def test_charge_columns(kind: str) -> None:
    row = one(parse(message(kind, "EVN|P03|20260115110000", PID, VISIT, segment("FT1", FT1))), "charge")
    assert {name: row[name] for name in row if row[name] is not None} == {
        "standard": "hl7", "source": "RIS@NGTH", "message_id": "C1", "message_at": utc("2026-01-15T14:00:00"),
        "facility_alias": "NGTH", "filler_id": "F1^RISB", "patient_id": "M1", "patient_authority": "NORTH",
        "at": utc("2026-01-15T15:30:00"), "at_precision": "second", "at_zone_source": "facility",
        "visit_id": "V7^NORTH",
        "charge_code": "70450", "quantity": 2.0, "modifiers": "26^TC", "transaction_type": "CG", "position": 0,
        "row_number": 0,
    }  # fmt: skip


def test_transaction_code_where_no_procedure_code_is_given() -> None:
    assert one(parse(message("DFT^P03", PID, segment("FT1", {**FT1, 25: ""}))), "charge")["charge_code"] == "LOCAL1"


def test_credit_and_several_charges_with_the_orders_that_follow_them() -> None:
    lines = [
        PID, segment("FT1", {**FT1, 23: ""}), "ORC|RE|P1^HIS|F1^RISB", segment("OBR", {18: "A1", 24: "CT"}),
        segment("FT1", {**FT1, 6: "CD", 23: ""}), segment("OBR", {3: "F2^RISB", 18: "A2"}),
    ]  # fmt: skip
    found = rows(parse(message("DFT^P03", *lines)), "charge")
    assert [(r["transaction_type"], r["accession"], r["filler_id"]) for r in found] == [
        ("CG", "A1", "F1^RISB"),
        ("CD", "A2", "F2^RISB"),
    ]


def test_order_of_the_whole_message() -> None:
    lines = [PID, "ORC|RE|P1^HIS|F9^RISB", segment("OBR", {18: "A9"}), segment("FT1", FT1), segment("FT1", FT1)]
    assert [r["accession"] for r in rows(parse(message("DFT^P03", *lines)), "charge")] == ["A9", "A9"]


def test_bad_charges_are_counted() -> None:
    parsed = parse(
        message("DFT^P03", PID, segment("FT1", {4: "20260115103000", 10: "1"}), segment("FT1", {**FT1, 10: "x"}))
    )
    assert defects(parsed) == [("FT1-25", "missing"), ("FT1-10", "not a number")]
    assert one(parsed, "charge")["quantity"] is None
    assert defects(parse(message("DFT^P03", PID))) == [("FT1", "missing")]
