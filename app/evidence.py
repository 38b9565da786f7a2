"""What a number is made of, below each figure and at the end of a page: rows, clocks, cut-off, version."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl
from dash import html

from app import words
from app.context import Context
from app.dom import aria, many
from app.texts import text
from sql.catalog import Catalog, Metric
from sql.query import verdict


def fold(context: Context, metric: Metric, statistic: str) -> html.Details:
    """Below a figure: how many rows were used, and on opening everything else."""
    fates = context.completeness(metric.id, statistic)
    found = verdict(metric, fates)
    told_n = "evidence.short" if found.n else "card.n"
    label = text(told_n, n=words.count(found.n), **({"share": words.share(found.share)} if found.n else {}))
    head = many(html.Summary, label, className="warn" if found.fault == "incomplete" else None)
    return many(html.Details, [head, *told(context, metric, fates)], className="evidence-fold")


def fault(context: Context, metric: Metric, statistic: str) -> str:
    """Why a metric's numbers are greyed out; empty where they are not, or where there are none: the card says that."""
    found = verdict(metric, context.completeness(metric.id, statistic))
    if not found.fault or not found.n:
        return ""
    return text(f"verdict.{found.fault}", n=words.count(found.n), share=words.share(found.share),
                floor=words.share(metric.floor), min_n=words.count(metric.min_n))  # fmt: skip


def block(context: Context, metric_id: str) -> html.Section:
    """What the page's main metric is made of."""
    metric = context.definition(metric_id)
    fates = context.completeness(metric_id, metric.statistic)
    shown = fates.filter(pl.col("kind") != "other")
    parts = [
        html.Span(className=f"part {row['kind']}", style={"flexGrow": row["n"]}, title=f"{_fate(row)}: {_count(row)}")
        for row in shown.iter_rows(named=True)
    ]
    return html.Section(
        [
            html.H2(text("evidence.title", metric=metric.title)),
            html.P(
                text("evidence.rows", grain=words.said(Catalog.load().models[metric.table].grain)), className="facts"
            ),
            html.Div(parts, className="parts", role="img", **aria(metric.title)),
            *told(context, metric, fates),
            html.P(text("evidence.target", target=metric.target), className="facts"),
        ],
        className="evidence",
    )


def told(context: Context, metric: Metric, fates: pl.DataFrame) -> list[Any]:
    """The fates of all rows, the clocks of those used, and what the numbers rest on, in words."""
    listed = [many(html.Li, [_dot(row["kind"]), _fate(row), " ", many(html.B, _count(row))])
              for row in fates.iter_rows(named=True)]  # fmt: skip
    told_by = groupby(context.clocks(metric.id).iter_rows(named=True), key=itemgetter("milestone"))
    clocks = [
        many(html.Li, [text(f"milestone.{milestone}"), ": ", ", ".join(map(_clock, rungs))])
        for milestone, rungs in told_by
    ]
    return [
        many(html.Ul, listed, className="fates"),
        *([many(html.P, text("evidence.clocks"), className="facts"), many(html.Ul, clocks, className="fates")]
          if clocks else []),
        many(html.P, [foot_line(context), text("evidence.version", metric=metric.id, version=metric.version)],
             className="facts"),
    ]  # fmt: skip


def foot_line(context: Context) -> str:
    """Cut-off and snapshot in words."""
    snapshot = context.snapshot
    return text("evidence.facts", through=words.instant(snapshot.data_through), snapshot=snapshot.id)


@cache
def _dot(kind: str) -> html.Span:
    return html.Span(className=f"dot {kind}")


def _fate(row: dict[str, Any]) -> str:
    return text(f"fate.{row['kind']}", reason=words.told(str(row["reason"])))


def _count(row: dict[str, Any]) -> str:
    """How many; rows of the table beside it where a row is not one of what is counted."""
    n, rows = words.count(row["n"]), words.count(row["n_rows"])
    return n if n == rows else text("evidence.in_rows", n=n, rows=rows)


def _clock(row: dict[str, Any]) -> str:
    name = text(f"clock.{row['source']}")
    rung = text("evidence.preferred") if row["rung"] == 1 else text("evidence.fallback") if row["rung"] else ""
    return f"{name} {words.share(row['share'])}{rung}"
