"""The unmapped queue: which names, how many exams, what is proposed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.errors import UnreadableInputError
from etl.home import Home
from etl.intake import open_intake
from etl.mapping import COLUMNS, take, unmapped
from etl.publish import publish
from etl.settings import Settings
from sql.query import rows
from sql.snapshot import open_snapshot
from tests.published import Published
from tests.warehouse import Warehouse, exam, image


def test_names_with_exams_and_proposals_most_exams_first(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    names = {
        "A1": "CT HEAD W/O CONTRAST STEALTH",
        "A2": "CT HEAD W/O CONTRAST STEALTH",
        "A3": "SPECIAL",
        "A4": "SPECIAL",
    }
    for number, (accession, text) in enumerate(names.items()):
        code = "STEALTH" if "HEAD" in text else f"=S{number}"
        warehouse.load(*exam(accession, "2026-03-02 09:00", "2026-03-02 09:30", mrn=accession, procedure_code=code,
                             procedure_text=text))  # fmt: skip
    warehouse.built(*exam("A5", "2026-03-02 09:00", "2026-03-02 09:30", mrn="5", procedure_text="CT HEAD"),
                    image("S5", "2026-03-02 09:10", "A5", mrn="5", body_part="Abdomen"))  # fmt: skip
    home = Home(tmp_path, Settings(home=tmp_path, key_file=warehouse.key_file))
    home.prepare()
    snapshot = publish(home).path
    with open_intake(home.intake) as con:
        listed = unmapped(con, snapshot)
        everything = unmapped(con, snapshot, with_mapped=True)
    assert listed.columns == list(COLUMNS)
    assert listed.select("facility", "code", "text", "modality", "n_exams", "method", "score", "procedure").rows() == [
        ("NORTH", "STEALTH", "CT HEAD W/O CONTRAST STEALTH", "CT", 2, "proposed", 0.8, "CT_HEAD_WO"),
        ("NORTH", "=S2", "SPECIAL", "CT", 1, "none", 0.0, None),
        ("NORTH", "=S3", "SPECIAL", "CT", 1, "none", 0.0, None),
    ]
    assert listed["evidence"].to_list() == ["unknown words: stealth", None, None]
    mapped = everything.filter(method="mapped")
    assert mapped.select("code", "procedure", "n_exams", "evidence").rows() == [
        ("CTH", "CT_HEAD_WO", 1, "headers against it: body part in 1")
    ]
    assert everything.height == listed.height + mapped.height


REVIEWED = """facility,code,text,modality,n_exams,procedure,decided_by,valid_from
NORTH,STEALTH,CT HEAD W/O CONTRAST STEALTH,CT,2,CT_HEAD_W,ann,2026-03-03
NORTH,'=S2,SPECIAL,CT,1,CT_CHEST_WO,ann,
NORTH,'=S3,SPECIAL,CT,1,CT_HEAD_WO,,
"""


def test_a_decision_holds_from_its_day_and_needs_no_new_intake(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    for day in (2, 3, 4):
        # Performed late on local day `day`, which is the next one in UTC; ordered the local day before.
        times = (f"2026-03-0{day + 1} 04:30", f"2026-03-0{day + 1} 04:50")
        warehouse.load(*exam(f"A{day}", *times, mrn=str(day), ordered=f"2026-03-0{day} 01:00", procedure_code="STEALTH",
                             procedure_text="CT HEAD W/O CONTRAST STEALTH"))  # fmt: skip
    warehouse.load(*exam("B1", "2026-03-02 09:00", "2026-03-02 09:30", mrn="9", procedure_code="=S2",
                         procedure_text="SPECIAL"))  # fmt: skip
    warehouse.build()
    asked = "SELECT accession, procedure FROM fct_exam ORDER BY accession"
    assert {procedure for _, procedure in warehouse.rows(asked)} == {None}
    reviewed = tmp_path / "reviewed.csv"
    reviewed.write_text(REVIEWED, "utf-8")
    assert take(reviewed, warehouse.site) == 2
    assert take(reviewed, warehouse.site) == 0  # taken again, nothing is new
    assert warehouse.build().is_full
    assert warehouse.batches == 4
    assert warehouse.rows(asked) == [
        ("A2", None), ("A3", "CT_HEAD_W"), ("A4", "CT_HEAD_W"), ("B1", "CT_CHEST_WO")
    ]  # fmt: skip
    reviewed.write_text(REVIEWED.replace("CT_HEAD_W,ann,2026-03-03", "CT_HEAD_WO,ann,2026-03-04"), "utf-8")
    take(reviewed, warehouse.site)
    warehouse.build()
    assert warehouse.rows(asked)[:3] == [("A2", None), ("A3", "CT_HEAD_W"), ("A4", "CT_HEAD_WO")]
    decided = (warehouse.site / "procedures.csv").read_text("utf-8").splitlines()
    assert [line for line in decided if "STEALTH" in line or "=S" in line] == [
        "NORTH,STEALTH,CT HEAD W/O CONTRAST STEALTH,CT_HEAD_W,ann,2026-03-03",
        "NORTH,=S2,SPECIAL,CT_CHEST_WO,ann,",
        "NORTH,STEALTH,CT HEAD W/O CONTRAST STEALTH,CT_HEAD_WO,ann,2026-03-04",
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("NORTH,X,CT,,,CT_HED,ann,", "CT_HED is no harmonized procedure"),
        ("NORTH,X,CT,,,,ann,", "empty is no harmonized procedure"),
        ("NORTH,,,,,CT_HEAD_WO,ann,", "facility and code"),
        ("NORTH,X,CT,,,CT_HEAD_WO,ann,3.4.26", "valid_from is no date"),
    ],
)
def test_a_wrong_decision_is_named_and_nothing_is_written(tmp_path: Path, row: str, told: str) -> None:
    warehouse = Warehouse(tmp_path)
    before = (warehouse.site / "procedures.csv").read_bytes()
    reviewed = tmp_path / "reviewed.csv"
    reviewed.write_text(REVIEWED + row + "\n", "utf-8")
    with pytest.raises(UnreadableInputError, match=f"line 5: {told}"):
        take(reviewed, warehouse.site)
    assert (warehouse.site / "procedures.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (REVIEWED.replace(",", ";").encode(), "missing column facility"),
        ("facility,code\nNORTH,Schädel\n".encode("cp1252"), "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_reviewed_list_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    reviewed = tmp_path / "reviewed.csv"
    if content is not None:
        reviewed.write_bytes(content)
    with pytest.raises(UnreadableInputError, match=told):
        take(reviewed, tmp_path)
    assert not (tmp_path / "procedures.csv").exists()


def test_the_verb_takes_a_reviewed_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(tmp_path)
    Home(tmp_path, Settings(home=tmp_path, key_file=warehouse.key_file)).prepare()
    monkeypatch.setenv("RADOPS_HOME", str(tmp_path))
    monkeypatch.setenv("RADOPS_KEY_FILE", str(warehouse.key_file))
    reviewed = tmp_path / "reviewed.csv"
    reviewed.write_text(REVIEWED, "utf-8")
    result = CliRunner().invoke(app, ["map", "--take", str(reviewed)])
    assert (result.exit_code, result.stdout.split()) == (0, ["decisions", "taken", "2"])
    assert "NORTH,STEALTH,CT HEAD W/O CONTRAST STEALTH,CT_HEAD_W,ann,2026-03-03\n" in (
        warehouse.site / "procedures.csv"
    ).read_text("utf-8")


def test_the_verb_lists_what_the_snapshot_counts(
    published: Published, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RADOPS_HOME", str(published.home.root))
    monkeypatch.setenv("RADOPS_SITE", str(published.home.site))
    out = tmp_path / "map.csv"
    result = CliRunner().invoke(app, ["map"])
    assert result.exit_code == 0, result.output
    assert CliRunner().invoke(app, ["map", "--out", str(out)]).exit_code == 0
    assert out.read_bytes() == result.stdout_bytes
    listed = list(csv.DictReader(io.StringIO(out.read_text("utf-8"), newline="")))
    assert list(listed[0]) == list(COLUMNS)
    counted = rows(open_snapshot(published.snapshot), "dq_unmapped", where={"kind": "procedure"})
    assert sum(int(row["n_exams"]) for row in listed) == counted["n_exams"].sum() > 0
