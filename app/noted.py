"""Notes below a figure over time: a numbered list with who wrote it when, and the buttons that change it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from dash import html

from app import words
from app.context import Context
from app.dom import aria, data
from app.everywhere import everywhere
from app.figures.pins import Pin, span
from app.icons import icon
from app.texts import text
from sql.filters import FILTERS, Filters
from sql.team.notes import Note

#: Signs of a note that name it to a screen reader.
_NAMED = 60


def noted(context: Context, figure: Callable[[Sequence[Pin]], Any]) -> list[Any]:
    """A figure with its notes as marks, and below it the same notes in words; `figure` makes it with them."""
    found = context.notes()
    return [figure(pins(found)), below(context, found)]


def pins(notes: Sequence[Note]) -> list[Pin]:
    """The marks of notes, numbered as in the list."""
    return [Pin(number, note.since, note.last, note.text) for number, note in enumerate(notes, 1)]


def below(context: Context, notes: Sequence[Note]) -> html.Div:
    """The list of notes, and the button that adds one."""
    listed = [html.Ol([_item(context, note, number) for number, note in enumerate(notes, 1)], className="notes",
                      **aria(text("notes.list")))] if notes else []  # fmt: skip
    add = html.Button([icon("note", 14), text("notes.add")], className="plain note-add", type="button",
                      title=text("notes.add.hint"), **data("note", json.dumps(_new(context))))  # fmt: skip
    return html.Div([*listed, add], className="noted")


def _item(context: Context, note: Note, number: int) -> html.Li:
    return html.Li(
        [
            html.Span(str(number), className="note-number"),
            html.Div([html.Strong(span(note.since, note.last)), " · ", place(context, note.filters), html.Br(),
                      html.Span(note.text, className="note-text"), html.Small(who(note))]),
            html.Div(buttons(note), className="note-tools"),
        ]
    )  # fmt: skip


def buttons(note: Note) -> list[Any]:
    """Change and withdraw a note, in the browser's dialog."""
    named, told = note.text[:_NAMED], json.dumps(values(note))
    return [
        html.Button(text(f"notes.{what}"), className="plain", type="button",
                    **aria(text(f"notes.{what}.named", note=named)), **data(name, told))
        for what, name in (("change", "note"), ("withdraw", "note-withdraw"))
    ]  # fmt: skip


def values(note: Note) -> dict[str, Any]:
    """A note as the dialog reads it."""
    return {
        "id": note.id, "version": note.version, "since": note.since.isoformat(), "last": note.last.isoformat(),
        "query": note.filters.to_query(), "text": note.text,
    }  # fmt: skip


def _new(context: Context) -> dict[str, Any]:
    """What a new note begins with: the last day of the data that is shown, and the filters of the page."""
    filters, through = context.filters, context.snapshot.data_through.date()
    last = through if filters.until is None else min(through, filters.until)
    day = max(last, filters.since) if filters.since is not None else last
    pure = filters.replace(since=None, until=None, compare="none")
    return {"since": day.isoformat(), "query": pure.to_query()}


def place(context: Context, filters: Filters) -> str:
    """What a note holds for, in words: facilities by name, then the other filters."""
    chosen = [(item, getattr(filters, item.key)) for item in FILTERS if getattr(filters, item.key)]
    told = [", ".join(context.name(item.key, value) for value in values) if item.key in ("facility", "device")
            else item.sentence.format(values=", ".join(context.name(item.key, value) for value in values))
            for item, values in chosen]  # fmt: skip
    return " · ".join(told) or everywhere(context.snapshot, "notes.everywhere")


def who(note: Note) -> str:
    """Who wrote a note and when, and who changed it last."""
    wrote = text("notes.wrote", name=note.created_by, at=words.instant(note.created_at))
    if note.version == 1:
        return wrote
    return wrote + text("notes.rewrote", name=note.author, at=words.instant(note.at))
