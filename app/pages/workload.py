"""Workload: who carries what, and when. Single readers only for those who may see them, else groups of five or more."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import html

from app import cross, evidence, words
from app.cards import card, graph, page_head, shown, tiles
from app.context import Context
from app.figures.bars import groups
from app.figures.dots import dots
from app.figures.heat import week
from app.figures.trend import Line, trend
from app.figures.waiting import waiting
from app.noted import noted
from app.questions import Question, of_metric, of_trend
from app.sections import burden, graded, whatif
from app.sections.forecast import forecast
from app.state import drill, drills
from app.tables import Column, Row, bar, table
from app.texts import text
from sql.measure import unapplied

METRIC = "reads"
#: Readers that a group must have to be shown to those who may not see single readers.
GROUP_OF = 5
#: Readers that stand there at once, and those at a click; filters and the CSV file have the rest.
FOLD, LISTED = 10, 60
HEADLINES = (("reads", "final"), ("wrvu", None), ("reads_per_hour", None), ("share_after_hours", None),
             ("backlog", "waiting"), ("backlog", "past_target"))  # fmt: skip
#: Columns of a table of groups: name, metric, statistic.
_PARTS = (("prelim", "reads", "preliminary"), ("wrvu", "wrvu", None), ("local_min", "local_minutes", None),
          ("per_hour", "reads_per_hour", None), ("pace", "local_minutes_per_hour", None),
          ("after_hours", "share_after_hours", None))  # fmt: skip
_UNITS = {"prelim": "reads", "wrvu": "wRVU", "local_min": "min", "per_hour": "reads/h", "pace": "min/h",
          "after_hours": "share"}  # fmt: skip


def _headline(context: Context) -> pl.DataFrame:
    return pl.concat([context.compare(metric, (), statistic).with_columns(pl.lit(metric).alias("metric"), pl.lit(
        statistic or "value").alias("statistic")) for metric, statistic in HEADLINES])  # fmt: skip


def _grouped(context: Context, group: str) -> pl.DataFrame:
    found = context.compare(METRIC, (group,), "final")
    parts = {
        name: _values(context.metric(metric, (group,), statistic=statistic))
        for name, metric, statistic in _PARTS
        if group in context.definition(metric).groups
    }
    here = set(found["group_value"])
    others = dict.fromkeys(value for values in parts.values() for value in values if value not in here)
    if others:
        found = pl.concat([found, pl.DataFrame({"group_value": list(others)})], how="diagonal")
    told = [pl.Series(name, [values.get(value) for value in found["group_value"]], pl.Float64)
            for name, values in parts.items()]  # fmt: skip
    known = found.hstack(told).filter(pl.col("value").is_not_null() | pl.col("prelim").is_not_null())
    return known.sort("value", "prelim", descending=True, nulls_last=True)


def _values(frame: pl.DataFrame) -> dict[str, float | None]:
    """Values by group."""
    return dict(zip(frame["group_value"].to_list(), frame["value"].to_list(), strict=True))


def _readers(context: Context) -> pl.DataFrame:
    """By reader, for those who may see them; else by facility, where enough readers stand behind a number."""
    if context.person.sees_readers:
        return _grouped(context, "radiologist")
    people = context.counts("fct_read", ("facility", "radiologist"), where={"role": "final"})
    many = people.group_by("facility").len().filter(pl.col("len") >= GROUP_OF)["facility"]
    return _grouped(context, "facility").filter(pl.col("group_value").is_in(many.to_list()))


def _waiting(context: Context) -> pl.DataFrame:
    frame = context.counts("fct_backlog_hour", ("hour_at",), sums=("n_waiting", "n_past_target"))
    return frame.drop("n", "share").sort("hour_at")


HEADLINE = Question("workload.headline", _headline, "", {"value": "-"})
READERS = Question("workload.readers", _readers, METRIC, _UNITS)
SHIFTS = Question("workload.shifts", lambda context: _grouped(context, "shift"), METRIC, _UNITS)
LINES = Question("workload.lines", lambda context: _grouped(context, "service_line"), METRIC, _UNITS)
WEEK = Question("workload.week", of_metric(METRIC, "weekday", "hour"), METRIC)
BACKLOG = Question("workload.backlog", _waiting, "backlog", {"n_waiting": "exams", "n_past_target": "exams"})
COURSE = Question("workload.course", of_trend("wrvu"), "wrvu")
WEIGHTS = Question("workload.weights", lambda context: context.weights(), "local_minutes",
                   {"minutes": "min", "low_min": "min", "high_min": "min", "wrvu": "wRVU"})  # fmt: skip
AGREEMENT = Question("workload.agreement", lambda context: context.weight_agreement(), "", {"value": "-"})
ORDER = Question("workload.order", of_metric("queue_fairness", "service_line"), "queue_fairness")
QUESTIONS = (HEADLINE, READERS, SHIFTS, LINES, WEEK, BACKLOG, COURSE, WEIGHTS, AGREEMENT, ORDER, *graded.QUESTIONS,
             *whatif.QUESTIONS)  # fmt: skip
#: Modalities with a colour of their own among the weights; most of the reading.
_COLOURED = ("CT", "MR", "DX", "US", "NM")


def render(context: Context) -> list[Any]:
    """The page."""
    cells, backlog, course, readers = (each.ask(context) for each in (WEEK, BACKLOG, COURSE, READERS))
    coming, places, tested = forecast(context)
    return [
        page_head(context, text("workload.title"), text("workload.lead")),
        tiles(context, HEADLINE, METRIC, named=lambda metric, _: metric == "backlog"),
        *burden.said(context, _by(context), readers, backlog, cells),
        html.Div(
            [
                card(context, BACKLOG, shown(backlog, lambda: noted(context, lambda pins: graph(BACKLOG, waiting(
                    backlog, context.scheme, pins=pins, href=drill(
                        context.state.having(since=None, until=None), "all", "all", show="waiting",
                        sort="exam_ended_local")), by=(cross.PERIOD,)))),
                     wide=True),
                _readers_card(context, readers),
                whatif.section(context),
                card(context, WEEK, shown(cells, lambda: graph(WEEK, week(
                    cells, context.scheme, unit="reads", min_n=1,
                    href=drills(context.state, " | ".join(cross.HOURS), clock="final")), 260,
                    context=context, by=cross.HOURS)), wide=True),
                coming,
                _group_card(context, SHIFTS, "shift"),
                _group_card(context, LINES, "service_line"),
                card(context, COURSE, shown(course, lambda: noted(context, lambda pins: graph(COURSE, trend(
                    [Line("wRVU", course)], context.scheme, unit="wRVU", y="wRVU", pins=pins, href=lambda row: drill(
                        context.state.having(since=row["period_start"], until=row["period_end"]), "all", "all",
                        clock="final")), 240, by=(cross.PERIOD,)))), wide=True),
                _order_card(context),
                graded.section(context),
                places,
                _weights_card(context),
                tested,
            ],
            className="grid",
        ),
        evidence.block(context, METRIC),
    ]  # fmt: skip


def _columns(context: Context, group: str, frame: pl.DataFrame) -> list[Column]:
    top = frame["value"].max()

    def name(row: Row) -> Any:
        shown_name = context.name(group, row["group_value"])
        if group == "shift":
            return shown_name
        return cross.cell(shown_name, drill(context.state, group, row["group_value"], clock="final"), group)

    made = [
        Column(text(f"group.{group}"), name, is_text=True),
        bar(text("workload.reads"), "value", "reads", float(top) if isinstance(top, int | float) else 0.0),
        Column(text("table.change"), lambda row: words.delta(row["delta"], "reads")),
        Column(text("workload.prelim"), lambda row: words.value(row["prelim"], "reads")),
        Column("wRVU", lambda row: words.plain(row["wrvu"])),
        Column(text("workload.local"), lambda row: words.value(row["local_min"], "min"),
               hint=text("workload.local.hint")),
    ]  # fmt: skip
    if "per_hour" in frame.columns:
        made.append(Column(text("workload.per_hour"), lambda row: words.plain(row["per_hour"]),
                           hint=text("workload.per_hour.hint")))  # fmt: skip
        made.append(Column(text("workload.pace"), lambda row: words.plain(row["pace"]),
                           hint=text("workload.pace.hint")))  # fmt: skip
    made.append(Column(text("workload.after"), lambda row: words.value(row["after_hours"], "share")))
    return made


def _readers_card(context: Context, frame: pl.DataFrame) -> html.Section:
    group = _by(context)
    note = text("people.shown") if context.person.sees_readers else text("people.grouped", n=GROUP_OF)
    body = shown(
        frame, lambda: table(frame, _columns(context, group, frame), label=READERS.title, fold=FOLD, limit=LISTED)
    )
    return card(context, READERS, [html.P(note, className="note people"), body, *(
        [] if frame.is_empty() else _unfiltered(context))], wide=True)  # fmt: skip


def _by(context: Context) -> str:
    return "radiologist" if context.person.sees_readers else "facility"


def _unfiltered(context: Context) -> list[html.P]:
    """Which columns are of whole hours of reading, and so know fewer filters than the others."""
    left_out = unapplied(context.definition("reads_per_hour"), context.filters)
    names = dict.fromkeys(text(f"filter.{key}") for key in left_out)
    columns = ", ".join(text(f"workload.{name}") for name in ("per_hour", "pace"))
    told = text("workload.unapplied", columns=columns, names=", ".join(names))
    return [html.P(told, className="note")] if names else []


def _group_card(context: Context, question: Question, group: str) -> html.Section:
    frame = question.ask(context)
    body = shown(frame, lambda: table(frame, _columns(context, group, frame), label=question.title))
    return card(context, question, body, wide=True)


def _weights_card(context: Context) -> html.Section:
    """Both weights of each procedure as dots, and in words how far they agree."""
    frame = WEIGHTS.ask(context).drop_nulls("wrvu")

    def tip(row: Row) -> str:
        return text("workload.weights.tip", name=row["procedure_name"], minutes=words.value(row["minutes"], "min"),
                    wrvu=words.plain(row["wrvu"]), n=words.count(row["n"]),
                    source=text(f"weight.{row['learned_from']}"))  # fmt: skip

    said = [
        html.P(text("workload.agreement.line", group=text("workload.agreement.all") if row["modality"] == "all" else
                    row["modality"], value=words.plain(row["value"]), n=words.count(row["n"])), className="note")
        for row in AGREEMENT.ask(context).iter_rows(named=True)
    ]  # fmt: skip
    return card(context, WEIGHTS, [*said, shown(frame, lambda: graph(WEIGHTS, dots(
        frame, context.scheme, across="wrvu", up="minutes", x="wRVU", y=text("workload.weights.y"), tip=tip,
        by="modality", order=_COLOURED), 300))], wide=True)  # fmt: skip


def _order_card(context: Context) -> html.Section:
    frame = ORDER.ask(context)
    return card(context, ORDER, shown(frame, lambda: graph(ORDER, groups(
        frame.sort("value", descending=True), context.scheme, unit="share", x=text("workload.order.x"),
        name=lambda value: context.name("service_line", value),
        min_n=context.definition("queue_fairness").min_n,
        href=lambda row: drill(context.state, "service_line", row["group_value"], clock="final")),
        300, context=context, by=("service_line",))))  # fmt: skip
