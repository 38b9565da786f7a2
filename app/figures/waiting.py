"""Work that waits, over time: all of it, and the part past its target."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from app import words
from app.figures.base import day_ticks, figure, palette
from app.figures.chart import Chart
from app.figures.pins import Pin, pinned
from app.texts import text

#: Hours up to which each is drawn, half a year of them; of more, a figure has fewer dots across than hours.
MOST_HOURS = 26 * 7 * 24


def waiting(frame: pl.DataFrame, scheme: str, *, href: str = "", pins: Sequence[Pin] = ()) -> Chart:
    """Exams that wait for a final report by hour (columns hour_at, n_waiting, n_past_target): an area, and within
    it those past their target; of more than `MOST_HOURS` the most of each day, which the axis says. `href` gives the
    exams that wait now; `pins` are people's notes."""
    is_by_day = frame.height > MOST_HOURS
    if is_by_day:
        frame = frame.group_by(pl.col("hour_at").dt.truncate("1d"), maintain_order=True).max()
    made = figure(y=text("figure.axis.waiting.day" if is_by_day else "figure.axis.waiting"), legend=True)
    colours = palette(scheme)
    hours = frame["hour_at"].to_list()
    # Half a year has 4,368 hours: the text of a day once, and instants as they are sent.
    days = {day: words.short_day(day) for day in frame["hour_at"].dt.date().unique()}
    x = frame["hour_at"].dt.strftime("%Y-%m-%dT%H:%M:%S").to_list()
    times = [""] * frame.height if is_by_day else frame["hour_at"].dt.strftime(" %H:%M").to_list()
    clocks = [f"{days[at.date()]}{time}" for at, time in zip(hours, times, strict=True)]
    for column, label, colour, fill in (
        ("n_waiting", text("figure.waiting"), colours.series[0], colours.scale[1]),
        ("n_past_target", text("figure.past"), colours.worse, ""),
    ):
        counted = {n: words.count(n) for n in frame[column].unique()}
        made.add(
            "scatter", x=x, y=frame[column].to_list(), name=label, mode="lines",
            line={"color": colour, "width": 1.8, "shape": "hv"},
            fill="tozeroy" if fill else None, fillcolor=fill or None,
            text=[f"<b>{at}</b><br>{label} <b>{counted[n]}</b>" for at, n in zip(clocks, frame[column], strict=True)],
            hovertemplate="%{text}<extra></extra>", meta=href,
        )  # fmt: skip
    made.update_yaxes(rangemode="tozero", tickformat=",")
    made.update_xaxes(**day_ticks())
    pinned(made, pins, scheme, (hours[0].date(), hours[-1].date()) if hours else None)
    return made
