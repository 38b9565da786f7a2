"""Icons and sparklines as SVG inside the page: nothing is fetched, and they take the colour of the text around them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from urllib.parse import quote

from dash import html

from app.dom import aria, many, silent

#: What an address has in place of a sign: as `quote` writes it, which takes forty times as long.
_ESCAPED = {number: quote(chr(number), safe=" =:/<>") for number in range(128)}

#: Name -> paths on a grid of 24, drawn as lines.
PATHS = {
    "overview": "M3 12h4l3 8 4-16 3 8h4",
    "live": "M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4M7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4"
    "M4.9 19.1a10 10 0 0 1 0-14.2M19.1 4.9a10 10 0 0 1 0 14.2",
    "wall": "M3 4h18v12H3zM8 20h8M12 16v4",
    "turnaround": "M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
    "utilization": "M4 20V10M10 20V4M16 20v-7M22 20H2",
    "repeats": "M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5",
    "workload": "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2 21v-1a6 6 0 0 1 14 0v1M17 4a4 4 0 0 1 0 7M19 15a6 6 0 0 1 3 5v1",
    "systems": "M5 4h5v5H5zM14 15h5v5h-5zM14 4h5v5h-5zM10 6.5h4M16.5 9v6M7.5 9v8.5h6.5",
    "exams": "M8 6h13M8 12h13M8 18h13M3 6h.01M3 12h.01M3 18h.01",
    "definitions": "M4 5a2 2 0 0 1 2-2h14v16H6a2 2 0 0 0-2 2zM4 19V5M8 7h8",
    "reports": "M6 2h8l5 5v15H6zM14 2v5h5M9 17v-3M12.500 17v-6M16 17v-1.500",
    "sql": "M4 17l6-5-6-5M12 19h8",
    "download": "M12 3v12M7 11l5 5 5-5M4 21h16",
    "admin": "M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4M4 12h13M20 12h0",
    "scheme": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
    "filter": "M3 5h18l-7 8v6l-4 2v-8z",
    "alert": "M12 9v4M12 17h.01M10.3 4.2 2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4.2a2 2 0 0 0-3.4 0z",
    "check": "M4 12l5 5L20 6",
    "book": "M4 5a2 2 0 0 1 2-2h14v16H6a2 2 0 0 0-2 2z",
    "star": "M12 3l2.7 5.6 6.1.8-4.500 4.300 1.100 6.100L12 16.900l-5.400 2.900 1.100-6.100L3.200 9.400l6.100-.8z",
    "note": "M5 3h14v12l-6 6H5zM13 21v-6h6M9 8h6M9 12h3",
    "arrow": "M5 12h14M13 6l6 6-6 6",
    "close": "M6 6l12 12M18 6L6 18",
    "logo": "M3 12h3l2-5 4 12 3-9 2 4h4",
}


def icon(name: str, size: int = 16) -> html.Span:
    """An icon in the colour of its text; it says nothing to a screen reader."""
    return _masked(_drawn(name), "icon", size, size)


@cache
def _drawn(name: str) -> str:
    """The address of an icon."""
    return _address(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round"><path d="{PATHS[name]}"/></svg>'
    )


def sparkline(values: Sequence[float | None], label: str, width: int = 96, height: int = 24) -> html.Span:
    """A course as a line with its last point marked; gaps stay gaps. `label` says it in words."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return html.Span("", className="spark")
    low, high = min(known), max(known)
    step, pad = (width - 6) / (len(values) - 1), 3

    def place(number: int, value: float) -> tuple[float, float]:
        rise = 0.5 if high == low else (value - low) / (high - low)
        return pad + number * step, height - pad - rise * (height - 2 * pad)

    pieces: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append("{:.1f} {:.1f}".format(*place(number, value)))
    path = "".join(f"M{'L'.join(piece)}" for piece in pieces if piece)
    last = max(number for number, value in enumerate(values) if value is not None)
    x, y = place(last, values[last] or 0.0)
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
        f'<path d="{path}" fill="none" stroke="#000" stroke-width="1.5" stroke-linejoin="round"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/></svg>'
    )
    return _masked(_address(drawn), "spark", width, height, label)


def _address(drawn: str) -> str:
    return f'url("data:image/svg+xml,{drawn.translate(_ESCAPED)}")'


def _masked(address: str, kind: str, width: int, height: int, label: str = "") -> html.Span:
    style = {"maskImage": address, "WebkitMaskImage": address, "width": f"{width}px", "height": f"{height}px"}
    if label:
        return many(html.Span, None, className=kind, style=style, role="img", title=label, **aria(label))
    return many(html.Span, None, className=kind, style=style, **silent())
