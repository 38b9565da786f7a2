"""Workload in words, before its cards: who carries most, when most wait, when most is signed, and what would help."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.context import Context
from app.sections.whatif import PATH, PLACE
from app.tables import Row
from app.texts import text


def said(context: Context, group: str, readers: pl.DataFrame, backlog: pl.DataFrame, cells: pl.DataFrame) -> list[Any]:
    """One sentence each, from the rows that the cards below show; none where there are none.

    `readers` by `group` (value, delta), `backlog` by hour (hour_at, n_waiting, n_past_target), `cells` by weekday and
    hour (group_value, value)."""
    found = [
        _who(context, group, first_of(readers, "value")),
        _waiting(first_of(backlog, "n_waiting")),
        _signed(first_of(cells, "value")),
    ]
    lines: list[Any] = [html.Li(line) for line in found if line]
    if not lines:
        return []
    lines.append(html.Li(dcc.Link(text("workload.said.help"), href=f"{context.state.href(PATH)}#{PLACE}")))
    return [html.Section(html.Div([html.H2(text("overview.words")), html.Ul(lines, className="in-words")]),
                         className="brief one")]  # fmt: skip


def first_of(frame: pl.DataFrame, name: str) -> Row | None:
    """The row with most of a column, the first of several; None where none is known."""
    values = frame[name].to_list()
    known = [value for value in values if value is not None]
    return frame.row(values.index(max(known)), named=True) if known else None


def _who(context: Context, group: str, row: Row | None) -> str:
    if row is None:
        return ""
    change = "" if row["delta"] is None else text("workload.said.change", delta=words.delta(row["delta"], "reads"))
    return text("workload.said.who", name=context.name(group, row["group_value"]), n=words.count(row["value"]),
                change=change)  # fmt: skip


def _waiting(row: Row | None) -> str:
    if row is None or not row["n_waiting"]:
        return ""
    return text("workload.said.when", at=words.instant(row["hour_at"]), n=words.count(row["n_waiting"]),
                late=words.count(row["n_past_target"]))  # fmt: skip


def _signed(row: Row | None) -> str:
    if row is None:
        return ""
    day, hour = row["group_value"].split(" | ")
    return text("workload.said.signed", day=words.group("weekday", day), hour=words.group("hour", hour),
                n=words.count(row["value"]))  # fmt: skip
