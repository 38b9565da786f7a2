"""Small cells of a pack for use outside: which facilities are masked for which metric, and the tables without them.

Counts of 1 to 10 are small: cases, what a share counts, and what it leaves (a facility's misses, if its hits are told).
A facility with a small count anywhere in a metric (any statistic) is masked in all of it.
More facilities are masked until those masked are two at least and their sum, which anybody gets by subtraction, is
nowhere small; where that cannot be, the metric is masked as a whole. Zero is told of nobody who is masked, so a masked
cell may be anything up to that sum. Where another metric tells about as many cases of a masked facility, it is masked
there too, unless those that are left hide each other. Courses, and what is told of the month before, are of everything
together: the edition of that month masks others, so its numbers must not stand here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import polars as pl

from sql.catalog import Metric
from sql.leadership import ALL

#: Counts that are masked.
SMALL = range(1, 11)
#: Units of values that count cases.
COUNTS = frozenset({"exams", "reads", "images"})
#: Columns that say nothing of a masked row.
HIDDEN = ("n", "numerator", "denominator", "value", "lower", "upper", "previous", "previous_n", "delta", "relative",
          "verdict", "is_clear", "is_small")  # fmt: skip
#: Columns that tell of the month before.
EARLIER = ("previous", "previous_n", "delta", "relative", "verdict", "is_clear")
#: Tables with a row for each facility and metric, masked or not; the files of metrics lose the rows.
KEPT = ("summary", "scorecard")
COURSE = "course"


class View(NamedTuple):
    """One kind of count in one month, by facility; `all` is what they add up to."""

    metric: str
    month: str
    is_cases: bool
    counts: dict[str, int]


def masked(
    tables: Mapping[str, pl.DataFrame], metrics: Mapping[str, Metric]
) -> tuple[dict[str, pl.DataFrame], dict[str, list[str]]]:
    """The tables (summary, scorecard, course and one a metric) without small cells, and by metric who is masked.

    Metrics keep everything together and by facility; finer groups would have to be masked against each other. `all`
    among the masked means that the whole metric is.
    """
    coarse = {name: _coarse(frame, metrics.get(name)) for name, frame in tables.items()}
    hidden = decide(list(views(coarse, metrics)))
    made = {name: _without(name, frame, hidden) for name, frame in coarse.items()}
    if COURSE in made:
        made[COURSE] = _course(made[COURSE], metrics, hidden)
    return made, {name: sorted(places) for name, places in sorted(hidden.items())}


def decide(seen: list[View]) -> dict[str, set[str]]:
    """Who is masked for each metric, until no metric tells what another one hides."""
    mine: dict[str, list[View]] = {}
    for view in seen:
        mine.setdefault(view.metric, []).append(view)
    hidden = {metric: _closed(set(), found) for metric, found in mine.items()}
    is_settled = False
    while not is_settled:
        is_settled = True
        for metric, found in mine.items():
            told = {} if ALL in hidden[metric] else _told_elsewhere(metric, mine, hidden)
            cases = [view for view in found if view.is_cases]
            if told and _small(cases) and not _holds(hidden[metric] - told.keys(), cases):
                is_settled = False
                for place, others in told.items():
                    for other in others:
                        hidden[other] = _closed(hidden[other] | {place}, mine[other])
    return {metric: places for metric, places in hidden.items() if places}


def _told_elsewhere(metric: str, mine: Mapping[str, list[View]], hidden: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Of those who are masked for a metric: which other metrics tell about as many cases of them in the same month."""
    told: dict[str, set[str]] = {}
    for view in mine[metric]:
        for other in (each for name, found in mine.items() if name != metric for each in found):
            if not (view.is_cases and other.is_cases and view.month == other.month):
                continue
            for place in (hidden[metric] - hidden[other.metric]) & view.counts.keys() & other.counts.keys():
                if _is_close(view.counts[place], other.counts[place]):
                    told.setdefault(place, set()).add(other.metric)
    return told


def _is_close(one: int, other: int) -> bool:
    """Whether two counts differ by no more than a small count does from nothing."""
    return abs(one - other) < SMALL.stop


def _small(seen: list[View]) -> set[str]:
    """The facilities with a small count."""
    return {place for view in seen for place, count in view.counts.items() if place != ALL and count in SMALL}


def _holds(places: set[str], seen: list[View]) -> bool:
    """Whether masking these facilities hides every small count and leaves no small sum."""
    if not _small(seen) <= places:
        return False
    return not places or (len(places) >= 2 and not any(_rest(view, places) in SMALL for view in seen))


def _closed(start: set[str], seen: list[View]) -> set[str]:
    """The least set found that hides every small count of the views and cannot be taken apart by subtraction."""
    sizes: dict[str, int] = {}
    for view in seen:
        for place, count in view.counts.items():
            if place != ALL:
                sizes[place] = sizes.get(place, 0) + count
    if ALL in start or any(view.counts.get(ALL, 0) in SMALL for view in seen):
        return {ALL, *sizes}
    places = start | _small(seen)
    left = sorted(sizes.keys() - places, key=lambda place: (sizes[place], place))
    while not _holds(places, seen):
        if not left:
            return {ALL, *sizes}
        places = places | {left.pop(0)}
    return places


def _rest(view: View, places: set[str]) -> int:
    """What those who are masked add up to in a view."""
    return sum(count for place, count in view.counts.items() if place in places)


def views(tables: Mapping[str, pl.DataFrame], metrics: Mapping[str, Metric]) -> Iterable[View]:
    """Every count that the tables tell, or let one compute from what they tell."""
    for name, frame in tables.items():
        if name not in KEPT and name not in metrics:
            continue
        place = "facility" if name in KEPT else "group_value"
        keys = [key for key in ("metric", "statistic") if key in frame.columns]
        for _, part in frame.group_by(keys, maintain_order=True):
            metric = metrics[part["metric"][0] if "metric" in part.columns else name]
            for month, value, n in (("this", "value", "n"), ("before", "previous", "previous_n")):
                if value in part.columns:
                    told = part.filter(pl.col(n).is_not_null()).select(place, value, n)
                    yield from _counts(metric, month, told.rows())


def _counts(metric: Metric, month: str, rows: list[tuple[str, float | None, int | None]]) -> Iterable[View]:
    cases = {place: n or 0 for place, _, n in rows}
    yield View(metric.id, month, True, cases)
    values = {place: value or 0.0 for place, value, _ in rows}
    if metric.kind == "ratio":
        hits = {place: round(values[place] * n) for place, n in cases.items()}
        yield View(metric.id, month, False, hits)
        yield View(metric.id, month, False, {place: cases[place] - hit for place, hit in hits.items()})
    elif metric.unit in COUNTS:
        yield View(metric.id, month, False, {place: round(value) for place, value in values.items()})


def _coarse(frame: pl.DataFrame, metric: Metric | None) -> pl.DataFrame:
    if metric is None:
        is_whole = pl.col("facility") == ALL if "facility" in frame.columns else pl.lit(True)
        return frame.with_columns(
            pl.when(is_whole).then(pl.col(name)).alias(name) for name in EARLIER if name in frame.columns
        )
    kept = frame.filter(pl.col("group_name").is_in([ALL, "facility"]))
    if metric.kind == "ratio":
        return kept
    # What a length was measured for is n; the rows that it was not measured for are a count as well.
    return kept.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("numerator", "denominator"))


def _without(name: str, frame: pl.DataFrame, hidden: Mapping[str, set[str]]) -> pl.DataFrame:
    """A table without what is masked: rows stay and say nothing where each facility has one, else they go."""
    if name not in KEPT and name not in hidden:
        return frame
    place = "facility" if name in KEPT else "group_value"
    metric = pl.col("metric") if "metric" in frame.columns else pl.lit(name)
    pairs = [f"{key}\t{where}" for key, places in hidden.items() for where in places]
    is_masked = pl.concat_str(metric, pl.col(place), separator="\t").is_in(pairs)
    if name not in KEPT:
        return frame.filter(is_masked.not_())
    told = [
        pl.when(is_masked.not_()).then(pl.col(column)).alias(column) for column in HIDDEN if column in frame.columns
    ]
    return frame.with_columns(*told, is_masked.alias("is_masked"))


def _course(frame: pl.DataFrame, metrics: Mapping[str, Metric], hidden: Mapping[str, set[str]]) -> pl.DataFrame:
    """The courses of everything together; one with a small count at any point goes, since the others would tell it."""
    whole = frame.filter(pl.col("facility") == ALL)
    small = [
        measure
        for (measure,), part in whole.group_by("measure", maintain_order=True)
        for metric in (metrics[part["metric"][0]],)
        if ALL in hidden.get(metric.id, ())
        or any(
            count in SMALL
            for row in part.select("facility", "value", "n").rows()
            for view in _counts(metric, "this", [row])
            for count in view.counts.values()
        )
    ]
    return whole.filter(pl.col("measure").is_in(small).not_())


def small_cells(hidden: Mapping[str, list[str]] | None) -> dict[str, Any]:
    """What the manifest says of small cells."""
    if hidden is None:
        return {"small_cells": "as they are"}
    return {"small_cells": "masked", "masked": dict(hidden)}
