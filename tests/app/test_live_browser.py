"""The page Live in a real browser: it follows a publish in place, and has a wall display without anything to scroll."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.sections import wall
from tests.app.boards import exams, later, publish
from tests.app.serving import serving
from tests.app.watching import LOADED, WALL, Tabs

#: Notes, frame by frame, the height of the page and how many numbers it shows.
NOTE_FRAMES = """() => {
  window.frames_ = [];
  const page = document.getElementById("page");
  const note = () => {
    const tiles = page.querySelectorAll(".tile").length;
    window.frames_.push([document.documentElement.scrollHeight, tiles, getComputedStyle(page).opacity, window.scrollY]);
    requestAnimationFrame(note);
  };
  note();
}"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder of snapshots and the address of a server over it."""
    folder = tmp_path_factory.mktemp("board")
    publish(folder, exams(), 1)
    with serving(folder) as at:
        yield folder, at


def next_number(folder: Path) -> int:
    return len(list(folder.glob("radops-*.duckdb"))) + 1


def begin(folder: Path) -> None:
    """The first board again."""
    publish(folder, exams(), next_number(folder))


def row(page: Page, exam: str) -> str:
    return f'[data-exam="{exam}"]'


def sizes_of(page: Page, selector: str) -> list[float]:
    """Heights of the type of some elements in pixels."""
    found = page.locator(selector).evaluate_all("all => all.map(one => parseFloat(getComputedStyle(one).fontSize))")
    return [float(size) for size in found]


def publish_and_wait(page: Page, folder: Path) -> int:
    """How often a page looks for a new snapshot after the later board is published, until it asks for it."""
    number, asked = next_number(folder), list[str]()
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    publish(folder, later(), number, 10)
    page.evaluate("0")  # looks of the seconds that a publish takes on a busy machine are told before this is answered
    asked.clear()
    expect(page.locator("#snapshot-id")).to_have_text(f"{number:06d}-test", timeout=LOADED)
    return asked.index("/view/live")


def test_a_publish_is_followed_in_place(tabs: Tabs, board: tuple[Path, str]) -> None:
    folder, address = board
    begin(folder)
    with tabs.watched(address) as seen:
        page = seen.open("/live", "live")
        expect(page.locator(".age")).to_contain_text("old", timeout=LOADED)
        expect(page.locator(".stale-only")).to_be_visible()  # these events are long ago
        page.evaluate("window.same_ = true")
        link = page.locator(f"{row(page, 'u040')} a")
        link.scroll_into_view_if_needed()
        link.focus()
        down = page.evaluate("window.scrollY")
        assert down > 300
        page.evaluate(NOTE_FRAMES)
        assert publish_and_wait(page, folder) <= 2
        expect(page.locator(row(page, "over"))).to_have_count(0)
        marked = set(page.locator("tr.is-changed").evaluate_all("all => all.map(one => one.dataset.exam)"))
        assert marked == {"next", "u033"}  # one has breached; one came into the list as another left it
        assert page.locator('[data-mark="n_over"].is-changed').count() == 0  # one is read, another breached: as many
        assert page.locator('[data-mark="n_in_exam"].is-changed').inner_text() == "2"
        assert page.evaluate("document.activeElement.closest('[data-exam]').dataset.exam") == "u040"
        assert page.evaluate("window.scrollY") == down
        assert page.evaluate("window.same_") is True
        heights, tiles, opacities, places = zip(*page.evaluate("window.frames_"), strict=True)
        assert set(tiles) == {5}  # no frame without its numbers
        assert set(opacities) == {"1"}
        assert set(places) == {down}
        assert min(heights) > max(heights) - 200
        expect(page.locator(".is-changed")).to_have_count(0, timeout=10_000)
        assert page.evaluate("performance.getEntriesByType('navigation').length") == 1


def test_marks_do_not_move_for_those_who_do_not_want_it(tabs: Tabs, board: tuple[Path, str]) -> None:
    folder, address = board
    begin(folder)
    with tabs.watched(address, reduced_motion="reduce") as seen:
        page = seen.open("/live?show=in_exam", "live")
        publish_and_wait(page, folder)
        cell = page.locator(f"{row(page, 'wait')}.is-changed td").first
        assert cell.evaluate("one => getComputedStyle(one).animationName") == "none"
        assert cell.evaluate("one => getComputedStyle(one).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_a_list_is_chosen_and_an_exam_opened_and_back(tabs: Tabs, board: tuple[Path, str]) -> None:
    folder, address = board
    begin(folder)
    with tabs.watched(address) as seen:
        page = seen.open("/live", "live")
        page.locator(".tile.over a").click()
        expect(page.locator("tr[data-exam]")).to_have_count(3)
        expect(page.get_by_role("link", name="Left <img src=x> over")).to_be_visible()  # words, never HTML
        page.get_by_role("link", name="Over for long").click()
        page.wait_for_selector(".page-exam", timeout=LOADED)
        page.go_back()
        expect(page.locator("tr[data-exam]")).to_have_count(3)
        expect(page.locator("#filter-period")).not_to_be_visible()
        page.locator("#filter-facility").click()
        page.get_by_role("option", name="East Hospital").click()
        expect(page.locator("#sentence")).to_have_text("At EAST.", timeout=LOADED)
        expect(page.locator("tr[data-exam]")).to_have_count(0)


def test_the_wall_fits_its_screen_and_is_left_by_a_key(tabs: Tabs, board: tuple[Path, str]) -> None:
    folder, address = board
    begin(folder)
    with tabs.watched(address, WALL) as seen:
        page = seen.open("/live?facility=NORTH", "live")
        assert page.locator(".of-dates").count() > 0
        expect(page.locator(".of-dates:visible")).to_have_count(0)
        page.locator("#wall-enter").click()
        expect(page.locator(".wall")).to_be_visible(timeout=LOADED)
        expect(page.locator(".wall .age")).to_contain_text("old", timeout=LOADED)
        for hidden in (".top", ".nav", ".filters"):
            expect(page.locator(hidden)).not_to_be_visible()
        width, height = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert (width, height) == (WALL["width"], WALL["height"])
        box = page.locator(".wall").bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (WALL["width"], WALL["height"])
        bottoms = page.locator(".wall li").evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
        assert len(bottoms) == wall.ROWS + 2
        assert max(bottoms) < WALL["height"]
        assert min(sizes_of(page, ".wall-left, .wall-number, .wall-what:not(.long)")) >= 44
        assert all(size >= 33 for size in sizes_of(page, ".wall-what.long"))  # a long name has two lines
        page.set_viewport_size({"width": WALL["width"], "height": 860})  # a low screen: smaller, not overlaid
        over = """all => all.filter(one => [...one.querySelectorAll("div, span")].some(part =>
          part.getBoundingClientRect().bottom > one.getBoundingClientRect().bottom + 1)).length"""
        assert page.locator(".wall li").evaluate_all(over) == 0
        page.set_viewport_size(WALL)  # type: ignore[arg-type]
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(",")) < 120
        publish(folder, later(), next_number(folder), 10)
        expect(page.locator(f".wall-panel.over {row(page, 'next')}")).to_be_visible(timeout=LOADED)
        expect(page.locator(".notice.cut-off")).not_to_be_visible()
        page.route("**/snapshot?*", lambda route: route.abort())
        expect(page.locator(".notice.cut-off")).to_be_visible(timeout=LOADED)
        page.unroute("**/snapshot?*")
        expect(page.locator(".notice.cut-off")).not_to_be_visible(timeout=LOADED)
        page.keyboard.press("?")
        expect(page.locator("dialog[open]")).to_be_visible()
        page.keyboard.press("Escape")  # closes the sheet of keys, and the wall stays
        expect(page.locator("dialog[open]")).to_have_count(0)
        assert "wall=" in page.url
        page.keyboard.press("Escape")
        expect(page.locator(".page-live .tiles")).to_be_visible(timeout=LOADED)
        expect(page.locator(".nav")).to_be_visible()
        assert page.url.endswith("/live?facility=NORTH")
        seen.faults[:] = [told for told in seen.faults if "ERR_FAILED" not in told]
