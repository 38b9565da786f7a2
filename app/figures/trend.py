"""A metric over time: line, interval, target; unfinished periods hollow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from app import words
from app.figures.base import day_ticks, figure, interval, length_ticks, level, palette
from app.figures.chart import Chart
from app.figures.pins import Pin, pinned
from app.figures.unfinished import parted, told
from app.texts import text


class Line(NamedTuple):
    """One line of a trend: its name and its frame in the shape of `sql.query.trend`."""

    name: str
    frame: pl.DataFrame


def trend(  # noqa: PLR0913 - one figure with named parts
    lines: Sequence[Line],
    scheme: str,
    *,
    unit: str,
    y: str,
    target: float | None = None,
    target_name: str = "",
    marks: Sequence[tuple[date, str]] = (),
    pins: Sequence[Pin] = (),
    href: Callable[[dict[str, Any]], str] | None = None,
) -> Chart:
    """Lines over time; with one line its 95 % interval as a band, with one or more a legend. Unfinished periods are
    hollow and joined to nothing; `marks` are days with words, `pins` people's notes. `href` gives the exams behind
    a point."""
    made = figure(y=y, legend=len(lines) > 1)
    colours = palette(scheme)
    for number, line in enumerate(lines):
        if line.frame.is_empty():
            continue
        colour = colours.series[number % len(colours.series)]
        if len(lines) == 1 and line.frame["lower"].count():
            _band(made, line.frame.filter(~pl.col("is_partial")), colours.band)
        rows = parted(line.frame)
        made.add(
            "scatter", x=[row["period_start"] for row in rows], y=[row["value"] for row in rows], name=line.name,
            mode="lines+markers", line={"color": colour, "width": 2}, connectgaps=False,
            marker={"size": 6, "color": [colours.surface if row["is_partial"] else colour for row in rows],
                    "line": {"color": colour, "width": 1.5}},
            text=[_tip(line.name, row, unit) if row["n"] is not None else "" for row in rows],
            hovertemplate="%{text}<extra></extra>",
            customdata=[href(row) if href and row["n"] is not None else "" for row in rows],
        )  # fmt: skip
    if target is not None:
        level(made, target, target_name, scheme)
    for number, (day, label) in enumerate(marks):
        level(made, day, label, scheme, horizontal=False, number=number % 3)
    made.told = told([line.frame for line in lines])
    made.update_yaxes(rangemode="tozero", **_ticks(unit, lines, target))
    made.update_xaxes(**day_ticks())
    days = [day for line in lines for day in line.frame["period_start"].to_list()]
    pinned(made, pins, scheme, (min(days), max(days)) if days else None)
    return made


def _band(made: Chart, frame: pl.DataFrame, colour: str) -> None:
    known = frame.drop_nulls(["lower", "upper"])
    x = known["period_start"].to_list()
    made.add(
        "scatter", x=x + x[::-1], y=known["upper"].to_list() + known["lower"].to_list()[::-1], fill="toself",
        fillcolor=colour,
        line={"width": 0}, hoverinfo="skip", showlegend=False, mode="lines",
    )  # fmt: skip


def _tip(name: str, row: dict[str, Any], unit: str) -> str:
    lines = [f"<b>{words.weekday_day(row['period_start'])}</b>", f"{name} <b>{words.value(row['value'], unit)}</b>"]
    lines += interval(row["lower"], row["upper"], unit)
    lines.append(text("figure.n", n=words.count(row["n"])))
    return "<br>".join([*lines, *([text("figure.unfinished")] if row["is_partial"] else [])])


def _ticks(unit: str, lines: Sequence[Line], target: float | None) -> dict[str, Any]:
    if unit == "min":
        tops = [line.frame["value"].max() for line in lines]
        return length_ticks(max([top for top in tops if isinstance(top, int | float)] + [target or 0.0, 1.0]), 5)
    return {"tickformat": ".0%" if unit == "share" else ","}
