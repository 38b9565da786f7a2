"""A length with the exams that still wait, beside the finished ones alone: slow ones cannot hide in the pile."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import html

from app import words
from app.cards import card, shown
from app.context import Context
from app.questions import CHOSEN, Question
from app.sections.groups import interval
from app.tables import Column, table
from app.texts import text
from sql.catalog import Metric
from sql.kaplan_meier import is_censorable

_UNITS = {"finished": "min", "gap": "min"}


def of_waiting(question_id: str, metric_id: str) -> Question:
    """The question of a metric's waiting exams; of the chosen one for `CHOSEN`."""
    return Question(
        question_id, lambda c: c.waiting(c.chosen.id if metric_id == CHOSEN else metric_id), metric_id, _UNITS
    )


WAITING = of_waiting("metric.waiting", CHOSEN)
QUESTIONS = (WAITING,)


def cards(context: Context, metric: Metric) -> list[Any]:
    """One card for a length that may not have ended."""
    return [waiting_card(context, WAITING, metric)] if is_censorable(metric) else []


def waiting_card(context: Context, question: Question, metric: Metric) -> html.Section:
    """What the difference says, and the percentiles of both."""
    frame = question.ask(context)
    columns = [
        Column(text("metric.statistic"), lambda row: words.statistic(row["statistic"]), is_text=True),
        Column(text("waiting.finished"), lambda row: words.value(row["finished"], metric.unit)),
        Column(text("waiting.whole"), lambda row: _whole(row, metric.unit)),
        Column(text("metric.interval"), lambda row: interval(row, metric.unit)),
        Column(text("waiting.gap"), lambda row: words.delta(row["gap"], metric.unit)),
    ]
    n = None if frame.is_empty() else int(frame["n"][0])
    body = shown(frame, lambda: [html.P(said(frame, metric.unit), className="said"),
                                 table(frame, columns, label=question.title)])  # fmt: skip
    return card(context, question, body, n=n, wide=True)


def _whole(row: Any, unit: str) -> str:
    return text("waiting.unreached") if row["value"] is None and row["n"] else words.value(row["value"], unit)


def said(frame: pl.DataFrame, unit: str) -> str:
    """In words whether the waiting exams change what the finished ones tell."""
    rows = frame.to_dicts()
    n, total = rows[0]["n_waiting"], words.count(rows[0]["n"])
    if not n:
        return text("waiting.none", total=total)
    differing = [row for row in rows if row["differs"]]
    if not differing:
        return text("waiting.same", n=words.count(n), total=total)
    row = differing[0]
    values = {"n": words.count(n), "total": total, "statistic": words.statistic(row["statistic"]),
              "finished": words.value(row["finished"], unit)}  # fmt: skip
    if row["value"] is None:
        return text("waiting.open", **values)
    return text("waiting.differs", **values, whole=words.value(row["value"], unit))
