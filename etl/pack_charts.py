"""Courses as small panels: positions from 0 to 1 and words, ready to be drawn. One panel a place, all on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from etl import pack_words as words
from sql.leadership import ALL
from sql.written import THIN, UNITS, value

#: Panels of a measure at most: all facilities and the largest ones.
MOST_PANELS = 8
#: Steps between ticks: minutes as clocks have them, else one, two and five.
_MINUTES, _DAY = (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440), 1440.0
#: Share of the highest value below which the lowest must lie for a scale to begin at zero.
FROM_ZERO = 0.6


def chart(course: pl.DataFrame, places: Mapping[str, str], label: str) -> dict[str, Any] | None:
    """The panels of one measure's course; None where there is nothing to draw.

    `places` names the facilities in order, `all` first. x runs over the periods, y over the common scale.
    """
    known = course.filter(pl.col("value").is_not_null())
    if known.is_empty():
        return None
    told, target = known["unit"][0], known["target"][0]
    unit = told if told in UNITS else ""  # others are said by the heading
    periods = sorted(set(known["period_start"].to_list()))
    low, high, step = scale([*known["value"].to_list(), *([] if target is None else [target])], unit)

    def height(number: float) -> float:
        return round((number - low) / (high - low), 4)

    def points(place: str) -> list[dict[str, Any]]:
        rows = {row["period_start"]: row for row in known.filter(pl.col("facility") == place).iter_rows(named=True)}
        return [
            {"x": _x(number, len(periods)), "y": height(row["value"]), "hollow": row["is_partial"] or row["is_small"],
             "loose": row["is_partial"],
             "told": value(row["value"], unit).strip(THIN)}
            for number, period in enumerate(periods) if (row := rows.get(period)) is not None
        ]  # fmt: skip

    shown = _largest(known, list(places))
    panels = [
        {"name": places[place], "points": points(place), "behind": [] if place == ALL else points(ALL)}
        for place in shown
    ]
    grain = known["grain"][0]
    return {
        "label": label, "panels": panels, "from": words.day(periods[0]), "to": words.day(periods[-1]),
        "grain": grain, "is_from_zero": low == 0, "left_out": known["facility"].n_unique() - len(shown),
        "target": None if target is None else {"y": height(target), "told": value(target, unit).strip(THIN)},
        "ticks": [{"y": height(tick), "told": value(tick, unit).strip(THIN)} for tick in ticks(low, high, step)],
        "alt": _alt(label, panels, grain),
    }  # fmt: skip


def scale(values: Sequence[float], unit: str) -> tuple[float, float, float]:
    """Lowest and highest value of an axis, and the step between its ticks; from zero unless that hides the course."""
    lowest, highest = min(values), max(values)
    begins_at_zero = lowest >= 0 and lowest <= FROM_ZERO * highest
    base = 0.0 if begins_at_zero or lowest == highest == 0 else lowest
    step = _step(max(highest - base, abs(highest) * 0.02, 1e-9) / 3, unit)
    low = math.floor(base / step + 1e-9) * step
    high = math.ceil(highest / step - 1e-9) * step
    return low, high if high > low else low + step, step


def ticks(low: float, high: float, step: float) -> list[float]:
    """Values of an axis that are named."""
    return [round(low + number * step, 9) for number in range(round((high - low) / step) + 1)]


def _step(least: float, unit: str) -> float:
    if unit == "min" and least > 1:
        known = next((float(step) for step in _MINUTES if step >= least), None)
        return known if known is not None else _DAY * _decimal(least / _DAY)
    return max(_decimal(least), 1.0) if unit in ("exams", "reads") else _decimal(least)


def _decimal(least: float) -> float:
    """The next of 1, 2, 5, 10, ... times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9)) * power


def _x(number: int, count: int) -> float:
    return 0.5 if count == 1 else round(number / (count - 1), 4)


def _largest(course: pl.DataFrame, places: list[str]) -> list[str]:
    """The places that get a panel: all of them, or the whole and those with most cases, in their order."""
    sizes: dict[str, int] = dict(course.group_by("facility").agg(pl.col("n").sum()).iter_rows())
    known = [place for place in places if place in sizes]
    if len(known) <= MOST_PANELS:
        return known
    kept = sorted((place for place in known if place != ALL), key=lambda place: (-sizes[place], place))
    return [place for place in known if place == ALL or place in kept[: MOST_PANELS - 1]]


def _alt(label: str, panels: list[dict[str, Any]], grain: str) -> str:
    told = "; ".join(
        f"{panel['name']} from {panel['points'][0]['told']} to {panel['points'][-1]['told']}" for panel in panels
    )
    return f"{label} by {grain}: {told}."
