"""Where repeated exams come from: earlier facility to later facility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from app import words
from app.figures.base import figure, palette
from app.figures.chart import Chart
from app.texts import text


def matrix(frame: pl.DataFrame, scheme: str, *, name: Callable[[str], str]) -> Chart:
    """Counts by pair of facilities (columns prior_facility, facility, n) as a matrix: from the row to the column. The
    same facility twice is left bare, because nothing moved."""
    made = figure(x=text("figure.again"), y=text("figure.first"))
    colours = palette(scheme)
    sites = sorted({*frame["prior_facility"].to_list(), *frame["facility"].to_list()})
    found = {(row["prior_facility"], row["facility"]): row for row in frame.iter_rows(named=True)}
    pairs = [[found.get((prior, later)) for later in sites] for prior in sites]
    scale = [[number / (len(colours.scale) - 1), colour] for number, colour in enumerate(colours.scale)]
    labels = [name(site).replace(" ", "<br>") for site in sites]
    made.add(
        "heatmap", z=[[pair["n"] if pair else None for pair in row] for row in pairs], x=labels, y=labels,
        text=[[words.count(pair["n"]) if pair else "" for pair in row] for row in pairs],
        hovertext=[[_tip(name, pair) if pair else "" for pair in row] for row in pairs], texttemplate="%{text}",
        textfont={"size": 14}, colorscale=scale, showscale=False, xgap=3, ygap=3, zmin=0,
        hovertemplate="%{hovertext}<extra></extra>", hoverongaps=False,
        customdata=[[pair["href"] if pair else "" for pair in row] for row in pairs],
    )  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False)
    made.update_xaxes(tickangle=0)
    return made


def _tip(name: Callable[[str], str], pair: dict[str, Any]) -> str:
    first, again = name(pair["prior_facility"]), name(pair["facility"])
    return text("figure.pair", first=first, again=again, n=words.count(pair["n"]))
