"""Control charts over the frames of `trend`: which points of a course are more than its own noise.

Pure functions: a frame in, the same rows in the same order with center, low, high and signal added. Each group_value is
a chart of its own, in the order of period_start. Points that are partial or have no value get no limits and no signal,
and neither shape the limits nor break a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import polars as pl

#: Two consecutive points on average differ by 1.128 standard deviations (d2 of Shewhart's tables, n = 2).
D2 = 1.128
#: Points in a row on one side of the center line that are no chance (Western Electric counts 8).
RUN = 8
#: Points in a row that all rise or all fall.
TREND = 6
#: Fewest points from which limits are told.
MIN_POINTS = 8


def xmr(frame: pl.DataFrame, *, at_least: float | None = None, at_most: float | None = None) -> pl.DataFrame:
    """Individuals chart: mean of the values, limits at 3 sigma where sigma is the mean moving range by `D2`.

    `at_least` and `at_most` cut the limits to what a value can be. Under `MIN_POINTS` points there are no limits.
    """

    def limits(values: list[float], _: list[float]) -> list[tuple[float, float, float]]:
        center = sum(values) / len(values)
        ranges = [abs(b - a) for a, b in pairwise(values)]
        reach = 3 * (sum(ranges) / len(ranges)) / D2
        return [(center, center - reach, center + reach)] * len(values)

    return _chart(frame, limits, at_least, at_most)


def p_chart(frame: pl.DataFrame) -> pl.DataFrame:
    """Chart of a ratio: all numerators by all denominators, limits at 3 binomial sigma of each point's denominator."""

    def limits(values: list[float], trials: list[float]) -> list[tuple[float, float, float]]:
        share = sum(value * n for value, n in zip(values, trials, strict=True)) / sum(trials)
        reach = [3 * (share * (1 - share) / n) ** 0.5 for n in trials]
        return [(share, share - r, share + r) for r in reach]

    return _chart(frame, limits, 0.0, 1.0)


def signals(values: Sequence[float], bounds: Sequence[tuple[float, float, float]]) -> list[str | None]:
    """What each point says of its course, the strongest first: `outside` its limits, the eighth or later of a `run` on
    one side of the center, the sixth or later of a `trend` up or down; None where it says nothing.
    """
    found: list[str | None] = []
    side = length = slope = steps = 0
    before: float | None = None
    for value, (center, low, high) in zip(values, bounds, strict=True):
        now = _sign(value - center)
        length = length + 1 if now == side and now else abs(now)
        way = 0 if before is None else _sign(value - before)
        steps = steps + 1 if way == slope and way else abs(way)
        side, slope, before = now, way, value
        rules = (("outside", not low <= value <= high), ("run", length >= RUN), ("trend", steps + 1 >= TREND))
        found.append(next((name for name, holds in rules if holds), None))
    return found


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _chart(
    frame: pl.DataFrame,
    limits: Callable[[list[float], list[float]], list[tuple[float, float, float]]],
    at_least: float | None,
    at_most: float | None,
) -> pl.DataFrame:
    rows = frame.select("group_value", "period_start", "value", "denominator", "is_partial").to_dicts()
    charts: dict[str, list[int]] = {}
    for number in sorted(range(len(rows)), key=lambda n: (rows[n]["group_value"], rows[n]["period_start"])):
        if rows[number]["value"] is not None and not rows[number]["is_partial"]:
            charts.setdefault(rows[number]["group_value"], []).append(number)
    added: list[tuple[float | None, float | None, float | None, str | None]] = [(None, None, None, None)] * len(rows)
    for numbers in charts.values():
        if len(numbers) < MIN_POINTS:
            continue
        values = [rows[n]["value"] for n in numbers]
        bounds = limits(values, [rows[n]["denominator"] for n in numbers])
        bounds = [(center, _cut(low, at_least, at_most), _cut(high, at_least, at_most)) for center, low, high in bounds]
        for number, (center, low, high), signal in zip(numbers, bounds, signals(values, bounds), strict=True):
            added[number] = (center, low, high, signal)
    kinds = {"center": pl.Float64, "low": pl.Float64, "high": pl.Float64, "signal": pl.String}
    return pl.concat([frame, pl.DataFrame(added, schema=kinds, orient="row")], how="horizontal")


def _cut(value: float, at_least: float | None, at_most: float | None) -> float:
    value = value if at_least is None else max(value, at_least)
    return value if at_most is None else min(value, at_most)
