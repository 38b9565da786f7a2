"""Preliminary reports that differ from the final ones, where a facility codes it; on the Workload page."""

from __future__ import annotations

import polars as pl
from dash import html

from app.cards import card, graph, shown
from app.context import Context
from app.figures.bars import groups
from app.questions import Question
from app.texts import text

METRIC, GROUP = "prelim_final_discrepancy", "modality"
#: Graded readers that a group must have to be shown to those who may not see single readers.
GROUP_OF = 5


def _graded(context: Context) -> pl.DataFrame:
    found = context.metric(METRIC, (GROUP,)).sort("value", descending=True)
    if context.person.sees_readers:
        return found
    people = context.counts("fct_discrepancy", (GROUP, "radiologist", "grade")).drop_nulls("grade")
    many = people.select(GROUP, "radiologist").unique().group_by(GROUP).len().filter(pl.col("len") >= GROUP_OF)[GROUP]
    return found.filter(pl.col("group_value").is_in(many.to_list()))


def _silent(context: Context) -> list[str]:
    """Facilities with preliminary reports of other readers and without any grade, by name."""
    found = context.counts("fct_discrepancy", ("facility",))["facility"].to_list()
    told = context.metric(METRIC, ("facility",))["group_value"].to_list()
    return sorted(context.name("facility", facility) for facility in found if facility not in told)


GRADED = Question("workload.graded", _graded, METRIC)
QUESTIONS = (GRADED,)


def section(context: Context) -> html.Section:
    """Shares by modality with intervals, and who reports none."""
    frame, silent = GRADED.ask(context), _silent(context)
    note = "" if context.person.sees_readers else text("people.grouped", n=GROUP_OF)
    said = [html.P(line, className="note") for line in (
        note, text("workload.graded.silent", names=", ".join(silent)) if silent else "") if line]  # fmt: skip
    body = shown(frame, lambda: graph(GRADED, groups(
        frame, context.scheme, unit="share", x=text("workload.graded.x"),
        min_n=context.definition(METRIC).min_n), 300), note=text("workload.graded.none"))  # fmt: skip
    return card(context, GRADED, [*said, body])
