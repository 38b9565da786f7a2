"""Notes and views: what the team keeps beside the numbers, and who wrote what when."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import html

from app import notes, words
from app.cards import card, shown
from app.context import Context
from app.figures.pins import span
from app.noted import buttons, place, who
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text
from sql.team.notes import Note

#: Of the CSV file of notes: each column with its type.
_SCHEMA = {
    "since": pl.Date, "last": pl.Date, "filters": pl.String, "text": pl.String, "is_withdrawn": pl.Boolean,
    "created_by": pl.String, "created_at": pl.Datetime, "changed_by": pl.String, "changed_at": pl.Datetime,
    "version": pl.Int64, "id": pl.String,
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


NOTES = Question("team.notes", _listed)
QUESTIONS = (NOTES,)


def render(context: Context) -> list[Any]:
    """The page."""
    head = html.Div([html.H1(text("team.title")), html.P(text("team.lead"), className="lead")], className="page-head")
    return [head, _notes_card(context)]


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
