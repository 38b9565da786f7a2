"""Mappings: names that wait for a person, with what they say, what is proposed and what the images say beside them.

Decisions are made in the browser and leave it as the CSV file that `radops map --take` takes: readers never write.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, shown
from app.context import Context
from app.decisions import decide_id, row_id
from app.dom import aria
from app.evidence import foot_line
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text

#: Names shown at once; the filters and the CSV file have the rest.
LISTED = 60
#: What headers may speak against, in the order of the columns `n_<kind>_against`.
KINDS = ("modality", "region", "laterality", "contrast", "views")
_ORDER = ("-n_exams", "facility", "code", "modality", "label_key")


def queue(context: Context, limit: int = 100_000) -> pl.DataFrame:
    """Names without a procedure, most exams first, with the empty columns of a reviewed list."""
    found = context.rows("dq_procedure_name", where={"procedure": None}, order_by=_ORDER, limit=limit)
    return (
        found.drop("procedure")
        .rename({"proposal": "procedure"})
        .with_columns(decided_by=pl.lit(None, pl.String), valid_from=pl.lit(None, pl.String))
    )


def _against(context: Context) -> pl.DataFrame:
    found = context.rows("dq_procedure_name", order_by=("-n_against", "facility", "code", "label_key"), limit=100_000)
    told = ("facility", "code", "text", "modality", "procedure", "proposal", "method", "n_exams", "n_against")
    return found.filter(pl.col("n_against") > 0).select(*told, *(f"n_{kind}_against" for kind in KINDS))


QUEUE = Question("mappings.queue", queue)
AGAINST = Question("mappings.against", _against, "label_contradictions")
QUESTIONS = (QUEUE, AGAINST)


def render(context: Context) -> list[Any]:
    """The page."""
    names, against = QUEUE.ask(context), AGAINST.ask(context)
    known = context.rows(
        "dim_procedure", columns=("procedure", "procedure_name"), order_by=("procedure",), limit=10_000
    )
    options = [html.Option(value=key, label=name) for key, name in known.iter_rows()]
    return [
        html.Div([html.H1(text("mappings.title")), html.P(text("mappings.lead"), className="lead")],
                 className="page-head"),
        html.Datalist(options, id="procedures"),
        card(context, QUEUE, shown(names, partial(_queue, context, names), text("mappings.none")), n=names.height,
             wide=True),
        card(context, AGAINST, shown(against, partial(_contradictions, context, against),
                                      text("mappings.agree")), n=against.height, wide=True),
        html.P(foot_line(context), className="facts"),
    ]  # fmt: skip


def _name(row: Row) -> Any:
    said = row["text"] or html.Span(text("mappings.rare"), className="muted", title=text("mappings.rare.hint"))
    return html.Div([html.Div(said), html.Code(row["code"] or text("mappings.uncoded"))])


def _facility(context: Context) -> Column:
    return Column(text("overview.facility"), lambda row: html.Span(
        row["facility"], title=context.name("facility", row["facility"])), is_text=True)  # fmt: skip


def _images(row: Row) -> Any:
    """What image headers say, and how many exams of theirs contradict the name."""
    views = text("mappings.views", n=row["header_views"]) if (row["header_views"] or 0) > 1 else None
    seen = (row["modality"], row["header_region"], row["header_laterality"], row["header_contrast"], views)
    told = " · ".join(str(part) for part in seen if part) or words.NO_VALUE
    return html.Div([html.Div(told), *([html.Div(_kinds(row), className="missed")] if row["n_against"] else [])])


def _kinds(row: Row) -> str:
    found = [(kind, row[f"n_{kind}_against"]) for kind in KINDS]
    return ", ".join(text(f"mappings.against.{kind}", n=words.count(n)) for kind, n in found if n)


def _why(row: Row) -> Any:
    unknown = text("mappings.unknown", n=row["n_unknown"]) if row["n_unknown"] else ""
    return html.Div([
        html.Div(row["says"] or words.NO_VALUE),
        html.Div(", ".join(part for part in (text(f"mappings.method.{row['method']}"), unknown) if part),
                 className="muted"),
    ])  # fmt: skip


def _proposed(context: Context, row: Row) -> Any:
    """The proposal and the next best as buttons that fill the decision."""
    choices = [row["procedure"], *(row["others"] or "").split()] if row["procedure"] else []
    if not choices:
        return words.NO_VALUE
    buttons = [
        html.Button(choice, id={"kind": "pick", "row": row_id(row), "choice": choice},
                    className="pick main" if number == 0 else "pick", title=context.name("procedure", choice),
                    **aria(text("mappings.accept", name=context.name("procedure", choice))))
        for number, choice in enumerate(choices)
    ]  # fmt: skip
    return html.Div([*buttons, html.Span(text("mappings.score", score=words.decimal(row["score"])), className="muted")])


def _decision(row: Row) -> Any:
    return dcc.Input(
        id=decide_id(row), list="procedures", debounce=False, persistence=True, persistence_type="local",
        placeholder=text("mappings.undecided"), className="decide", autoComplete="off", value="",
    )  # fmt: skip


def _queue(context: Context, frame: pl.DataFrame) -> Any:
    columns = [
        Column(text("mappings.name"), _name, is_text=True),
        _facility(context),
        Column(text("mappings.exams"), lambda row: words.count(row["n_exams"])),
        Column(text("mappings.says"), _why, is_text=True),
        Column(text("mappings.images"), _images, is_text=True),
        Column(text("mappings.proposal"), partial(_proposed, context), is_text=True),
        Column(text("mappings.decision"), _decision, is_text=True),
    ]
    return [table(frame, columns, label=QUEUE.title, limit=LISTED), _taking()]


def _taking() -> html.Div:
    """Who decides, from which day on, and the file."""

    def field(part: str, **more: Any) -> html.Label:
        given = dcc.Input(id={"kind": "decide-by", "part": part}, persistence=True, persistence_type="local",
                          className="decide", value="", **more)  # fmt: skip
        return html.Label([html.Span(text(f"mappings.{part}")), given])

    return html.Div(
        [
            field("decided_by", placeholder=text("mappings.decided_by.hint")),
            field("valid_from", placeholder="2026-01-31"),
            html.Button(text("mappings.take"), id={"kind": "decide-go", "page": "mappings"}, className="pick main"),
            html.P([text("mappings.then"), " ", html.Code("radops map --take FILE")], className="note"),
        ],
        className="taking",
    )  # fmt: skip


def _contradictions(context: Context, frame: pl.DataFrame) -> Any:
    def meant(row: Row) -> Any:
        key = row["procedure"] or row["proposal"]
        shown_name = context.name("procedure", key) if key else words.NO_VALUE
        state = "" if row["procedure"] else text("mappings.waits")
        return html.Div([html.Div(shown_name), *([html.Div(state, className="muted")] if state else [])])

    columns = [
        Column(text("mappings.name"), _name, is_text=True),
        _facility(context),
        Column(text("exams.procedure"), meant, is_text=True),
        Column(text("mappings.exams"), lambda row: words.count(row["n_exams"])),
        Column(text("mappings.contradicted"), lambda row: words.count(row["n_against"])),
        Column(text("mappings.by"), _kinds, is_text=True),
    ]
    return table(frame, columns, label=AGAINST.title, limit=25)
