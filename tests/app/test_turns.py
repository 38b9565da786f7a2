"""Charts are drawn in turns: those in sight at once, the others later, on the way to them, or for paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.app.watching import LOADED, Watched

#: A browser that never has nothing else to do.
BUSY = "window.requestIdleCallback = () => 0;"
IN_SIGHT = "const box = one.getBoundingClientRect(); return box.top < innerHeight && box.bottom > 0;"
#: [whether a chart is in sight, whether it is drawn], by chart.
CHARTS = f"""() => [...document.querySelectorAll(".graph")].map((one) => [((one) => {{ {IN_SIGHT} }})(one),
  one.querySelector(".main-svg") !== null])"""
DRAWN = f"() => window.Plotly && ({CHARTS})().every(([isInSight, isDrawn]) => isDrawn || !isInSight)"


@pytest.fixture
def busy(watched: Watched) -> Page:
    """Turnaround in a browser that is never idle, once the charts in sight are drawn."""
    watched.page.add_init_script(BUSY)
    page = watched.open("/turnaround", "turnaround")
    page.wait_for_selector(".graph")
    page.locator(".graph").first.scroll_into_view_if_needed()
    return page


def charts(page: Page) -> list[tuple[bool, bool]]:
    """Charts of a page once those in sight are drawn: whether they are in sight, and drawn."""
    page.wait_for_function(DRAWN, timeout=LOADED)
    return [tuple(one) for one in page.evaluate(CHARTS)]


def test_what_is_not_in_sight_waits_until_one_comes_to_it(busy: Page) -> None:
    first = charts(busy)
    assert (True, True) in first
    assert (False, False) in first
    busy.locator(".graph").last.scroll_into_view_if_needed()
    assert charts(busy)[-1] == (True, True)


def test_paper_has_them_all(busy: Page) -> None:
    assert (False, False) in charts(busy)
    busy.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    busy.wait_for_function("() => !document.querySelector('.graph:not(:has(.main-svg))')", timeout=LOADED)


def test_of_a_chart_that_waits_the_last_figure_is_drawn(busy: Page) -> None:
    charts(busy)
    drawn = busy.evaluate("""async () => {
      const below = document.createElement("div");
      below.style = "position: absolute; top: 9000px; height: 300px";
      document.body.append(below);
      const asked = [1, 2].map((y) => window.Plotly.react(below, [{ y: [y] }], {}));
      window.dispatchEvent(new Event("beforeprint"));
      return (await Promise.all(asked)).map((one) => one.data[0].y[0]);
    }""")
    assert drawn == [2, 2]


def test_a_chart_that_fails_takes_no_turn_from_the_others(busy: Page) -> None:
    charts(busy)
    told = busy.evaluate("""async () => {
      const below = [1, 2].map(() => document.body.appendChild(document.createElement("div")));
      below.forEach((one) => { one.style = "position: absolute; top: 9000px; height: 300px"; });
      const bad = { get title() { throw new Error("bad"); } };
      const asked = [bad, {}].map((layout, n) => window.Plotly.react(below[n], [{ y: [1] }], layout));
      window.dispatchEvent(new Event("beforeprint"));
      const patience = new Promise((done) => setTimeout(done, 10_000, [{ status: "in vain" }]));
      return (await Promise.race([Promise.allSettled(asked), patience])).map((one) => one.status);
    }""")
    assert told == ["rejected", "fulfilled"]
