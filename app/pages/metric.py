"""One number: a metric with everything that can be said for and against it, in sections of `app/sections`."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from app import changes, evidence, words
from app.cards import choices, headline, page_head
from app.context import Context
from app.dom import many
from app.sections import SECTIONS
from app.sections.course import VALUES
from app.texts import text
from app.words import statistic
from sql.catalog import Metric

QUESTIONS = tuple(question for section in SECTIONS for question in section.questions)


def render(context: Context) -> list[Any]:
    """The page."""
    metric = context.chosen
    return [
        page_head(context, metric.title, metric.question),
        _tools(context, metric),
        _tiles(context, metric),
        html.Div([part for section in SECTIONS for part in section.cards(context, metric)], className="grid"),
        evidence.block(context, metric.id),
    ]


def _tools(context: Context, metric: Metric) -> html.Div:
    """Which statistic, and the other numbers."""
    statistics = [(name, statistic(name)) for name in metric.statistics]
    others = [
        many(html.Li, many(dcc.Link, other.title, href=context.state.bare().href("/metric", metric=other.id)))
        for other in context.definitions.values()
        if other.id != metric.id
    ]
    chosen = [choices(context, "/metric", "stat", statistics, context.statistic)] if len(statistics) > 1 else []
    return html.Div(
        [
            *chosen,
            dcc.Link(text("card.definition"), href=f"/definitions#{metric.id}"),
            html.Details([html.Summary(text("metric.others")), html.Ul(others)], className="others"),
        ],
        className="metric-tools",
    )


def _tiles(context: Context, metric: Metric) -> html.Div:
    tiles = [
        headline(statistic(row["statistic"]), words.value(row["value"], metric.unit),
                 change=changes.shown(row, metric.unit), hint=text("card.n", n=words.count(row["n"])),
                 is_main=row["statistic"] == context.statistic)
        for row in VALUES.ask(context).iter_rows(named=True)
    ]  # fmt: skip
    return html.Div(tiles, className="tiles")
