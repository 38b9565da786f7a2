"""Definitions: every metric and column in words, with its SQL, generated from the headers of the SQL files."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
from dash import html

from app import words
from app.cards import card
from app.context import Context
from app.dom import listing
from app.evidence import foot_line
from app.questions import Question
from app.tables import Column, table
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
    said: dict[str, Any] = {"unit": words.unit(metric.unit), "better": text(f"better.{metric.better}"),
            "statistic": words.statistic(metric.statistic),
            **{name: html.Code(value) for name, value in told if name in _CODES}}  # fmt: skip
    pairs = [part for name, value in told if value not in ("", "none")
             for part in (html.Dt(text(f"metric.{name}")), html.Dd(said.get(name, value)))]  # fmt: skip
    return html.Details(
        [
            html.Summary([html.Strong(metric.title), html.Span(metric.question), html.Code(metric.id)]),
            html.Dl(pairs),
            html.H3(text("definitions.sql")),
            listing(metric.body),
        ],
        id=metric.id,
        className="definition",
    )


def _model(model: Model) -> html.Details:
    frame = pl.DataFrame([{"name": c.name, "type": c.type, "unit": c.unit, "note": c.note} for c in model.columns])
    columns = [Column(text(f"column.{name}"), partial(_cell, name), is_text=True) for name in frame.columns]
    return html.Details(
        [
            html.Summary([html.Code(model.name), html.Span(words.said(model.purpose))]),
            html.P(text("definitions.grain", grain=words.said(model.grain), key=model.key), className="note"),
            table(frame, columns, label=model.name),
        ],
        id=f"table-{model.name}",
        className="model",
    )


def _cell(name: str, row: Any) -> Any:
    return html.Code(row[name]) if name in ("name", "type") else words.said(row[name])
