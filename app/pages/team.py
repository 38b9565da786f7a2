"""Notes and views: what the team keeps beside the numbers, and who wrote what when."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import polars as pl
from dash import html

from app import notes, saved, words
from app.cards import card, shown
from app.context import Context
from app.dom import aria, data
from app.figures.pins import span
from app.noted import buttons, place, who
from app.questions import Question
from app.sections import subscribers
from app.tables import Column, Row, table
from app.texts import text
from sql.team.notes import Note
from sql.team.saved import Saved

#: Of the CSV file of notes: each column with its type.
_SCHEMA = {
    "since": pl.Date, "last": pl.Date, "filters": pl.String, "text": pl.String, "is_withdrawn": pl.Boolean,
    "created_by": pl.String, "created_at": pl.Datetime, "changed_by": pl.String, "changed_at": pl.Datetime,
    "version": pl.Int64, "id": pl.String,
}  # fmt: skip
#: Of that of views.
_VIEWS = {
    "name": pl.String, "kind": pl.String, "address": pl.String, "shows": pl.String, "is_shared": pl.Boolean,
    "author": pl.String, "created_at": pl.Datetime, "changed_at": pl.Datetime, "id": pl.String,
}  # fmt: skip


def _visible(context: Context) -> list[Note]:
    return [] if context.store is None else notes.visible(context.store, context.person)


def _listed(context: Context) -> pl.DataFrame:
    """The newest version of every note that the person may see, the latest day first."""
    found = [
        (note.since, note.last, note.filters.to_query(), note.text, note.is_withdrawn, note.created_by,
         note.created_at, note.author, note.at, note.version, note.id)
        for note in reversed(_visible(context))
    ]  # fmt: skip
    return pl.DataFrame(found, schema=_SCHEMA, orient="row")


def _saved(context: Context) -> list[Saved]:
    return [] if context.store is None else saved.visible(context.store, context.person)


def _views(context: Context) -> pl.DataFrame:
    """The person's own views and those that others share."""
    rows = [(view.name, view.kind, view.href, saved.told(view), view.is_shared, view.author, view.created_at,
             view.changed_at, view.id) for view in _saved(context)]  # fmt: skip
    return pl.DataFrame(rows, schema=_VIEWS, orient="row")


NOTES = Question("team.notes", _listed)
VIEWS = Question("team.views", _views)
QUESTIONS = (NOTES, VIEWS, subscribers.SUBSCRIBERS)


def render(context: Context) -> list[Any]:
    """The page."""
    head = html.Div([html.H1(text("team.title")), html.P(text("team.lead"), className="lead")], className="page-head")
    return [head, _views_card(context), subscribers.section(context), _notes_card(context)]


def _views_card(context: Context) -> html.Section:
    frame = VIEWS.ask(context)
    known = {view.id: view for view in _saved(context)}

    def named(row: Row) -> Any:
        # A link within a page follows a statement behind `#` only where the browser itself does.
        return html.A(row["name"], href=row["address"], className="view-name")

    columns = [
        Column(text("views.name"), named, is_text=True),
        Column(text("views.shows"), lambda row: html.Span(row["shows"], className="view-shows"), is_text=True),
        Column(text("views.whose"), lambda row: saved.by(known[row["id"]], context.person), is_text=True),
        Column("", partial(_view_tools, context), is_text=True),
    ]
    body = shown(frame, lambda: table(frame, columns, label=VIEWS.title), text("views.empty"))
    return card(context, VIEWS, body, wide=True)


def _view_tools(context: Context, row: Row) -> Any:
    """Rename and delete one's own view, in the browser's dialog."""
    if row["author"] != context.person.name:
        return ""
    told = json.dumps({"id": row["id"], "name": row["name"], "is_shared": row["is_shared"]})
    tools = [
        html.Button(text(f"views.{what}"), className="plain", type="button",
                    **aria(text(f"views.{what}.named", name=row["name"])), **data(f"view-{what}", told))
        for what in ("rename", "remove")
    ]  # fmt: skip
    return html.Div(tools, className="note-tools")


def _notes_card(context: Context) -> html.Section:
    frame = NOTES.ask(context)
    known = {note.id: note for note in _visible(context)}
    history = {} if context.store is None else notes.history(context.store, context.person)

    def told(row: Row) -> Any:
        note = known[row["id"]]
        older = html.Ul([html.Li(_version(context, version)) for version in history.get(note.id, [])])
        is_old = note.version > 1
        fold = [html.Details([html.Summary(text("notes.history", n=note.version)), older])] if is_old else []
        return html.Div([html.Span(note.text, className="note-text withdrawn" if note.is_withdrawn else "note-text"),
                         html.Small(who(note)), *fold], className="note-cell")  # fmt: skip

    columns = [
        Column(text("notes.day"), lambda row: span(row["since"], row["last"]), is_text=True),
        Column(text("notes.place"), lambda row: place(context, known[row["id"]].filters), is_text=True),
        Column(text("notes.text"), told, is_text=True),
        Column("", lambda row: _tools(known[row["id"]]), is_text=True),
    ]
    body = shown(frame, lambda: table(frame, columns, label=NOTES.title), text("notes.empty"))
    return card(context, NOTES, body, n=frame.height, wide=True)


def _tools(note: Note) -> Any:
    return text("notes.is_withdrawn") if note.is_withdrawn else html.Div(buttons(note), className="note-tools")


def _version(context: Context, note: Note) -> str:
    """One version of a note in words."""
    told = "" if note.is_withdrawn else f": {span(note.since, note.last)}, {place(context, note.filters)}: {note.text}"
    return text(f"notes.{note.action}", name=note.author, at=words.instant(note.at)) + told
