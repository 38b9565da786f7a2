"""The discrepancy field of a report: read where the site names it, and only as a grade. Expectations by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from etl.intake import open_intake
from etl.records import Parsed
from etl.site import SiteError, load_site
from etl.sources import hl7
from tests.etl.hl7_lines import PID, SITE, defects, message, one, segment

SCORES = {"none": "none", "1": "none", "2b": "minor", "3a": "major", "major": "major"}
RIS = SITE.senders[0]
NAMED = replace(SITE, senders=(replace(RIS, obx={**RIS.obx, "DISCREP": "discrepancy"}, discrepancy=SCORES),))
OBR = segment("OBR", {2: "P1^HIS", 3: "F1^RISB", 4: "1^CT HEAD^L", 18: "A1", 22: "20260115113000", 24: "CT", 25: "F"})
TEXT = "OBX|1|TX|&GDT||All well.||||||F"
TXA = segment("TXA", {2: "DI", 12: "D1^DICT", 14: "P1^HIS", 15: "F1^RISB", 17: "LA"})


def scored(value: str, kind: str = "CE", status: str = "F", code: str = "DISCREP^Discrepancy^L") -> str:
    return f"OBX|2|{kind}|{code}||{value}||||||{status}"


def result(*lines: str) -> Parsed:
    return hl7.parse(message("ORU^R01", PID, OBR, TEXT, *lines), NAMED)


@pytest.mark.parametrize(
    ("lines", "grade"),
    [
        ([scored("2b^Missed, not significant^L")], "minor"), ([scored("2B", "ST")], "minor"),
        ([scored("3a", "CWE")], "major"), ([scored("1", "NM")], "none"), ([scored(" None ", "TX")], "none"),
        ([scored("1~3a~2b")], "major"), ([scored("1"), scored("2b")], "minor"), ([scored("2b"), scored("1")], "minor"),
        ([], None), ([scored("")], None), ([scored('""')], ""), ([scored("3a", status="D")], ""),
        ([scored("3a", status="W")], ""), ([scored("3a", status="X")], ""),
        ([scored("3a", status="D"), scored("1")], "none"),
        ([scored('""'), scored("2b")], "minor"), ([scored("3a", code="PEERREV^Peer review^L")], None),
        ([scored("3a", code="^^^DISCREP^Discrepancy^L")], None),
    ],
)  # fmt: skip
def test_grade_of_a_message(lines: list[str], grade: str | None) -> None:
    parsed = result(*lines)
    assert one(parsed, "report")["discrepancy"] == grade
    assert defects(parsed) == []


def test_a_value_without_a_grade_is_a_defect_and_says_nothing() -> None:
    parsed = result(scored("4"))
    assert (one(parsed, "report")["discrepancy"], defects(parsed)) == (None, [("OBX-5", "unknown_code")])
    assert one(result(scored("4"), scored("2b")), "report")["discrepancy"] == "minor"


@pytest.mark.parametrize("status", ["C", "W", "A"])
def test_a_changed_score_does_not_change_the_report(status: str) -> None:
    assert one(result(scored("2b", status=status)), "report")["status"] == "final"


def test_nothing_is_read_unless_the_site_names_the_field() -> None:
    """Neither grade nor score: the raw row has nothing of it, and there is no defect that tells of it."""
    parsed = hl7.parse(message("ORU^R01", PID, OBR, TEXT, scored("3a^Significant^L")), SITE)
    row = one(parsed, "report")
    assert (row["discrepancy"], row["text"], defects(parsed)) == (None, "All well.", [])
    assert not any("3a" in str(value) or "Significant" in str(value) for value in row.values())


def test_no_score_and_no_comment_is_kept_beside_the_grade() -> None:
    parsed = result(scored("3a^A comment^L", "ST"), scored("2b~free words", "TX"))
    row = one(parsed, "report")
    assert (row["discrepancy"], row["text"], defects(parsed)) == ("major", "All well.", [("OBX-5", "unknown_code")])
    assert not any("comment" in str(value) or "free" in str(value) for value in row.values())


def test_a_document_may_carry_it() -> None:
    lines = ["EVN|T02|20260115115500", PID, TXA, TEXT, scored("2b")]
    parsed = hl7.parse(message("MDM^T02", *lines), NAMED)
    assert one(parsed, "report")["discrepancy"] == "minor"


HEAD = '[site]\ndefault_zone = "UTC"\n[[sender]]\napp = "RIS"\n'


def site_of(folder: Path, lines: str) -> Path:
    (folder / "site.toml").write_text(HEAD + lines, "utf-8")
    return folder


def test_site_file(tmp_path: Path) -> None:
    folder = site_of(tmp_path, 'obx = { DISCREP = "discrepancy" }\ndiscrepancy = { 1 = "none", 2B = "minor" }\n')
    assert load_site(folder).senders[0].discrepancy == {"1": "none", "2b": "minor"}
    assert load_site(site_of(tmp_path, "")).senders[0].discrepancy == {}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('obx = { D = "discrepancy" }\ndiscrepancy = { 1 = "mild" }', "unknown grade 'mild'"),
        ('obx = { D = "discrepancy" }', "RIS: a discrepancy needs"),
        ('discrepancy = { 1 = "none" }', "RIS: a discrepancy needs"),
        ('obx = { D = "discrepancy" }\ndiscrepancy = "none"', "wrong or missing key"),
    ],
)
def test_a_wrong_site_file_is_named(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(SiteError, match=f"site.toml: {words}"):
        load_site(site_of(tmp_path, lines + "\n"))


def test_a_raw_store_of_an_earlier_version_gets_the_column(tmp_path: Path) -> None:
    path = tmp_path / "intake.duckdb"
    open_intake(path).close()
    with duckdb.connect(str(path)) as con:
        con.execute("ALTER TABLE raw_report DROP COLUMN discrepancy")
        con.execute("INSERT INTO raw_report (batch_id, accession) VALUES (1, 'A1')")
    with open_intake(path) as con:
        assert con.execute("SELECT accession, discrepancy FROM raw_report").fetchall() == [("A1", None)]
