"""Stages of an exam as spans: median and the ninth decile of each, labelled as not additive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import polars as pl

from app import words
from app.figures.base import figure, length_ticks, palette


def stages(
    frame: pl.DataFrame, scheme: str, *, title: Callable[[str], str], href: Callable[[str], str] | None = None
) -> go.Figure:
    """One row a stage (columns stage, p50, p90, mean, n): a bar to the median, a thin line on to p90. Each stage has
    its own exams, so the bars are side by side and never stacked."""
    made = figure(scheme, legend=True)
    colours = palette(scheme)
    rows = list(frame.iter_rows(named=True))
    names = [title(row["stage"]) for row in rows]
    labels = [_label(name, row, colours.ink) for name, row in zip(names, rows, strict=True)]
    tips = [_tip(name, row) for name, row in zip(names, rows, strict=True)]
    links = [href(row["stage"]) if href else "" for row in rows]
    made.add_bar(
        y=labels, x=[row["p90"] for row in rows], orientation="h", name="90 % within", width=0.14,
        marker={"color": colours.scale[2]}, text=tips, textposition="none", customdata=links,
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    made.add_bar(
        y=labels, x=[row["p50"] for row in rows], orientation="h", name="median", width=0.5,
        marker={"color": colours.series[0]}, text=tips, textposition="none", customdata=links,
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    made.update_layout(barmode="overlay")
    made.update_yaxes(autorange="reversed", showgrid=False, ticksuffix="  ")
    widest = max((row["p90"] or 0 for row in rows), default=0)
    made.update_xaxes(showgrid=True, range=[0, widest * 1.04 or 1], **length_ticks(widest, 4))
    return made


def _tip(name: str, row: dict[str, Any]) -> str:
    return (
        f"<b>{name}</b><br>median <b>{words.value(row['p50'], 'min')}</b><br>90 % within "
        f"{words.value(row['p90'], 'min')}<br>mean {words.value(row['mean'], 'min')}<br>n = {words.count(row['n'])}"
    )


def _label(name: str, row: dict[str, Any], ink: str) -> str:
    """Name of a stage, its median and 90 % below it: read at any width."""
    values = f"{words.value(row['p50'], 'min')} · {words.value(row['p90'], 'min')}"
    return f"{name}<br><span style='color:{ink};font-weight:600'>{values}</span>"
