"""Every page on one picture, wide in light and dark and on a phone, to be looked at by people. Not a test:

RADOPS_HOME=... radops serve --port 8060
python -m tests.app.contact_sheet http://127.0.0.1:8060 sheet.png [names of pages]
"""

from __future__ import annotations

import sys
from base64 import b64encode
from html import escape
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.pages import PAGES
from tests.app.watching import ARGS, CHROMIUM, LOADED, PHONE, WALL, WIDE, graphs_drawn

#: Ways of looking: name, colour scheme, size, width on the sheet, most height of the page that is shown.
LOOKS = (("light", "light", WIDE, 560, 2100), ("dark", "dark", WIDE, 560, 2100), ("phone", "light", PHONE, 190, 2400))
SHOWN = {page.name: page.path for page in PAGES} | {"wall": "/live?wall=1"}


def picture(browser: Browser, address: str, name: str, look: tuple[str, str, dict[str, int], int, int]) -> str:
    """One page in one way as an element of the sheet."""
    kind, scheme, size, width, height = look
    seen = WALL if name == "wall" else size
    context = browser.new_context(viewport=seen, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address + exam_or(page, address, SHOWN[name]))
    page.wait_for_selector("#page > *", timeout=LOADED)
    graphs_drawn(page)
    page.wait_for_timeout(600)
    whole = page.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": seen["width"], "height": min(whole, height)}
    shot = b64encode(page.screenshot(full_page=True, clip=clip)).decode("ascii")  # type: ignore[arg-type]
    context.close()
    image = f'<img width="{width}" src="data:image/png;base64,{shot}">'
    return f"<figure><figcaption>{escape(name)} · {kind}</figcaption>{image}</figure>"


def exam_or(page: object, address: str, path: str) -> str:
    """The path, or of the exam's page that of the first exam of the list."""
    if path != "/exam":
        return path
    page.goto(f"{address}/exams")  # type: ignore[attr-defined]
    link = page.locator(".table a[href^='/exam?']").first  # type: ignore[attr-defined]
    return str(link.get_attribute("href"))


def main(address: str, out: Path, names: list[str]) -> None:
    """Write the sheet."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        rows = ["".join(picture(browser, address, name, look) for look in LOOKS if name != "wall" or look[0] == "dark")
                for name in names or SHOWN]  # fmt: skip
        sheet = browser.new_page(viewport={"width": 1400, "height": 900})
        sheet.set_content("<style>body{margin:16px;background:#888;font:13px sans-serif}div{display:flex;gap:16px;"
                          "margin-bottom:28px}figure{margin:0}img{display:block;box-shadow:0 2px 8px #0006}</style>"
                          + "".join(f"<div>{row}</div>" for row in rows))  # fmt: skip
        sheet.screenshot(path=out, full_page=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
