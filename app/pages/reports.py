"""Reports: the editions of the leadership pack, one of them as a page to read, all of them to take along."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from dash import html

from app import words
from app.cards import card
from app.context import Context
from app.dom import listing
from app.editions import Edition, editions, folder_of
from app.evidence import foot_line
from app.icons import icon
from app.questions import Question
from app.sections import edition as shown_edition
from app.tables import Column, Row, table
from app.texts import text

#: Signs of a digest that are shown.
SHORT = 12


def _editions(context: Context) -> list[Edition]:
    return editions(folder_of(context.store)) if context.store is not None else []


def _listed(context: Context) -> pl.DataFrame:
    """A row an edition, the latest first: what it is of, and the digest of its manifest."""
    columns = {"edition": pl.String, "period": pl.String, "exported_at": pl.Datetime, "snapshot": pl.String,
               "data_through_at": pl.Datetime, "is_complete": pl.Boolean, "is_masked": pl.Boolean, "n_files": pl.Int64,
               "digest": pl.String}  # fmt: skip
    rows = [
        (e.key, e.period, e.exported_at, e.snapshot, e.data_through, e.is_complete, e.is_masked, len(e.files), e.digest)
        for e in _editions(context)
    ]
    return pl.DataFrame(rows, schema=columns, orient="row")


EDITIONS = Question("reports.editions", _listed)
QUESTIONS = (EDITIONS, *shown_edition.QUESTIONS)


def render(context: Context) -> list[Any]:
    """The page."""
    found = _editions(context)
    head = html.Div(
        [html.H1(text("reports.title")), html.P(text("reports.lead"), className="lead")], className="page-head"
    )
    if not found:
        return [head, _none(context), html.P(foot_line(context), className="facts")]
    edition = shown_edition.shown(context)
    body = [html.P(text("reports.unknown"), className="uncovered")] if edition is None else (
        shown_edition.section(context, edition))  # fmt: skip
    foot = html.P(foot_line(context), className="facts no-print")
    return [head, *body, _all(context, found, edition), foot]


def _all(context: Context, found: list[Edition], now: Edition | None) -> html.Div:
    by_key = {edition.key: edition for edition in found}
    is_free = context.person.facilities is None

    def month(row: Row) -> Any:
        edition = by_key[row["edition"]]
        label = shown_edition.month(edition)
        if now is not None and edition.key == now.key:
            return html.Span([html.Strong(label), " ", html.Span(text("reports.shown"), className="badge")])
        return shown_edition.link(context, edition, label)

    def take(row: Row) -> Any:
        edition = by_key[row["edition"]]
        kinds = ((".pdf", "PDF"), (".xlsx", "XLSX"))
        links = [shown_edition.take(edition, ending, label) for ending, label in kinds]
        return html.Span([link for link in links if link is not None], className="takes")

    columns = [
        Column(text("reports.month"), month, is_text=True),
        Column(text("reports.exported"), lambda row: words.instant(row["exported_at"]), is_text=True),
        Column(text("reports.through"), lambda row: words.instant(row["data_through_at"]), is_text=True),
        Column(text("reports.snapshot"), lambda row: html.Code(row["snapshot"]), is_text=True),
        Column(text("reports.digest"), lambda row: html.Code(row["digest"][:SHORT], title=row["digest"]), is_text=True),
        *([Column(text("reports.files"), take, is_text=True)] if is_free else []),
    ]  # fmt: skip
    body: list[Any] = [table(EDITIONS.ask(context), columns, label=EDITIONS.title)]
    if now is not None and is_free:
        body.append(shown_edition.files(now))
    return html.Div(card(context, EDITIONS, body, wide=True), className="no-print")


def _none(context: Context) -> html.Section:
    """How the first edition is made."""
    if context.person.facilities is not None:
        body: list[Any] = [html.P(text("reports.none.scope"))]
    else:
        month = last_whole_month(context.snapshot.data_through.date())
        body = [
            html.P(text("reports.none.lead")), listing(f"radops export --period {month}"),
            html.P(text("reports.none.cron")), listing(CRON),
        ]  # fmt: skip
    title = html.H2([icon("reports", 18), text("reports.none.title")])
    return html.Section([title, *body], className="card no-edition")


#: An entry of a crontab; % begins a new line there.
CRON = r"0 6 2 * * radops export --period $(date -d 'last month' +\%Y-\%m)"


def last_whole_month(through: date) -> str:
    """The last month that is over on a day, as YYYY-MM."""
    return f"{through.replace(day=1) - timedelta(days=1):%Y-%m}"
