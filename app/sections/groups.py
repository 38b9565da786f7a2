"""One metric by one of its groups, beside the period compared with; the group is chosen in the address."""

from __future__ import annotations

from typing import Any

import polars as pl

from app import cross, words
from app.cards import card, choices, shown
from app.context import Context
from app.questions import CHOSEN, Question
from app.state import drill
from app.tables import Column, Row, change, places
from app.texts import text
from sql.catalog import Metric

#: Groups that single out a person.
PEOPLE = frozenset({"radiologist", "operator"})


def offered(context: Context) -> list[str]:
    """Groups of the chosen metric that this person may see."""
    return [group for group in context.chosen.groups if group not in PEOPLE or context.person.sees_readers]


def chosen_group(context: Context) -> str:
    """The group that the address names, else the metric's first; empty where it has none."""
    groups = offered(context)
    wanted = context.state.own.get("by", "")
    return wanted if wanted in groups else next(iter(groups), "")


def _groups(context: Context) -> pl.DataFrame:
    group = chosen_group(context)
    return context.compare(context.chosen.id, (group,) if group else (), context.statistic)


GROUPS = Question("metric.groups", _groups, CHOSEN)
QUESTIONS = (GROUPS,)


def cards(context: Context, metric: Metric) -> list[Any]:
    """A table of the groups; none for a metric without groups."""
    groups = offered(context)
    if not groups:
        return []
    frame, chosen = GROUPS.ask(context), chosen_group(context)

    def cell(row: Row) -> Any:
        href = drill(context.state, row["group_name"], row["group_value"])
        return cross.cell(words.group(chosen, context.name(chosen, row["group_value"])), href, row["group_name"])

    columns = [
        Column(text(f"group.{chosen}"), cell, is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("metric.value"), lambda row: words.value(row["value"], metric.unit)),
        Column(text("metric.interval"), lambda row: interval(row, metric.unit)),
        change(text("table.change"), metric.unit),
    ]
    tools = choices(context, "/metric", "by", [(group, text(f"group.{group}")) for group in groups], chosen)
    body = shown(frame, lambda: places(frame, columns, label=GROUPS.title, faint=lambda row: row["n"] < metric.min_n))
    return [card(context, GROUPS, body, wide=True, tools=tools)]


def interval(row: Row, unit: str) -> str:
    """The 95 % interval of a row in words; a dash where none is defined."""
    if row["lower"] is None or row["upper"] is None:
        return words.NO_VALUE
    return text("metric.to", lower=words.value(row["lower"], unit), upper=words.value(row["upper"], unit))
