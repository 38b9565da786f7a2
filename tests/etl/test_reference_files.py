"""Files of others in their own layouts, with invented codes: what is taken, what is left, what is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.errors import UnreadableInputError
from etl.reference_files import load_dictionary, load_fees, load_loinc

#: Layout of the accessory file of a LOINC release; the codes are none of LOINC.
PLAYBOOK = """"LoincNumber","LongCommonName","PartNumber","PartTypeName","PartName","PartSequenceOrder","RID"
"00001-1","CT Liver WO contrast","LP1","Rad.Modality.Modality Type","CT","A","RID1"
"00001-1","CT Liver WO contrast","LP2","Rad.Anatomic Location.Region Imaged","Abdomen","A","RID2"
"00002-2","XR Knee - left 3 Views","LP3","Rad.Modality.Modality Type","XR","A","RID3"
"00002-2","XR Knee - left 3 Views","LP4","Rad.Anatomic Location.Laterality","Left","A","RID4"
"00003-3","XR Knee - left 3 Views","LP4","Rad.Anatomic Location.Laterality","Right","A","RID4"
"00004-4","CT Head WO contrast","LP5","Rad.Modality.Modality Type","MR","A","RID5"
"00005-5","CT Head WO contrast","LP6","Rad.Maneuver.Maneuver Type","Valsalva","A","RID6"
"00006-6","CT Head WO contrast","LP7","Rad.Modality.Modality Type","CT","A","RID7"
"00007-7","US Guidance for biopsy of Liver","LP8","Rad.Guidance for.Action","Biopsy","A","RID8"
"00008-8","Unheard of study","LP9","Rad.Modality.Modality Type","CT","A","RID9"
"30799-1","CT Head WO contrast","LP7","Rad.Modality.Modality Type","CT","A","RID7"
"""
LOINC = """"LOINC_NUM","COMPONENT","STATUS"
"00006-6","x","DEPRECATED"
"00001-1","x","ACTIVE"
"""
#: Layout of a relative value file: titles, a header in two lines, rows of a code by modifier; the codes are invented.
FEES = """,,2026 National Physician Fee Schedule Relative Value File,,,,,
,,RELEASED 1/1/2026,,,,,
,,,STATUS,NOT USED FOR,WORK,NON-FAC,MP
HCPCS,MOD,DESCRIPTION,CODE,PAYMENT,RVU,PE RVU,RVU
00XA1,,ONE,A,,1.50,2.00,0.10
00XA1,TC,ONE,A,,0.00,1.70,0.05
00XA1,26,ONE,A,,1.25,0.30,0.05
00XA2,,TWO,A,,0.75,2.00,0.10
00XA3,,THREE,I,,0.00,0.00,0.00
00XA4,,FOUR,A,,NA,0.00,0.00
"""


def written(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()[1:]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("LoincRsnaRadiologyPlaybook.csv", PLAYBOOK), ("Loinc.csv", LOINC), ("PPRRVU26_T.csv", FEES)):
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "site").mkdir()
    return tmp_path


def test_loinc_codes_whose_name_and_parts_agree_are_taken(files: Path) -> None:
    site = files / "site"
    facts = load_loinc(files / "LoincRsnaRadiologyPlaybook.csv", files / "Loinc.csv", site)
    assert written(site / "loinc.csv") == [
        "00002-2,XR_KNEE_L,XR Knee - left 3 Views",
        "00007-7,US_BIOPSY_LIVER,US Guidance for biopsy of Liver",
    ]
    assert facts == {"codes": 9, "agree with a procedure": 3, "new": 2}  # the third is shipped


def test_without_the_table_retired_codes_are_not_known(files: Path) -> None:
    load_loinc(files / "LoincRsnaRadiologyPlaybook.csv", None, files / "site")
    assert "00006-6,CT_HEAD_WO,CT Head WO contrast" in written(files / "site" / "loinc.csv")


def test_a_code_that_the_site_decided_stays(files: Path) -> None:
    path = files / "site" / "loinc.csv"
    path.write_text("loinc,procedure,name\n00002-2,XR_KNEE_R,ours\n", "utf-8")
    facts = load_loinc(files / "LoincRsnaRadiologyPlaybook.csv", None, files / "site")
    assert written(path)[0] == "00002-2,XR_KNEE_R,ours"
    again = load_loinc(files / "LoincRsnaRadiologyPlaybook.csv", None, files / "site")
    assert (facts["new"], again["new"]) == (2, 0)


def test_fees_are_the_work_of_the_professional_component(files: Path) -> None:
    path = files / "site" / "fees.csv"
    path.write_text("charge_code,wrvu,valid_from,source\nC1,1,2020-01-01,ours\n00XA1,9,2026-01-01,old\n", "utf-8")
    facts = load_fees(files / "PPRRVU26_T.csv", date(2026, 1, 1), files / "site")
    assert written(path) == [
        "C1,1,2020-01-01,ours", "00XA1,1.25,2026-01-01,PPRRVU26_T.csv", "00XA2,0.75,2026-01-01,PPRRVU26_T.csv",
    ]  # fmt: skip
    assert facts == {"codes with work": 2, "new": 2}


def test_a_schedule_of_another_day_stands_beside_the_older(files: Path) -> None:
    for day in (date(2026, 1, 1), date(2026, 7, 1)):
        load_fees(files / "PPRRVU26_T.csv", day, files / "site")
    assert len(written(files / "site" / "fees.csv")) == 4


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_dictionary_by_its_own_columns(files: Path, sign: str) -> None:
    rows = (("Kürzel", "Name"), ("CTS", "CT Schädel nativ"), ("X9", "Sonstiges"), ("", "CT Thorax nativ"))
    file = files / "codes.csv"
    file.write_bytes("\n".join(sign.join(row) for row in rows).encode("cp1252"))
    facts = load_dictionary(file, "NORTH", code="Kürzel", text="Name", procedure="", decided_by="ann",
                            folder=files / "site")  # fmt: skip
    assert written(files / "site" / "procedures.csv") == ["NORTH,CTS,CT Schädel nativ,CT_HEAD_WO,ann,"]
    assert facts == {"codes": 2, "with a procedure": 1, "new": 1}


def test_a_dictionary_with_its_own_procedures(files: Path) -> None:
    file = files / "codes.csv"
    file.write_text("c,p\nA1,CT_HEAD_W\nA2,\n", "utf-8")
    how = {"code": "c", "text": "", "procedure": "p", "decided_by": "ann", "folder": files / "site"}
    assert load_dictionary(file, "NORTH", **how)["with a procedure"] == 1  # type: ignore[arg-type]
    file.write_text("c,p\nA1,CT_HED\n", "utf-8")
    with pytest.raises(UnreadableInputError, match="row 2: CT_HED is no harmonized procedure"):
        load_dictionary(file, "NORTH", **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "told"),
    [("A,B\n1,2\n", "no header HCPCS, MOD"), ("HCPCS,MOD,RVU\n1,,2\n", "no column of work"),
     (FEES.partition("00XA1")[0], "no code with work")],
)  # fmt: skip
def test_a_schedule_of_another_layout_is_named(files: Path, content: str, told: str) -> None:
    (files / "x.csv").write_text(content, "utf-8")
    with pytest.raises(UnreadableInputError, match=told):
        load_fees(files / "x.csv", date(2026, 1, 1), files / "site")
    assert not (files / "site" / "fees.csv").exists()


def test_a_playbook_of_another_layout_is_named(files: Path) -> None:
    with pytest.raises(UnreadableInputError, match="missing column LoincNumber"):
        load_loinc(files / "PPRRVU26_T.csv", None, files / "site")
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        load_loinc(files / "none.csv", None, files / "site")


def test_the_verbs(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADOPS_HOME", str(files / "home"))
    monkeypatch.setenv("RADOPS_SITE", str(files / "site"))
    (files / "site" / "site.toml").write_text("", "utf-8")
    (files / "codes.csv").write_text("code,text\nCTH,CT HEAD WO CONTRAST\n", "utf-8")
    asked = {
        "loinc": [str(files / "LoincRsnaRadiologyPlaybook.csv"), "--table", str(files / "Loinc.csv")],
        "fees": [str(files / "PPRRVU26_T.csv"), "--valid-from", "2026-01-01"],
        "dictionary": [str(files / "codes.csv"), "--facility", "NORTH", "--decided-by", "ann"],
    }
    for verb, arguments in asked.items():
        result = CliRunner().invoke(app, ["reference", verb, *arguments])
        assert result.exit_code == 0, result.output
        assert "new" in result.output
    assert {path.name for path in (files / "site").glob("*.csv")} == {"loinc.csv", "fees.csv", "procedures.csv"}
