"""The page of mappings: what it offers, what its file says, and the whole way from a click to the exams."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from app.context import Context
from app.decisions import COLUMNS, decide, row_id
from app.pages.mappings import AGAINST, QUEUE
from app.state import State
from etl.home import Home
from etl.mapping import take
from etl.publish import publish
from etl.settings import Settings
from sql.snapshot import open_snapshot
from tests.app.conftest import LOCAL
from tests.app.serving import serving
from tests.app.watching import Watched
from tests.warehouse import Warehouse, exam, image

STEALTH, SPECIAL, RARE = "CT HEAD W/O CONTRAST STEALTH", "SPECIAL STUDY", "CT HEAD FOR MR DOE"
TIMES = ("2026-03-02 15:00", "2026-03-02 15:30")


def loaded(root: Path) -> Warehouse:
    """Six patients with a name to confirm, five with one to find, one with a name of its own, one contradicted."""
    house = Warehouse(root)
    names = [("STEALTH", STEALTH)] * 6 + [("SP", SPECIAL)] * 5 + [("DOE", RARE), ("HEAD", "CT HEAD WO CONTRAST")]
    for number, (code, text) in enumerate(names):
        house.load(*exam(f"A{number:02d}", *TIMES, mrn=str(number), procedure_code=code, procedure_text=text))
    house.built(image("s1", TIMES[0], "A12", mrn="12", body_part="ABDOMEN", contrast_agent="Iohexol"))
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return loaded(tmp_path_factory.mktemp("mappings"))


@pytest.fixture(scope="module")
def home(house: Warehouse) -> Home:
    made = Home(house.root, Settings(home=house.root, key_file=house.key_file))
    made.prepare()
    publish(made)
    return made


@pytest.fixture(scope="module")
def view(home: Home) -> Context:
    snapshot = open_snapshot(home.published / "radops.duckdb")
    return Context(snapshot, State.read("", snapshot.data_through), LOCAL)


def test_the_queue_has_names_most_exams_first(view: Context) -> None:
    found = QUEUE.ask(view).select("code", "text", "n_exams", "method", "procedure", "says", "n_unknown").rows()
    assert found == [
        ("STEALTH", STEALTH, 6, "proposed", "CT_HEAD_WO", "CT · HEAD · WO", 1),
        ("SP", SPECIAL, 5, "none", None, None, 1),
        ("DOE", None, 1, "proposed", "CT_HEAD_WO", "CT · HEAD", 1),
        ("HEAD", None, 1, "conflict", "CT_HEAD_WO", "CT · HEAD · WO", 0),
    ]


def test_what_headers_speak_against_is_listed(view: Context) -> None:
    found = AGAINST.ask(view)
    columns = ("code", "proposal", "n_exams", "n_against", "n_region_against", "n_contrast_against", "n_views_against")
    assert found.select(columns).rows() == [("HEAD", "CT_HEAD_WO", 1, 1, 1, 1, 0)]


def test_the_file_holds_what_was_decided(view: Context) -> None:
    queue = QUEUE.ask(view)
    rows = {row["code"]: row_id(row) for row in queue.iter_rows(named=True)}
    chosen = {rows["STEALTH"]: " CT_HEAD_WO ", rows["SP"]: "MR_BRAIN_WO", rows["DOE"]: "", rows["HEAD"]: None}
    made = decide(queue, ["CT_HEAD_WO", "MR_BRAIN_WO"], chosen, "ann", "2026-03-01")
    assert list(csv.reader(io.StringIO(made.body.decode(), newline=""))) == [
        list(COLUMNS),
        ["NORTH", "STEALTH", STEALTH, "CT_HEAD_WO", "ann", "2026-03-01"],
        ["NORTH", "SP", SPECIAL, "MR_BRAIN_WO", "ann", "2026-03-01"],
    ]
    assert made.told == "2 decisions downloaded."


@pytest.mark.parametrize(
    ("procedure", "who", "day", "told"),
    [
        ("", "ann", "", "No name"),
        ("CT_HEAD_WO", " ", "", "Say who"),
        ("CT_HED", "ann", "", "There is no procedure CT_HED"),
        ("CT_HEAD_WO", "ann", "1.3.2026", "The day"),
    ],
)
def test_what_cannot_be_taken_is_told(view: Context, procedure: str, who: str, day: str, told: str) -> None:
    queue = QUEUE.ask(view)
    made = decide(queue, ["CT_HEAD_WO"], {row_id(queue.row(0, named=True)): procedure}, who, day)
    assert made.body == b""
    assert made.told.startswith(told)


def test_a_name_without_code_and_text_cannot_be_decided_here() -> None:
    row = {"label_key": "k", "modality": "CT", "facility": "NORTH", "code": None, "text": None}
    made = decide(pl.DataFrame([row]), ["CT_HEAD_WO"], {"k-CT": "CT_HEAD_WO"}, "ann", "")
    assert made.body == b""


@pytest.fixture
def address(home: Home) -> Iterator[str]:
    with serving(home.published) as at:
        yield at


def test_from_a_click_to_the_exams(house: Warehouse, home: Home, watched: Watched, tmp_path: Path) -> None:
    page = watched.open("/mappings", "mappings")
    assert RARE not in page.content()
    stealth, special = (page.locator("tr", has_text=text) for text in (STEALTH, SPECIAL))
    stealth.locator(".pick.main").click()
    assert stealth.locator("input").input_value() == "CT_HEAD_WO"
    special.locator("input").fill("CT_CHEST_WO")
    page.get_by_text("Download decisions").click()
    page.wait_for_selector(".told:has-text('Say who decides')", timeout=20_000)
    page.locator(".taking input").first.fill("ann")
    with page.expect_download(timeout=20_000) as download:
        page.get_by_text("Download decisions").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    page.reload()
    page.wait_for_selector(".page-mappings", timeout=60_000)
    assert special.locator("input").input_value() == "CT_CHEST_WO"  # kept in this browser
    asked = "SELECT procedure_local, procedure FROM fct_exam GROUP BY ALL ORDER BY ALL"
    assert dict(house.rows(asked)) == {"DOE": None, "HEAD": None, "SP": None, "STEALTH": None}
    assert take(file, home.site) == 2
    house.build()
    assert dict(house.rows(asked)) == {"DOE": None, "HEAD": None, "SP": "CT_CHEST_WO", "STEALTH": "CT_HEAD_WO"}
