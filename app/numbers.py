"""A table of several metrics under one heading: name, number, what it was before, on how many it rests."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from app import changes, words
from app.cards import card, shown
from app.context import Context
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text


def numbers(context: Context, question: Question, *, wide: bool = False) -> html.Section:
    """The card of a question of several metrics; a name leads to the metric's own page, too few rows are pale."""
    frame = question.ask(context)

    def name(row: Row) -> Any:
        metric = context.definition(row["metric"])
        key = "value" if row["statistic"] == metric.statistic == "value" else row["statistic"]
        said = metric.title if key == "value" else text(f"choice.{metric.id}.{key}")
        href = context.state.bare().href("/metric", metric=metric.id, stat=row["statistic"])
        return dcc.Link(said, href=href, title=metric.question)

    def unit(row: Row) -> str:
        return context.definition(row["metric"]).unit

    columns = [
        Column(text("numbers.name"), name, is_text=True),
        Column(text("metric.value"), lambda row: words.value(row["value"], unit(row))),
        Column(text("table.change"), lambda row: changes.shown(row, unit(row))),
        Column(text("table.n"), lambda row: words.count(row["n"])),
    ]

    def made() -> Any:
        return table(frame, columns, label=question.title, faint=lambda row: row["n"] < _floor(context, row))

    return card(context, question, shown(frame, made), wide=wide)


def _floor(context: Context, row: Row) -> int:
    return context.definition(row["metric"]).min_n
