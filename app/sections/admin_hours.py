"""Staffed hours of devices, special days of facilities, and the shifts of readers."""

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
from sql.rows import RowsError


def _days(context: Context) -> pl.DataFrame:
    """Special days; a snapshot of an earlier version has none."""
    try:
        return context.rows("dim_special_day", order_by=("day", "facility"), limit=100_000)
    except RowsError:
        return pl.DataFrame(schema={"facility": pl.String, "day": pl.Date, "kind": pl.String})


STAFFED = Question("admin.staffing", lambda context: query.devices_staffed(context.snapshot, context.filters))
DAYS = Question("admin.days", _days)
SHIFTS = Question("admin.shifts", lambda context: query.shift_spans(context.snapshot))
QUESTIONS = (STAFFED, DAYS, SHIFTS)


def cards(context: Context) -> list[Any]:
    """The three tables, two of which can be changed."""
    staffed, days, shifts = STAFFED.ask(context), DAYS.ask(context), SHIFTS.ask(context)
    return [
        card(context, STAFFED, html.Div([shown(staffed, partial(_staffed, context, staffed)),
                                         editor(context, "staffing")]), n=staffed["device"].n_unique(), wide=True),
        card(context, DAYS, html.Div([shown(days, partial(_special, context, days), text("admin.no_days")),
                                      editor(context, "calendar")]), n=days.height),
        card(context, SHIFTS, shown(shifts, partial(_shifts, shifts), text("admin.no_shifts")), n=shifts.height),
    ]  # fmt: skip


def _staffed(context: Context, frame: pl.DataFrame) -> Any:
    """A row a device, a column a weekday."""
    busy = dict(context.metric("utilization", ("device",)).select("group_value", "value").iter_rows())
    blocks: dict[tuple[str, int], list[str]] = {}
    for row in frame.filter(pl.col("opens").is_not_null()).iter_rows(named=True):
        blocks.setdefault((row["device"], row["weekday"]), []).append(f"{row['opens']}-{row['closes']}")
    devices = frame.unique("device", maintain_order=True).filter(pl.col("is_listed") | pl.col("opens").is_not_null())

    def name(row: Row) -> Any:
        href = context.state.bare().href("/utilization", device=(row["device"],))
        where = f"{context.name('facility', row['facility'])} · {row['modality'] or words.NO_VALUE}"
        return html.Div(
            [dcc.Link(context.name("device", row["device"]), href=href), html.Div(where, className="muted")]
        )

    def day(number: int) -> Column:
        def cell(row: Row) -> Any:
            found = blocks.get((row["device"], number))
            return html.Div([html.Div(block) for block in found]) if found else words.NO_VALUE

        return Column(words.weekday(number), cell)

    def utilized(row: Row) -> Any:
        if row["opens"] is None:
            return html.Span(text("admin.no_hours"), className="muted")
        return words.value(busy.get(row["device"]), "share")

    columns = [
        Column(text("admin.device"), name, is_text=True), *map(day, range(1, 8)), Column(text("admin.busy"), utilized),
    ]  # fmt: skip
    return table(devices, columns, label=STAFFED.title, limit=120)


def _special(context: Context, frame: pl.DataFrame) -> Any:
    days = frame.group_by("day", "kind", maintain_order=True).agg(pl.col("facility"))
    columns = [
        Column(text("admin.day"), lambda row: words.day(row["day"]), is_text=True),
        Column(text("admin.who"), lambda row: ", ".join(
            context.name("facility", facility) for facility in row["facility"]), is_text=True),
        Column(text("admin.kind"), lambda row: text(f"admin.kind.{row['kind']}") if row["kind"] in (
            "closed", "holiday") else row["kind"], is_text=True),
    ]  # fmt: skip
    return table(days.sort("day", descending=True), columns, label=DAYS.title, limit=40)


def _shifts(frame: pl.DataFrame) -> Any:
    spans = (
        frame.group_by("shift", "is_after_hours", "starts", "ends")
        .agg(pl.col("weekday").sort())
        .sort(pl.col("weekday").list.first(), "starts")
    )
    columns = [
        Column(text("admin.shift"), lambda row: row["shift"], is_text=True),
        Column(text("admin.day"), lambda row: ", ".join(words.weekday(day) for day in row["weekday"]), is_text=True),
        Column(text("admin.hours.span"), lambda row: f"{row['starts']}-{row['ends']}"),
        Column(
            text("admin.after"), lambda row: text("admin.yes" if row["is_after_hours"] else "admin.no"), is_text=True
        ),
    ]
    return table(spans, columns, label=SHIFTS.title, limit=60)
