"""One number by facility, crude and at the network's case mix: who differs by more than chance and mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from dash import html

from app import cross, words
from app.cards import card, graph, shown
from app.context import Context
from app.dom import many
from app.figures.base import axis_title
from app.figures.peers import peers
from app.questions import CHOSEN, Question
from app.state import drills
from app.tables import Column, Row, places
from app.texts import text
from sql.benchmark import STRATA, can_be_benchmarked
from sql.catalog import Metric


def _peers(context: Context) -> pl.DataFrame:
    return context.benchmark(context.chosen.id, context.statistic)


#: Facilities of which the values are drawn, those furthest from the network.
DRAWN = 12
PEERS = Question("metric.peers", _peers, CHOSEN)
QUESTIONS = (PEERS,)


def cards(context: Context, metric: Metric) -> list[Any]:
    """A chart and a table; none for counts, sums, maxima and metrics without facilities."""
    if not can_be_benchmarked(metric):
        return []
    frame, href = PEERS.ask(context), drills(context.state, "facility")

    def body() -> Any:
        far = frame.filter(_far(context).rank("ordinal", descending=True) <= DRAWN)
        made = peers(
            far, context.scheme, unit=metric.unit, x=axis_title(metric.title, metric.unit),
            network=text("peers.network", value=words.value(frame["network"][0], metric.unit)),
            name=lambda value: context.name("facility", value),
            href=lambda row: href(row["group_value"]),
        )  # fmt: skip
        strata = ", ".join(words.within(text(f"group.{group}")) for group in STRATA if group in metric.groups)
        told = [text("peers.told", strata=strata)]
        if far.height < frame.height:
            told.append(text("peers.furthest", n=words.count(far.height), all=words.count(frame.height)))
        chart = graph(PEERS, made, 120 + 44 * far.height, context=context, by=("facility",))
        return [html.P(" ".join(told), className="note"), chart, _table(context, frame, metric, href)]

    return [card(context, PEERS, shown(frame, body, text("peers.none")), wide=True)]


def _far(context: Context) -> pl.Expr:
    """How much a row is looked at: a facility that was chosen most, then by its distance in standard errors."""
    is_chosen = pl.col("group_value").is_in(context.filters.facility)
    return pl.when(is_chosen).then(float("inf")).otherwise(pl.col("z").abs().fill_null(-1))


def _table(context: Context, frame: pl.DataFrame, metric: Metric, href: Callable[[str], str]) -> html.Div:
    def name(row: Row) -> Any:
        facility = row["group_value"]
        return cross.cell(context.name("facility", facility), href(facility), "facility")

    is_counted = metric.kind == "ratio" or (metric.kind == "percentile" and context.statistic != "mean")
    counts = [
        Column(
            text("peers.observed"), lambda row: words.value(row["observed"], "exams"), hint=text("peers.observed.hint")
        ),
        Column(text("peers.expected"), lambda row: words.plain(row["expected"]), hint=text("peers.expected.hint")),
    ]
    columns = [
        Column(text("group.facility"), name, is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("peers.crude"), lambda row: words.value(row["value"], metric.unit)),
        Column(text("peers.standardized"), lambda row: _with_interval(row, "standardized", metric.unit),
               hint=text("peers.standardized.hint")),
        *(counts if is_counted else []),
        Column(text("peers.ratio"), lambda row: _with_interval(row, "ratio", ""), hint=text("peers.ratio.hint")),
        Column(text("peers.chance"), _chance, is_text=True, hint=text("peers.chance.hint")),
        Column(text("peers.alone"), lambda row: words.value(row["share_alone"], "share"),
               hint=text("peers.alone.hint")),
        Column(text("peers.pooled"), lambda row: words.value(row["share_pooled"], "share"),
               hint=text("peers.pooled.hint")),
    ]  # fmt: skip
    return places(
        frame, columns, label=PEERS.title, pressing=(_far(context),), faint=lambda row: row["n"] < metric.min_n
    )


def _with_interval(row: Row, name: str, unit: str) -> Any:
    told = words.value(row[name], unit) if unit else words.plain(row[name])
    ends = [row[f"{name}_lower"], row[f"{name}_upper"]]
    if None in ends:
        return told
    low, high = (words.value(end, unit) if unit else words.plain(end) for end in ends)
    between = many(html.Small, text("metric.to", lower=low, upper=high))
    return many(html.Div, [many(html.Span, told), between], className="pair")


def _chance(row: Row) -> html.Span:
    if row["z"] is None:
        return many(html.Span, text("peers.unknown"), className="delta same")
    if row["limit"] is None:
        return many(html.Span, text("peers.within"), className="delta same")
    way = "higher" if row["z"] > 0 else "lower"
    return many(html.Span, text(f"peers.{way}", limit=row["limit"]), className=f"delta {row['verdict'] or 'same'}")
