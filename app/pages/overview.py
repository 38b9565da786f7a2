"""Overview: is anything wrong, and where? One row per facility, exceptions first, and what changed most."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import polars as pl
from dash import dcc, html

from app import changes, cross, evidence, moves, scorecard, words
from app.cards import card, page_head, shown
from app.context import Context
from app.dom import many
from app.everywhere import everywhere
from app.figures.unfinished import spans
from app.icons import icon, sparkline
from app.questions import Question
from app.sections import moved
from app.state import drill
from app.tables import Column, Row, foremost, places
from app.texts import text

#: Findings, and facilities in words, that stand open; others are folded, and why is not asked of them.
MOST = 12
#: What the table of changes parts, and by what.
CHANGED, CHANGED_STATISTIC, CHANGED_BY = "report_final", "p90", ("facility", "modality")

FACILITIES = Question(
    "overview.facilities", scorecard.scorecard, "report_final",
    {measure.name: measure.unit for measure in scorecard.MEASURES} | {"n_silent": "senders"},
)  # fmt: skip
COURSE = Question("overview.course", lambda c: pl.concat(c.trend("report_final", by) for by in ((), ("facility",))),
                  "report_final")  # fmt: skip
CHANGES = Question("overview.changes", lambda c: c.attribution(CHANGED, CHANGED_BY, CHANGED_STATISTIC), CHANGED)
EFFECTS = Question("overview.effects", lambda c: c.steps(CHANGED, CHANGED_BY, CHANGED_STATISTIC, moved.NAMED), CHANGED)
NETWORK = Question("overview.network", scorecard.network, "report_final", FACILITIES.units)
QUESTIONS = (FACILITIES, NETWORK, COURSE, CHANGES, EFFECTS)


def render(context: Context) -> list[Any]:
    """The page."""
    frame = foremost(FACILITIES.ask(context), (-pl.col("within"),))
    whole = NETWORK.ask(context)
    return [
        page_head(context, text("overview.title")),
        _exceptions(frame, whole, context),
        card(context, FACILITIES, shown(frame, partial(_table, pl.concat([whole, frame]), context)), wide=True,
             n=None if whole.is_empty() else whole["p50_n"][0]),
        _changed(context),
        evidence.block(context, "report_final"),
    ]  # fmt: skip


def _exceptions(frame: pl.DataFrame, whole: pl.DataFrame, context: Context) -> html.Section:
    found = scorecard.findings(pl.concat([whole, frame]), context)
    told_why = (_finding(item, why) for item, why in scorecard.explained(found[:MOST], context))
    items = [*told_why, *_folded(map(_finding, found[MOST:]))]
    calm = [html.Li([icon("check", 15), text("overview.calm")], className="finding calm")]
    if frame.is_empty() and whole.is_empty():  # nothing is known to be well where nothing is known
        calm = [html.Li(text("empty.title") + ". " + text("empty.hint"), className="finding none")]
    told = [
        many(html.Li, scorecard.sentence(row, scorecard.name_of(row["facility"], context)))
        for row in pl.concat([whole, frame]).iter_rows(named=True)
    ]
    told = [*told[:MOST], *_folded(told[MOST:])]
    return html.Section(
        [
            html.Div([html.H2(text("overview.exceptions")), html.Ul(items or calm, className="findings")]),
            *([html.Div([html.H2(text("overview.words")), html.Ul(told, className="in-words")])] if told else []),
        ],
        className="brief",
    )


def _finding(item: scorecard.Finding, why: str = "") -> html.Li:
    told = many(html.Span, [item.told, *([html.Small(why)] if why else [])])
    link = many(dcc.Link, [icon("alert", 15), told, icon("arrow", 14)], href=item.href)
    return many(html.Li, link, className=f"finding weight-{item.weight}")


def _folded(items: Iterable[html.Li]) -> list[html.Li]:
    """What is too much to read at once, behind a line that says how much."""
    rest = list(items)
    return [html.Li(html.Details([html.Summary(text("overview.more", n=len(rest))), html.Ul(rest)]))] if rest else []


def courses_of(frame: pl.DataFrame) -> dict[str, list[float | None]]:
    """Values of the finished periods by facility, `all` for all: in an unfinished one only the quick are reported."""
    whole = frame.filter(~pl.col("is_partial"))
    return {str(key): part["value"].to_list() for (key,), part in whole.group_by("group_value", maintain_order=True)}


def course_told(frame: pl.DataFrame) -> list[html.P]:
    """Which periods the courses leave out, because they are unfinished."""
    left_out = spans([frame])
    return [html.P(text("figure.spark.left", periods=left_out), className="note figure-told")] if left_out else []


def _table(frame: pl.DataFrame, context: Context) -> Any:
    course_frame = COURSE.ask(context)
    courses = courses_of(course_frame)

    def site(row: Row) -> Any:
        if row["facility"] == "all":
            return html.Strong(everywhere(context.snapshot))
        name = context.name("facility", row["facility"])
        return cross.cell(name, drill(context.state, "facility", row["facility"]), "facility")

    def course(row: Row) -> Any:
        return sparkline(courses.get(row["facility"], []), text("figure.spark", grain=text(f"grain.{context.grain}")))

    def measure(name: str, unit: str) -> Column:
        return Column(text(f"overview.{name}"), lambda row: _pair(row, name, unit), hint=text(f"overview.{name}.hint"))

    columns = [
        Column(text("overview.facility"), site, is_text=True),
        Column(text("overview.n"), lambda row: words.value(row["p50_n"], "exams")),
        *(measure(m.name, m.unit) for m in scorecard.MEASURES if m.name not in ("waiting", "past_target")),
        Column(text("overview.waiting"), partial(_waiting, context), hint=text("overview.waiting.hint")),
        Column(text("overview.silent"), _senders, hint=text("overview.silent.hint")),
        Column(text("overview.course"), course, is_text=True),
    ]  # fmt: skip
    return [places(frame, columns, label=FACILITIES.title), *course_told(course_frame)]


def _pair(row: Row, name: str, unit: str) -> html.Div:
    """A value, and under it the change since the period before."""
    under = changes.shown(row, unit, f"{name}_") if row[f"{name}_delta"] is not None else ""
    told = [many(html.Span, words.value(row[name], unit)), many(html.Small, under)]
    return many(html.Div, told, className="pair")


def _senders(row: Row) -> html.Span:
    colour = "delta worse" if row["n_silent"] else "delta same"
    return many(html.Span, words.count(row["n_silent"]), className=colour)


def _waiting(context: Context, row: Row) -> html.Div:
    group = "all" if row["facility"] == "all" else "facility"
    href = drill(context.state.having(since=None, until=None), group, row["facility"], show="waiting",
                 sort="exam_ended_local")  # fmt: skip
    late = "" if row["past_target"] is None else text("overview.past", n=words.count(row["past_target"]))
    small = many(html.Small, late, className="delta worse" if row["past_target"] else "delta same")
    return many(html.Div, [many(dcc.Link, words.value(row["waiting"], "exams"), href=href), small], className="pair")


def _changed(context: Context) -> html.Section:
    frame, metric = CHANGES.ask(context), context.definition(CHANGED)
    body = shown(frame, lambda: moved.parts_table(context, frame, metric, label=CHANGES.title, limit=8),
                 text("moved.none" if context.filters.before() is None else "moved.one"))  # fmt: skip
    whole = context.compare(CHANGED, (), CHANGED_STATISTIC)
    told = moves.sentence(context, metric, CHANGED_STATISTIC, whole, EFFECTS.ask(context))
    return card(context, CHANGES, [html.P(told, className="turn"), body] if told else body, wide=True)
