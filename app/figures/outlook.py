"""Exams by day: as they were, and as they are expected with their intervals."""

from __future__ import annotations

from typing import Any

import polars as pl

from app import words
from app.figures.base import day_ticks, figure, palette
from app.figures.chart import Chart
from app.texts import text


def outlook(frame: pl.DataFrame, scheme: str) -> Chart:
    """Days seen as a line, days ahead dashed inside two bands; columns as `sql.query.outlook` gives them."""
    made, colours = figure(y=text("figure.axis.exams"), legend=True), palette(scheme)
    seen, ahead = frame.filter(~pl.col("is_forecast")), frame.filter("is_forecast")
    for low, high, name, shade in (("lower", "upper", "95", 0.16), ("lower_80", "upper_80", "80", 0.26)):
        days = ahead["day"].to_list()
        made.add(
            "scatter", x=days + days[::-1], y=ahead[high].to_list() + ahead[low].to_list()[::-1], fill="toself",
            mode="lines",
            fillcolor=_pale(colours.series[1], shade), line={"width": 0}, hoverinfo="skip",
            name=text("forecast.interval", percent=name),
        )  # fmt: skip
    for rows, name, colour, dash in (
        (seen, text("forecast.seen"), colours.series[0], "solid"),
        (ahead, text("forecast.ahead"), colours.series[1], "dot"),
    ):
        made.add(
            "scatter", x=rows["day"].to_list(), y=rows["value"].to_list(), name=name, mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash}, marker={"size": 5, "color": colour},
            text=[_tip(name, row) for row in rows.iter_rows(named=True)], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    made.update_yaxes(rangemode="tozero")
    made.update_xaxes(**day_ticks())
    return made


def _pale(colour: str, share: float) -> str:
    """A colour (#rrggbb) with that opacity."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def _tip(name: str, row: dict[str, Any]) -> str:
    day = row["day"]
    told = f"<b>{words.weekday_day(day)}</b><br>{name} <b>{words.value(row['value'], 'exams')}</b>"
    if row["lower"] is None:
        return told
    interval = text("forecast.between", lower=words.value(row["lower"], "exams"),
                    upper=words.value(row["upper"], "exams"))  # fmt: skip
    return f"{told}<br>{interval}<br>{text('forecast.before', n=words.count(row['n']))}"
