"""Dots: two measures of the same things against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from app.figures.base import figure, palette
from app.figures.chart import Chart
from app.texts import text


def dots(  # noqa: PLR0913 - one figure with named parts
    frame: pl.DataFrame,
    scheme: str,
    *,
    across: str,
    up: str,
    x: str,
    y: str,
    tip: Callable[[dict[str, Any]], str],
    by: str,
    order: Sequence[str] = (),
) -> Chart:
    """A row a dot at columns `across` and `up`, coloured by the values of `by` in the order given, others grey."""
    made, colours = figure(x=x, y=y, legend=True), palette(scheme)
    kinds: dict[str | None, list[dict[str, Any]]] = {kind: [] for kind in [*order, None]}
    for row in frame.drop_nulls(by).iter_rows(named=True):
        kinds[row[by] if row[by] in kinds else None].append(row)
    for number, (kind, rows) in enumerate(kinds.items()):
        if not rows:
            continue
        made.add(
            "scatter", x=[row[across] for row in rows], y=[row[up] for row in rows], mode="markers",
            name=kind or text("figure.other"),
            marker={"size": 9, "opacity": 0.8, "line": {"width": 0},
                    "color": colours.muted if kind is None else colours.series[number % len(colours.series)]},
            text=[tip(row) for row in rows], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    made.update_xaxes(showgrid=True, rangemode="tozero")
    made.update_yaxes(rangemode="tozero")
    return made
