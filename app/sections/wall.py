"""The wall display of the page Live: read from five metres, on one screen, with nothing to click but the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.context import Context
from app.dom import data
from app.everywhere import everywhere
from app.icons import icon
from app.sections import now
from app.tables import Row
from app.texts import text
from sql.live import now_filters

#: Exams of a panel: what has room on a screen.
ROWS = 6
#: Signs of a procedure's name that stand on one line in full size.
SHORT = 20
#: Signs of a number that have room in full size: more are written smaller.
ROOMY = 5


def display(context: Context, row: Row, as_of: str, hints: Mapping[str, str], kept: pl.DataFrame) -> html.Div:
    """Headline numbers with their hints, the next breaches and the latest; `kept` has the open exams that are not left,
    in their order."""
    soon = kept.filter(pl.col("left_min") >= 0)
    over = kept.filter(pl.col("left_min") < 0).sort("left_min", descending=True)
    return html.Div(
        [
            html.Div(
                [
                    html.H1(_place(context)),
                    html.Div([html.Span(as_of), html.Span(**data("age", text("live.old", age="{}")), className="age")],
                             className="wall-at"),
                    dcc.Link([icon("close", 16), text("wall.leave")], href=context.state.href("/live", wall=None),
                             id="wall-leave", className="wall-leave"),
                ],
                className="wall-head",
            ),
            html.Div([icon("alert", 32), html.Span(**data("age", text("live.stale", age="{}")))],
                     className="wall-stale stale-only", role="status"),
            html.Div([_number(name, row[name], hint) for name, hint in hints.items()], className="wall-numbers"),
            html.Div([_panel(context, "soon", soon), _panel(context, "over", over)], className="wall-panels"),
        ],
        className="wall",
    )  # fmt: skip


def _place(context: Context) -> str:
    """What the display is about: names of facilities and the other filters."""
    kept = now_filters(context.filters)
    if kept.to_query() == "" and kept.scope is None:
        return everywhere(context.snapshot, "live.everything").rstrip(".")
    return kept.sentence(("since", "until"), words.group).rstrip(".")


def _number(name: str, n: int, hint: str) -> html.Div:
    told = words.count(n)
    size = "wall-number long" if len(told) > ROOMY else "wall-number"
    return html.Div(
        [html.Div(told, className=size, **now.marked(name, n)),
            html.Div(text(f"live.{name}"), className="wall-label"),
         html.Div(hint, className="wall-hint")],
        className=f"wall-tile {now.urgency(name, n)}",
    )  # fmt: skip


def _panel(context: Context, name: str, frame: pl.DataFrame) -> html.Section:
    rest = frame.height - ROWS
    more = [html.Span(text("wall.more", n=words.count(rest)), className="wall-more")] if rest > 0 else []
    place = "device" if len(context.filters.facility) == 1 else "facility"  # what all share says nothing
    rows: list[Any] = [_exam(row, place) for row in frame.head(ROWS).iter_rows(named=True)]
    return html.Section(
        [
            html.H2([text(f"wall.{name}"), *more]),
            html.Ol(rows) if rows else html.P(text(f"wall.none.{name}"), className="wall-none"),
        ],
        className=f"wall-panel {name}",
    )


def _exam(row: Row, place: str) -> html.Li:
    urgent = "" if row["priority"] == "routine" else row["priority"] or ""
    told = words.group("priority", urgent) if urgent else ""
    what = now.procedure(row)
    said: list[Any] = [what]
    if row["stage"] != "unread":
        said += [" ", html.Small(text(f"live.stage.{row['stage']}"), className="wall-stage")]
    return html.Li(
        [
            html.Div(
                [
                    html.Div(words.short(abs(row["left_min"])), className="wall-left"),
                    html.Div([html.Span(told, className=f"wall-priority {urgent}"), html.Span(row[place] or "")],
                             className="wall-where"),
                ],
                className="wall-when",
            ),
            html.Span(said, className="wall-what" if len(what) <= SHORT else "wall-what long"),
        ],
        className=f"due-{row['due']}", **data("exam", row["exam_key"]),
        **now.marked(f"exam {row['exam_key']}", row["due"]),
    )  # fmt: skip
