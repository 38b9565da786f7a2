"""LOINC as a coded translation: the shipped subset is sound, and a code is taken where its system says LOINC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from etl.procedure_match import loinc, match_name, procedures
from etl.procedure_names import REFERENCE, rows
from etl.procedures import is_loinc, translated
from tests.warehouse import Warehouse, exam, image

#: Names that LOINC writes in other attributes than radops: a pair of orbits, veins under MRA, ducts for MRCP.
OTHERWISE = {"CT_ORBIT_WO", "CT_ORBIT_W", "MR_ORBIT_WO", "MR_ORBIT_WWO", "MRV_HEAD_WO", "MRV_HEAD_W", "MRV_HEAD_WWO",
             "MRCP_WWO"}  # fmt: skip


def check_digit(body: str) -> int:
    """Of a LOINC code: Luhn's, as in the LOINC Users' Guide, appendix C."""
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(body))]
    return -sum(n - 9 if n > 9 else n for n in doubled) % 10


def test_every_shipped_code_is_one_of_loinc_and_says_its_procedure() -> None:
    shipped = list(rows(REFERENCE / "procedure_loinc.csv"))
    known = {p.id: p for p in procedures()}
    assert len(shipped) >= 250
    assert len({row["loinc"] for row in shipped}) == len(shipped)
    for row in shipped:
        body, _, digit = row["loinc"].partition("-")
        assert check_digit(body) == int(digit), row
        said = match_name(row["name"], known[row["procedure"]].modality)
        assert row["procedure"] in OTHERWISE or row["procedure"] in (said.procedure, said.proposal), row
        assert said.procedure in (None, row["procedure"]), row


def test_a_procedure_has_its_first_code() -> None:
    known = {p.id: p.loinc for p in procedures()}
    assert (known["CT_HEAD_WO"], known["CTA_CHEST_W"], known["XR_KNEE_L_2V"]) == ("30799-1", "36266-5", "")
    assert loinc()["36147-7"] == "CTA_CHEST_W"


@pytest.mark.parametrize("system", ["LN", "http://loinc.org", "LOINC", "urn:oid:2.16.840.1.113883.6.1", " ln "])
def test_a_code_counts_where_its_system_is_loinc(system: str) -> None:
    assert is_loinc(system)
    assert translated("30799-1", system) == "CT_HEAD_WO"


@pytest.mark.parametrize("system", ["", None, "L", "C4", "99ABC"])
def test_a_code_of_another_system_does_not(system: str | None) -> None:
    assert translated("30799-1", system) is None
    assert translated("CT_HEAD_WO", system) == "CT_HEAD_WO"


#: Codes and text of the order -> procedure and method.
ORDERS: list[tuple[dict[str, Any], tuple[str | None, str]]] = [
    ({"alternate_code": "30799-1", "alternate_system": "LN"}, ("CT_HEAD_WO", "code")),
    ({"procedure_code": "24727-0", "procedure_system": "LN"}, ("CT_HEAD_W", "code")),
    ({"alternate_code": "30799-1", "alternate_system": "L"}, (None, "none")),
    ({"alternate_code": "30799-1", "alternate_system": "LN", "procedure_text": "CT CHEST W CONTRAST"},
     ("CT_HEAD_WO", "code")),
    ({"alternate_code": "24727-0", "alternate_system": "LN", "procedure_code": "CTH"}, ("CT_HEAD_WO", "site")),
    ({"alternate_code": "99999-9", "alternate_system": "LN", "procedure_text": "CT CHEST W CONTRAST"},
     ("CT_CHEST_W", "text")),
    ({"alternate_code": "11111-5", "alternate_system": "LN"}, ("CT_NECK_W", "code")),
]  # fmt: skip


def test_the_order_is_site_then_code_then_text(tmp_path: Path) -> None:
    house = Warehouse(tmp_path)
    (house.site / "loinc.csv").write_text("loinc,procedure,name\n11111-5,CT_NECK_W,CT Neck invented\n", "utf-8")
    times = ("2026-03-02 15:00", "2026-03-02 15:30")
    for number, (said, _) in enumerate(ORDERS):
        given = {"procedure_code": f"X{number}", "procedure_text": "MISC", **said}
        house.load(*exam(f"A{number}", *times, mrn=str(number), **given))
    house.build()
    found = house.rows("""
        SELECT e.procedure, l.method FROM fct_exam e JOIN fct_label l USING (exam_key) ORDER BY e.accession""")
    assert found == [outcome for _, outcome in ORDERS]
    assert house.row("SELECT loinc FROM dim_procedure WHERE procedure = 'CT_HEAD_WO'") == ("30799-1",)


def test_codes_of_dicom_sequences_count_where_nothing_else_names_the_exam(tmp_path: Path) -> None:
    coded = {"procedure_code": "L1", "procedure_text": "MISC", "alternate_code": "36813-4", "alternate_system": "LN"}
    house = Warehouse(tmp_path).built(image("s1", "2026-03-02 15:00", **coded))
    assert house.row("SELECT procedure FROM fct_exam") == ("CT_ABDPELV_W",)
