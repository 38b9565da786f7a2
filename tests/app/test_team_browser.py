"""Notes and saved views in a real browser: by keyboard, from every page; the page follows in place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.serving import serving
from tests.app.watching import LOADED, Tabs

HOSTILE = '<img src=x onerror="document.title=1"> & more'
#: The team's dialogs, and whatever stands open; the sheet of keys is a closed dialog of every page.
DIALOGS = ".team-dialog, dialog[open]"


@pytest.fixture(scope="module")
def address(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a home of its own with the session's snapshots."""
    published = tmp_path_factory.mktemp("noted") / "published"
    published.symlink_to(home / "published", target_is_directory=True)
    with serving(published) as at:
        yield at


@pytest.fixture
def page(tabs: Tabs, address: str) -> Iterator[Page]:
    """A page on which nothing may have gone wrong in the end, but for what is refused and cut off on purpose."""
    expect.set_options(timeout=LOADED)
    with tabs.watched(address) as seen:
        yield seen.page
        seen.faults[:] = [told for told in seen.faults if "409" not in told and "ERR_FAILED" not in told]


def marks(page: Page) -> list[str]:
    """The numbers that stand on the first figure."""
    found = "[...document.querySelector('.js-plotly-plot').layout.annotations || []]"
    return list(page.evaluate(f"{found}.filter((one) => one.hovertext).map((one) => one.text)"))


def test_a_note_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/turnaround?facility=NORTH&period=all")
    page.wait_for_selector(".js-plotly-plot .main-svg")
    scrolled = page.evaluate("window.scrollTo(0, 120), window.scrollY")
    page.locator(".note-add").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Note on a day")).to_be_visible()
    expect(page.locator("dialog input[value=NORTH]")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator(DIALOGS)).to_have_count(0)
    expect(page.locator(".note-add")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type(HOSTILE)
    page.locator("dialog button[type=submit]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".team-said")).to_have_text("The note is kept.")
    expect(page.locator(".notes .note-text")).to_have_text(HOSTILE)
    expect(page.locator(DIALOGS)).to_have_count(0)
    page.wait_for_function("document.querySelector('.js-plotly-plot .annotation')")
    assert marks(page) == ["1"]
    assert page.evaluate("window.scrollY") == scrolled
    page.get_by_role("button", name="Change the note").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog textarea")).to_have_value(HOSTILE)
    page.locator("dialog textarea").fill("New MR 3 opened")
    page.keyboard.press("Tab")
    page.locator("dialog button[type=submit]").press("Enter")
    expect(page.locator(".notes .note-text")).to_have_text("New MR 3 opened")
    page.goto(f"{address}/turnaround?facility=SOUTH&period=all")
    page.wait_for_selector(".note-add")
    expect(page.locator(".notes li")).to_have_count(0)
    page.goto(f"{address}/team")
    expect(page.locator(".page-team .note-text").first).to_have_text("New MR 3 opened")
    page.get_by_role("button", name="Withdraw the note").click()
    page.locator("dialog button[type=submit]").click()
    expect(page.locator(".page-team .note-text.withdrawn")).to_have_count(1)
    page.locator(".page-team details summary").click()
    expect(page.locator(".page-team details li")).to_have_count(3)


def test_what_the_server_refuses_is_said_in_the_dialog(page: Page, address: str) -> None:
    page.goto(f"{address}/turnaround?period=all")
    page.locator(".note-add").click()
    page.locator("dialog textarea").fill("x")
    page.locator("dialog input[name=last]").fill("1999-01-01")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog [role=alert]")).to_contain_text("the last one must not lie before the first")
    page.route("**/team/note?*", lambda route: route.abort())
    page.locator("dialog input[name=last]").fill("")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog [role=alert]")).to_contain_text("did not answer")
    page.unroute("**/team/note?*")


def test_views_by_keyboard_from_every_page(page: Page, address: str) -> None:
    def save(name: str) -> None:
        page.keyboard.press("Control+k")
        page.locator("dialog input[type=text]").fill(name)
        page.keyboard.press("Enter")
        expect(page.locator(".team-said")).to_have_text(f"Saved as {name}.")

    page.goto(f"{address}/utilization?facility=NORTH")
    page.wait_for_selector(".page-utilization")
    save("The north")
    page.goto(f"{address}/sql")
    page.locator("#sql-app textarea").fill("SELECT 1 -- é")
    save("One")
    page.get_by_role("link", name="Definitions").first.click()
    page.wait_for_selector(".page-definitions")
    assert page.url == f"{address}/definitions?"[:-1]
    page.get_by_role("button", name="Saved views").press("Enter")
    expect(page.locator("dialog .view-list a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#sql-app textarea")).to_have_value("SELECT 1 -- é")
    page.keyboard.press("Control+k")
    page.locator("dialog .view-list a", has_text="The north").press("Enter")
    page.wait_for_selector(".page-utilization")
    assert page.url == f"{address}/utilization?facility=NORTH"
    page.goto(f"{address}/team")
    page.get_by_role("button", name="Rename the view: The north").click()
    page.locator("dialog input[type=text]").fill("Northgate")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Northgate")).to_be_visible()
    page.get_by_role("button", name="Send it to an address").press("Enter")
    page.locator("dialog input[type=email]").fill("ann@north.example")
    page.locator("dialog label", has_text="Northgate").click()
    page.locator("dialog button[type=submit]").press("Enter")
    expect(page.locator("td", has_text="ann@north.example")).to_be_visible()
    expect(page.get_by_role("cell", name="Northgate", exact=True)).to_have_count(2)
    page.get_by_role("button", name="End the digest to ann@north.example").press("Enter")
    page.locator("dialog button[type=submit]").press("Enter")
    expect(page.locator("td", has_text="ann@north.example")).to_have_count(0)
    page.get_by_role("button", name="Delete the view: Northgate").press("Enter")
    page.locator("dialog button[type=submit]").press("Enter")
    expect(page.get_by_role("link", name="Northgate")).to_have_count(0)
