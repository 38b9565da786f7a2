"""Exams: the list behind any number, to be sorted and leafed through, each leading to its timeline."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, choices, page_head, shown
from app.context import Context
from app.dom import aria
from app.evidence import foot_line
from app.questions import Question
from app.state import exam_href
from app.tables import Column, Row, table
from app.texts import text
from sql.clock_filters import LENGTHS
from sql.exam_list import SHOW, SORTS, Narrow, exam_list
from sql.rows import MAX_ROWS, RowsError

PAGE_ROWS = 50
#: Lists that a person may choose between.
CHOICES = ("counted", "late", "waiting", "repeats", "rejects", "excluded")


def narrow(own: dict[str, str]) -> Narrow:
    """What the page's own keys ask for; what cannot be understood is left out."""
    sort = own.get("sort", "-exam_ended_local")
    return Narrow(
        show=own.get("show", "counted") if own.get("show") in SHOW else "counted",
        clock=own["clock"] if own.get("clock") in ("ended", "started", "final", "any") else "ended",
        sort=sort if sort.removeprefix("-") in SORTS else "-exam_ended_local",
    )


def _whole(given: str | None, low: int, high: int) -> int | None:
    """A number of at most nine digits within bounds (of thousands of digits Python makes none); None for all else."""
    if given is None or not given.isascii() or not given.isdigit() or len(given) > 9:
        return None
    return int(given) if low <= int(given) <= high else None


def _ask(context: Context, limit: int = MAX_ROWS, offset: int = 0) -> pl.DataFrame:
    return exam_list(context.snapshot, context.filters, _narrow(context), limit=limit, offset=offset)


def _narrow(context: Context) -> Narrow:
    asked = narrow(context.state.own)
    if asked.show == "waiting":
        return asked
    return Narrow(asked.show, "any", asked.sort) if asked.show in ("excluded", "all") else asked


LIST = Question("exams.list", _ask, "", dict.fromkeys((*LENGTHS, "target_min"), "min"))
QUESTIONS = (LIST,)


def render(context: Context) -> list[Any]:
    """The page."""
    page = max(_whole(context.state.own.get("page"), 1, 9999) or 1, 1)
    try:
        frame = _ask(context, PAGE_ROWS, (page - 1) * PAGE_ROWS)
    except RowsError as error:
        return [page_head(context, text("exams.title")), html.P(str(error))]
    asked = _narrow(context)
    total = 0 if frame.is_empty() else int(frame["total"][0])
    options = [(name, text(f"show.{name}")) for name in CHOICES]
    return [
        page_head(context, text("exams.title"), _extra(asked)),
        card(context, LIST, shown(frame, partial(_table, context, frame, asked)), n=total, wide=True,
             tools=choices(context, "/exams", "show", options, asked.show)),
        _pager(context, page, total),
        html.P(foot_line(context), className="facts"),
    ]  # fmt: skip


def _extra(asked: Narrow) -> str:
    """What narrows the list beside the filters, in words."""
    return text(f"show.{asked.show}.told") + "."


def _table(context: Context, frame: pl.DataFrame, asked: Narrow) -> Any:
    def sort_href(name: str) -> str:
        turned = f"-{name}" if asked.sort != f"-{name}" else name
        return context.state.href("/exams", sort=turned, page=None)

    def ended(row: Row) -> Any:
        at = row["exam_ended_local"] or row["exam_started_local"]
        told = words.clock(at) if at else text("exams.open")
        return dcc.Link(told, href=exam_href(row["exam_key"], at), className="when")

    def facility(row: Row) -> Any:
        return html.Span(row["facility"], title=context.name("facility", row["facility"]))

    def mark(name: str) -> str:
        return {name: " ↑", f"-{name}": " ↓"}.get(asked.sort, "")

    def length(name: str) -> Column:
        return Column(text(f"length.{name}") + mark(name), lambda row: words.value(row[name], "min"), sort=name)

    def named(group: str) -> Column:
        return Column(
            text(f"group.{group}"), lambda row: words.group(group, row[group] or words.NO_VALUE), is_text=True
        )

    columns = [
        Column(text("exams.ended") + mark("exam_ended_local"), ended, is_text=True, sort="exam_ended_local"),
        Column(text("overview.facility"), facility, is_text=True),
        Column(text("exams.procedure"), lambda row: row["procedure_name"] or row["procedure_local"] or words.NO_VALUE,
               is_text=True),
        Column(text("group.modality"), lambda row: row["modality"] or words.NO_VALUE, is_text=True),
        Column(text("group.device"), lambda row: context.name("device", row["device"] or "") or words.NO_VALUE,
               is_text=True),
        *(named(name) for name in ("priority", "patient_class")),
        *(length(name) for name in ("wait_min", "exam_duration_min", "report_final_min")),
        Column(text("turnaround.target"), _target),
    ]  # fmt: skip
    return table(frame, columns, label=LIST.title, sort_href=sort_href)


def _target(row: Row) -> Any:
    if row["exclusion_reason"] is not None:
        return html.Span(words.told(str(row["exclusion_reason"])), className="muted")
    if row["is_within_target"] is None:
        return words.NO_VALUE
    kind = "met" if row["is_within_target"] else "missed"
    return html.Span(text(f"exams.{kind}", target=words.minutes(row["target_min"])), className=kind)


def _pager(context: Context, page: int, total: int) -> html.Nav:
    pages = -(-total // PAGE_ROWS)
    links = [
        dcc.Link(text(f"pager.{name}"), href=context.state.href("/exams", page=number if number > 1 else None),
                 className="choice")
        for name, number in (("previous", page - 1), ("next", page + 1)) if 1 <= number <= pages
    ]  # fmt: skip
    return html.Nav([*links, html.Span(text("pager.at", page=page, pages=max(pages, 1)))] if pages > 1 else [],
                    className="pager", **aria(text("pager.label")))  # fmt: skip
