"""Every metric equals its recomputation from the truth, for every grouping and period, on seeds of their own.

Another seed by hand: TRUTH_SEEDS=5,6 pytest tests/truth (TRUTH_EXAMS, TRUTH_DAYS for its size).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache
from itertools import repeat
from typing import TypeVar

import pytest

from sql.catalog import Catalog, Metric
from sql.filters import NO_VALUE, Filters
from sql.query import Wanted, foresee, metric
from sql.shape import PERIODS
from tests.truth import (
    recompute,
    recompute_devices,
    recompute_quality,
    recompute_queue,
    recompute_repeats,
    recompute_rooms,
    recompute_turnaround,
    recompute_weight,
    recompute_workload,
)
from tests.truth.department import Row
from tests.truth.statistics import OF_PARTS, OF_ROWS, Answer, Part, added, period_of
from tests.truth.world import World

PAIRS = (("facility", "modality"), ("device", "hour"), ("weekday", "hour"), ("priority", "patient_class"),
         ("radiologist", "shift"), ("facility", "milestone"), ("availability", "facility"),
         ("interval_name", "device"))  # fmt: skip
ROWS = (
    recompute.ROWS
    | recompute_turnaround.ROWS
    | recompute_devices.ROWS
    | recompute_repeats.ROWS
    | recompute_rooms.ROWS
    | recompute_workload.ROWS
    | recompute_quality.ROWS
    | recompute_queue.ROWS
    | recompute_weight.ROWS
)
METRICS = Catalog.load().metrics
#: Proven elsewhere: draws, which have no truth of one world (tests/forecast).
APART = frozenset({"forecast_volume", "forecast_error"})
#: Groups whose values are pseudonyms -> mapping from the truth's names.
PEOPLE = {"radiologist": "reader_keys", "operator": "operator_keys"}
Key = tuple[tuple[date, date] | None, str]
T = TypeVar("T")


def questions(asked: Metric) -> list[tuple[tuple[str, ...], str, str]]:
    """(groups, period, statistic): all of both at the usual statistic, others without groups or period."""
    groups = [(), *((g,) for g in asked.groups), *(pair for pair in PAIRS if set(pair) <= set(asked.groups))]
    periods = ("all", *PERIODS) if asked.has_dates else ("all",)
    others = [s for s in asked.statistics if s != asked.statistic]
    return (
        [(g, p, asked.statistic) for g in groups for p in periods]
        + [(g, "all", s) for g in groups for s in others]
        + [((), p, s) for p in periods[1:] for s in others]
    )


@cache
def facts(world: World, metric_id: str, period: str) -> list[Row]:
    department = world.department
    if metric_id == "backlog":
        return list(recompute.backlog(department, lambda local: period_of(period, local)))
    return list(ROWS[metric_id](department)) if period == "all" else facts(world, metric_id, "all")


@lru_cache(maxsize=50)
def stretches(world: World, metric_id: str, period: str) -> list[tuple[date, date] | None]:
    """The period of each of the facts."""
    return [period_of(period, row["local"]) for row in facts(world, metric_id, period)]


@lru_cache(maxsize=50)
def words(world: World, metric_id: str, period: str, group: str) -> list[str]:
    """The text of a group of each of the facts."""
    keys = getattr(world, PEOPLE[group]) if group in PEOPLE else None
    values = (row[group] if keys is None else keys.get(row[group]) for row in facts(world, metric_id, period))
    return [NO_VALUE if value is None else str(value) for value in values]


@lru_cache(maxsize=50)
def parts(world: World, metric_id: str, period: str, statistic: str) -> list[Part | None]:
    """What each of the facts adds."""
    return [added(row, statistic) for row in facts(world, metric_id, period)]


def expected(world: World, asked: Metric, groups: tuple[str, ...], period: str, statistic: str) -> dict[Key, Answer]:
    rows = facts(world, asked.id, period)
    columns = [words(world, asked.id, period if asked.id == "backlog" else "all", g) for g in groups]
    names = map(" | ".join, zip(*columns, strict=True)) if groups else repeat("all", len(rows))
    keys = zip(stretches(world, asked.id, period), names, strict=True)
    if asked.kind in OF_ROWS:
        answers = {key: OF_ROWS[asked.kind](found, statistic) for key, found in by_key(keys, rows).items()}
    else:
        sums = by_key(keys, parts(world, asked.id, period if asked.id == "backlog" else "all", statistic))
        answers = {key: OF_PARTS[asked.kind](found) for key, found in sums.items()}
    return {key: answer for key, answer in answers.items() if answer is not None}


def by_key(keys: Iterable[Key], values: Iterable[T | None]) -> dict[Key, list[T]]:
    """The values that there are, by their key."""
    found: dict[Key, list[T]] = defaultdict(list)
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            found[key].append(value)
    return found


def asked_of(world: World, asked: Metric, groups: tuple[str, ...], period: str, statistic: str) -> dict[Key, Answer]:
    frame = metric(world.snapshot, asked.id, groups=groups, period=period, statistic=statistic)
    return {
        (None if period == "all" else (row[0], row[1]), row[3]): row[4:]
        for row in frame.iter_rows()
    }  # fmt: skip


def differences(told: dict[Key, Answer], truth: dict[Key, Answer]) -> list[str]:
    """Keys that only one side has, and answers that are not the same number."""
    found = [f"only told: {key} {told[key]}" for key in told.keys() - truth.keys()]
    found += [f"only true: {key} {truth[key]}" for key in truth.keys() - told.keys()]
    for key in told.keys() & truth.keys():
        if not all(is_same(a, b) for a, b in zip(told[key], truth[key], strict=True)):
            found.append(f"{key}: told {told[key]}, true {truth[key]}")
    return found


def is_same(told: float | None, truth: float | None) -> bool:
    """Equal but for the rounding of doubles and of summed parts, far below a minute or a tenth of a point."""
    if told is None or truth is None:
        return told is truth
    return abs(told - truth) <= 1e-6 + 1e-6 * abs(truth)


def test_published_tables_explain_themselves(world: World) -> None:
    without = world.snapshot.execute("""
        SELECT table_name || '.' || column_name AS name FROM duckdb_columns()
        WHERE schema_name = 'main' AND NOT internal AND coalesce(comment, '') = ''
        UNION ALL
        SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND coalesce(comment, '') = ''""")
    assert without["name"].to_list() == []


@pytest.mark.parametrize("metric_id", sorted(METRICS.keys() - APART))
def test_metric_equals_truth(world: World, metric_id: str) -> None:
    """Where every question is asked, they are asked together; of the other world each by itself."""
    asked = METRICS[metric_id]
    wrong = {}
    some = questions(asked)[:: world.every]
    if world.every == 1:
        foresee(world.snapshot, [Wanted(metric_id, *question, Filters()) for question in some])
    for groups, period, statistic in some:
        told = asked_of(world, asked, groups, period, statistic)
        found = differences(told, expected(world, asked, groups, period, statistic))
        if found:
            wrong[groups, period, statistic] = (len(found), sorted(found)[:3])
    assert wrong == {}
