"""The language in a real browser: chosen by a link or the control, kept over a reload, nothing said in the console."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.app.watching import LOADED, Watched


def test_the_language_is_switched_and_remembered(watched: Watched) -> None:
    page = watched.open("/turnaround?facility=NORTH", "turnaround")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("#language").click()
    expect(page.locator("h1")).to_have_text("Befundungszeit", timeout=LOADED)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.url.endswith("/turnaround?facility=NORTH")  # what was chosen is kept, and the choice is not passed on
    expect(page.locator("#sentence")).to_contain_text("Standort NORTH")
    expect(page.locator(".tile-value").first).to_contain_text(",")
    page.reload()
    expect(page.locator("h1")).to_have_text("Befundungszeit", timeout=LOADED)
    page.locator("#filter-dates").click()
    expect(
        page.locator(".mantine-DatePickerInput-calendarHeaderLevel, [data-calendar-header-level]").first
    ).to_be_visible()
    assert page.locator(".mantine-DatePickerInput-weekday").all_inner_texts()[0] == "Mo"
    page.keyboard.press("Escape")
    page.wait_for_selector(".xaxislayer-above text", timeout=LOADED)
    days = [told for told in page.locator(".xtick text").all_text_contents() if told]
    assert any(told.split(". ")[0].isdigit() for told in days)  # 14. Nov.
    page.locator("#language").click()
    expect(page.locator("h1")).to_have_text("Turnaround", timeout=LOADED)


def test_a_link_chooses_the_language(watched: Watched) -> None:
    page = watched.open("/definitions?lang=de#report_final", "definitions")
    expect(page.locator("h1")).to_have_text("Definitionen")
    assert page.url.endswith("/definitions#report_final")
    expect(page.locator("#report_final summary")).to_contain_text("Untersuchungsende bis Endbefund")
    expect(page.locator("#nav")).to_contain_text("Auslastung")
