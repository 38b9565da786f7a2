"""A waterfall: stages that add up to the whole, one under the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from app import words
from app.figures.base import figure, length_ticks, palette
from app.figures.chart import Chart
from app.texts import text


def waterfall(frame: pl.DataFrame, scheme: str, *, title: Callable[[str], str]) -> Chart:
    """One row a stage (columns stage, owner, mean, n), the whole last; means are minutes per exam and add up."""
    made = figure()
    colours = palette(scheme)
    rows = list(frame.iter_rows(named=True))
    labels = [_label(title(row["stage"]), row, colours.ink) for row in rows]
    made.add(
        "waterfall", y=labels, x=[row["mean"] for row in rows], orientation="h",
        measure=["total" if row["stage"] == "total" else "relative" for row in rows],
        increasing={"marker": {"color": colours.series[0]}}, totals={"marker": {"color": colours.muted}},
        connector={"line": {"color": colours.line, "width": 1}}, textposition="none", width=0.6,
        text=[_tip(title(row["stage"]), row) for row in rows], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False, ticksuffix="  ")
    widest = max((row["mean"] for row in rows), default=0)
    made.update_xaxes(showgrid=True, range=[0, widest * 1.04 or 1], **length_ticks(widest, 5))
    return made


def _label(name: str, row: dict[str, Any], ink: str) -> str:
    return f"{name}<br><span style='color:{ink};font-weight:600'>{words.value(row['mean'], 'min')}</span>"


def _tip(name: str, row: dict[str, Any]) -> str:
    adds = text("figure.adds", length=words.value(row["mean"], "min"))
    owner = [words.told(row["owner"])] if row["owner"] else []
    return "<br>".join([f"<b>{name}</b>", *owner, adds, text("figure.n", n=words.count(row["n"]))])
