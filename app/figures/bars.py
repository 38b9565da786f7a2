"""Bars: groups side by side, and counts by range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from app import words
from app.figures.base import figure, interval, length, level, palette
from app.figures.chart import Chart
from app.texts import text

Level = tuple[float, str]


def groups(  # noqa: PLR0913 - one figure with named parts
    frame: pl.DataFrame,
    scheme: str,
    *,
    unit: str,
    x: str,
    name: Callable[[str], str] = str,
    levels: Sequence[Level] = (),
    min_n: int = 0,
    href: Callable[[dict[str, Any]], str] | None = None,
) -> Chart:
    """A metric by group as horizontal bars in the frame's order, with 95 % intervals and lines at targets or limits.

    Groups below `min_n` are pale."""
    made = figure(x=x)
    colours = palette(scheme)
    rows = list(frame.iter_rows(named=True))
    has_interval = any(row["lower"] is not None for row in rows)
    error = {
        "type": "data", "symmetric": False, "thickness": 1.2, "width": 3, "color": colours.ink,
        "array": [0 if row["upper"] is None else row["upper"] - row["value"] for row in rows],
        "arrayminus": [0 if row["lower"] is None else row["value"] - row["lower"] for row in rows],
    }  # fmt: skip
    made.add(
        "bar", y=[name(row["group_value"]) for row in rows], x=[row["value"] for row in rows], orientation="h",
        marker={"color": [colours.band if row["n"] < min_n else colours.series[0] for row in rows]},
        error_x=error if has_interval else None, customdata=[href(row) if href else "" for row in rows],
        text=[_tip(name(row["group_value"]), row, unit, min_n) for row in rows], textposition="none",
        hovertemplate="%{text}<extra></extra>", width=0.62,
    )  # fmt: skip
    for number, (value, label) in enumerate(levels):
        level(made, value, label, scheme, horizontal=False, number=number)
    made.update_layout(margin={"t": 10 + 14 * len(levels)})
    made.update_yaxes(autorange="reversed", showgrid=False, ticksuffix="  ")
    made.update_xaxes(showgrid=True, rangemode="tozero", tickformat=".0%" if unit == "share" else "")
    return made


def _tip(label: str, row: dict[str, Any], unit: str, min_n: int) -> str:
    lines = [
        f"<b>{label}</b>",
        f"<b>{words.value(row['value'], unit)}</b>",
        *interval(row["lower"], row["upper"], unit),
    ]
    lines.append(text("figure.n", n=words.count(row["n"])))
    return "<br>".join([*lines, *([text("figure.few", n=min_n)] if row["n"] < min_n else [])])


def ranges(
    frame: pl.DataFrame, scheme: str, *, marks: Sequence[tuple[float, str]] = (),
    href: Callable[[dict[str, Any]], str] | None = None,
) -> Chart:  # fmt: skip
    """Counts by range of minutes (columns low, high, n, share), as neighbouring bars; `marks` are values to point at
    with their names. Ranges are unequal, so the axis is by range, and says so by its labels."""
    made = figure(x=text("figure.axis.report"), y=text("figure.axis.exams"))
    colours = palette(scheme)
    rows = list(frame.iter_rows(named=True))
    made.add(
        "bar", x=list(range(len(rows))), y=[row["n"] for row in rows], marker={"color": colours.series[0]}, width=0.92,
        text=[_range_tip(row) for row in rows],
        hovertemplate="%{text}<extra></extra>", textposition="none", customdata=[href(r) if href else "" for r in rows],
    )  # fmt: skip
    for number, (value, label) in enumerate(marks):
        place = position(rows, value)
        made.add_shape(type="line", x0=place, x1=place, yref="paper", y0=0, y1=1,
                       line={"color": colours.ink, "width": 1.2, "dash": "dot"})  # fmt: skip
        made.add_annotation(
            x=place, yref="paper", y=1, yshift=14 * number, text=f"{label} {words.minutes(value)}", showarrow=False,
            xanchor="center", yanchor="bottom", font={"size": 11, "color": colours.ink},
        )  # fmt: skip
    made.update_layout(margin={"t": 12 + 14 * len(marks)})
    made.update_yaxes(tickformat=",")
    made.update_xaxes(tickvals=list(range(len(rows))), ticktext=[_start(row) for row in rows],
                      autotickangles=[0, 90])  # fmt: skip
    return made


def position(rows: Sequence[dict[str, Any]], value: float) -> float:
    """Where a value lies on the axis of ranges: inside its range in proportion."""
    for number, row in enumerate(rows):
        if row["high"] is None or value < row["high"]:
            width = (row["high"] or row["low"] * 2 or 1) - row["low"]
            return float(number - 0.46 + 0.92 * min((value - row["low"]) / width, 1.0))
    return float(len(rows)) - 0.5


def _range(row: dict[str, Any]) -> str:
    if row["high"] is None:
        return text("figure.range.open", low=words.minutes(row["low"]))
    return text("figure.range", low=words.minutes(row["low"]), high=words.minutes(row["high"]))


def _range_tip(row: dict[str, Any]) -> str:
    told = text("figure.range.exams", n=words.count(row["n"]), share=words.share(row["share"]))
    return f"<b>{_range(row)}</b><br>{told}"


def _start(row: dict[str, Any]) -> str:
    label = length(row["low"], row["low"])
    return f"≥ {label}" if row["high"] is None else label
