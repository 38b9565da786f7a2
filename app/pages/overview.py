"""Overview: is anything wrong, and where? One row per facility, exceptions first, and what changed most."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
from dash import dcc, html

from app import changes, evidence, scorecard, words
from app.cards import card, page_head, shown
from app.context import Context
from app.icons import icon, sparkline
from app.questions import Question, of_trend
from app.state import drill
from app.tables import Column, Row, change, table
from app.texts import text

#: Groupings of the question what changed most.
CHANGED_BY = ("facility", "modality", "device", "priority", "patient_class", "service_line")


def _changes(context: Context) -> pl.DataFrame:
    return context.changes("report_final", CHANGED_BY, statistic="mean")


FACILITIES = Question(
    "overview.facilities", scorecard.scorecard, "report_final",
    {measure.name: measure.unit for measure in scorecard.MEASURES} | {"n_silent": "senders"},
)  # fmt: skip
COURSE = Question("overview.course", of_trend("report_final", "facility"), "report_final")
CHANGES = Question("overview.changes", _changes, "report_final")
NETWORK = Question("overview.network", scorecard.network, "report_final", FACILITIES.units)
QUESTIONS = (FACILITIES, NETWORK, COURSE, CHANGES)


def render(context: Context) -> list[Any]:
    """The page."""
    frame = FACILITIES.ask(context)
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
    items = [
        html.Li(dcc.Link([icon("alert", 15), html.Span(item.told), icon("arrow", 14)], href=item.href),
                className=f"finding weight-{item.weight}")
        for item in found
    ]  # fmt: skip
    calm = [html.Li([icon("check", 15), text("overview.calm")], className="finding calm")]
    told = [
        html.Li(scorecard.sentence(row, scorecard.name_of(row["facility"], context)))
        for row in pl.concat([whole, frame]).iter_rows(named=True)
    ]
    return html.Section(
        [
            html.Div([html.H2(text("overview.exceptions")), html.Ul(items or calm, className="findings")]),
            html.Div([html.H2(text("overview.words")), html.Ul(told, className="told")]),
        ],
        className="brief",
    )


def _table(frame: pl.DataFrame, context: Context) -> Any:
    courses = {key: part["value"].to_list() for (key,), part in COURSE.ask(context).group_by("group_value")}

    def site(row: Row) -> Any:
        if row["facility"] == "all":
            return html.Strong(text("overview.all"))
        name = context.name("facility", row["facility"])
        return dcc.Link(name, href=context.state.href("/turnaround", facility=(row["facility"],)))

    def course(row: Row) -> Any:
        return sparkline(courses.get(row["facility"], []), text("overview.spark"))

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
    return table(frame, columns, label=FACILITIES.title)


def _pair(row: Row, name: str, unit: str) -> html.Div:
    """A value, and under it the change since the period before."""
    under = changes.shown(row, unit, f"{name}_") if row[f"{name}_delta"] is not None else ""
    return html.Div([html.Span(words.value(row[name], unit)), html.Small(under)], className="pair")


def _senders(row: Row) -> html.Span:
    return html.Span(words.count(row["n_silent"]), className="delta worse" if row["n_silent"] else "delta same")


def _waiting(context: Context, row: Row) -> html.Div:
    group = "all" if row["facility"] == "all" else "facility"
    href = drill(context.state.having(since=None, until=None), group, row["facility"], show="waiting",
                 sort="exam_ended_local")  # fmt: skip
    late = "" if row["past_target"] is None else text("overview.past", n=words.count(row["past_target"]))
    return html.Div([dcc.Link(words.value(row["waiting"], "exams"), href=href),
                     html.Small(late, className="delta worse" if row["past_target"] else "delta same")],
                    className="pair")  # fmt: skip


def _changed(context: Context) -> html.Section:
    frame = CHANGES.ask(context)
    columns = [
        Column(text("changes.group"), lambda row: text(f"group.{row['group_name']}"), is_text=True),
        Column(text("changes.value"), lambda row: dcc.Link(context.name(row["group_name"], row["group_value"]),
               href=drill(context.state, row["group_name"], row["group_value"], sort="-report_final_min")),
               is_text=True),
        Column(text("changes.previous"), lambda row: words.value(row["previous"], "min")),
        Column(text("changes.now"), lambda row: words.value(row["value"], "min")),
        change(text("changes.delta"), "min"),
        Column(text("changes.share"), lambda row: words.value(row["share"], "share")),
        Column(text("changes.weighted"), lambda row: words.delta(row["weighted"], "min"),
               hint=text("changes.weighted.hint")),
    ]  # fmt: skip
    body = shown(frame, lambda: table(frame, columns, label=CHANGES.title, limit=8), text("changes.none"))
    told = scorecard.turn(context.compare("report_final", (), "mean"), frame, context)
    return card(context, CHANGES, [html.P(told, className="turn"), body] if told else body, wide=True)
