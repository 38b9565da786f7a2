"""A metric's course as a control chart: which window and grain, and in words what the chart says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from app import words
from app.context import Context
from app.texts import text
from sql import query
from sql.filters import Filters
from sql.noted import noted
from sql.snapshot import Snapshot

#: Grains of a course, and the days that a chart of each looks back from the end of the period.
GRAINS = {"day": 56, "week": 182, "month": 730}


def window(snapshot: Snapshot, filters: Filters, grain: str) -> Filters:
    """Filters with their period, or as many days up to its end as a chart of the grain needs."""
    until = filters.until or (snapshot.data_through.date() + timedelta(days=1))
    earliest = until - timedelta(days=GRAINS[grain])
    since = None if filters.since is None else min(filters.since, earliest)
    if grain == "day":  # more than the last weeks by day is a hedge, not a line
        since = earliest
    return filters.replace(since=since, until=until)


def chosen_grain(context: Context) -> str:
    """The grain that the address names; else weeks, or days where there are too few whole weeks."""
    wanted = context.state.own.get("grain", "")
    if wanted in GRAINS:
        return wanted
    return "week" if is_judged(charted(context, "week")) else "day"


def charted(context: Context, grain: str) -> pl.DataFrame:
    """The chosen metric and statistic as a control chart in the window of a grain."""
    return _charted(context.snapshot, context.chosen.id, filters=context.filters, grain=grain,
                    statistic=context.statistic)  # fmt: skip


@noted
def _charted(snapshot: Snapshot, metric_id: str, *, filters: Filters, grain: str, statistic: str) -> pl.DataFrame:
    """`sql.query.control` in the window of a grain, to be remembered as a question under the page's filters."""
    asked = window(snapshot, filters, grain)
    return query.control(snapshot, metric_id, period=grain, filters=asked, statistic=statistic)


def marks_of(context: Context, grain: str) -> pl.DataFrame:
    """The days of changed meaning in the window of a grain."""
    return _marks(context.snapshot, context.chosen.id, filters=context.filters, grain=grain)


@noted
def _marks(snapshot: Snapshot, metric_id: str, *, filters: Filters, grain: str) -> pl.DataFrame:
    """`sql.query.marks` in the window of a grain, as `_charted`."""
    return query.marks(snapshot, metric_id, filters=window(snapshot, filters, grain))


def is_judged(frame: pl.DataFrame) -> bool:
    """Whether a chart has points with limits."""
    return frame["center"].count() > 0


def said(frame: pl.DataFrame, unit: str, grain: str) -> list[str]:
    """What a chart says, in sentences: points outside, the newest run, or that there is nothing."""
    if not is_judged(frame):
        return [text("control.unjudged", grain=text(f"grain.{grain}.many"))]
    rows = frame.drop_nulls("center").to_dicts()
    outside = [_where(row) for row in rows if row["signal"] == "outside"]
    found = []
    if outside:
        shown = "; ".join(outside[-4:])
        left = text("control.others", n=len(outside) - 4) if len(outside) > 4 else ""
        found.append(text("control.outside", points=shown, others=left))
    runs = [row for row in rows if row["run_since"] is not None]
    if runs:
        last = runs[-1]
        lasts = last["period_start"] == rows[-1]["period_start"]
        key = "control.run" if lasts else "control.was"
        found.append(text(key, since=words.day(last["run_since"]), until=words.day(last["period_start"]),
                          side=text(f"control.{_side(last)}"), usual=words.value(last["center"], unit)))  # fmt: skip
    if not found:
        found.append(text("control.calm", grain=text(f"grain.{grain}")))
    widest = max(row["widened"] for row in rows)
    if widest > 1.2:
        found.append(text("control.widened", times=words.decimal(widest)))
    if len(rows) < frame.filter(~pl.col("is_partial")).height:
        found.append(text("control.small"))
    return found


def _side(row: dict[str, Any]) -> str:
    return "above" if row["value"] > row["center"] else "below"


def _where(row: dict[str, Any]) -> str:
    return f"{words.day(row['period_start'])} ({text(f'control.{_side(row)}')})"
