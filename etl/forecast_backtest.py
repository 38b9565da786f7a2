"""How good is the forecast? Errors and intervals at rolling origins, beside two rules that anybody could follow.

Each origin sees the days before it only. Repeating the last week is the seasonal-naive forecast; the other is the mean
of the last four days of the same weekday. Scaled errors (MASE) divide by the seasonal-naive error within the history of
the origin (Hyndman and Koehler, 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from etl.forecast_model import HORIZON, Layout, fit, known, summed
from etl.forecast_past import Past, Real, Truth, Whole
from etl.forecast_spread import doubts, quantiles, variances

#: Days forecast and compared: the last ones; days between origins; days that a series must have before an origin.
TESTED_DAYS, STEP_DAYS, LEAST_DAYS = 56, 3, 28
MODEL = "forecast"
#: Rules to beat: name -> counts before the origin to counts of the horizon.
BASELINES: dict[str, Callable[[Real], Real]] = {
    "seasonal_naive": lambda counts: np.tile(counts[-7:], (HORIZON // 7, 1)),
    "last_4_weeks": lambda counts: np.tile(counts[-28:].reshape(4, 7, -1).mean(0), (HORIZON // 7, 1)),
}
INTERVALS = {"80": (0.1, 0.9), "95": (0.025, 0.975)}
SUMS = ("n_days", "n_exams", "abs_error", "scale", "n_within_80", "n_within_95", "width_80", "width_95")


@dataclass(frozen=True)
class History:
    """Counts, kind and openness of days (day, series), the latter two with the horizon's; number of the day on which
    each series began."""

    counts: Real
    kind: Whole
    is_open: Truth
    began: Whole
    layout: Layout


#: Sums of `SUMS` by model, each (group, week of the horizon).
Score = dict[str, dict[str, Real]]


@dataclass(frozen=True)
class _Told:
    """Of one origin and level: the values of `SUMS` by model (day, group), week of each day, and what tells intervals:
    counts expected and seen, and the variance of the factor."""

    week: Whole
    values: dict[str, dict[str, Real]]
    expected: Real
    variance: Real
    seen: Real


def origins(n_days: int) -> list[int]:
    """Numbers of days that the origins know, the last one day before the end."""
    first = max(LEAST_DAYS, n_days - TESTED_DAYS - HORIZON + 1)
    return sorted(range(n_days - 1, first - 1, -STEP_DAYS))


def scores(history: History, levels: dict[str, Whole]) -> dict[str, Score]:
    """The back-test by level: name -> number of the group of each series."""
    told: dict[str, list[_Told]] = {level: [] for level in levels}
    past = known(history.counts, history.kind, history.is_open)
    for origin in origins(len(history.counts)):
        for level, of_origin in _score(history, past.until(origin), levels):
            told[level].append(of_origin)
    return {level: _added(of_level) for level, of_level in told.items() if of_level}


def _score(history: History, past: Past, levels: dict[str, Whole]) -> Iterator[tuple[str, _Told]]:
    origin, n_days = past.n_days, len(history.counts)
    first = max(n_days - TESTED_DAYS, origin)
    days = slice(first, min(origin + HORIZON, n_days))
    ahead = slice(days.start - origin, days.stop - origin)
    week = (np.arange(days.start, days.stop) - origin) // 7
    is_known = (origin - history.began >= LEAST_DAYS).astype(np.float64)
    if not is_known.any():
        return
    before = history.counts[:origin]
    fitted = fit(past, history.layout)
    rules = {MODEL: fitted.expected} | {name: rule(before) for name, rule in BASELINES.items()}
    told = {model: counts[ahead] * is_known for model, counts in rules.items()}
    doubt = doubts(fitted, ahead)
    real, earlier = history.counts[days] * is_known, before * is_known
    for level, members in levels.items():
        seen, history_of = summed(real, members), summed(earlier, members)
        scale = np.abs(history_of[7:] - history_of[:-7]).mean(0)
        n_known = np.minimum(summed(is_known, members), 1.0) * np.ones_like(seen)
        expected = {model: summed(counts, members) for model, counts in told.items()}
        values = {
            model: {"n_days": n_known, "n_exams": seen, "abs_error": np.abs(seen - counts), "scale": scale * n_known}
            for model, counts in expected.items()
        }
        factor = variances(fitted, history.layout, members, told[MODEL], doubt, ahead)
        yield level, _Told(week, values, expected[MODEL], factor, seen)


def _added(told: list[_Told]) -> Score:
    """The sums of all origins by model."""
    week = np.concatenate([one.week for one in told])
    found = {
        model: {name: _by_week(week, [one.values[model][name] for one in told]) for name in told[0].values[model]}
        for model in told[0].values
    }
    n_known, expected, variance, seen = (
        np.concatenate(parts)
        for parts in zip(
            *((one.values[MODEL]["n_days"], one.expected, one.variance, one.seen) for one in told), strict=True
        )
    )
    for name, of_day in _intervals(expected, variance, seen):
        found[MODEL][name] = _by_week(week, [of_day * n_known])
    nothing = np.zeros_like(found[MODEL]["n_days"])
    return {model: {name: sums.get(name, nothing) for name in SUMS} for model, sums in found.items()}


def _by_week(week: Whole, values: list[Real]) -> Real:
    """Sums (group, week of the horizon) of values (day, group), one day after the other."""
    rows = values[0] if len(values) == 1 else np.concatenate(values)
    found = np.zeros((rows.shape[1], HORIZON // 7))
    for number in range(HORIZON // 7):
        found[:, number] = rows[week == number].sum(0)
    return found


def _intervals(expected: Real, variance: Real, seen: Real) -> Iterator[tuple[str, Real]]:
    """Whether the counts `seen` (day, group) are within their intervals, and their widths."""
    chances = sorted({chance for both in INTERVALS.values() for chance in both})
    found = dict(zip(chances, quantiles(expected, variance, tuple(chances)), strict=True))
    for name, (low, high) in INTERVALS.items():
        lower, upper = found[low], found[high]
        yield f"n_within_{name}", ((seen >= lower) & (seen <= upper)).astype(np.float64)
        yield f"width_{name}", upper - lower
