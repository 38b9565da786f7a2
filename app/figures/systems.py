"""The system map: who sends how much to whom, as bands from senders to receivers."""

from __future__ import annotations

import polars as pl

from app import words
from app.figures.base import figure, palette
from app.figures.chart import Chart
from app.texts import text

#: Senders that have a band of their own, the busiest first.
MOST = 18


def systems(frame: pl.DataFrame, scheme: str, *, unsaid: str) -> Chart:
    """Bands whose width is the number of messages (columns sender, receiver, standard, n_messages).

    A receiver that the messages do not name is `unsaid`. A standard has a colour, named above.
    """
    made = figure()
    colours = palette(scheme)
    shown = frame.head(MOST).with_columns(pl.col("receiver").fill_null(unsaid))
    left, right = shown["sender"].unique(maintain_order=True).to_list(), shown["receiver"].unique().sort().to_list()
    standards = frame["standard"].unique().sort().to_list()
    tones = dict(zip(standards, colours.series, strict=False))
    tips = [
        text("figure.sent", sender=row["sender"], receiver=row["receiver"], standard=row["standard"].upper(),
             n=words.count(row["n_messages"]))
        for row in shown.iter_rows(named=True)
    ]  # fmt: skip
    made.add(
        "sankey",
        node={"label": [*left, *right], "color": colours.muted, "pad": 14, "thickness": 9, "line": {"width": 0},
              "hovertemplate": "%{label}<br>" + text("figure.messages", n="%{value:,.0f}") + "<extra></extra>"},
        link={"source": [left.index(name) for name in shown["sender"]],
              "target": [len(left) + right.index(name) for name in shown["receiver"]],
              "value": shown["n_messages"].to_list(), "color": [_pale(tones[s]) for s in shown["standard"]],
              "customdata": tips, "hovertemplate": "%{customdata}<extra></extra>"},
        textfont={"color": colours.ink, "size": 11.5, "shadow": "none"},
    )  # fmt: skip
    named = "\u2003".join(f'<span style="color:{tones[one]}">■</span> {one.upper()}' for one in standards)
    made.update_layout(margin={"t": 28})
    made.add_annotation(xref="paper", yref="paper", x=0, y=1, yshift=6, xanchor="left", yanchor="bottom", text=named,
                        showarrow=False, font={"size": 12, "color": colours.muted})  # fmt: skip
    return made


def _pale(colour: str) -> str:
    """A colour of the palette, let through."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.45)"
