"""Who receives the daily digest by a person's doing: addresses, views, and what became of the last message."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
from dash import html

from app import saved, words
from app.cards import card
from app.context import Context
from app.dom import aria, data
from app.icons import icon
from app.notes import team_of
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text
from sql.team import digests
from sql.team.digests import FAILED, SENT, Outcome, Subscriber
from sql.words import LANGUAGES

#: Of the CSV file.
_SCHEMA = {"address": pl.String, "views": pl.String, "last_day": pl.Date, "state": pl.String, "problem": pl.String,
           "tries": pl.Int64, "told_at": pl.Datetime, "id": pl.String, "language": pl.String}  # fmt: skip


def _own(context: Context) -> list[Subscriber]:
    """The subscriptions that the person made: nobody reads others' addresses."""
    if context.store is None:
        return []
    return [one for one in digests.subscribers(team_of(context.store)) if one.author == context.person.name]


def _listed(context: Context) -> pl.DataFrame:
    fates = {} if context.store is None else digests.outcomes(team_of(context.store))
    names = _names(context)
    rows = []
    for one in _own(context):
        fate = fates.get(one.id)
        last = (None, None, None, None, None) if fate is None else (
            fate.day, fate.state, fate.problem, fate.tries, fate.at)  # fmt: skip
        rows.append(
            (one.address, ", ".join(names[view] for view in one.views if view in names), *last, one.id, one.language)
        )
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _names(context: Context) -> dict[str, str]:
    found = [] if context.store is None else saved.visible(context.store, context.person)
    return {view.id: view.name for view in found}


SUBSCRIBERS = Question("team.subscribers", _listed)


def section(context: Context) -> html.Section:
    """The card: the person's own subscriptions, and the way to a new one."""
    frame = SUBSCRIBERS.ask(context)
    known = {one.id: one for one in _own(context)}
    columns = [
        Column(text("digest.address"), lambda row: html.Span(row["address"], className="view-name"), is_text=True),
        Column(text("digest.views"), lambda row: row["views"] or words.NO_VALUE, is_text=True),
        Column(text("digest.language"), lambda row: LANGUAGES[row["language"]], is_text=True),
        Column(text("digest.state"), _state, is_text=True),
        Column("", lambda row: _tools(known[row["id"]]), is_text=True),
    ]
    body: Any = table(frame, columns, label=SUBSCRIBERS.title) if frame.height else html.P(text("digest.none"))
    add = html.Button([icon("note", 14), text("digest.add")], className="plain note-add", type="button",
                      **data("digest", "{}"))  # fmt: skip
    return card(context, SUBSCRIBERS, [body, add], wide=True)


def _state(row: Row) -> html.Span:
    if row["state"] is None:
        return html.Span(text("digest.never"), className="view-shows")
    fate = Outcome(row["last_day"], row["state"], row["problem"], row["tries"], row["told_at"])
    day, at = words.day(fate.day), words.instant(fate.at)
    if fate.state == FAILED:
        told = text("digest.failed", day=day, problem=text(f"digest.problem.{fate.problem}"), n=fate.tries, at=at)
        return html.Span(told, className="worse")
    return html.Span(text("digest.sent" if fate.state == SENT else "digest.sending", day=day, at=at))


def _tools(one: Subscriber) -> html.Div:
    told = json.dumps({"id": one.id, "address": one.address, "views": list(one.views), "language": one.language})
    tools = [
        html.Button(text(f"digest.{what}"), className="plain", type="button",
                    **aria(text(f"digest.{what}.named", address=one.address)), **data(name, told))
        for what, name in (("change", "digest"), ("remove", "digest-remove"))
    ]  # fmt: skip
    return html.Div(tools, className="note-tools")
