"""Turnaround: where does the time go? Headline numbers, stages, spread, course, week, and the worst groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from dash import html

from app import changes, cross, evidence, ways, words
from app.cards import card, choices, graph, headline, page_head, shown
from app.context import Context
from app.figures.bars import ranges
from app.figures.heat import week
from app.figures.pins import Pin
from app.figures.trend import Line, trend
from app.noted import noted
from app.questions import Question, of_compare, of_metric
from app.sections.course import marked
from app.sections.waiting import of_waiting, waiting_card
from app.state import drill, drills
from app.tables import Column, Row, bar, change, table
from app.texts import text
from sql.clock_filters import length_range
from sql.spread import spread

METRIC = "report_final"
STATISTICS = ("mean", "p50", "p75", "p90", "p95")
#: The statistic of the heat map that a person may choose.
CHOICES = ("p50", "p90")
#: Exams below which a cell of the heat map stays empty.
CELL_N = 5


def _headline(context: Context) -> pl.DataFrame:
    parts = [context.compare(METRIC, (), name).with_columns(pl.lit(name).alias("statistic")) for name in STATISTICS]
    return pl.concat(parts)


def _course(context: Context) -> pl.DataFrame:
    parts = [context.trend(METRIC, (), name).with_columns(pl.lit(name).alias("statistic")) for name in ("p50", "p90")]
    return pl.concat(parts)


def _targets(context: Context) -> pl.DataFrame:
    groups = ("priority", "patient_class")
    half, ninth = context.compare(METRIC, groups, "p50"), context.metric(METRIC, groups, statistic="p90")
    within = context.compare("within_target", groups)
    return (
        half.join(ninth.select("group_value", pl.col("value").alias("p90")), on="group_value", how="left")
        .join(within.select("group_value", pl.col("value").alias("within"), pl.col("delta").alias("within_delta"),
                            pl.col("verdict").alias("within_verdict"), pl.col("is_clear").alias("within_is_clear"),
                            pl.col("n").alias("with_target")), on="group_value", how="left")
        .join(_target_minutes(context), on="group_value", how="left", maintain_order="left")
    )  # fmt: skip


def _target_minutes(context: Context) -> pl.DataFrame:
    """The target of each priority and class, where all its exams have one and the same."""
    named = _with_target(context).with_columns(pl.concat_str(pl.col("priority", "patient_class").fill_null("(none)"),
                                             separator=" | ").alias("group_value"))  # fmt: skip
    return named.group_by("group_value").agg(
        pl.when(pl.col("target_min").n_unique() == 1).then(pl.col("target_min").first()).alias("target_min")
    )


def _with_target(context: Context) -> pl.DataFrame:
    """Exams by priority, class and target."""
    return context.counts("fct_exam", ("priority", "patient_class", "target_min"), where={"is_countable": True})


def _worst(context: Context) -> pl.DataFrame:
    frame = context.compare("within_target", ("facility", "modality", "patient_class"))
    floor = context.definition("within_target").min_n
    return frame.filter(pl.col("n") >= floor).sort("value", "n", descending=[False, True])


def _chosen(context: Context) -> str:
    wanted = context.state.own.get("stat", CHOICES[0])
    return wanted if wanted in CHOICES else CHOICES[0]


HEADLINE = Question("turnaround.headline", _headline, METRIC)
SPREAD = Question("turnaround.spread", lambda c: spread(c.snapshot, METRIC, filters=c.filters), METRIC,
                  {"low": "min", "high": "min"})  # fmt: skip
COURSE = Question("turnaround.course", _course, METRIC)
WEEK = Question("turnaround.week", lambda c: of_metric(METRIC, "weekday", "hour", statistic=_chosen(c))(c), METRIC)
TARGETS = Question("turnaround.targets", _targets, METRIC, {"p90": "min", "target_min": "min", "within": "share"})
WORST = Question("turnaround.worst", _worst, "within_target")
MODALITIES = Question("turnaround.modalities", of_compare(METRIC, "modality", statistic="p90"), METRIC)
WAITING = of_waiting("turnaround.waiting", METRIC)
QUESTIONS = (WAITING, *ways.QUESTIONS, HEADLINE, SPREAD, COURSE, WEEK, TARGETS, WORST, MODALITIES)


def render(context: Context) -> list[Any]:
    """The page."""
    numbers = HEADLINE.ask(context)
    n = None if numbers.is_empty() else int(numbers["n"][0])
    course, values, cells = (q.ask(context) for q in (COURSE, SPREAD, WEEK))
    chosen = _chosen(context)
    return [
        page_head(context, text("turnaround.title"), text("turnaround.lead")),
        _tiles(context, numbers),
        html.Div(
            [
                card(context, COURSE, shown(course, lambda: noted(context, lambda pins: graph(
                    COURSE, _course_figure(context, course, pins), by=(cross.PERIOD,)))), n=n, wide=True),
                ways.stage_card(context),
                card(context, SPREAD, shown(values, lambda: graph(SPREAD, ranges(
                    values, context.scheme, marks=_marks(numbers),
                    href=lambda row: drill(context.state, "all", "all", length=(_range(row),))), 290,
                    context=context, by=("length",))), n=n, wide=True),
                waiting_card(context, WAITING, context.definition(METRIC)),
                card(context, TARGETS, _targets_table(context), wide=True),
                card(context, WEEK, shown(cells, lambda: graph(WEEK, week(
                    cells, context.scheme, unit="min", min_n=CELL_N,
                    href=drills(context.state, " | ".join(cross.HOURS), sort="-report_final_min")), 260,
                    context=context, by=cross.HOURS)), n=n,
                     wide=True,
                     tools=choices(context, "/turnaround", "stat", [(s, text(f"stat.{s}")) for s in CHOICES], chosen)),
                card(context, WORST, _worst_table(context), wide=True),
                ways.five_card(context),
            ],
            className="grid",
        ),
        evidence.block(context, METRIC),
    ]  # fmt: skip


def _range(row: dict[str, Any]) -> str:
    return length_range("report_final_min", row["low"], row["high"])


def _tiles(context: Context, numbers: pl.DataFrame) -> html.Div:
    within = context.compare("within_target")
    tiles = [
        headline(text("turnaround.within"), words.share(row["value"]), change=changes.shown(row, "share"), is_main=True,
                 hint=text("turnaround.of", n=words.count(row["denominator"])),
                 href=drill(context.state, "all", "all", show="late", sort="-report_final_min"))
        for row in within.iter_rows(named=True)
    ]  # fmt: skip
    tiles += [
        headline(text(f"stat.{row['statistic']}"), words.minutes(row["value"]), change=changes.shown(row, "min"))
        for row in numbers.iter_rows(named=True)
        if row["value"] is not None
    ]
    return html.Div(tiles, className="tiles")


def _marks(numbers: pl.DataFrame) -> list[tuple[float, str]]:
    return [(row["value"], text(f"stat.{row['statistic']}")) for row in numbers.iter_rows(named=True)
            if row["statistic"] in ("p50", "p90") and row["value"] is not None]  # fmt: skip


def _course_figure(context: Context, frame: pl.DataFrame, pins: Sequence[Pin] = ()) -> Any:
    lines = [Line(text(f"stat.{name}"), frame.filter(pl.col("statistic") == name)) for name in ("p90", "p50")]
    targets = _with_target(context)["target_min"].unique().to_list()
    one = targets[0] if len(targets) == 1 else None
    return trend(
        lines, context.scheme, unit="min", y=text("figure.axis.report.short"), target=one,
        target_name=text("turnaround.target"), marks=marked(context.marks(METRIC, context.filters)), pins=pins,
        href=lambda row: drill(context.state.having(since=row["period_start"], until=row["period_end"]), "all", "all",
                               sort="-report_final_min"),
    )  # fmt: skip


def _targets_table(context: Context) -> Any:
    frame = TARGETS.ask(context)

    def group(row: Row) -> Any:
        href = drill(context.state, row["group_name"], row["group_value"], sort="-report_final_min")
        return cross.cell(context.names(row["group_name"], row["group_value"]), href, row["group_name"])

    columns = [
        Column(text("turnaround.group"), group, is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("turnaround.target"), lambda row: words.value(row["target_min"], "min")),
        Column(text("stat.p50"), lambda row: words.value(row["value"], "min")),
        Column(text("stat.p90"), lambda row: words.value(row["p90"], "min")),
        bar(text("turnaround.within"), "within", "share", 1.0),
        change(text("table.change"), "share", "within_"),
    ]  # fmt: skip
    floor = context.definition(METRIC).min_n
    return shown(frame, lambda: table(frame, columns, label=TARGETS.title, faint=lambda row: row["n"] < floor))


def _worst_table(context: Context) -> Any:
    frame = WORST.ask(context)

    def part(row: Row, number: int) -> str:
        return str(row["group_value"].split(" | ")[number])

    columns = [
        Column(text("overview.facility"), lambda row: cross.cell(context.name("facility", part(row, 0)), drill(
            context.state, row["group_name"], row["group_value"], show="late", sort="-report_final_min"),
            row["group_name"]), is_text=True),
        Column(text("group.modality"), lambda row: part(row, 1), is_text=True),
        Column(text("group.patient_class"), lambda row: words.group("patient_class", part(row, 2)), is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        bar(text("turnaround.within"), "value", "share", 1.0),
        change(text("table.change"), "share"),
    ]  # fmt: skip
    return shown(frame, lambda: table(frame, columns, label=WORST.title, limit=10))
