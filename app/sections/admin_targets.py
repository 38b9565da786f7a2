"""Targets: which held for whom under these filters, where there is none, and all that are stated with their sources."""

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
from app.tables import Column, Row, table
from app.texts import text
from sql import query

_ORDER = ("metric", "facility", "modality", "patient_class", "target_min", "priority")
HELD = Question("admin.held", lambda context: query.targets_held(context.snapshot, context.filters), "",
                {"target_min": "min"})  # fmt: skip
STATED = Question("admin.targets", lambda context: query.rows(  # for any facility: no filter leaves one out
    context.snapshot, "dim_target", order_by=_ORDER, limit=5_000))  # fmt: skip
QUESTIONS = (HELD, STATED)


def cards(context: Context) -> list[Any]:
    """Both tables and the editor."""
    held, stated = HELD.ask(context), STATED.ask(context)
    return [
        card(context, HELD, shown(held, partial(_matrix, context, held)), n=int(held["n"].sum() or 0), wide=True),
        card(context, STATED, html.Div([shown(stated, partial(_stated, context, stated)), editor(context, "targets")]),
             n=stated.height, wide=True),
    ]  # fmt: skip


def _matrix(context: Context, held: pl.DataFrame) -> Any:
    """A row a priority and class, a column a facility: the targets that held there."""
    cells = held.partition_by("priority", "patient_class", "facility", as_dict=True)
    groups = held.group_by("priority", "patient_class").agg(pl.col("n").sum()).sort("n", descending=True)

    def column(facility: str) -> Column:
        return Column(context.name("facility", facility), lambda row: _cell(
            context, facility, cells.get((row["priority"], row["patient_class"], facility)), row))  # fmt: skip

    columns = [
        Column(
            text("admin.forwhom"),
            lambda row: " · ".join(words.group(name, row[name]) for name in ("priority", "patient_class")),
            is_text=True,
        ),
        Column(text("admin.exams"), lambda row: words.count(row["n"])),
        *map(column, sorted(held["facility"].unique().to_list())),
    ]
    return table(groups, columns, label=HELD.title)


def _cell(context: Context, facility: str, part: pl.DataFrame | None, row: Row) -> Any:
    if part is None:
        return words.NO_VALUE
    goals = [words.minutes(goal) for goal in sorted(part["target_min"].drop_nulls().unique().to_list())]
    n_none = int(part.filter(pl.col("target_min").is_null())["n"].sum() or 0)
    tip = text("card.n", n=words.count(int(part["n"].sum())))
    href = context.state.bare().href("/exams", facility=(facility,), priority=(row["priority"],),
                                     patient_class=(row["patient_class"],))  # fmt: skip
    none = [html.Div(text("admin.no_target"), className="worse")] if n_none else []
    return html.Div([*([dcc.Link(" / ".join(goals), href=href, title=tip)] if goals else []), *none], title=tip)


def _stated(context: Context, frame: pl.DataFrame) -> Any:
    def number(row: Row) -> Any:
        name, _, category = row["metric"].partition(":")
        known = context.definitions.get(name)
        title = known.title if known is not None else row["metric"]
        return html.Div([html.Div(f"{title} {category}".strip()), html.Code(row["metric"])])

    def for_whom(row: Row) -> str:
        said = [context.name("facility", row["facility"])] if row["facility"] else []
        said += [words.group(name, row[name]) for name in ("modality", "priority", "patient_class") if row[name]]
        return " · ".join(said) or text("admin.everyone")

    columns = [
        Column(text("admin.number"), number, is_text=True),
        Column(text("admin.for"), for_whom, is_text=True),
        Column(text("admin.goal"), lambda row: words.minutes(row["target_min"])),
        Column(
            text("admin.since"), lambda row: words.day(row["valid_from"]) if row["valid_from"] else text("admin.always")
        ),
        Column(text("admin.until"), lambda row: words.day(row["valid_to"]) if row["valid_to"] else text("admin.open")),
        Column(text("admin.source"), lambda row: row["source"] or words.NO_VALUE, is_text=True),
    ]
    return table(frame, columns, label=STATED.title, limit=200)
