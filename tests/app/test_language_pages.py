"""Every word of a page comes from the tables of its language: nothing falls back to English on the way."""

from __future__ import annotations

import json
import re
import shutil
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plotly.utils import PlotlyJSONEncoder

from app import filterbar, shell, spoken, texts
from app.context import Context
from app.everywhere import everywhere
from app.pages import BY_PATH, PAGES, Page
from app.state import State
from sql import words as said
from sql.rows import rows
from sql.snapshot import Store
from sql.words import LANGUAGES, dates, speaking
from sql.written import THIN
from tests.app.conftest import LOCAL
from tests.published import MONTH

#: Around each piece of text that a table of the language gave.
OPEN, CLOSE = "⟦", "⟧"
#: Properties of components and parts of figures that people read or hear.
READ = {"children", "title", "aria-label", "label", "placeholder", "name", "text", "hovertext", "ticktext",
        "hovertemplate", "nothingFoundMessage", "data-age", "t", "head", "rows", "cells", "texts"}  # fmt: skip
#: Components whose content is code.
CODE = {"Code", "Pre", "Time"}
#: What is no word of a language: tags, places of values, ids of snapshots, units, names of formats, clock zones.
UNSPOKEN = re.compile(
    r"<[^>]+>|%?\{[^}]*\}|https?:\S+|\b[0-9A-F]{4}\b|\b[0-9a-f]{24}\b|\b[0-9]{6,}-[0-9a-f]{12}\b|\b\w+_\w+\b"
    r"|\b(?:min|HH:MM|UTC|wRVU|CSV|PDF|XLSX|MAE|MASE|kB|[A-Z][DS]T|IT|FHIR|HL7|DICOM|radops|PP|SHA-256)\b"
)
#: Texts behind which an id of a metric or names of columns stand.
IDS = re.compile(f"((?:Schlüssel|·) {CLOSE})[a-z_, ]+(?={OPEN}(?:\\.|, Version))")
WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
#: Columns whose values are names that a site or a system gave, or codes.
NAMES = {
    "dim_facility": ("facility", "facility_name", "zone", "kind"), "dim_device": ("device", "device_name", "modality"),
    "dim_procedure": ("procedure", "procedure_name", "region", "laterality", "contrast"),
    "dim_radiologist": ("radiologist", "label"), "dq_freshness": ("source",),
    "dq_system_flow": ("sender", "receiver", "kind"), "dq_unmapped": ("name",),
    "dq_procedure_name": ("code", "text", "procedure", "proposal", "others", "says", "modality", "header_region",
                          "header_laterality", "header_contrast"),
    "fct_image_reject": ("reason",), "fct_exam": ("device", "procedure_local", "modality"),
    "fct_exam_event": ("source",),
}  # fmt: skip


def marked(told: str) -> str:
    """A text with marks around its words, so that what is put into it stands outside."""
    pieces = []
    for words, name, form, turn in string.Formatter().parse(told):
        pieces.append(f"{OPEN}{words}{CLOSE}" if words.strip() else words)
        if name is not None:
            pieces.append("{" + name + (f"!{turn}" if turn else "") + (f":{form}" if form else "") + "}")
    return "".join(pieces)


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """German in which each text of a table is marked."""
    own = {key: marked(told) for key, told in texts.table("de").items()}
    sql = {key: marked(told) for key, told in said.table("de").items()}
    monkeypatch.setattr(texts, "table", lambda _: own)
    monkeypatch.setattr(said, "table", lambda _: sql)
    for names in (dates.SHORT_MONTHS, dates.MONTHS, dates.WEEKDAYS, dates.SHORT_WEEKDAYS):
        monkeypatch.setitem(names, "de", tuple(f"{OPEN}{name}{CLOSE}" for name in names["de"]))
    spoken._translated.cache_clear()
    with speaking("de"):
        yield
    spoken._translated.cache_clear()


@pytest.fixture(scope="module")
def names(store: Store) -> re.Pattern[str]:
    """What sites and systems call things, the longest first."""
    found: set[str] = set()
    for table, columns in NAMES.items():
        for column in columns:
            for value in rows(store.current(), table, columns=(column,), limit=100_000)[column].unique().to_list():
                role, _, key = str(value or "").partition(" ")
                found.add(key if role in ("Radiologist", "Trainee") else str(value or ""))
    lines = {line for value in found for line in (value, value.replace(" ", "<br>")) if len(value) > 1}
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(lines, key=len, reverse=True)))})(?!\w)")


def read(part: Any, key: str = "children") -> Iterator[str]:
    """Every text of a page's parts that people read or hear."""
    if isinstance(part, str):
        if key in READ:
            yield part
    elif isinstance(part, list):
        for one in part:
            yield from read(one, key)
    elif isinstance(part, dict):
        if part.get("type") in CODE and "namespace" in part:
            return
        for name, inner in part.items():
            if name in ("data-rows", "data-config"):
                yield from read(json.loads(inner))
            elif name == "texts":
                yield from inner.values()
            elif name in READ or isinstance(inner, dict | list):
                yield from read(inner, name)


def english(told: str, names: re.Pattern[str]) -> list[str]:
    """Words of a text that no table of the language gave."""
    told = IDS.sub(r"\1", told)
    left = re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", " ", told)
    return WORD.findall(UNSPOKEN.sub(" ", names.sub(" ", UNSPOKEN.sub(" ", names.sub(" ", left)))))


#: Page -> searches in which it is read.
READINGS = {page.path: [""] for page in PAGES} | {
    "/live": ["", "?wall=1", "?radiologist=x"],
    "/exams": ["", "?show=excluded", "?show=waiting&weekday=1&hour=8", "?length=report_final_min:60-120"],
    "/exam": [],
    "/metric": [f"?metric={metric}" for metric in (
        "report_final", "within_target", "backlog", "discontinued_rate", "forecast_volume", "link_rate",
        "scheduled_vs_performed&by=device", "reads&by=shift", "occupancy_by_hour&by=weekday")],
    "/turnaround": ["", "?priority=stat&facility=NORTH&facility=WEST&compare=year", "?period=all"],
}  # fmt: skip


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_no_text_of_a_page_falls_back_to_english(page: Page, store: Store, names: re.Pattern[str]) -> None:
    snapshot = store.current()
    searches = READINGS[page.path] or [f"?exam={exam_key(store)}"]
    for search in searches:
        context = Context(snapshot, State.read(search, snapshot.data_through), LOCAL, store=store)
        told = told_by(page, context)
        assert len(told) > 3
        wrong = {one: words for one in told if (words := english(one, names))}
        assert not wrong, f"{page.path}{search}: {dict(list(wrong.items())[:30])}"


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize("has_edition", [False, True], ids=["none", "one"])
def test_no_text_of_the_reports_falls_back_to_english_with_an_edition_or_none(
    has_edition: bool, home: Path, tmp_path: Path, report_pack: Path, names: re.Pattern[str]
) -> None:
    (tmp_path / "published").symlink_to(home / "published", target_is_directory=True)
    if has_edition:
        shutil.copytree(report_pack, tmp_path / "exports" / MONTH)
    store = Store(tmp_path / "published")
    snapshot = store.current()
    told = told_by(BY_PATH["/reports"], Context(snapshot, State.read("", snapshot.data_through), LOCAL, store=store))
    assert (texts.text("reports.none.title") in told) is not has_edition
    assert {one: words for one in told if (words := english(one, names))} == {}


def told_by(page: Page, context: Context) -> list[str]:
    """Every text of a page."""
    return list(read(json.loads(json.dumps(page.render(context), cls=PlotlyJSONEncoder))))


def exam_key(store: Store) -> str:
    asked = rows(store.current(), "fct_exam", columns=("exam_key",), where={"is_countable": True}, limit=1)
    return str(asked["exam_key"][0])


@pytest.mark.usefixtures("german")
def test_no_text_of_the_frame_falls_back_to_english(store: Store, context: Context, names: re.Pattern[str]) -> None:
    frame = shell.frame(filterbar.options(store.current(), LOCAL), everywhere(store.current()))
    parts = [frame, shell.nav(context.state, None), shell.status(context.snapshot), shell.banner(context)]
    parts += [shell.problem(texts.text(f"problem.{kind}.title"), texts.text(f"problem.{kind}.hint"))
              for kind in ("unpublished", "gone", "older", "filter", "unknown")]  # fmt: skip
    made = json.loads(json.dumps(parts, cls=PlotlyJSONEncoder))
    wrong = {one: words for one in read(made) if (words := english(one, names))}
    assert wrong == {"EN": ["EN"], "English": ["English"]}  # the control of the other language


def test_english_on_a_german_page_is_found(names: re.Pattern[str]) -> None:
    assert english(f"{OPEN}Zeit{CLOSE} 12 min", names) == []
    assert english(f"{OPEN}Zeit{CLOSE} until then", names) == ["until", "then"]
    assert english(f"{OPEN}Datenstand{CLOSE} 000001-c2d6a21ac7b1", names) == []
    assert english("000001-of-c2d6a21ac7b1 summary.csv", names) == ["of", "ac", "summary", "csv"]
    assert list(read({"type": "Span", "namespace": "x", "props": {"children": ["a", {"title": "b", "id": "c"}]}})) == [
        "a", "b"]  # fmt: skip


#: A number with the signs of a language.
NUMBER = {"en": re.compile(r"\d[\d,]*(?:\.\d+)?"), "de": re.compile(r"\d[\d.]*(?:,\d+)?")}
SIGNS = {"en": str.maketrans({",": ""}), "de": str.maketrans({".": "", ",": "."})}


def numbers(told: str, code: str) -> list[float]:
    """The numbers in a text, read as its language writes them."""
    return [float(found.translate(SIGNS[code])) for found in NUMBER[code].findall(told)]


@pytest.mark.parametrize("path", ["/", "/turnaround", "/utilization", "/live", "/metric"])
def test_numbers_are_the_same_in_both_languages(path: str, context: Context) -> None:
    made = {}
    for code in LANGUAGES:
        with speaking(code):
            page = BY_PATH[path].render(context)
            made[code] = list(read(json.loads(json.dumps(page, cls=PlotlyJSONEncoder))))
    compared = [pair for pair in zip(made["en"], made["de"], strict=True) if THIN in pair[0] or pair[0].isdigit()]
    assert len(compared) > 50
    assert [pair for pair in compared if numbers(pair[0], "en") != numbers(pair[1], "de")] == []
    assert any("," in german for _, german in compared)
