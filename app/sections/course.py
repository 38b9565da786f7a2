"""One metric over time with control limits, target and the days on which its meaning changed; and its statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from dash import html

from app import cross, words
from app.cards import card, choices, graph, shown
from app.context import Context
from app.course import GRAINS, charted, chosen_grain, marks_of, said
from app.figures.control import Mark, control
from app.figures.pins import Pin
from app.noted import noted
from app.questions import CHOSEN, Question
from app.sections.groups import interval
from app.state import drill
from app.tables import Column, change, table
from app.texts import text
from app.words import statistic
from sql.catalog import Metric

#: Words of the figure.
NAMES = ("value", "center", "limits", "low", "high", "outside", "run", "partial", "target")


def _course(context: Context) -> pl.DataFrame:
    return charted(context, chosen_grain(context))


def _marks(context: Context) -> pl.DataFrame:
    return marks_of(context, chosen_grain(context))


def _values(context: Context) -> pl.DataFrame:
    parts = [context.compare(context.chosen.id, (), name).with_columns(pl.lit(name).alias("statistic"))
             for name in context.chosen.statistics]  # fmt: skip
    return pl.concat(parts)


COURSE = Question("metric.course", _course, CHOSEN)
MARKS = Question("metric.marks", _marks)
VALUES = Question("metric.values", _values, CHOSEN)
QUESTIONS = (COURSE, MARKS, VALUES)


def marked(frame: pl.DataFrame) -> list[Mark]:
    """Days of changed meaning in few words, for an axis."""
    return [(row["on"], text(f"mark.{row['kind']}", n=row["n"])) for row in frame.iter_rows(named=True)]


def cards(context: Context, metric: Metric) -> list[Any]:
    """The control chart where the metric has a course of what was, and the table of its statistics."""
    course = [_course_card(context, metric)] if metric.has_dates and metric.kind != "forecast" else []
    return [*course, _values_card(context, metric)]


def _course_card(context: Context, metric: Metric) -> html.Section:
    grain, frame, marks = chosen_grain(context), COURSE.ask(context), MARKS.ask(context)
    names = {name: text(f"control.name.{name}") for name in NAMES} | {"value": statistic(context.statistic)}

    def href(row: dict[str, Any]) -> str:
        return drill(context.state.having(since=row["period_start"], until=row["period_end"]), "all", "all")

    def figure(pins: Sequence[Pin]) -> Any:
        y = "" if metric.unit in ("min", "share") else words.unit(metric.unit)  # whose ticks have their unit
        made = control(frame, context.scheme, unit=metric.unit, y=y, names=names, target=metric.goal,
                       marks=marked(marks), pins=pins, href=href)  # fmt: skip
        return graph(COURSE, made, 320, by=(cross.PERIOD,))

    def body() -> list[Any]:
        told = [html.Li(sentence) for sentence in said(frame, metric.unit, grain)]
        told += [html.Li(text("mark.told", day=words.day(row["on"]), what=_told(row)))
                 for row in marks.iter_rows(named=True)]  # fmt: skip
        return [*noted(context, figure), html.Ul(told, className="said")]

    tools = choices(context, "/metric", "grain", [(name, text(f"grain.{name}.many")) for name in GRAINS], grain)
    return card(context, COURSE, shown(frame, body), n=int(frame["n"].sum()), wide=True, tools=tools)


def _told(row: dict[str, Any]) -> str:
    return text(f"mark.{row['kind']}", n=row["n"]) + (f": {words.said(row['what'])}" if row["what"] else "")


def _values_card(context: Context, metric: Metric) -> html.Section:
    frame = VALUES.ask(context)
    columns = [
        Column(text("metric.statistic"), lambda row: statistic(row["statistic"]), is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("metric.value"), lambda row: words.value(row["value"], metric.unit)),
        Column(text("metric.interval"), lambda row: interval(row, metric.unit)),
        change(text("table.change"), metric.unit),
    ]
    body = shown(frame, lambda: table(frame, columns, label=VALUES.title, faint=lambda row: row["n"] < metric.min_n))
    return card(context, VALUES, body, wide=True)
