"""How good is the forecast? Errors and intervals at rolling origins, beside two rules that anybody could follow.

Each origin sees the days before it only. Repeating the last week is the seasonal-naive forecast; the other is the mean
of the last four days of the same weekday. Scaled errors (MASE) divide by the seasonal-naive error within the history of
the origin (Hyndman and Koehler, 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from etl.forecast_model import HORIZON, Layout, Real, Truth, Whole, draw, fit, summed

#: Days forecast and compared: the last ones; days between origins; days that a series must have before an origin.
TESTED_DAYS, STEP_DAYS, LEAST_DAYS = 56, 3, 28
N_PATHS = 100
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


@dataclass
class Score:
    """Sums of `SUMS` by model, (group, week of the horizon)."""

    members: Whole
    sums: dict[str, dict[str, Real]] = field(default_factory=dict)

    def add(self, model: str, week: Whole, values: dict[str, Real]) -> None:
        """Add values (day, group) of days in `week` of the horizon, one day after the other."""
        groups = int(self.members.max()) + 1
        kept = self.sums.setdefault(model, {name: np.zeros((groups, HORIZON // 7)) for name in SUMS})
        ends = np.searchsorted(week, np.arange(HORIZON // 7), "right").tolist()
        spans = [(number, begin, end) for number, (begin, end) in enumerate(pairwise([0, *ends])) if begin < end]
        for name, of_day in values.items():
            for number, begin, end in spans:
                kept[name][:, number] += of_day[begin:end].sum(0)


def origins(n_days: int) -> list[int]:
    """Numbers of days that the origins know, the last one day before the end."""
    first = max(LEAST_DAYS, n_days - TESTED_DAYS - HORIZON + 1)
    return sorted(range(n_days - 1, first - 1, -STEP_DAYS))


def scores(history: History, levels: dict[str, Whole]) -> dict[str, Score]:
    """The back-test by level: name -> number of the group of each series."""
    found = {level: Score(members) for level, members in levels.items()}
    for origin in origins(len(history.counts)):
        _score(history, origin, found)
    return found


def _score(history: History, origin: int, found: dict[str, Score]) -> None:
    n_days = len(history.counts)
    first = max(n_days - TESTED_DAYS, origin)
    days = slice(first, min(origin + HORIZON, n_days))
    ahead = slice(days.start - origin, days.stop - origin)
    week = (np.arange(days.start, days.stop) - origin) // 7
    is_known = (origin - history.began >= LEAST_DAYS).astype(np.float64)
    if not is_known.any():
        return
    before = history.counts[:origin]
    fitted = fit(before, history.kind[: origin + HORIZON], history.is_open[: origin + HORIZON], history.layout)
    rng = np.random.Generator(np.random.PCG64(origin))
    within = _within(history, days, draw(fitted, history.layout, N_PATHS, rng, ahead), is_known, found)
    expected = {MODEL: fitted.expected} | {name: rule(before) for name, rule in BASELINES.items()}
    for level, score in found.items():
        seen, past = summed(history.counts[days] * is_known, score.members), summed(before * is_known, score.members)
        scale = np.abs(past[7:] - past[:-7]).mean(0)
        n_known = np.minimum(summed(is_known, score.members), 1.0) * np.ones_like(seen)
        for model, counts in expected.items():
            missed = np.abs(seen - summed(counts[ahead] * is_known, score.members))
            values = {"n_days": n_known, "n_exams": seen, "abs_error": missed, "scale": scale * n_known}
            if model == MODEL:
                values |= {name: of_day * n_known for name, of_day in within[level].items()}
            score.add(model, week, values)


def _within(
    history: History, days: slice, drawn: Iterator[Whole], is_known: Real, found: dict[str, Score]
) -> dict[str, dict[str, Real]]:
    """By level: what `_intervals` says of each day and group."""
    rows: dict[str, list[Real]] = {level: [] for level in found}
    for of_day in drawn:
        kept = of_day * is_known[:, None]
        for level, score in found.items():
            rows[level].append(summed(kept, score.members, axis=0))
    seen = history.counts[days] * is_known
    return {
        level: dict(_intervals(np.sort(np.array(of_days), axis=2), summed(seen, found[level].members)))
        for level, of_days in rows.items()
    }


def _intervals(ordered: Real, seen: Real) -> Iterator[tuple[str, Real]]:
    """Whether counts (day, group) are within their intervals, and their widths.

    `ordered` (day, group, path) is sorted by its paths.
    """
    for name, chances in INTERVALS.items():
        lower, upper = (_at(ordered, chance) for chance in chances)
        yield f"n_within_{name}", ((seen >= lower) & (seen <= upper)).astype(np.float64)
        yield f"width_{name}", upper - lower


def _at(ordered: Real, chance: float) -> Real:
    """The quantile of sorted rows, as numpy's own: between the two values next to its place."""
    place = chance * (ordered.shape[-1] - 1)
    below = int(place)
    low, high = ordered[..., below], ordered[..., min(below + 1, ordered.shape[-1] - 1)]
    between: Real = low + (place - below) * (high - low)
    return between
