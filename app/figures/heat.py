"""Weekday × hour as a heat map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from app import words
from app.figures.base import figure, length_ticks, palette
from app.figures.chart import Chart
from app.texts import text


def week(frame: pl.DataFrame, scheme: str, *, unit: str, min_n: int, href: Callable[[str], str] | None = None) -> Chart:
    """A metric by weekday and hour, a cell each; cells below `min_n` stay empty and say so. One colour, low to high.
    `href` gives the exams behind a group's value."""
    made = figure(x=text("figure.axis.hour"))
    colours = palette(scheme)
    cells = {tuple(row["group_value"].split(" | ")): row for row in frame.iter_rows(named=True)}
    z: list[list[float | None]] = []
    tips: list[list[str]] = []
    links: list[list[str]] = []
    for weekday in range(1, 8):
        rows = [cells.get((str(weekday), str(hour))) for hour in range(24)]
        z.append([row["value"] if row is not None and row["n"] >= min_n else None for row in rows])
        tips.append([_tip(weekday, hour, row, unit, min_n) for hour, row in enumerate(rows)])
        links.append([href(row["group_value"]) if row is not None and href else "" for row in rows])
    scale = [[number / (len(colours.scale) - 1), colour] for number, colour in enumerate(colours.scale)]
    named = "" if unit in ("share", "min") else words.unit(unit)
    made.add(
        "heatmap", z=z, x=[f"{hour:02d}" for hour in range(24)], y=[words.weekday(day) for day in range(1, 8)],
        text=tips, customdata=links, hovertemplate="%{text}<extra></extra>", hoverongaps=True, colorscale=scale,
        xgap=2, ygap=2, zmin=0, zmax=1 if unit == "share" else None,
        colorbar={"thickness": 8, "len": 1, "outlinewidth": 0, "tickfont": {"size": 11}, "x": 1.01, "xpad": 4,
                  "title": {"text": named, "side": "top", "font": {"size": 11}},
                  "tickformat": ".0%" if unit == "share" else "", **_ticks(z, unit)},
    )  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False)
    made.update_xaxes(type="category", tickangle=0, nticks=12)
    return made


def _ticks(z: list[list[float | None]], unit: str) -> dict[str, Any]:
    known = [value for row in z for value in row if value is not None]
    return length_ticks(max(known), 5) if unit == "min" and known else {}


def _tip(weekday: int, hour: int, row: dict[str, Any] | None, unit: str, min_n: int) -> str:
    when = f"<b>{words.weekday(weekday)} {hour:02d}:00–{hour + 1:02d}:00</b>"
    if row is None:
        return f"{when}<br>{text('figure.none')}"
    few = [text("figure.hidden", n=min_n)] if row["n"] < min_n else []
    shown = words.NO_VALUE if few else words.value(row["value"], unit)
    return "<br>".join([when, f"<b>{shown}</b>", text("figure.n", n=words.count(row["n"])), *few])
