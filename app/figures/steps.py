"""From an earlier to a present value in steps: each effect begins where the one before it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from app import words
from app.figures.base import figure, palette, two_lines, value_ticks
from app.figures.chart import Chart
from app.texts import text

#: Room beside the bars for their labels, in parts of the axis.
_ROOM = 0.16


def steps(
    frame: pl.DataFrame,
    scheme: str,
    *,
    unit: str,
    x: str,
    name: Callable[[dict[str, Any]], str],
    href: Callable[[dict[str, Any]], str] | None = None,
) -> Chart:
    """Rows of `sql.query.steps` from top to bottom: diamonds at the earlier and the present value, between them a bar
    an effect from its start to its end. The axis need not begin at zero, so the totals are no bars."""
    made = figure(x=x)
    colours = palette(scheme)
    rows = list(frame.iter_rows(named=True))
    labels = [two_lines(name(row)) for row in rows]
    hues = {"better": colours.better, "worse": colours.worse}
    between = [(label, row) for label, row in zip(labels, rows, strict=True) if row["moved"] is not None]
    made.add(
        "bar", y=[label for label, _ in between], base=[row["start"] for _, row in between],
        x=[row["moved"] for _, row in between], orientation="h", width=0.56,
        marker={"color": [hues.get(row["verdict"] or "", colours.series[4]) for _, row in between]},
        text=[words.delta(row["moved"], unit) for _, row in between], textposition="outside", cliponaxis=False,
        textfont={"color": colours.ink}, constraintext="none",
        hovertext=[_tip(label, row, unit) for label, row in between], hoverinfo="text",
        customdata=[href(row) if href and row["group_value"] else "" for _, row in between],
    )  # fmt: skip
    totals = [(label, row) for label, row in zip(labels, rows, strict=True) if row["moved"] is None]
    made.add(
        "scatter", y=[label for label, _ in totals], x=[row["end"] for _, row in totals], mode="markers+text",
        marker={"symbol": "diamond", "size": 11, "color": colours.ink},
        text=[f"<b>{words.value(row['end'], unit)}</b>" for _, row in totals], textposition="middle right",
        textfont={"color": colours.ink}, cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip
    ends = [value for row in rows for value in (row["start"], row["end"]) if value is not None]
    low, high = min(ends), max(ends)
    room = (high - low or abs(high) or 1) * _ROOM
    made.update_xaxes(showgrid=True, range=[low - 2 * room, high + 2 * room],
                      **value_ticks(low - 2 * room, high + 2 * room, unit, decimals=1))  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False, ticksuffix="  ", categoryorder="array",
                      categoryarray=labels)  # fmt: skip
    return made


def _tip(label: str, row: dict[str, Any], unit: str) -> str:
    lines = [f"<b>{label}</b>", f"<b>{words.delta(row['moved'], unit)}</b>"]
    if row["group_value"]:
        lines.append(f"{words.value(row['previous'], unit)} → {words.value(row['value'], unit)}")
        if row["share"] is not None:
            lines.append(
                text("figure.share.both", before=words.share(row["previous_share"]), now=words.share(row["share"]))
            )
        lines.append(text("figure.n.both", before=words.count(row["previous_n"]), now=words.count(row["n"])))
    return "<br>".join(lines)
