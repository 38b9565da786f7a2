"""The workbook and the printed report of a pack say what its CSV files say, cell by cell and word by word."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pypdf
import pytest

from app.theme import LIGHT
from etl import pack_words as words
from etl.pack_documents import paper
from etl.pack_pdf import COLOURS, PAPERS, to_pdf
from etl.pack_xlsx import MEASURED, to_xlsx
from sql.catalog import Catalog
from sql.csv_text import neutral
from sql.leadership import MEASURES, THEMES
from sql.snapshot import open_snapshot
from sql.written import THIN, UNITS, count, delta, value
from tests.published import MONTH, Published, export_report
from tests.snapshots import write_snapshot

XLSX, PDF = f"radops_{MONTH}.xlsx", f"radops_{MONTH}.pdf"
MOMENT = datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC)
Row = dict[str, str]


@pytest.fixture(scope="module")
def pack(report_pack: Path) -> Path:
    return report_pack


@pytest.fixture(scope="module")
def pages(pack: Path) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(pack / PDF).pages]


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def rows(path: Path) -> list[Row]:
    head, *body = table(path)
    return [dict(zip(head, row, strict=True)) for row in body]


def as_csv(cell: Any) -> Any:
    """A cell of the workbook as the CSV file would write it; numbers stay numbers."""
    if cell.value is None:
        return ""
    if isinstance(cell.value, bool):
        return "true" if cell.value else "false"
    if isinstance(cell.value, datetime):
        assert cell.number_format == "yyyy-mm-dd"
        return cell.value.date().isoformat()
    return neutral(cell.value) if isinstance(cell.value, str) else float(cell.value)


def test_workbook_has_the_cells_of_the_csv_files(pack: Path) -> None:
    book = openpyxl.load_workbook(pack / XLSX)
    names = [entry["name"] for entry in json.loads((pack / "manifest.json").read_text("utf-8"))["files"]]
    tables = [Path(name).stem for name in names if name.endswith(".csv")]
    assert book.sheetnames == [*tables, "about"]
    assert book.sheetnames[:4] == ["summary", "scorecard", "findings", "course"]
    for name in tables:
        head, *body = table(pack / f"{name}.csv")
        sheet = list(book[name].iter_rows())
        assert [cell.value.partition(" [")[0] for cell in sheet[0]] == head
        assert len(sheet) == len(body) + 1
        for written, told in zip(sheet[1:], body, strict=True):
            for cell, text in zip(written, told, strict=True):
                found = as_csv(cell)
                assert (found == float(text)) if isinstance(found, float) else (found == text), (name, cell.coordinate)


def test_numbers_are_numbers_with_their_unit_and_the_header_stays(pack: Path) -> None:
    book = openpyxl.load_workbook(pack / XLSX)
    for metric in {Catalog.load().metrics[measure.metric] for measure in MEASURES}:
        sheet = book[metric.id]
        assert sheet.freeze_panes == "A2"
        if sheet.max_row > 1:
            heads = [cell.value for cell in sheet[1]]
            assert [head for head in heads if head.startswith("value")] == [f"value [{metric.unit}]"]
    headings = {cell.value: cell.column_letter for cell in book["scorecard"][1]}
    for name in MEASURED & set(headings):
        cells = book["scorecard"][headings[name]][1:]
        assert {cell.data_type for cell in cells if cell.value is not None} <= {"n"}
    shares = [cell for cell, unit in zip(book["scorecard"][headings["value"]][1:],
                                         book["scorecard"][headings["unit"]][1:], strict=True)
              if unit.value == "share" and cell.value is not None]  # fmt: skip
    assert {cell.number_format for cell in shares} == {"0.0%"}


def test_workbook_knows_no_time_but_the_snapshots(pack: Path, published: Published) -> None:
    built = open_snapshot(published.snapshot).built_at.replace(microsecond=0)
    properties = openpyxl.load_workbook(pack / XLSX).properties
    assert (properties.created, properties.modified) == (built, built)
    with zipfile.ZipFile(pack / XLSX) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [name for name in archive.namelist() if b"<f>" in archive.read(name)]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "＝1", "https://example.org", "12", "true"]
)
def test_text_stays_text(text: str) -> None:
    made = to_xlsx({"t": pl.DataFrame({"facility": [text, None]})}, title="t", created=MOMENT)
    cell = openpyxl.load_workbook(io.BytesIO(made))["t"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)
    assert bool(cell.quotePrefix) == (neutral(text) != text)


def test_what_is_no_number_is_an_empty_cell() -> None:
    frame = pl.DataFrame({"value": [float("nan"), float("inf"), None, -0.0, 1 / 3], "unit": ["min"] * 5})
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx({"t": frame}, title="t", created=MOMENT)))["t"]
    assert [cell.value for cell in sheet["A"]] == ["value [min]", None, None, None, 0, 0.333333333333]


def number(text: str) -> float | None:
    return float(text) if text else None


def in_cell(told: str, unit: str) -> str:
    """A value as a narrow cell of the report writes it: units that are words stand in the heading."""
    written = value(number(told), unit if unit in UNITS else "")
    return " ".join(written.strip(THIN).split())


def change_of(row: Row) -> str:
    """The change of a row of scorecard.csv as it is printed, with its outcome where it is told in words."""
    if not row["delta"] or row["is_small"] == "true":
        return ""
    change = delta(number(row["delta"]), row["unit"] if row["unit"] in UNITS else "").strip(THIN)
    is_more = float(row["previous"]) != 0 and abs(float(row["delta"])) >= 0.1 * abs(float(row["previous"]))
    is_told = row["verdict"] in ("better", "worse") and (row["is_clear"] or str(is_more).lower()) == "true"
    return " ".join(f"{change} {row['verdict'] if is_told and change[0] in '+−' else ''}".split())


def expected(row: Row) -> list[str]:
    """Value, change and n that a row of scorecard.csv should be printed as."""
    if not row["value"]:
        return ["–"]
    mark = " †" if row["is_small"] == "true" and row["n"] != "0" else ""
    return [in_cell(row["value"], row["unit"]), change_of(row), f"n {count(float(row['n']))}{mark}"]


@pytest.mark.parametrize("page", ["headline", *THEMES])
def test_report_prints_the_numbers_of_the_scorecard_file(pack: Path, pages: list[str], page: str) -> None:
    wanted = [m for m in MEASURES if (m.is_headline if page == "headline" else m.theme == page)]
    text = pages[0] if page == "headline" else pages[1 + THEMES.index(page)]
    found = {(row["facility"], row["measure"]): row for row in rows(pack / "scorecard.csv")}
    known = {measure for (_, measure), row in found.items() if row["value"]}
    names = {place: row["facility_name"] or words.ALL for (place, _), row in found.items()}
    assert known & {m.name for m in wanted}
    printed = text[text.index(" Facility ") :]
    place_of = 0
    for facility, name in names.items():
        place_of = printed.index(name, place_of) + len(name)
        for measure in wanted:
            if measure.name not in known:
                assert measure.label in printed[printed.index("Not reported by any facility") :]
                continue
            for cell in expected(found[facility, measure.name]):
                place_of = printed.index(cell, place_of) + len(cell)


def test_the_month_has_changes_of_each_kind(pack: Path) -> None:
    said = [change_of(row) for row in rows(pack / "scorecard.csv")]
    for kind in ("worse", "better"):
        assert [told for told in said if told.endswith(kind)]
    assert [told for told in said if told and told[-1] not in "er"]
    assert "" in said


def test_courses_end_with_the_last_value_of_the_file(pack: Path, pages: list[str]) -> None:
    course = rows(pack / "course.csv")
    drawn = {row["measure"] for row in course}
    assert drawn == {m.name for m in MEASURES if m.has_course and m.name in drawn} != set()
    for measure in (m for m in MEASURES if m.name in drawn):
        text = pages[1 + THEMES.index(measure.theme)]
        panels = text[text.index(words.COURSES[measure.name]) :]
        mine = [row for row in course if row["measure"] == measure.name and row["value"]]
        last = [row for row in mine if row["facility"] == "all"][-1]
        assert in_cell(last["value"], last["unit"]) in panels
        assert words.day(date.fromisoformat(last["period_start"])) in panels


def test_report_says_where_its_numbers_come_from(pack: Path, pages: list[str], published: Published) -> None:
    snapshot = open_snapshot(published.snapshot)
    manifest = json.loads((pack / "manifest.json").read_text("utf-8"))
    for number_of, text in enumerate(pages, 1):
        assert snapshot.id in text
        assert f"{number_of} / {len(pages)}" in text
    end = " ".join(pages[1 + len(THEMES) :])
    for told in (snapshot.digest, manifest["filters"], manifest["definitions"]["signature"], manifest["product"]):
        assert told in end
    for measure in MEASURES:
        metric = Catalog.load().metrics[measure.metric]
        assert f"{metric.title} {metric.id}, version {metric.version}, in {metric.unit}" in end
        assert " ".join(metric.question.split()) in end


def test_report_is_tagged_archivable_and_dated_by_the_snapshot(pack: Path, published: Published) -> None:
    reader = pypdf.PdfReader(pack / PDF)
    built = open_snapshot(published.snapshot).built_at
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.creation_date) == (
        "Imaging report, October 2026", built.replace(microsecond=0, tzinfo=UTC))  # fmt: skip
    root = reader.trailer["/Root"]
    assert (root["/MarkInfo"]["/Marked"], root["/Lang"]) == (True, "en")
    told = root["/Metadata"].get_data().decode("utf-8")
    assert "pdfaid:part" in told
    assert "pdfuaid:part" in told
    assert all(face.startswith(("/SourceSans", "/Libertinus")) or "SourceSans" in face for face in _faces(reader))


def _faces(reader: pypdf.PdfReader) -> set[str]:
    found = set()
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            found.add(font.get_object()["/BaseFont"])
    return found


_EMPTY = {"points": [], "more": 0}
#: A report that says next to nothing.
NOTHING: dict[str, Any] = {
    "title": "T", "eyebrow": "E", "month": "M", "before": "B", "lead": [["Turnaround", "#panic() $x$"]], "notes": [],
    "wrong": _EMPTY, "good": _EMPTY, "nothing": {"wrong": "-", "good": "-"}, "legend": "L", "themes": [],
    "scorecard": {"heads": [], "rows": [{"name": "東京 =1+1 #[x]", "is_whole": True, "cells": []}], "unknown": []},
    "definitions": [], "about": [["A", "B"]], "foot": "F",
}  # fmt: skip


def test_a_name_that_the_typeface_lacks_is_no_obstacle() -> None:
    made = to_pdf(NOTHING, created=MOMENT)
    assert made == to_pdf(NOTHING, created=MOMENT)
    text = pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert "#panic() $x$" in text
    assert "=1+1 #[x]" in text


@pytest.mark.parametrize(("setting", "size"), [("letter", (612, 792)), ("a4", (595, 842)), (None, (595, 842))])
def test_the_sheet_is_the_one_that_the_snapshot_was_published_for(
    tmp_path: Path, setting: str | None, size: tuple[int, int]
) -> None:
    path = write_snapshot(tmp_path / "hand.duckdb", {}, MOMENT.replace(tzinfo=None))
    if setting is not None:
        with duckdb.connect(str(path)) as con:
            con.execute('CREATE TABLE meta_setting (name VARCHAR, "value" VARCHAR, usual VARCHAR, meaning VARCHAR)')
            con.execute("INSERT INTO meta_setting VALUES ('RADOPS_PAPER', ?, 'a4', '')", [setting])
    told = NOTHING | {"paper": paper(open_snapshot(path))}
    box = pypdf.PdfReader(io.BytesIO(to_pdf(told, created=MOMENT))).pages[0].mediabox
    assert (round(box.width), round(box.height)) == size


def test_a_month_on_letter_has_the_pages_that_it_has_on_a4(published: Published, tmp_path: Path, pack: Path) -> None:
    """The whole report of the pack, with nothing that goes over its page: one page for the scorecard, one a theme."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.pack_documents.paper", lambda _: PAPERS["letter"])
        export_report(published, tmp_path)
    letter, a4 = (pypdf.PdfReader(folder / PDF) for folder in (tmp_path, pack))
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in letter.pages} == {(612, 792)}
    heads = [[page.extract_text().split("\n")[:2] for page in one.pages[: 1 + len(THEMES)]] for one in (letter, a4)]
    assert heads[0] == heads[1]


def test_report_has_the_colours_of_the_dashboard() -> None:
    ours = {field.name: getattr(LIGHT, field.name) for field in fields(LIGHT) if field.name in COLOURS}
    assert ours == COLOURS
