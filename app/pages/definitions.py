"""Definitions: every metric and column in words, with its SQL, generated from the headers of the SQL files."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import html

from app import words
from app.cards import card
from app.context import Context
from app.dom import drawn, listing
from app.evidence import foot_line
from app.questions import Question
from app.texts import text
from sql.catalog import Catalog, Metric, Model

#: What is said of a metric, in order.
_TOLD = ("unit", "better", "statistic", "numerator", "denominator", "clock_start", "clock_stop", "includes", "excludes",
         "nulls", "min_n", "target", "reference", "anchor", "version", "changed")  # fmt: skip

#: Of these, what is written in a statement of one's own.
_CODES = ("groups", "filters")


def _metrics(context: Context) -> pl.DataFrame:
    names = ("id", "title", "question", *_TOLD)
    found = context.definitions.values()
    return pl.DataFrame([{name: str(getattr(m, name)) for name in names} | {"groups": ", ".join(m.groups),
                         "filters": ", ".join(m.filters), "sql": m.body} for m in found])  # fmt: skip


def _columns(_: Context) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"table": model.name, "grain": model.grain, "column": column.name, "type": column.type,
             "unit": column.unit, "note": column.note}
            for model in Catalog.load().tables.values() for column in model.columns
        ]
    )  # fmt: skip


METRICS = Question("definitions.metrics", _metrics)
COLUMNS = Question("definitions.columns", _columns)
QUESTIONS = (METRICS, COLUMNS)


def render(context: Context) -> list[Any]:
    """The page."""
    catalog = Catalog.load()
    return [
        html.Div([html.H1(text("definitions.title")), html.P(text("definitions.lead"), className="lead")],
                 className="page-head"),
        card(context, METRICS, [_metric(metric) for metric in context.definitions.values()], wide=True),
        card(context, COLUMNS, [_model(model) for model in catalog.tables.values()], wide=True),
        html.P(foot_line(context), className="facts"),
    ]  # fmt: skip


def _metric(metric: Metric) -> html.Details:
    told = [(name, str(getattr(metric, name))) for name in _TOLD]
    told += [("groups", ", ".join(metric.groups)), ("filters", ", ".join(metric.filters))]
    said = {"unit": words.unit(metric.unit), "better": text(f"better.{metric.better}"),
            "statistic": words.statistic(metric.statistic)}  # fmt: skip
    pairs = [[{"t": text(f"metric.{name}")}, {"code" if name in _CODES else "t": said.get(name, value)}]
             for name, value in told if value not in ("", "none")]  # fmt: skip
    return html.Details(
        [
            html.Summary([html.Strong(metric.title), html.Span(metric.question), html.Code(metric.id)]),
            html.Div(**drawn(pairs=pairs)),
            html.H3(text("definitions.sql")),
            listing(metric.body),
        ],
        id=metric.id,
        className="definition",
    )


def _model(model: Model) -> html.Details:
    head = [{"t": text(f"column.{name}")} for name in ("name", "type", "unit", "note")]
    rows = [
        {"cells": [{"code": c.name}, {"code": c.type}, words.said(c.unit), words.said(c.note)]} for c in model.columns
    ]
    return html.Details(
        [
            html.Summary([html.Code(model.name), html.Span(words.said(model.purpose))]),
            html.P(text("definitions.grain", grain=words.said(model.grain), key=model.key), className="note"),
            html.Div(className="table-scroll", tabIndex=0, **drawn(label=model.name, head=head, rows=rows)),
        ],
        id=f"table-{model.name}",
        className="model",
    )
