"""What every test in a browser needs: sizes, patience, and a page that notes what goes wrong on it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

CHROMIUM = Path("/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE, PHONE, WALL = {"width": 1360, "height": 860}, {"width": 390, "height": 844}, {"width": 1920, "height": 1080}
LOADED = 120_000


class Watched:
    """A page and what went wrong on it: console errors, exceptions, requests to other machines."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(LOADED)
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"request to {url}")

    def open(self, path: str, name: str) -> Page:
        """A page of the dashboard, once it is there."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector(f".page-{name}", timeout=LOADED)
        return self.page

    def go(self, path: str, name: str) -> Page:
        """Another page in place, as a link leads to it, once it is there: less work than a page that is loaded."""
        self.page.evaluate(_GO, [path, LOADED])
        self.page.wait_for_selector(f".page-{name}", timeout=LOADED)
        return self.page


#: Resolves once the page has other content, which must be there in time.
_GO = """([path, patience]) => new Promise((done, giveUp) => {
  setTimeout(() => giveUp(new Error(`${path} does not come`)), patience);
  const page = document.getElementById("page");
  const watcher = new MutationObserver(() => {
    if (!page.firstElementChild) return;
    watcher.disconnect();
    done();
  });
  watcher.observe(page, { childList: true });
  window.radopsShown.go(path);
})"""


def graphs_drawn(page: Page) -> int:
    """How many charts there are, once all are drawn."""
    expect(page.locator(".graph:not(:has(.main-svg))")).to_have_count(0, timeout=LOADED)
    return page.locator(".graph .main-svg").count()
