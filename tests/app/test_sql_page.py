"""The page SQL in a real browser: proposals, run, grid, plot, files, cancel, link, queries, dark, phone, print."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest
from playwright.sync_api import Download, Page, expect

from app import answers
from app.files import ASSETS
from app.guard import Person
from app.texts import TEXTS
from sql.snapshot import Store
from sql.worked import worked
from tests.app.conftest import LOCAL
from tests.app.watching import LOADED, PHONE, Watched

SCRIPT = (ASSETS / "sql.js").read_text("utf-8")


def test_every_text_of_the_script_is_in_the_catalogue_and_used() -> None:
    said = {key.removeprefix("sqlpage.js.") for key in TEXTS if key.startswith("sqlpage.js.")}
    used = set(re.findall(r"""\b(?:say|button|choice)\(\s*"([^"]+)\"""", SCRIPT))
    used |= {key for pair in re.findall(r'say\([^")]+\? "([^"]+)" : "([^"]+)"', SCRIPT) for key in pair}
    made = {"cut.rows", "cut.bytes", "tab.schema", "tab.queries", "line", "bar", "points"}
    assert used | made == said


def test_the_script_asks_nobody_else_and_runs_no_text() -> None:
    assert not re.search(r"https?://|\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", SCRIPT)


def test_whoever_may_not_see_all_is_told_so(store: Store) -> None:
    for person in (Person("east", ("EAST",), sees_readers=True), Person("viewer")):
        page = str(answers.page(store, person, "/sql", "", "light").page)
        assert TEXTS["sqlpage.forbidden"] in page
        assert "sql-app" not in page
    page = str(answers.page(store, LOCAL, "/sql", "", "light").page)
    assert "sql-app" in page
    assert TEXTS["sqlpage.forbidden"] not in page


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """A run waits for a process, on a machine that has much to do."""
    expect.set_options(timeout=LOADED // 2)
    yield
    expect.set_options(timeout=None)


@pytest.fixture
def blank(watched: Watched) -> Page:
    """A wide page, still empty; nothing may have gone wrong on it in the end, and no warning have come."""
    watched.page.on("console", lambda m: watched.faults.append(m.text) if m.type == "warning" else None)
    return watched.page


def downloaded(page: Page, name: str) -> Download:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    return waiting.value


@pytest.fixture
def page(blank: Page, address: str) -> Page:
    """The page on a wide screen, with its schema there."""
    blank.goto(f"{address}/sql")
    expect(blank.locator(".sql-entries .sql-pick", has_text="fct_exam").first).to_be_visible(timeout=LOADED)
    return blank


def test_written_with_proposals_run_drawn_and_downloaded(page: Page, store: Store) -> None:
    text, rows = page.locator("#sql-text"), page.locator(".sql-table tbody tr")
    expect(page.get_by_text("Nothing was run yet")).to_be_visible()
    expect(page.locator(".sql-result")).to_be_hidden()

    # written with proposals: a metric, its parameters, columns of the table behind FROM
    text.focus()
    page.keyboard.type("SELECT group_value, n, value FROM metrics.report_fi")
    expect(text).to_have_attribute("role", "combobox")
    expect(page.get_by_role("option", selected=True)).to_contain_text("report_final()")
    page.keyboard.press("Tab")
    expect(text).to_have_value("SELECT group_value, n, value FROM metrics.report_final()")
    page.keyboard.type("gro")
    page.keyboard.press("Enter")
    page.keyboard.type("['facility']")
    assert text.input_value().endswith("report_final(groups := ['facility'])")
    page.keyboard.press("End")
    page.keyboard.type(" ORDER BY 1")
    page.keyboard.press("Control+Enter")
    told = store.current().execute(text.input_value())
    expect(rows).to_have_count(told.height)
    cells = [row.split("\t")[1:] for row in rows.all_inner_texts()]
    assert [row[:2] for row in cells] == [[str(name), str(n)] for name, n, _ in told.iter_rows()]
    assert [float(row[2]) for row in cells] == pytest.approx(told["value"].to_list(), abs=1e-6)
    expect(page.locator(".sql-table th", has_text="value").last).to_contain_text("DOUBLE")
    expect(page.locator(".sql-told")).to_contain_text(store.current().id)

    # a plot in the figures' style, and files with the same rows
    page.get_by_role("button", name="Plot", exact=True).click()
    expect(page.locator(".sql-drawn .bars path")).to_have_count(told.height)
    page.get_by_label("Kind").select_option("points")
    expect(page.locator(".sql-drawn .scatterlayer .point")).to_have_count(told.height)
    made = list(csv.reader(io.StringIO(Path(downloaded(page, "CSV").path()).read_text("utf-8"))))
    assert made[0] == ["group_value", "n", "value"]
    assert [row[:2] for row in made[1:]] == [row[:2] for row in cells]
    assert pl.read_parquet(downloaded(page, "Parquet").path()).equals(told)


def test_told_what_is_wrong_what_is_cut_and_cancelled(page: Page) -> None:
    text, rows = page.locator("#sql-text"), page.locator(".sql-table tbody tr")

    # an error with its place, and the keyboard is not trapped
    text.fill("SELECT facility, nothing_like_it\nFROM fct_exam")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sql-error")).to_contain_text('Referenced column "nothing_like_it" not found')
    expect(page.locator(".sql-wrong")).to_have_text("nothing_like_it")
    page.get_by_role("button", name="Line 1, column 18: go there").click()
    assert page.evaluate("document.getSelection().toString()") == "nothing_like_it"
    page.keyboard.press("Tab")
    expect(page.locator("#sql-run")).to_be_focused()

    # cut, leafed through, without rows, NULL
    text.fill("SELECT range AS i, NULL AS nothing FROM range(20000)")
    page.locator("#sql-run").click()
    expect(page.locator(".sql-cut").first).to_contain_text("First 10,000 rows of more")
    expect(rows).to_have_count(200)
    expect(page.locator(".sql-null").first).to_have_text("NULL")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(rows.first.locator("td").nth(1)).to_have_text("200")
    text.fill("SELECT 1 AS a WHERE false")
    page.locator("#sql-run").click()
    expect(page.get_by_text("The statement gives no rows.")).to_be_visible()

    # a long one is cancelled; its process is asked to end through whichever process of the server answers
    text.fill("SELECT sleep_ms(60000)")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sql-clock")).to_contain_text(re.compile(r"[1-9]\.\d s"))
    page.keyboard.press("Escape")
    expect(page.locator(".sql-error")).to_contain_text("Cancelled.")
    expect(page.locator("#sql-run")).to_be_visible()


def test_queries_are_kept_and_everything_stays_while_one_looks_elsewhere(page: Page, tmp_path: Path) -> None:
    text, rows = page.locator("#sql-text"), page.locator(".sql-table tbody tr")

    # click inserts; worked queries are the README's; own ones are kept, go out and come in
    page.get_by_label("Find a table").fill("dim_facility")
    text.fill("FROM ")
    page.locator(".sql-entries .sql-pick", has_text="dim_facility").first.click()
    expect(text).to_have_value("FROM dim_facility")
    page.get_by_role("button", name="Save…").click()
    page.get_by_label("Name of the query").fill("Ours")
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Queries").click()
    page.get_by_role("button", name=worked()[1].title).click()
    expect(text).to_have_value(worked()[1].statement)
    page.get_by_role("button", name="Ours", exact=True).click()
    expect(text).to_have_value("FROM dim_facility")
    kept = Path(downloaded(page, "Export .sql").path()).read_text("utf-8")
    assert kept == "-- name: Ours\nFROM dim_facility;\n"
    (tmp_path / "more.sql").write_text("-- name: Theirs\nSELECT 7 AS seven;\n\n-- name: Ours\nSELECT 8;\n")
    page.locator("input[type=file]").set_input_files(tmp_path / "more.sql")
    page.get_by_role("button", name="Theirs", exact=True).click()
    expect(text).to_have_value("SELECT 7 AS seven")
    assert json.loads(page.evaluate("localStorage['radops-sql-saved']"))["Ours"] == "SELECT 8"

    # left and come back to, all is still there
    page.locator("#sql-run").click()
    expect(rows).to_have_text(re.compile("7"))
    page.get_by_role("link", name="Definitions", exact=True).click()
    page.wait_for_selector(".page-definitions")
    page.get_by_role("link", name="SQL", exact=True).click()
    expect(text).to_have_value("SELECT 7 AS seven")
    expect(rows).to_have_text(re.compile("7"))
    page.locator("#scheme-toggle").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(rows).to_have_text(re.compile("7"))

    # printed: the statement and the grid, without tools
    page.emulate_media(media="print")
    expect(page.locator(".sql-tools")).to_be_hidden()
    expect(page.locator(".sql-side")).to_be_hidden()
    expect(page.locator(".sql-table")).to_be_visible()
    expect(page.locator(".sql-back")).to_contain_text("seven")


def test_a_link_shares_a_statement_short_or_long_on_a_dark_phone(blank: Page, address: str) -> None:
    page = blank
    page.goto(f"{address}/sql#s=SELECT%20'%C3%A9'%20AS%20letter")
    expect(page.locator("#sql-text")).to_have_value("SELECT 'é' AS letter")
    statement = "SELECT " + ", ".join(f"{number} AS column_{number}" for number in range(200))
    page.locator("#sql-text").fill(statement)
    expect(page).to_have_url(re.compile("#z="))
    link = page.url
    assert len(link) < len(statement) / 2
    assert "column" not in unquote(link)
    page.evaluate("localStorage.clear()")  # somebody else's browser
    page.goto("about:blank")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    page.context.new_cdp_session(page).send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.goto(link)
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    expect(page.locator("#sql-text")).to_have_value(statement)
    page.locator("#sql-run").click()
    expect(page.locator(".sql-table tbody tr")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == "dark"
    expect(page.locator(".sql-side")).to_be_hidden()
    page.get_by_role("button", name="Schema and queries").click()
    expect(page.locator(".sql-side")).to_be_visible()


def test_no_other_page_loads_its_script(watched: Watched, address: str) -> None:
    page, asked = watched.page, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/definitions")
    page.wait_for_selector(".page-definitions", timeout=LOADED)
    assert not any(re.search(r"/sql\.(js|css)$", url) for url in asked)
    page.get_by_role("link", name="SQL", exact=True).click()
    page.wait_for_selector("#sql-text", timeout=LOADED)
    assert sum(bool(re.search(r"/sql\.(js|css)$", url)) for url in asked) == 2
