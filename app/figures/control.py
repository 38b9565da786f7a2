"""A control chart: values with center and limits as steps, signals marked, target, days of changed meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import polars as pl

from app import words
from app.figures.base import day_ticks, figure, length_ticks, level, palette
from app.figures.chart import Chart
from app.figures.pins import Pin, pinned
from app.figures.unfinished import parted, told
from app.texts import text

#: A mark in words, at a day.
Mark = tuple[date, str]


def control(  # noqa: PLR0913 - one figure with named parts
    frame: pl.DataFrame,
    scheme: str,
    *,
    unit: str,
    y: str,
    names: dict[str, str],
    target: float | None = None,
    marks: Sequence[Mark] = (),
    pins: Sequence[Pin] = (),
    href: Callable[[dict[str, Any]], str] | None = None,
) -> Chart:
    """The frame of `sql.query.control` of one group. `names` has words for value, center, low, high, outside, run,
    partial and target; `pins` are people's notes. Points outside are diamonds, those in a run
    ringed, unfinished ones hollow and joined to nothing."""
    made, colours = figure(y=y, legend=True), palette(scheme)
    rows = parted(frame)
    x = frame["period_start"].to_list()
    for name, dash in (("high", "dot"), ("center", "solid"), ("low", "dot")):
        if frame[name].count():
            made.add(
                "scatter", x=x, y=frame[name].to_list(), name=names["limits" if dash == "dot" else "center"],
                mode="lines",
                line={"color": colours.muted, "width": 1.2, "dash": dash, "shape": "hvh"}, hoverinfo="skip",
                connectgaps=False, legendgroup=dash, showlegend=name != "low",
            )  # fmt: skip
    made.add(
        "scatter", x=[row["period_start"] for row in rows], y=[row["value"] for row in rows], name=names["value"],
        mode="lines+markers", line={"color": colours.series[0], "width": 2}, connectgaps=False,
        marker={
            "size": [10 if row["signal"] == "outside" else 7 for row in rows],
            "symbol": ["diamond" if row["signal"] == "outside" else "circle" for row in rows],
            "color": [colours.surface if row["is_partial"] else colours.worse if row["signal"] else colours.series[0]
                      for row in rows],
            "line": {"color": [colours.worse if row["signal"] else colours.series[0] for row in rows], "width": 1.5},
        },
        text=[_tip(row, unit, names) if row["n"] is not None else "" for row in rows],
        hovertemplate="%{text}<extra></extra>",
        customdata=[href(row) if href and row["n"] is not None else "" for row in rows],
    )  # fmt: skip
    made.told = told([frame])
    if target is not None:
        level(made, target, names["target"], scheme)
    for number, (day, label) in enumerate(marks):
        level(made, day, label, scheme, horizontal=False, number=number % 3)
    tops = [top for name in ("value", "high") if isinstance(top := frame[name].max(), int | float)]
    ticks: dict[str, Any] = {"tickformat": ".0%"} if unit == "share" else {}
    if unit == "min":
        ticks = length_ticks(max([*tops, target or 0.0, 1.0]), 5)
    lows = [low for name in ("value", "low") if isinstance(low := frame[name].min(), int | float)]
    is_far = bool(lows and tops) and (min(lows) < 0 or min(lows) > max(tops) / 2)
    made.update_yaxes(rangemode="normal" if is_far else "tozero", **ticks)
    made.update_xaxes(**day_ticks())
    pinned(made, pins, scheme, (min(x), max(x)) if x else None)
    return made


def _tip(row: dict[str, Any], unit: str, names: dict[str, str]) -> str:
    start = row["period_start"]
    parts = [f"<b>{words.day(start)}</b>", f"{names['value']} <b>{words.value(row['value'], unit)}</b>"]
    limits = [name for name in ("center", "low", "high") if row[name] is not None]
    parts += [f"{names[name]} {words.value(row[name], unit)}" for name in limits]
    parts.append(text("figure.n", n=words.count(row["n"])))
    parts += [names[key] for key in (row["signal"], "partial" if row["is_partial"] else None) if key]
    return "<br>".join(parts)
