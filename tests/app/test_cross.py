"""From a mark to the rest, in a real browser: click, again, Shift, drag, Escape, the keyboard, and the way back."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from app import cross, words
from app.context import Context
from app.state import State
from app.texts import text
from sql import query
from sql.snapshot import Store
from sql.words.dates import WEEKDAYS
from tests.app.conftest import LOCAL
from tests.app.watching import LOADED, Watched, graphs_drawn


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def card(page: Page, heading: str) -> Locator:
    """A card, in sight, once its chart is drawn."""
    graphs_drawn(page)
    found = page.locator("section.card", has=page.get_by_role("heading", name=heading, exact=True))
    found.locator(".graph").scroll_into_view_if_needed()
    return found


def click(page: Page, mark: Locator) -> None:
    box = mark.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def links(page: Page, heading: str) -> list[tuple[str, str]]:
    """Days that the points of a course lead to, as it is drawn."""
    hrefs = card(page, heading).evaluate("one => one.querySelector('.js-plotly-plot').data[0].customdata")
    found = [parse_qs(urlsplit(href).query) for href in hrefs if href]
    return [(one["since"][0], one["until"][0]) for one in found]


def test_a_drag_over_a_course_sets_the_period_and_back_undoes_it(watched: Watched, store: Store) -> None:
    page = watched.open("/turnaround", "turnaround")
    before = page.locator(".tile-value").nth(2).inner_text()
    days = links(page, "Over time")
    box = card(page, "Over time").locator(".nsewdrag").bounding_box()
    assert box is not None
    points = card(page, "Over time").locator(".trace").first.locator(".point").all()
    ends = [points[number].bounding_box() for number in (3, 8)]
    assert None not in ends
    left, right = (end["x"] + end["width"] / 2 for end in ends if end)
    page.mouse.move(left - 4, box["y"] + 20)
    page.mouse.down()
    page.mouse.move((left + right) / 2, box["y"] + 30)
    expect(page.locator(".brush")).to_be_visible()
    page.mouse.move(right + 4, box["y"] + 20)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since="), timeout=LOADED)
    expect(page.locator(".brush")).to_have_count(0)
    since, until = days[3][0], days[8][1]
    assert (asked(page)["since"], asked(page)["until"]) == ([since], [until])
    snapshot = store.current()
    filters = State.read(urlsplit(page.url).query, snapshot.data_through).filters
    half = words.minutes(query.metric(snapshot, "report_final", filters=filters, statistic="p50")["value"][0])
    expect(page.locator(".tile-value").nth(2)).to_have_text(half, timeout=LOADED)
    page.go_back()
    expect(page).not_to_have_url(re.compile("since="))
    expect(page.locator(".tile-value").nth(2)).to_have_text(before, timeout=LOADED)


def test_a_point_is_its_period_and_escape_is_the_usual_one(watched: Watched) -> None:
    page = watched.open("/turnaround", "turnaround")
    since, until = links(page, "Over time")[5]
    click(page, card(page, "Over time").locator(".trace").first.locator(".point").nth(5))
    expect(page).to_have_url(re.compile(f"since={since}&until={until}"), timeout=LOADED)
    expect(page.locator("#filter-period")).not_to_have_value("Last 28 days", timeout=LOADED)
    card(page, "Over time").locator(".graph").hover()
    page.keyboard.press("Escape")
    expect(page.locator("#filter-period")).to_have_value("Last 28 days", timeout=LOADED)


def test_a_bar_keeps_the_page_to_its_group_and_with_shift_leads_to_its_exams(watched: Watched) -> None:
    page = watched.open("/repeats", "repeats")
    bars = card(page, "Exams repeated within 30 days").locator(".bars .point path")
    click(page, bars.nth(1))
    expect(page).to_have_url(re.compile("modality="), timeout=LOADED)
    (modality,) = asked(page)["modality"]
    expect(page.locator("#sentence")).to_contain_text(f"modality {modality}", timeout=LOADED)
    said = page.locator(".chosen").first
    expect(said).to_contain_text(f"Only {modality}")
    click(page, card(page, "Exams repeated within 30 days").locator(".bars .point path").first)  # again: all
    expect(page).not_to_have_url(re.compile("modality="), timeout=LOADED)
    expect(page.locator(".chosen")).to_have_count(0, timeout=LOADED)
    page.keyboard.down("Shift")
    click(page, card(page, "Exams repeated within 30 days").locator(".bars .point path").nth(1))
    page.keyboard.up("Shift")
    page.wait_for_selector(".page-exams", timeout=LOADED)
    assert asked(page) == {"modality": [modality], "show": ["repeats"], "clock": ["started"]}


def test_a_name_in_a_table_does_the_same_by_keyboard(watched: Watched) -> None:
    page = watched.open("/utilization", "utilization")
    name = page.get_by_role("table", name="Devices").locator("a.by").first
    label = name.inner_text()
    name.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("device="), timeout=LOADED)
    expect(page.locator("#sentence")).to_contain_text("device", timeout=LOADED)
    expect(page.get_by_role("table", name="Devices").locator("tbody tr")).to_have_count(1)
    again = page.get_by_role("table", name="Devices").get_by_role("link", name=label)
    again.focus()
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".page-exams", timeout=LOADED)
    assert "device" in asked(page)


def test_an_hour_of_what_waits_leads_to_what_waits_now(watched: Watched) -> None:
    """All its hours lead to the same, which is said once."""
    page = watched.open("/workload", "workload")
    waiting = card(page, text("q.workload.backlog"))
    at = waiting.evaluate("""one => {
        const drawn = one.querySelector('.js-plotly-plot'), { xaxis, yaxis } = drawn._fullLayout;
        const most = drawn.calcdata[0].reduce((best, point) => (point.y > best.y ? point : best));
        return [xaxis.c2p(most.x), yaxis.c2p(most.y)];
    }""")
    box = waiting.locator(".nsewdrag").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    page.wait_for_selector(".page-exams", timeout=LOADED)
    assert (asked(page)["show"], asked(page).get("since")) == (["waiting"], None)


def test_a_cell_of_the_week_keeps_the_page_to_its_hour_and_again_gives_all_back(watched: Watched, store: Store) -> None:
    page = watched.open("/turnaround", "turnaround")
    week = card(page, "By weekday and hour")
    links = week.evaluate("one => one.querySelector('.js-plotly-plot').data[0].customdata")
    day, hour = next((day, hour) for day in range(7) for hour in range(24) if links[day][hour])
    box = week.locator(".nsewdrag").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * (hour + 0.5) / 24, box["y"] + box["height"] * (day + 0.5) / 7)
    expect(page).to_have_url(re.compile(f"weekday={day + 1}&hour={hour}$"), timeout=LOADED)
    told = f"on a {WEEKDAYS['en'][day]}, in the hour from {hour:02d}:00"
    expect(page.locator("#sentence")).to_contain_text(told, timeout=LOADED)
    expect(page.locator(".multi-box.marked:visible")).to_have_count(2)
    snapshot = store.current()
    filters = State.read(urlsplit(page.url).query, snapshot.data_through).filters
    assert (filters.weekday, filters.hour) == ((str(day + 1),), (str(hour),))
    half = words.minutes(query.metric(snapshot, "report_final", filters=filters, statistic="p50")["value"][0])
    expect(page.locator(".tile-value").nth(2)).to_have_text(half, timeout=LOADED)
    card(page, "By weekday and hour").locator(".clear-marks").click()
    expect(page).not_to_have_url(re.compile("weekday="), timeout=LOADED)
    expect(page.locator(".multi-box.marked:visible")).to_have_count(0)


def test_a_bar_of_a_histogram_is_its_range_by_keyboard_and_a_double_click_gives_all_back(watched: Watched) -> None:
    page = watched.open("/turnaround", "turnaround")
    found = card(page, "How the times spread")
    found.locator(".as-table summary").focus()
    page.keyboard.press("Enter")
    only = found.locator(".as-table tbody a.by-length").nth(1)
    only.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("length=report_final_min"), timeout=LOADED)
    expect(page.locator("#sentence")).to_contain_text("with exam end to final report of", timeout=LOADED)
    expect(page.locator(".multi-box.marked:visible")).to_have_count(1)
    plot = card(page, "How the times spread").locator(".nsewdrag").bounding_box()
    assert plot is not None
    page.mouse.dblclick(plot["x"] + plot["width"] / 2, plot["y"] + 5)
    expect(page).not_to_have_url(re.compile("length="), timeout=LOADED)
    expect(page.locator(".chosen")).to_have_count(0, timeout=LOADED)


def test_the_table_behind_a_chart_says_what_it_says_and_has_its_ways(watched: Watched) -> None:
    page = watched.open("/repeats", "repeats")
    found = card(page, "Exams repeated within 30 days")
    tips = found.evaluate("one => one.querySelector('.js-plotly-plot').data[0].text")
    found.locator(".as-table summary").focus()
    page.keyboard.press("Enter")
    rows = found.locator(".as-table tbody tr")
    expect(rows).to_have_count(len(tips))
    for told, tip in zip(rows.all(), tips, strict=True):
        said = re.sub(r"<[^>]*>", " ", tip.replace("<br>", " ")).split()
        assert set(said) <= set(told.inner_text().replace(",", " ").split()) | set(told.inner_text().split())
    rows.first.get_by_role("link", name="exams", exact=True).click()
    page.wait_for_selector(".page-exams", timeout=LOADED)


def test_only_groups_that_are_filters_keep_a_page(context: Context, store: Store) -> None:
    assert cross.keys("facility | modality") == ("facility", "modality")
    assert cross.keys("weekday | hour") == cross.HOURS
    assert cross.keys("facility | shift") == ()
    assert cross.chosen(context, ("facility",)) == []
    snapshot = store.current()
    kept = Context(snapshot, State.read("?facility=NORTH&modality=CT", snapshot.data_through), LOCAL)
    told = str(cross.chosen(kept, ("facility",)))
    assert "Only" in told
    assert "href='?modality=CT'" in told
