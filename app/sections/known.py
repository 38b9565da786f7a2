"""The number as it was reported by each kept snapshot, and why the chosen one differs from the one shown."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice
from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, shown
from app.context import Context
from app.questions import CHOSEN, Question
from app.tables import Column, Row, left_out, table
from app.texts import TEXTS, text
from sql.catalog import CatalogError, Metric
from sql.known import STEPS
from sql.query import QueryError, difference, metric
from sql.snapshot import Snapshot, SnapshotError

#: Kept snapshots of which a page asks the number, the newest.
ASKED = 12
_REPORTED: dict[str, Any] = {
    "seq": pl.Int64, "published": pl.Datetime("us"), "through": pl.Datetime("us"), "n": pl.Int64, "value": pl.Float64,
}  # fmt: skip


def _reported(context: Context, most: int | None = None) -> pl.DataFrame:
    """A row a kept snapshot, the newest first and at `most` so many: seq, published, through, n and value under its own
    definition."""
    rows = []
    for snapshot in islice(context.kept(), most):
        n, value = _answer(context, snapshot)
        rows.append((snapshot.seq, snapshot.built_at, snapshot.data_through, n, value))
    return pl.DataFrame(rows, schema=_REPORTED, orient="row")


def _answer(context: Context, snapshot: Snapshot) -> tuple[int | None, float | None]:
    try:
        found = metric(snapshot, context.chosen.id, filters=context.filters, statistic=context.statistic)
    except (CatalogError, QueryError):  # it did not have this number
        return None, None
    return (int(found["n"][0]), found["value"][0]) if found.height else (0, None)


def then(context: Context) -> Snapshot | None:
    """The snapshot that the address compares with, else the last one published before the one shown."""
    if context.store is None:
        return None
    others = [seq for seq in context.numbers() if seq != context.snapshot.seq]
    wanted = [seq for seq in others if str(seq) == context.state.own.get("then")]
    for seq in [*wanted, *_older(context)]:
        with suppress(SnapshotError):
            return context.store.at(seq)
    return None


def _older(context: Context) -> list[int]:
    return [seq for seq in context.numbers() if seq < context.snapshot.seq]


def _why(context: Context) -> pl.DataFrame:
    """The steps of `sql.query.difference`; without rows where there is nothing to compare or it cannot be told."""
    earlier = then(context)
    if earlier is not None:
        try:
            return difference(earlier, context.snapshot, context.chosen.id, context.filters, context.statistic)
        except (CatalogError, QueryError):
            pass
    return pl.DataFrame(schema=STEPS)


REPORTED = Question("known.reported", _reported, CHOSEN)
WHY = Question("known.why", _why, CHOSEN)
QUESTIONS = (REPORTED, WHY)


def cards(context: Context, metric: Metric) -> list[Any]:
    """The kept snapshots with their values, and the steps from one to the other; none with a single snapshot.

    They are told where the address asks for them (`then`): the newest are asked, all of them for the CSV file, and two
    are read for the steps."""
    if "then" not in context.state.own:
        return _offered(context)
    earlier = then(context)
    if earlier is None:
        return []
    reported, why = _reported(context, ASKED), WHY.ask(context)
    more = left_out(len(context.numbers()) - reported.height)

    def links(row: Row) -> Any:
        if row["seq"] == context.snapshot.seq:
            return text("known.shown")
        as_then = dcc.Link(text("known.as"), href=context.state.href("/metric", known=row["seq"], then=None))
        explain = dcc.Link(text("known.explain"), href=context.state.href("/metric", then=row["seq"]))
        return html.Span([as_then, " · ", explain])

    columns = [
        Column(text("known.published"), lambda row: words.instant(row["published"]), is_text=True),
        Column(text("known.through"), lambda row: words.instant(row["through"]), is_text=True),
        Column(text("table.n"), lambda row: words.NO_VALUE if row["n"] is None else words.count(row["n"])),
        Column(text("metric.value"), lambda row: words.value(row["value"], metric.unit)),
        Column("", links, is_text=True),
    ]
    steps = [
        Column(text("known.step"), _step, is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("known.effect"), lambda row: words.delta(row["effect"], metric.unit)),
        Column(text("metric.value"), lambda row: words.value(row["value"], metric.unit)),
    ]
    told = html.P(text("known.between", then=words.instant(earlier.built_at)), className="note")
    return [
        card(context, REPORTED, html.Div([table(reported, columns, label=REPORTED.title), *more])),
        card(context, WHY, shown(why, lambda: html.Div([told, table(why, steps, label=WHY.title)]), text("known.no"))),
    ]


def _offered(context: Context) -> list[Any]:
    """The way to what older snapshots tell, if there are any; none of them is opened for it."""
    older = _older(context)
    if not older:
        return []
    link = dcc.Link(text("known.ask"), href=context.state.href("/metric", then=older[0]), id="known-ask")
    return [card(context, REPORTED, html.P([text("known.kept", n=words.count(len(older))), " ", link]))]


def _step(row: Row) -> str:
    name = text(f"known.{row['step']}")
    return f"{name}: {_reason(row['reason'])}" if row["reason"] else name


def _reason(reason: str) -> str:
    """Why rows moved, in words; of a definition its versions."""
    found = re.fullmatch(r"version (\S+) to (\S+)", reason)
    if found:
        return text("known.versions", then=found[1], now=found[2])
    kind, colon, why = reason.partition(": ")
    key = f"known.kind.{kind}"
    return f"{text(key)}: {words.told(why)}" if colon and key in TEXTS else words.told(reason)
