"""Facilities side by side: the crude value as a ring, the standardized one as a dot with its interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from app import words
from app.figures.base import figure, interval, level, palette, two_lines, value_ticks
from app.figures.chart import Chart
from app.texts import text


def peers(  # noqa: PLR0913 - one figure with named parts
    frame: pl.DataFrame, scheme: str, *, unit: str, x: str, network: str, name: Callable[[str], str],
    href: Callable[[dict[str, Any]], str] | None = None,
) -> Chart:  # fmt: skip
    """Rows of `sql.query.benchmark`, with a line at the network's value; a dot in colour is beyond chance."""
    made = figure(x=x, legend=True)
    colours = palette(scheme)
    rows = list(frame.iter_rows(named=True))
    hues = {"better": colours.better, "worse": colours.worse}
    labels = [two_lines(name(row["group_value"])) for row in rows]
    links = [href(row) if href else "" for row in rows]
    tips = [_tip(name(row["group_value"]), row, unit) for row in rows]
    error = {
        "type": "data", "symmetric": False, "thickness": 1.4, "width": 4, "color": colours.muted,
        "array": [0 if row["standardized_upper"] is None else row["standardized_upper"] - row["standardized"]
                  for row in rows],
        "arrayminus": [0 if row["standardized_lower"] is None else row["standardized"] - row["standardized_lower"]
                       for row in rows],
    }  # fmt: skip
    made.add(
        "scatter", y=labels, x=[row["value"] for row in rows], name=text("figure.crude"), mode="markers",
        marker={"symbol": "circle-open", "size": 11, "color": colours.muted, "line": {"width": 1.6}},
        text=tips, hovertemplate="%{text}<extra></extra>", customdata=links,
    )  # fmt: skip
    made.add(
        "scatter", y=labels, x=[row["standardized"] for row in rows],
        name=text("figure.standardized"), mode="markers", error_x=error,
        marker={"size": 10, "color": [hues.get(row["verdict"] or "", colours.ink) for row in rows]},
        text=tips, hovertemplate="%{text}<extra></extra>", customdata=links,
    )  # fmt: skip
    if rows:
        level(made, rows[0]["network"], network, scheme, horizontal=False)
    made.update_layout(margin={"t": 52}, legend={"y": 1.12})
    made.update_yaxes(autorange="reversed", showgrid=True, ticksuffix="  ")
    values = [row[name] for row in rows for name in ("value", "standardized_lower", "standardized_upper")]
    known = [value for value in values if value is not None]
    made.update_xaxes(showgrid=True, **value_ticks(min(known, default=0), max(known, default=1), unit))
    return made


def _tip(label: str, row: dict[str, Any], unit: str) -> str:
    crude, ours = words.value(row["value"], unit), words.value(row["standardized"], unit)
    lines = [f"<b>{label}</b>", f"{text('figure.crude')} {crude}", f"{text('figure.standardized.tip')} <b>{ours}</b>"]
    lines += interval(row["standardized_lower"], row["standardized_upper"], unit)
    return "<br>".join([*lines, text("figure.n", n=words.count(row["n"]))])
