"""The parts of a page: headings with their evidence, cards around charts and tables, headline numbers, empty states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from dash import dcc, html

from app import changes, cross, evidence, words
from app.context import Context
from app.dom import aria, data, many
from app.everywhere import kept_to
from app.figures.chart import Chart
from app.icons import icon
from app.questions import Question
from app.texts import text
from sql.catalog import Metric
from sql.measure import unapplied

#: Of each figure: no buttons of plotly's, and it follows the width of its card.
_CONFIG: Any = {
    "displayModeBar": False,
    "responsive": True,
    "displaylogo": False,
    "scrollZoom": False,
    "doubleClick": False,
}


def page_head(context: Context, title: str, lead: str = "") -> html.Div:
    """Title, the filters in words, and what the page answers."""
    return html.Div(
        [
            html.H1(title),
            html.P(
                context.filters.sentence(named=words.group) + kept_to(context.snapshot),
                className="sentence",
                id="sentence",
            ),
            *_uncovered(context),
            *([html.P(lead, className="lead")] if lead else []),
        ],
        className="page-head",
    )


def _uncovered(context: Context) -> list[html.P]:
    """A warning where the period compared with begins before the data: counts cannot be compared then."""
    before, first = context.filters.before(), context.data_from()
    if before is None or before.since is None or first is None or before.since >= first:
        return []
    return [html.P(text("head.uncovered", first=words.day(first)), className="uncovered")]


def card(  # noqa: PLR0913 - one card with named parts
    context: Context,
    question: Question,
    body: Any,
    *,
    n: int | None = None,
    wide: bool = False,
    tools: Any = None,
    place: str = "",
) -> html.Section:
    """A question with its answer: title, note, body, and a foot with evidence, what was not applied, and CSV.

    `n` is told where the question is about no single metric. What rests on too few or incomplete values is greyed out.
    `place` is the name by which a link leads to it.
    """
    foot: list[Any] = []
    metric, why = question.about(context), ""
    if metric is None and n is not None:
        foot.append(many(html.Span, text("card.n", n=words.count(n)), className="n"))
    if metric is not None:
        statistic = question.statistic(context)
        foot.append(evidence.fold(context, metric, statistic))
        why = evidence.fault(context, metric, statistic)
        if left_out := not_applied(context, metric):
            foot.append(many(html.Span, left_out, className="warn"))
        foot.append(many(dcc.Link, text("card.definition"), href=f"/definitions#{metric.id}", title=metric.question))
        if metric.id != context.state.own.get("metric"):
            foot.append(many(dcc.Link, text("card.more"), href=context.state.bare().href("/metric", metric=metric.id),
                             title=text("card.more.hint")))  # fmt: skip
    foot.append(
        many(html.A, [icon("download", 13), "CSV"], href=question.csv_href(context), className="csv",
             title=text("card.csv"), **data("question", question.id))
    )  # fmt: skip
    named = many(html.Div, [many(html.H2, question.title), many(html.P, question.note, className="note")])
    head = many(html.Div, [named, *([tools] if tools else [])], className="card-head")
    anchor: dict[str, Any] = {"id": place} if place else {}
    grey = [many(html.P, why, className="note unsound")] if why else []
    return many(
        html.Section,
        [
            head,
            *grey,
            many(html.Div, body, className="card-body grey" if why else "card-body"),
            many(html.Div, foot, className="card-foot"),
        ],
        className="card wide" if wide else "card",
        **anchor,
        **aria(question.title),
    )


def graph(
    question: Question, figure: Chart, height: int = 280, *, context: Context | None = None, by: Sequence[str] = ()
) -> html.Div:
    """A figure that answers a question, with the table behind it; a click on a mark keeps the page to the keys `by` of
    it, else it leads to the exams behind. With a context it is said what the page is kept to already."""
    drawn = dcc.Graph(
        figure=figure.packed(), config=_CONFIG, responsive=True, className="graph",
        style={"height": f"{height}px"}, id={"kind": "graph", "question": question.id},
    )  # fmt: skip
    has_links = any("customdata" in trace or "meta" in trace for trace in figure.data)
    told = cross.chosen(context, by) if context is not None else []
    below = [many(html.P, figure.told, className="note figure-told")] if figure.told else []
    foot = many(html.Div, [cross.behind(by), cross.hint(by, has_links=has_links)], className="graph-foot")
    return many(html.Div, [*told, drawn, *below, foot], className="graph-box")


def empty(note: str = "") -> html.Div:
    """What stands where nothing matches: never a zero. With a note, what cannot be known and why."""
    title = text("empty.unknown") if note else text("empty.title")
    return html.Div([html.Strong(title), html.Span(note or text("empty.hint"))], className="empty")


def shown(frame: pl.DataFrame, body: Any, note: str = "") -> Any:
    """The body where the frame has rows, else the empty state. `body` is made only then."""
    return empty(note) if frame.is_empty() else body()


def tiles(context: Context, question: Question, main: str, *, named: Callable[[str, str], bool]) -> html.Div:
    """The headline numbers of a question about several metrics, with their changes; `main` is the page's own metric.

    `named` says of a metric and a statistic whether the statistic stands beside the title."""
    made = []
    for row in question.ask(context).iter_rows(named=True):
        metric = context.definition(row["metric"])
        statistic = f" · {text('stat.' + row['statistic'])}" if named(row["metric"], row["statistic"]) else ""
        made.append(headline(metric.title + statistic, words.value(row["value"], metric.unit),
                             change=changes.shown(row, metric.unit), is_main=row["metric"] == main,
                             hint=not_applied(context, metric)))  # fmt: skip
    return html.Div(made, className="tiles")


def not_applied(context: Context, metric: Metric) -> str:
    """Which filters of the page a metric does not take, in words; empty where it takes all."""
    left_out = dict.fromkeys(text(f"filter.{key}") for key in unapplied(metric, context.filters))
    return text("card.unapplied", names=", ".join(left_out)) if left_out else ""


def headline(
    label: str, value: str, *, change: Any = None, hint: str = "", is_main: bool = False, href: str = ""
) -> html.Div:
    """One number with its name, and what it was before; `href` leads to the exams behind it."""
    parts = [part for part in (change, many(html.Span, hint) if hint else None) if part]
    return many(
        html.Div,
        [
            many(html.Div, label, className="tile-label"),
            many(html.Div, many(dcc.Link, value, href=href) if href else value, className="tile-value"),
            many(html.Div, parts, className="tile-hint"),
        ],
        className="tile main" if is_main else "tile",
    )


def choices(context: Context, path: str, key: str, options: Sequence[tuple[str, str]], chosen: str) -> html.Div:
    """A row of links that set one own key of the page; the chosen one is marked."""
    return html.Div(
        [
            many(dcc.Link, label, href=context.state.href(path, **{key: value}),
                 className="choice on" if value == chosen else "choice")
            for value, label in options
        ],
        className="choices",
        role="group",
    )  # fmt: skip
