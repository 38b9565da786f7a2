"""Every page in a real browser, in both schemes, wide and on a phone: nothing that keeps people out (axe-core, WCAG 2.2
AA), no text over another, cut or off the screen, no console error, no request to other machines."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from app.pages import PAGES
from sql import query
from sql.snapshot import Store
from tests.app.watching import PHONE, WALL, WIDE, Tabs, Watched, graphs_drawn
from tests.published import MONTH
from tests.sharing import made_once, shared_base

LAYOUT = (Path(__file__).parent / "layout.js").read_text("utf-8").partition("*/")[2].strip().rstrip(";")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Rows and parts that are made like one before them in the same place (the same elements of the same classes) have its
#: colours: axe-core, which asks for what is painted at each text, looks at the first.
LOOK = """rules => {
  const same = [];
  const named = part => `${part.tagName}.${part.getAttribute("class")}`;
  const like = one => [one, ...one.querySelectorAll("*")].map(named).join();
  document.querySelectorAll("tbody, ul, ol, dl, .card-body").forEach(place => {
    const known = new Set();
    for (const one of place.children) {
      if (known.has(like(one))) {
        same.push([one, one.style.display]);
        one.style.display = "none";
      }
      known.add(like(one));
    }
  });
  return axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(told => {
    same.forEach(([one, display]) => (one.style.display = display));
    return told.violations.filter(one => ["serious", "critical"].includes(one.impact))
      .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.failureSummary}`));
  });
}"""
#: Fonts differ in how much they leave above and below their letters: as much as Noto Sans does, of the font at hand.
TALL = """@font-face { font-family: tall; src: local("DejaVu Sans"); ascent-override: 107%; descent-override: 30%; }
* { font-family: tall !important; }"""
#: Pages by name: their address and the class that says that they are there.
SHOWN = {page.name: (page.path, page.name) for page in PAGES} | {
    "wall": ("/live?wall=1", "live"),
    "none": ("/turnaround?since=1999-01-01&until=1999-02-01", "turnaround"),
}


@pytest.fixture(scope="module")
def seen(
    tabs: Tabs, address: str, home: Path, report_pack: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """One tab for all pages of the home, which has an edition now; they follow one another in place."""
    edition = home / "exports" / MONTH
    made_once(shared_base(tmp_path_factory), "app-edition", lambda _: put(report_pack, edition))
    with tabs.watched(address) as watched:
        watched.open("/definitions", "definitions")
        yield watched


def put(pack: Path, edition: Path) -> None:
    shutil.copytree(pack, edition)


def address_of(name: str, store: Store) -> tuple[str, str]:
    path, shown = SHOWN[name]
    if name != "exam":
        return path, shown
    found = query.rows(store.current(), "fct_exam", columns=("exam_key",), where={"is_countable": True}, limit=1)
    return f"{path}?exam={found['exam_key'][0]}", shown


def barred(page: Page, rules: list[str]) -> list[str]:
    """What axe-core finds that is serious or critical."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(LOOK, rules)
    return found


def misplaced(page: Page) -> list[str]:
    """What is not in its place; charts may take a moment to get there."""
    found: list[str] = page.evaluate(LAYOUT)
    if found:
        page.wait_for_timeout(1500)
        found = page.evaluate(LAYOUT)
    return found


def resize(page: Page, size: dict[str, int]) -> None:
    """Another size, once the charts have followed it."""
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 120)))")
    page.wait_for_function("""() => [...document.querySelectorAll(".graph")].every(one => {
      const drawn = one.querySelector(".main-svg");
      return !drawn || Math.abs(drawn.getBoundingClientRect().width - one.getBoundingClientRect().width) < 2; })""")


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_keeps_nobody_out_and_everything_has_its_place(seen: Watched, store: Store, name: str) -> None:
    assert faults_of(seen, store, name) == {}


def faults_of(seen: Watched, store: Store, name: str) -> dict[str, Any]:
    """What is wrong with a page, by where it was looked at; nothing where all is well."""
    path, shown = address_of(name, store)
    seen.faults.clear()
    page = seen.page
    page.set_viewport_size(WALL if name == "wall" else WIDE)  # type: ignore[arg-type]
    page.evaluate("document.documentElement.dataset.mantineColorScheme = 'light'")
    seen.go(path, shown)
    graphs_drawn(page)
    expect(page).to_have_title(re.compile(".+ · radops"))
    faults: dict[str, Any] = {"light": barred(page, RULES), "places": misplaced(page), "tall": in_tall_letters(page)}
    if name == "wall":  # a wall display is dark for everybody, and large; some hang on end
        resize(page, {"width": WALL["height"], "height": WALL["width"]})
        faults["places on end"] = misplaced(page)
    else:
        if name != "team":  # notes and views are of no snapshot
            assert page.locator("#snapshot-id").inner_text() in page.locator(".page").inner_text()
        faults |= in_the_dark(page) | on_a_phone(page)
    return {key: found for key, found in {**faults, "console": [*seen.faults]}.items() if found}


def in_tall_letters(page: Page) -> list[str]:
    """What is not in its place on a machine that shows another font."""
    style = page.add_style_tag(content=TALL)
    page.evaluate("() => document.fonts.load('12px tall')")
    found = misplaced(page)
    style.evaluate("one => one.remove()")
    return found


def on_a_phone(page: Page) -> dict[str, Any]:
    resize(page, PHONE)
    wide = page.evaluate("document.documentElement.scrollWidth")
    return {"sideways": wide > PHONE["width"], "places on a phone": misplaced(page),
            "phone": barred(page, ["scrollable-region-focusable", "target-size"])}  # fmt: skip


def in_the_dark(page: Page) -> dict[str, Any]:
    """The same page in the other scheme. Its colours are all of the style sheet's; charts anew: `test_browser.py`."""
    assert is_bright(page)
    page.evaluate("document.documentElement.dataset.mantineColorScheme = 'dark'")
    assert not is_bright(page)
    return {"dark": barred(page, ["color-contrast", "link-in-text-block"])}


def is_bright(page: Page) -> bool:
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", ground)[:3])) > 380


def test_what_axe_and_the_places_look_for_is_found(seen: Watched) -> None:
    """The gate can fail: a page spoiled on purpose in each way that it watches."""
    page = seen.page
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    seen.open("/definitions", "definitions")
    spoiled = """() => {
      const put = (html, style) => { const one = document.createElement("div");
        Object.assign(one.style, style); one.textContent = html;
        document.getElementById("page").prepend(one); };
      put("a text that is so pale that few can read it", { color: "#c8cdd2" });
      put("a text that has no room and is cut", { width: "60px", overflow: "hidden", whiteSpace: "nowrap" });
      put("a text over the title of the page", { position: "absolute", top: document.querySelector("h1")
        .getBoundingClientRect().top + "px", left: document.querySelector("h1").getBoundingClientRect().left + "px" });
      put("a text beyond the screen", { position: "absolute", left: "1350px", top: "400px", whiteSpace: "nowrap" });
      document.querySelector("#scheme-toggle").removeAttribute("aria-label");
      document.querySelector("#scheme-toggle").removeAttribute("title");
    }"""
    assert barred(page, RULES) == misplaced(page) == []
    page.evaluate(spoiled)
    told = barred(page, RULES)
    assert {one.partition(":")[0] for one in told} == {"color-contrast", "button-name"}
    ways = {one.partition(":")[0] for one in misplaced(page)}
    assert ways >= {"cut", "over one another", "off the screen"}
    seen.open("/definitions", "definitions")  # for whoever looks next
