"""The dashboard in a real browser: filters, ways, files and requests. How each page looks: `test_craft.py`."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from app.state import State
from sql import query
from sql.snapshot import Store
from tests.app.conftest import SAMPLE, Apart, radops
from tests.app.watching import LOADED, PHONE, Tabs, Watched, graphs_drawn


def test_the_phone_has_a_drawer_and_folds_its_filters(watched: Watched) -> None:
    watched.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page = watched.open("/", "overview")
    link = page.get_by_role("link", name="Workload", exact=True)
    expect(link).not_to_be_visible()
    page.locator("#burger").click()
    link.click()
    page.wait_for_selector(".page-workload")
    expect(page.get_by_role("link", name="Turnaround", exact=True)).not_to_be_visible()
    expect(page.locator("#filter-facility")).not_to_be_visible()
    page.locator("#filters-toggle").click()
    expect(page.locator("#filter-facility")).to_be_visible()


def test_a_filter_changes_the_address_the_words_and_the_numbers(watched: Watched, store: Store) -> None:
    page = watched.open("/turnaround", "turnaround")
    before = page.locator(".tile-value").nth(2).inner_text()
    page.locator("#filter-modality").click()
    page.get_by_role("option", name="CT", exact=True).click()
    expect(page.locator("#sentence")).to_contain_text("modality CT", timeout=LOADED)
    assert parse_qs(urlsplit(page.url).query) == {"modality": ["CT"]}
    snapshot = store.current()
    filters = State.read("?modality=CT", snapshot.data_through).filters
    median = query.metric(snapshot, "report_final", filters=filters, statistic="p50")
    from app import words  # noqa: PLC0415 - the same words as the page

    assert page.locator(".tile-value").nth(2).inner_text() == words.minutes(median["value"][0]) != before
    page.keyboard.press("Escape")
    page.locator("#filter-period").click()
    page.get_by_role("option", name="Last 7 days").click()
    expect(page).to_have_url(re.compile("since="), timeout=LOADED)
    page.go_back()
    expect(page).not_to_have_url(re.compile("since="))
    expect(page.locator("#filter-period")).to_have_value("Last 28 days", timeout=LOADED)
    page.go_back()
    expect(page.locator("#sentence")).not_to_contain_text("modality", timeout=LOADED)
    assert page.locator(".tile-value").nth(2).inner_text() == before


def test_a_link_opens_what_it_says_and_the_menu_keeps_it(watched: Watched) -> None:
    page = watched.open("/turnaround?facility=NORTH&priority=stat&compare=none", "turnaround")
    expect(page.locator("#sentence")).to_contain_text("at NORTH, priority stat")
    expect(page.locator("#filter-compare")).to_have_value("Nothing")
    page.get_by_role("link", name="Workload", exact=True).click()
    page.wait_for_selector(".page-workload")
    expect(page.locator("#sentence")).to_contain_text("at NORTH, priority stat")


def test_from_a_number_to_the_exams_to_one_timeline_and_back(watched: Watched) -> None:
    page = watched.open("/turnaround", "turnaround")
    row = page.get_by_role("table", name="Against target, by priority and patient class").locator("tbody tr").first
    n = row.locator("td").nth(1).inner_text()
    row.get_by_role("link").click(modifiers=["Shift"])
    page.wait_for_selector(".page-exams", timeout=LOADED)
    assert int(page.locator(".card .n").inner_text().removeprefix("n = ").replace(",", "")) >= int(n.replace(",", ""))
    page.locator(".table tbody td:first-child a").first.click()
    page.wait_for_selector(".page-exam .timeline", timeout=LOADED)
    assert page.locator(".event.milestone").count() >= 3
    page.go_back()
    page.wait_for_selector(".page-exams", timeout=LOADED)
    page.go_back()
    page.wait_for_selector(".page-turnaround", timeout=LOADED)


def test_a_mark_of_a_chart_leads_to_its_exams(watched: Watched) -> None:
    page = watched.open("/turnaround", "turnaround")
    graphs_drawn(page)
    card = page.locator("section", has=page.get_by_role("heading", name="How the times spread"))
    bar = card.locator(".bars .point path").nth(3)
    bar.hover(force=True)
    expect(card.locator(".hoverlayer .hovertext").first).to_be_visible(timeout=LOADED)  # a click is of what it names
    bar.click(force=True, modifiers=["Shift"])
    page.wait_for_selector(".page-exams", timeout=LOADED)
    assert parse_qs(urlsplit(page.url).query)["length"] == ["report_final_min:45-60"]
    expect(page.locator("#sentence")).to_contain_text("exam end to final report of 45")


def test_the_csv_of_a_card_has_the_numbers_of_the_query(watched: Watched, store: Store) -> None:
    page = watched.open("/repeats?facility=NORTH", "repeats")
    with page.expect_download() as given:
        page.locator('[data-question="repeats.modalities"]').click()
    rows = list(csv.DictReader(io.StringIO(Path(given.value.path()).read_text("utf-8"))))
    snapshot = store.current()
    filters = State.read("?facility=NORTH", snapshot.data_through).filters
    frame = query.metric(snapshot, "repeat_exam_rate", groups=("modality",), filters=filters)
    assert len(rows) > 2
    assert {row["group_value"]: float(row["value [share]"]) for row in rows} == pytest.approx(
        dict(frame.select("group_value", "value").iter_rows())
    )


def test_the_scheme_is_switched_and_remembered(watched: Watched) -> None:
    page = watched.open("/", "overview")
    page.locator("#scheme-toggle").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    page.reload()
    page.wait_for_selector(".page-overview", timeout=LOADED)
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == "dark"


def test_a_definition_opens_from_its_card(watched: Watched) -> None:
    page = watched.open("/turnaround", "turnaround")
    page.get_by_role("link", name="Definition", exact=True).first.click()
    page.wait_for_selector(".page-definitions", timeout=LOADED)
    expect(page.locator("details#report_final")).to_have_attribute("open", re.compile(".*"), timeout=LOADED)
    expect(page.locator("details#report_final pre")).to_contain_text("FROM fct_exam")


def test_nothing_matches_is_said_and_never_a_zero(watched: Watched) -> None:
    page = watched.open("/turnaround?since=1999-01-01&until=1999-02-01", "turnaround")
    assert page.get_by_text("No exams match").count() >= 4
    assert page.locator(".tile").count() == 0


def asked_of(page: Page) -> list[str]:
    """Requests for data from now on: views, callbacks, CSV files."""
    seen: list[str] = []
    page.on("request", lambda r: None if "/files/" in r.url or "-suites/" in r.url else seen.append(r.url))
    return seen


def test_a_page_is_one_request(watched: Watched) -> None:
    asked = asked_of(watched.page)
    page = watched.open("/turnaround", "turnaround")
    graphs_drawn(page)
    parts = [urlsplit(url).path for url in asked if url.startswith("http") and "/snapshot" not in url]
    assert sorted(parts) == ["/_dash-dependencies", "/_dash-layout", "/turnaround", "/view/turnaround"]
    asked.clear()
    page.get_by_role("link", name="Workload", exact=True).click()
    page.wait_for_selector(".page-workload", timeout=LOADED)
    graphs_drawn(page)
    page.locator("#filter-modality").click()
    page.get_by_role("option", name="CT", exact=True).click()
    expect(page.locator("#sentence")).to_contain_text("modality CT", timeout=LOADED)
    page.go_back()
    expect(page.locator("#sentence")).not_to_contain_text("modality CT", timeout=LOADED)
    page.locator("#scheme-toggle").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    graphs_drawn(page)
    views = [url for url in asked if url.startswith("http") and "/snapshot" not in url]
    assert [urlsplit(url).path for url in views] == ["/view/workload"] * 4
    assert (
        sum("plotly" in url for url in page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")) == 1
    )


def test_a_busy_server_is_said_and_asked_again(watched: Watched) -> None:
    page = watched.open("/repeats", "repeats")
    turned_away: list[str] = []

    def busy(route: Route) -> None:
        if len(turned_away) < 2:
            turned_away.append(route.request.url)
            route.fulfill(status=503, headers={"Retry-After": "1"}, body="busy")
        else:
            route.continue_()

    page.route("**/view/workload**", busy)
    expect(page.locator(".notice.busy")).not_to_be_visible()
    page.get_by_role("link", name="Workload", exact=True).click()
    expect(page.locator(".notice.busy")).to_be_visible(timeout=LOADED)
    page.wait_for_selector(".page-workload", timeout=LOADED)
    expect(page.locator(".notice.busy")).not_to_be_visible()
    assert len(turned_away) == 2
    watched.faults[:] = [told for told in watched.faults if "503" not in told]  # the browser's own line


def test_a_failed_view_is_said_and_the_page_stays(watched: Watched) -> None:
    page = watched.open("/repeats", "repeats")
    page.route("**/view/workload**", lambda route: route.fulfill(status=500, body="failed"))
    page.get_by_role("link", name="Workload", exact=True).click()
    expect(page.locator(".notice.failed")).to_be_visible(timeout=LOADED)
    assert page.locator(".page-repeats").count() == 1
    page.unroute("**/view/workload**")
    page.get_by_role("link", name="Turnaround", exact=True).click()
    page.wait_for_selector(".page-turnaround", timeout=LOADED)
    expect(page.locator(".notice.failed")).not_to_be_visible()
    watched.faults[:] = [told for told in watched.faults if "500" not in told]


def test_a_new_snapshot_is_shown_without_a_reload(apart: Apart, tmp_path: Path) -> None:
    page = apart.seen.open("/", "overview")
    old = page.locator("#snapshot-id").inner_text()
    first = next(path for path in sorted(SAMPLE.rglob("*.hl7")))
    late = tmp_path / "late.hl7"
    late.write_bytes(re.sub(rb"\b20\d\d(?=\d{4})", b"2027", first.read_bytes()))
    radops(apart.home, "run", str(late))
    expect(page.locator("#snapshot-id")).not_to_have_text(old, timeout=60_000)
    assert page.locator("#snapshot-id").inner_text().startswith("000002")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [("console.error('said')", "said"), ("setTimeout(() => { throw new Error('thrown'); })", "thrown"),
     ("document.body.append(Object.assign(new Image(), {src: 'http://192.0.2.1/'}))", "192.0.2.1")],
)  # fmt: skip
def test_a_tab_is_as_new_and_what_goes_wrong_on_it_is_told(tabs: Tabs, address: str, wrong: str, told: str) -> None:
    kept = "() => [localStorage.length, document.cookie]"
    with pytest.raises(AssertionError, match=told), tabs.watched(address) as seen:  # noqa: PT012 - its end asserts
        seen.page.goto(f"{address}/healthz")
        assert seen.page.evaluate(kept) == [0, ""]
        seen.page.evaluate("() => { localStorage.setItem('one', 'x'); document.cookie = 'two=x'; }")
        assert seen.page.evaluate(kept) == [1, "two=x"]
        seen.page.evaluate(f"() => {{ {wrong}; }}")
        for _ in range(100):
            if seen.faults:
                break
            seen.page.wait_for_timeout(50)
