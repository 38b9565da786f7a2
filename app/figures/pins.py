"""Notes on a figure over time: a numbered mark at each day or stretch of days; the words stand below the figure."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from app import words
from app.figures.base import palette
from app.figures.chart import Chart

#: Signs of a line in a tip; pixels between marks that stand over each other, and how many do.
_WIDE, _STEP, _MOST = 56, 19, 4
#: Room for the marks above a figure in pixels, and by how much of its height the legend gives way.
_ROOM, _LIFT = 20, 0.09
#: Share of the days shown that two marks need between them to stand side by side.
_NEAR = 0.03


class Pin(NamedTuple):
    """A note as a figure shows it: its number in the list, first and last day, and the words."""

    number: int
    since: date
    last: date
    told: str


def pinned(made: Chart, pins: Sequence[Pin], scheme: str, days: tuple[date, date] | None) -> None:
    """Put notes on a figure whose points stand from the first to the last of `days`; the axis grows to hold all."""
    if not pins or days is None:
        return
    first, last = days
    colours = palette(scheme)
    end = max([last, *(min(pin.last, max(last, pin.since)) for pin in pins)])
    pad = max((end - first) * _NEAR, timedelta(days=1))
    before, level = None, 0
    for pin in pins:
        at, until = max(pin.since, first), min(pin.last, end)
        if until > at:
            made.add_shape(type="rect", yref="paper", x0=at, x1=until, y0=0, y1=1, layer="below",
                           fillcolor=colours.band, opacity=0.7, line={"width": 0})  # fmt: skip
        made.add_shape(type="line", yref="paper", x0=at, x1=at, y0=0, y1=1,
                       line={"color": colours.muted, "width": 1, "dash": "dot"})  # fmt: skip
        level = (level + 1) % _MOST if before is not None and at - before < pad else 0
        before = at
        made.add_annotation(
            yref="paper", x=at, y=1, yanchor="bottom", yshift=-_STEP * level, text=str(pin.number), showarrow=False,
            font={"size": 11, "color": colours.surface}, bgcolor=colours.muted, borderpad=2, hovertext=_tip(pin),
        )  # fmt: skip
    made.update_layout(margin={"t": made.layout["margin"]["t"] + _ROOM}, legend={"y": 1.0 + _LIFT})
    if end > last:
        made.update_xaxes(range=[first - pad, end + pad])


def span(since: date, last: date) -> str:
    """A day, or the first and the last of several, in words."""
    return words.day(since) if since == last else f"{words.day(since)} – {words.day(last)}"


def _tip(pin: Pin) -> str:
    lines = textwrap.wrap(pin.told, _WIDE)
    return "<br>".join([f"<b>{span(pin.since, pin.last)}</b>", *map(html.escape, lines)])
