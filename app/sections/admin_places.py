"""Facilities: what each is called, how much is known of it, and messages that no facility carries."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, shown
from app.context import Context
from app.questions import Question
from app.sections.admin_editor import editor
from app.tables import Column, Row, places, table
from app.texts import text
from sql import query

PLACES = Question("admin.facilities", lambda context: query.facilities_known(context.snapshot, context.filters), "",
                  {"staffed_h": "h"})  # fmt: skip
UNPLACED = Question("admin.unplaced", lambda context: query.unplaced(context.snapshot, context.filters))
QUESTIONS = (PLACES, UNPLACED)


def cards(context: Context) -> list[Any]:
    """Both tables and the editor."""
    places, unplaced = PLACES.ask(context), UNPLACED.ask(context)
    body = html.Div([shown(places, partial(_places, context, places)), editor(context, "facilities")])
    return [
        card(context, PLACES, body, n=int(places["n_exams"].sum() or 0), wide=True),
        card(context, UNPLACED, shown(unplaced, partial(_unplaced, unplaced), text("admin.placed")),
             n=int(unplaced["n_messages"].sum() or 0), wide=True),
    ]  # fmt: skip


def _places(context: Context, frame: pl.DataFrame) -> Any:
    def name(row: Row) -> Any:
        told = " · ".join(part for part in (row["facility"], row["kind"]) if part)
        return html.Div([html.Div(row["facility_name"]), html.Div(told, className="muted")])

    def senders(row: Row) -> Any:
        return html.Span(words.count(row["n_senders"] or 0), title=", ".join(row["senders"] or []))

    def hours(row: Row) -> Any:
        lacking = (row["n_devices"] or 0) - (row["n_staffed"] or 0)
        told = text("admin.h", n=words.decimal(row["staffed_h"])) if row["staffed_h"] else words.NO_VALUE
        more = [html.Div(text("admin.unstated", n=lacking), className="muted")] if lacking else []
        return html.Div([html.Div(told), *more])

    def exams(row: Row) -> Any:
        first, last = row["first_day"], row["last_day"]
        days = text("admin.span", first=words.day(first), last=words.day(last)) if first else ""
        return html.Div([html.Div(words.count(row["n_exams"] or 0)), html.Div(days, className="muted")])

    def names(row: Row) -> Any:
        href = context.state.bare().href("/mappings", facility=(row["facility"],))
        return dcc.Link(words.count(row["n_names"] or 0), href=href)

    columns = [
        Column(text("admin.name"), name, is_text=True),
        Column(text("admin.zone"), lambda row: row["zone"], is_text=True),
        Column(text("admin.devices"), lambda row: words.count(row["n_devices"] or 0)),
        Column(text("admin.hours"), hours),
        Column(text("admin.exams"), exams),
        Column(text("admin.senders"), senders),
        Column(text("admin.message"), lambda row: words.instant(row["last_at"]) if row["last_at"] else words.NO_VALUE),
        Column(text("admin.names"), names),
    ]
    return places(frame, columns, label=PLACES.title)


def _unplaced(frame: pl.DataFrame) -> Any:
    columns = [
        Column(text("admin.sender"), lambda row: html.Code(row["sender"]), is_text=True),
        Column(text("admin.messages"), lambda row: words.count(row["n_messages"])),
        Column(text("admin.first"), lambda row: words.day(row["first_day"]) if row["first_day"] else words.NO_VALUE),
        Column(text("admin.last"), lambda row: words.day(row["last_day"]) if row["last_day"] else words.NO_VALUE),
    ]
    return table(frame, columns, label=UNPLACED.title, limit=25)
