"""The unmapped queue: which names, how many exams, what is proposed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.home import Home
from etl.intake import open_intake
from etl.mapping import COLUMNS, unmapped
from etl.publish import publish
from etl.settings import Settings
from sql.query import rows
from sql.snapshot import open_snapshot
from tests.published import Published
from tests.warehouse import Warehouse, exam


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
    warehouse.built(*exam("A5", "2026-03-02 09:00", "2026-03-02 09:30", mrn="5", procedure_text="CT HEAD"))
    home = Home(tmp_path, Settings(home=tmp_path, key_file=warehouse.key_file))
    home.prepare()
    snapshot = publish(home).path
    with open_intake(home.intake) as con:
        assert unmapped(con, snapshot).rows() == [
            ("NORTH", "STEALTH", "CT HEAD W/O CONTRAST STEALTH", "CT", 2, "proposed", "CT_HEAD_WO"),
            ("NORTH", "=S2", "SPECIAL", "CT", 1, "none", None),
            ("NORTH", "=S3", "SPECIAL", "CT", 1, "none", None),
        ]


def test_the_verb_lists_what_the_snapshot_counts(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADOPS_HOME", str(published.home.root))
    monkeypatch.setenv("RADOPS_SITE", str(published.home.site))
    out = published.home.root / "map.csv"
    result = CliRunner().invoke(app, ["map"])
    assert result.exit_code == 0, result.output
    assert CliRunner().invoke(app, ["map", "--out", str(out)]).exit_code == 0
    assert out.read_bytes() == result.stdout_bytes
    listed = list(csv.DictReader(io.StringIO(out.read_text("utf-8"), newline="")))
    assert list(listed[0]) == list(COLUMNS)
    counted = rows(open_snapshot(published.snapshot), "dq_unmapped", where={"kind": "procedure"})
    assert sum(int(row["n_exams"]) for row in listed) == counted["n_exams"].sum() > 0
