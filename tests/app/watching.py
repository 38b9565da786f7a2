"""What every test in a browser needs: sizes, patience, and a page that notes what goes wrong on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

CHROMIUM = Path("/usr/bin/chromium")
#: All tabs of a profile are in one process, which compiles each script once: a load takes less than half the time.
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--process-per-site"]
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


class Tabs:
    """Tabs of one profile: what a server sends for ever, a browser has once, and its process stays. What pages and
    servers keep in it is forgotten before each tab."""

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context(viewport=WIDE, color_scheme="light", locale="en-US")  # type: ignore[arg-type]
        self._stays = self._context.new_page()

    @contextmanager
    def watched(self, address: str, size: dict[str, int] = WIDE, **media: Any) -> Iterator[Watched]:
        """A new tab for the block, on which nothing may have gone wrong in the end; `media` as `Page.emulate_media`."""
        self._context.clear_cookies()
        self._stays.goto(f"{address}/healthz")  # of the same site: its process does not end between two tabs
        self._stays.evaluate("() => { localStorage.clear(); }")
        seen = Watched(self._context, address)
        try:
            seen.page.set_viewport_size(size)  # type: ignore[arg-type]
            if media:
                seen.page.emulate_media(**media)
            yield seen
        finally:
            seen.page.close()
        assert seen.faults == [], seen.faults

    def close(self) -> None:
        """End the profile with all that is in it."""
        self._context.close()


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
