"""The forecast of exam counts: what is expected of each day, and joint draws of what may come instead.

Expected = profile of the day's kind (weekday; holidays count as Sundays) x how the last weeks compare with the profile.
The profile forgets slowly, the network's level fast, a facility's or modality's share of it in between. Draws multiply
the expected counts by gamma factors that whole days share (network, facility, modality of a facility), by a drift of
the level and by the doubt about the profile, and are Poisson given these: so sums over any group keep their spread.
The spreads are moments of the residuals before the origin; nothing looks ahead of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from etl.forecast_past import Faded, Past, Real, Truth, Whole

HORIZON = 28  # days
#: Half-lives in days: profile, level of the network, share of a facility or of its modality. Chosen by back-test.
PROFILE_DAYS, LEVEL_DAYS, SHARE_DAYS = 112.0, 10.0, 56.0
#: Exams of prior weight that pull a unit's share towards its facility's, and this towards the network's.
PRIOR_EXAMS = 30.0
#: Days whose residuals tell the spread of days.
SPREAD_DAYS = 84
#: A level is never known better than this, by week of the horizon: the steepest slope of a season of 7 % either way.
LEAST_DRIFT = np.linspace(0.009, 0.036, HORIZON // 7)
#: Weeks that tell trend and drift of the level, the fewest for a trend, and how much of it a week is left a week later.
TREND_WEEKS, LEAST_TREND_WEEKS, DAMPING = 16, 5, 0.9


@dataclass(frozen=True, slots=True)
class Layout:
    """Which series (facility, modality, hour band) belong together: unit (facility, modality) and facility numbers."""

    unit: Whole
    facility: Whole

    @property
    def unit_facility(self) -> Whole:
        """Facility of each unit."""
        found = np.zeros(int(self.unit.max()) + 1, np.int64)
        found[self.unit] = self.facility
        return found


@dataclass(frozen=True, slots=True)
class Fit:
    """What an origin knows: expected counts (day, series), and the variances of the factors around them."""

    expected: Real
    kind: Whole  # of the days of the horizon (day, series)
    weeks: Real  # days behind the profile (kind of day, series)
    network: float
    facility: float
    unit: float
    drift: Real  # of the network's level, by week of the horizon
    apart: Real  # of a facility's share, by week of the horizon


def summed(values: Real, members: Whole, axis: int = -1) -> Real:
    """Sums along an axis by group; the values themselves where each is a group of its own. `members` has the number
    of each value's group: 0 first, and those of a group side by side."""
    later = (members[1:] != members[:-1]).nonzero()[0]
    if len(later) + 1 == len(members):
        return values
    firsts = np.zeros(len(later) + 1, np.int64)
    firsts[1:] = later + 1
    found: Real = np.add.reduceat(values, firsts, axis=axis, dtype=np.float64)
    return found


def _profile(faded: Faded) -> tuple[Real, Real]:
    """Mean count and effective number of days by kind of day (7, series)."""
    mean, days = np.zeros_like(faded.days), np.zeros_like(faded.days)
    np.divide(faded.counts, faded.days, out=mean, where=faded.days > 0)
    np.divide(faded.days * faded.days, faded.squares, out=days, where=faded.squares > 0)
    return mean, days


def _on_days(by_kind: Real, kind: Whole) -> Real:
    """Values (7, series) as each day (day, series) has them."""
    found: Real = np.take_along_axis(by_kind, kind, axis=0)
    return found


def _ratio(above: Real, below: Real, prior: Real | float) -> Real:
    found: Real = (above + PRIOR_EXAMS * prior) / (below + PRIOR_EXAMS)
    return found


def _level(past: Past, profile: Real, layout: Layout) -> tuple[Real, float]:
    """Level of each series against its profile as it is now, and how the network's fast level differs from its slow."""
    fast, slow = past.faded[LEVEL_DAYS], past.faded[SHARE_DAYS]
    now = float(fast.counts.sum() / max((fast.days * profile).sum(), 1e-9))
    above, below = slow.counts.sum(0), (slow.days * profile).sum(0)
    overall = float(above.sum() / max(below.sum(), 1e-9))
    of_facility = _ratio(summed(above, layout.facility), summed(below, layout.facility), overall)
    of_unit = _ratio(summed(above, layout.unit), summed(below, layout.unit), of_facility[layout.unit_facility])
    return of_unit[layout.unit], now / overall if overall > 0 else 1.0


def _spreads(counts: Real, fitted: Real, layout: Layout) -> tuple[float, float, float]:
    """Variances of the day factors of network, facility and unit, from squared residuals above Poisson's."""
    sums, squares = [], []
    for group in (np.zeros_like(layout.unit), layout.facility, layout.unit):
        seen, mean = summed(counts, group), summed(fitted, group)
        sums.append(float((((seen - mean) ** 2) - mean).sum()))
        squares.append(max(float((mean * mean).sum()), 1e-9))
    all_three = max(sums[2] / squares[2], 0.0)
    two = (sums[1] - all_three * squares[2]) / max(squares[1] - squares[2], 1e-9)
    two = min(max(two, 0.0), all_three)
    one = (sums[0] - two * squares[1] - (all_three - two) * squares[2]) / max(squares[0] - squares[1], 1e-9)
    one = min(max(one, 0.0), two)
    return one, two - one, all_three - two


def _weekly(counts: Real, usual: Real, group: Whole) -> tuple[Real, Real]:
    """Counts against the profile by last whole week and group, and the mean exams a week that the profile says."""
    n_weeks = min(len(counts) // 7, TREND_WEEKS)
    used = slice(len(counts) - 7 * n_weeks, None)
    seen = summed(counts[used], group).reshape(n_weeks, 7, -1).sum(1)
    mean = summed(usual[used], group).reshape(n_weeks, 7, -1).sum(1)
    return np.divide(seen, mean, out=np.ones_like(seen), where=mean > 0), mean.mean(0)


def _trend(weekly: Real) -> tuple[float, float]:
    """Growth a week relative to the mean, pulled towards none by its doubt, and the variance of this doubt."""
    n_weeks = len(weekly)
    if n_weeks < LEAST_TREND_WEEKS or weekly.mean() <= 0:
        return 0.0, 0.0
    place = np.arange(n_weeks) - (n_weeks - 1) / 2
    slope = float((place * weekly).sum() / (place * place).sum())
    rest = weekly - weekly.mean() - slope * place
    doubt = float((rest * rest).sum() / (n_weeks - 2) / (place * place).sum())
    kept = max(0.0, 1 - doubt / max(slope * slope, 1e-12))
    return slope * kept / float(weekly.mean()), doubt / float(weekly.mean()) ** 2


def _drift(weekly: Real, mean: Real, half_life: float, of_day: float) -> Real:
    """Squared misses of smoothed levels of the past by weeks ahead, less what days explain. `weekly` is (week, group);
    groups count by their `mean` exams a week."""
    step = 1 - 0.5 ** (7 / half_life)
    level, levels = weekly[0], np.empty_like(weekly)
    for week, ratio in enumerate(weekly):
        level = level + step * (ratio - level)
        levels[week] = level
    found = np.zeros(HORIZON // 7)
    weight = mean / max(float(mean.sum()), 1e-9)
    noise = of_day / 7 + 1 / np.maximum(mean, 1.0)
    for ahead in range(1, len(found) + 1):
        missed = (weekly[ahead:] - levels[:-ahead])[1:]
        if len(missed):
            found[ahead - 1] = max(float((((missed**2).mean(0) - noise) * weight).sum()), 0.0)
    monotone: Real = np.maximum.accumulate(found)
    return monotone


def known(counts: Real, kind: Whole, is_open: Truth) -> Past:
    """What can be known of days (day, series), for `fit`; nothing yet. `kind` (0 Monday to 6 Sunday and holidays) and
    `is_open` (False also before a series began), (day, series) as well, go on for `HORIZON` days more."""
    return Past(counts, kind, is_open, (PROFILE_DAYS, LEVEL_DAYS, SHARE_DAYS))


def fit(past: Past, layout: Layout) -> Fit:
    """The forecast at an origin, of the days after those that it knows."""
    profile, weeks = _profile(past.faded[PROFILE_DAYS])
    level, fast = _level(past, profile, layout)
    recent = past.last(max(7 * TREND_WEEKS, SPREAD_DAYS))
    counts, usual = past.counts[recent], _on_days(profile, past.kind[recent]) * past.is_open[recent]
    weekly, mean = _weekly(counts, usual, np.zeros_like(layout.unit))
    growth, doubt = _trend(weekly[:, 0])
    own, own_mean = _weekly(counts, usual, layout.facility)
    days = slice(past.n_days, past.n_days + HORIZON)
    ahead = past.kind[days]
    grown = DAMPING * (1 - DAMPING ** (np.arange(1, len(ahead) + 1) / 7)) / (1 - DAMPING)
    expected = _on_days(profile, ahead) * level * (fast * (1 + growth * grown))[:, None] * past.is_open[days]
    network, facility, unit = _spreads(counts[-SPREAD_DAYS:], usual[-SPREAD_DAYS:] * level, layout)
    drift = np.maximum(_drift(weekly, mean, LEVEL_DAYS, network), LEAST_DRIFT**2) + doubt * grown[6::7] ** 2
    apart = _drift(own / np.maximum(weekly, 1e-9), own_mean, SHARE_DAYS, facility)
    return Fit(np.maximum(expected, 0.0), ahead, weeks, network, facility, unit, drift, apart)


def _gamma(rng: np.random.Generator, variance: float, size: tuple[int, ...]) -> Real:
    return rng.gamma(1 / variance, variance, size) if variance > 1e-9 else np.ones(size)


def _persistent(rng: np.random.Generator, by_day: Real, n_groups: int, n_paths: int) -> Real:
    """Factors (day, group, path) of mean 1 that stay on one side through a path, with the variance of each day."""
    variance = by_day[:, None, None]
    factors: Real = np.exp(rng.standard_normal((n_groups, n_paths)) * np.sqrt(variance) - variance / 2)
    return factors


def draw(
    fitted: Fit, layout: Layout, n_paths: int, rng: np.random.Generator, days: slice = slice(None)
) -> Iterator[Whole]:
    """Joint draws of the counts (series, path) for each day of the horizon, or for some days of it.

    Day by day, so that what is multiplied stays near the processor: paths go on from day to day all the same.
    """
    expected, drift, apart = fitted.expected[days], np.repeat(fitted.drift, 7)[days], np.repeat(fitted.apart, 7)[days]
    n_facilities, n_units = int(layout.facility.max()) + 1, int(layout.unit.max()) + 1
    shape = fitted.weeks * profile_of(fitted)
    doubt = np.ones((*shape.shape, n_paths))
    known = shape > 0
    doubt[known] = rng.gamma(shape[known][:, None], 1 / shape[known][:, None], (int(known.sum()), n_paths))
    of_network, of_facility = _persistent(rng, drift, 1, n_paths), _persistent(rng, apart, n_facilities, n_paths)
    series, facility_of = np.arange(len(layout.unit)), layout.unit_facility
    for day, (usual, kind) in enumerate(zip(expected, fitted.kind[days], strict=True)):
        shared = of_network[day] * of_facility[day] * _gamma(rng, fitted.network, (1, n_paths))
        shared *= _gamma(rng, fitted.facility, (n_facilities, n_paths))
        by_unit = _gamma(rng, fitted.unit, (n_units, n_paths)) * shared[facility_of]
        mean = doubt[kind, series]
        mean *= by_unit[layout.unit]
        mean *= usual[:, None]
        yield rng.poisson(mean)


def profile_of(fitted: Fit) -> Real:
    """Largest expected count by kind of day and series, the scale of the doubt about the profile."""
    of_kind = [np.where(fitted.kind == number, fitted.expected, 0.0).max(0) for number in range(7)]
    return np.array(of_kind)
