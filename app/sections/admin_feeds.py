"""Sources of data with their freshness, and the settings under which the snapshot was published."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, shown
from app.context import Context
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text
from sql.rows import RowsError


def _settings(context: Context) -> pl.DataFrame:
    """Settings, those that are not the usual ones first; none in a snapshot of an earlier version."""
    try:
        found = context.rows("meta_setting", limit=1_000)
    except RowsError:
        return pl.DataFrame(schema=dict.fromkeys(("name", "value", "usual", "meaning"), pl.String))
    return found.sort(pl.col("value") == pl.col("usual"), maintain_order=True)


FEEDS = Question("admin.feeds", lambda context: context.rows(
    "dq_freshness", order_by=("facility", "source", "standard"), limit=10_000), "freshness")  # fmt: skip
SETTINGS = Question("admin.settings", _settings)
QUESTIONS = (FEEDS, SETTINGS)


def cards(context: Context) -> list[Any]:
    """Both tables."""
    feeds, settings = FEEDS.ask(context), SETTINGS.ask(context)
    more = dcc.Link(text("admin.feed.more"), href=context.state.bare().href("/interoperability"))
    return [
        card(context, FEEDS,
             html.Div([shown(feeds, partial(_feeds, context, feeds)), html.P(more, className="note")]), wide=True),
        card(context, SETTINGS, shown(settings, partial(_shown, settings), text("admin.no_settings")),
             n=settings.height, wide=True),
    ]  # fmt: skip


def _feeds(context: Context, frame: pl.DataFrame) -> Any:
    columns = [
        Column(text("admin.name"), lambda row: context.name("facility", row["facility"]), is_text=True),
        Column(text("admin.feed.source"), lambda row: html.Code(row["source"]), is_text=True),
        Column(text("admin.feed.standard"), lambda row: row["standard"].upper(), is_text=True),
        Column(text("admin.message"), lambda row: words.instant(row["last_at"])),
        Column(text("admin.feed.silent"), lambda row: html.Span(
            words.hours(row["silent_hours"]), className="worse" if row["is_silent"] else None)),
        Column(text("admin.feed.week"), lambda row: words.count(row["n_events_7d"])),
    ]  # fmt: skip
    return table(frame, columns, label=FEEDS.title, limit=200)


def _shown(frame: pl.DataFrame) -> Any:
    def value(row: Row) -> Any:
        is_usual = row["value"] == row["usual"]
        return html.Code(row["value"]) if is_usual else html.B(html.Code(row["value"]))

    columns = [
        Column(text("admin.setting"), lambda row: html.Code(row["name"]), is_text=True),
        Column(text("admin.value"), value),
        Column(text("admin.usual"), lambda row: html.Code(row["usual"], className="muted")),
        Column(text("admin.meaning"), lambda row: row["meaning"], is_text=True),
    ]
    return table(frame, columns, label=SETTINGS.title)
