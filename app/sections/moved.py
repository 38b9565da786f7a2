"""What moved one number since the period compared with: its effects as steps, and every group's parts."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import html

from app import cross, moves, words
from app.cards import card, choices, graph, shown
from app.context import Context
from app.figures.base import axis_title
from app.figures.steps import steps
from app.questions import CHOSEN, Question
from app.sections.groups import offered
from app.state import drill
from app.tables import Column, table
from app.texts import text
from sql.attribution import OTHERS, can_be_parted
from sql.catalog import Metric

#: Groupings that are offered together beside each one alone.
PAIRS = (("facility", "modality"), ("modality", "shift"), ("priority", "patient_class"))
#: Rows of the table; the CSV file has all.
LIMIT = 12
#: Effects that the sentence names.
NAMED = 3


def _ways(context: Context) -> dict[str, tuple[str, ...]]:
    """Groupings that may be chosen, by their word in the address; the first is shown where none is named."""
    groups = offered(context)
    pairs = [pair for pair in PAIRS if set(pair) <= set(groups)]
    return {"-".join(by): by for by in [*pairs, *((group,) for group in groups)]}


def _by(context: Context) -> tuple[str, ...]:
    ways = _ways(context)
    return ways.get(context.state.own.get("moved", ""), next(iter(ways.values()), ()))


def _parts(context: Context) -> pl.DataFrame:
    return context.attribution(context.chosen.id, _by(context), context.statistic)


def _steps(context: Context) -> pl.DataFrame:
    return context.steps(context.chosen.id, _by(context), context.statistic)


MOVED = Question("metric.moved", _parts, CHOSEN)
STEPS = Question("metric.steps", _steps, CHOSEN)
QUESTIONS = (MOVED, STEPS)


def cards(context: Context, metric: Metric) -> list[Any]:
    """The steps as a chart and a sentence, the groups as a table; none for a metric whose change has no parts."""
    if not can_be_parted(metric) or not _by(context):
        return []
    frame = MOVED.ask(context)

    def body() -> Any:
        effects = STEPS.ask(context)
        told = moves.sentence(context, metric, context.statistic, context.compare(metric.id, (), context.statistic),
                              context.steps(metric.id, _by(context), context.statistic, most=NAMED))  # fmt: skip
        made = steps(
            effects, context.scheme, unit=metric.unit, x=axis_title(metric.title, metric.unit),
            name=lambda row: moves.effect(context, row, metric.unit),
            href=lambda row: "" if row["group_value"] == OTHERS else drill(
                context.state, row["group_name"], row["group_value"]),
        )  # fmt: skip
        by = cross.keys(" | ".join(_by(context)))
        drawn = graph(STEPS, made, 60 + 36 * effects.height, context=context, by=by)
        return [html.P(told, className="turn"), drawn,
                parts_table(context, frame, metric, label=MOVED.title, limit=LIMIT)]  # fmt: skip

    ways = [(way, " × ".join(text(f"group.{group}") for group in by)) for way, by in _ways(context).items()]
    tools = choices(context, "/metric", "moved", ways, "-".join(_by(context)))
    nothing = text("moved.none" if context.filters.before() is None else "moved.one")
    return [card(context, MOVED, shown(frame, body, nothing), wide=True, tools=tools)]


def parts_table(context: Context, frame: pl.DataFrame, metric: Metric, *, label: str, limit: int) -> html.Div:
    """Groups with their values, shares and parts, the largest part first; those below the metric's n are pale."""

    def name(row: Any) -> Any:
        told = moves.group_words(context, row["group_name"], row["group_value"])
        if row["group_value"] == OTHERS:
            return told
        return cross.cell(told, drill(context.state, row["group_name"], row["group_value"]), row["group_name"])

    def moved(column: str, unit: str) -> Column:
        return Column(text(f"moved.{column}"), lambda row: words.delta(row[column], unit),
                      hint=text(f"moved.{column}.hint"))  # fmt: skip

    shares = [
        Column(text("moved.share"), lambda row: words.value(row["previous_share"], "share")),
        Column(text("moved.share_now"), lambda row: words.value(row["share"], "share")),
        moved("mix", metric.unit),
        moved("rate", metric.unit),
    ]
    columns = [
        Column(text("moved.group"), name, is_text=True),
        Column(text("table.n"), lambda row: f"{words.count(row['previous_n'])} → {words.count(row['n'])}"),
        Column(text("moved.before"), lambda row: words.value(row["previous"], metric.unit)),
        Column(text("moved.now"), lambda row: words.value(row["value"], metric.unit)),
        *([] if frame["share"].null_count() == frame.height else shares),
        moved("part", metric.unit),
    ]
    return table(frame, columns, label=label, limit=limit,
                 faint=lambda row: min(row["n"], row["previous_n"]) < metric.min_n)  # fmt: skip
