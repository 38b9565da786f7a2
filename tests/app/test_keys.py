"""By keyboard alone, and on paper, in a real browser."""

from __future__ import annotations

import io

import pypdf
import pytest
from playwright.sync_api import Page, expect

from tests.app.test_craft import RULES, barred, misplaced
from tests.app.watching import LOADED, Watched, graphs_drawn

#: A4 in points of print, with some slack.
A4 = (596, 843)


@pytest.fixture
def page(watched: Watched) -> Page:
    watched.open("/repeats", "repeats")
    graphs_drawn(watched.page)
    return watched.page


def focused(page: Page, what: str) -> str:
    return str(page.evaluate(f"document.activeElement.{what}"))


def test_a_way_through_pages_without_a_mouse(page: Page) -> None:
    page.keyboard.press("Tab")
    assert focused(page, "className") == "skip"
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("g")
    assert focused(page, "textContent") == "Repeat imaging"
    assert focused(page, "getAttribute('aria-current')") == "page"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".page-workload", timeout=LOADED)
    expect(page.locator("#page h1")).to_be_focused(timeout=LOADED)
    page.keyboard.press("/")
    assert focused(page, "id") == "filter-period"


def test_the_sheet_of_keys_and_single_keys_off(page: Page) -> None:
    page.keyboard.press("?")
    sheet = page.locator("#keys")
    expect(sheet).to_be_visible()
    assert barred(page, RULES) == []
    sheet.locator("#keys-single").click()
    expect(sheet.locator("#keys-single")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    expect(sheet).not_to_be_visible()
    page.locator("#page").focus()
    page.keyboard.press("?")
    expect(sheet).not_to_be_visible()
    page.locator("#keys-open").click()
    sheet.locator("#keys-single").click()
    sheet.locator("#keys-close").click()
    page.locator("#page").focus()
    page.keyboard.press("?")
    expect(sheet).to_be_visible()


def test_a_printed_page_has_what_it_is_about_and_nothing_is_cut(page: Page) -> None:
    told = [page.locator(selector).inner_text() for selector in ("#sentence", "#snapshot-id")]
    wide = page.locator(".graph .main-svg").first.evaluate("one => one.getBoundingClientRect().width")
    made = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, format="A4", print_background=True)))
    assert all(sheet.mediabox.width < A4[0] and sheet.mediabox.height < A4[1] for sheet in made.pages)
    letter = pypdf.PdfReader(io.BytesIO(page.pdf(format="Letter", print_background=True)))
    assert {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in letter.pages} == {(612, 792)}
    assert abs(len(letter.pages) - len(made.pages)) <= 2
    said = " ".join(" ".join(sheet.extract_text() for sheet in made.pages).split())
    assert all(" ".join(part.split()) in said for part in told)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert misplaced(page) == []
    inside = """() => { const page = document.getElementById("page").getBoundingClientRect();
      return [...document.querySelectorAll(".card, .main-svg")].filter(one => one.checkVisibility())
        .filter(one => one.getBoundingClientRect().right > page.right + 1).length; }"""
    assert page.evaluate(inside) == 0
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(
        "was => Math.abs(document.querySelector('.graph .main-svg').getBoundingClientRect().width - was) < 2", arg=wide
    )
