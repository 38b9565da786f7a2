"""The report of a month as a document of words: what the page shows, ready to be set. Nothing is asked here.

Every number is one of the frames `scorecard` and `course`, which the pack holds as files too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from etl import pack_words as words
from etl.pack_charts import chart
from etl.pack_findings import GOOD, WRONG, against_target, outcome
from sql.catalog import Metric
from sql.leadership import ALL, MEASURES, THEMES, Measure
from sql.written import THIN, UNITS, count, delta, value

#: Points a side on the first page and places a point at most; the pages behind have them all.
MOST_POINTS, MOST_PLACES = 5, 5


@dataclass(frozen=True, slots=True)
class Told:
    """What a report is made of: the frames, the definitions, the month and where the data come from."""

    scorecard: pl.DataFrame
    findings: pl.DataFrame
    course: pl.DataFrame
    metrics: Mapping[str, Metric]
    since: date
    until: date
    before: date
    data_from: date | None
    data_through: datetime
    last_day: date
    about: tuple[tuple[str, str], ...]
    is_masked: bool = False
    scope: str = ""

    @property
    def everywhere(self) -> str:
        """What stands for all facilities."""
        return words.everywhere(self.scope)

    @property
    def is_before_whole(self) -> bool:
        """Whether the month before is whole in the data."""
        return self.data_from is not None and self.data_from <= self.before


def document(told: Told) -> dict[str, Any]:
    """The report: title, points, scorecard, a page a theme, definitions, where it comes from."""
    metrics = {metric: told.metrics[metric] for metric in told.scorecard["metric"].unique(maintain_order=True)}
    return {
        "title": words.title(told.since, told.scope),
        "eyebrow": words.eyebrow(told.scope),
        "month": words.month(told.since),
        "before": words.month(told.before),
        "lead": [[words.THEMES[theme], text] for theme in THEMES if (text := _lead(told, theme))],
        "notes": _notes(told),
        "wrong": _points(told, WRONG), "good": _points(told, GOOD),
        "nothing": {"wrong": words.NOTHING_WRONG, "good": words.NOTHING_GOOD},
        "scorecard": _table(told, [measure for measure in MEASURES if measure.is_headline]),
        "legend": words.LEGEND.format(before=words.month(told.before)),
        "themes": [_theme(told, theme) for theme in THEMES],
        "definitions": [_definition(metric) for metric in metrics.values()],
        "about": [list(pair) for pair in told.about],
        "foot": dict(told.about)["Snapshot"] + " · data through " + words.instant(told.data_through),
    }  # fmt: skip


def _points(told: Told, side: str) -> dict[str, Any]:
    """The gravest points of one side, each with the places that it holds for."""
    mine = told.findings.filter(pl.col("side") == side)
    points = [part.to_dicts() for _, part in mine.group_by("rank", maintain_order=True)]
    shown = [
        {"told": rows[0]["told"], "places": [_place(row, told.everywhere) for row in rows[:MOST_PLACES]],
         "more": max(len(rows) - MOST_PLACES, 0)}
        for rows in points[:MOST_POINTS]
    ]  # fmt: skip
    return {"points": shown, "more": max(len(points) - MOST_POINTS, 0)}


def _place(row: dict[str, Any], everywhere: str) -> dict[str, str]:
    unit = row["unit"] if row["unit"] in UNITS else ""
    return {
        "name": row["facility_name"] or everywhere,
        "value": value(row["value"], row["unit"]),
        "change": "" if row["delta"] is None else delta(row["delta"], unit).strip(THIN),
    }


def _notes(told: Told) -> list[str]:
    notes = [words.MASKED] if told.is_masked else []
    if told.last_day < told.until:
        notes.append(words.NOT_OVER.format(month=words.month(told.since), through=words.instant(told.data_through)))
    if told.data_from is not None and not told.is_before_whole:
        notes.append(words.BEGINS.format(first=words.day(told.data_from), before=words.month(told.before)))
    return notes


def _lead(told: Told, theme: str) -> str:
    """A theme in one sentence, of all facilities."""
    whole = {row["measure"]: row for row in told.scorecard.filter(pl.col("facility") == ALL).iter_rows(named=True)}
    known = [(whole[name], form) for name, form in words.LEADS[theme] if whole.get(name, {}).get("value") is not None]
    said = (
        form.format(count(row["value"]) if row["unit"] in ("exams", "reads") else value(row["value"], row["unit"]))
        for row, form in known
    )
    return words.sentence(list(said))


def _table(told: Told, measures: list[Measure]) -> dict[str, Any]:
    """Facilities down, measures across; a measure that no facility has is left out and named."""
    frame = told.scorecard
    rows = {(row["facility"], row["measure"]): row for row in frame.iter_rows(named=True)}
    names = dict(frame.select("facility", "facility_name").unique(maintain_order=True).iter_rows())
    has_value = {row["measure"] for row in rows.values() if row["value"] is not None or row.get("is_masked")}
    shown = [measure for measure in measures if measure.name in has_value]
    return {
        "heads": [
            {"label": measure.label, "target": _target(told, measure.name)} for measure in shown
        ],
        "rows": [
            {"name": name or told.everywhere, "is_whole": place == ALL,
             "cells": [_cell(rows[place, measure.name], told.metrics[measure.metric].better) for measure in shown]}
            for place, name in names.items()
        ],
        "unknown": [measure.label for measure in measures if measure.name not in has_value],
    }  # fmt: skip


def _target(told: Told, measure: str) -> str:
    row = told.scorecard.row(by_predicate=(pl.col("measure") == measure) & (pl.col("facility") == ALL), named=True)
    return "" if row["target"] is None else f"target {value(row['target'], row['unit'])}"


def _cell(row: dict[str, Any], better: str) -> dict[str, Any]:
    if row.get("is_masked"):
        return {
            "value": words.IS_MASKED,
            "change": "",
            "outcome": "",
            "target": "",
            "n": "",
            "small": True,
            "known": False,
        }
    unit = row["unit"] if row["unit"] in UNITS else ""
    return {
        "value": value(row["value"], unit).strip(THIN),
        "change": "" if row["delta"] is None or row["is_small"] else delta(row["delta"], unit).strip(THIN),
        "outcome": outcome(row),
        "target": against_target(row, better),
        "n": count(row["n"]),
        "small": bool(row["is_small"]) and row["n"] > 0,
        "known": row["value"] is not None,
    }


def _theme(told: Told, theme: str) -> dict[str, Any]:
    measures = [measure for measure in MEASURES if measure.theme == theme]
    named = told.scorecard.select("facility", "facility_name").unique(maintain_order=True).iter_rows()
    places = {place: name or told.everywhere for place, name in named}
    charts = [
        made
        for measure in measures if measure.has_course
        if (made := chart(told.course.filter(pl.col("measure") == measure.name), places,
                          words.COURSES[measure.name])) is not None
    ]  # fmt: skip
    for made in charts:
        made["caption"] = _caption(made, told.everywhere)
    return {
        "title": words.THEMES[theme], "lead": _lead(told, theme), "table": _table(told, measures), "charts": charts,
    }  # fmt: skip


def _caption(made: dict[str, Any], everywhere: str) -> str:
    points = [point for panel in made["panels"] for point in panel["points"]]
    said = [
        (True, words.CAPTION.format(grain=made["grain"], end=made["to"])),
        (len(made["panels"]) > 1, words.GREY.format(everywhere=everywhere[0].lower() + everywhere[1:])),
        (any(point["hollow"] for point in points), words.HOLLOW.format(grain=made["grain"])),
        (not made["is_from_zero"], words.SCALED),
        (bool(made["left_out"]), words.LEFT_OUT.format(n=made["left_out"])),
    ]
    return " ".join(text for holds, text in said if holds)


def _definition(metric: Metric) -> dict[str, str]:
    clock = f"from {metric.clock_start} to {metric.clock_stop}" if metric.kind == "percentile" else ""
    return {
        "title": metric.title, "id": metric.id, "version": metric.version, "question": metric.question,
        "unit": metric.unit, "clock": clock.replace("_", " "), "includes": metric.includes,
        "excludes": metric.excludes, "min_n": str(metric.min_n), "target": metric.target,
    }  # fmt: skip
