"""How far counts spread around what a fit expects: the variance of sums over groups, and the quantiles of counts.

The model's factors are independent and have mean 1, so the mean and variance of any sum over series are exact. A sum is
taken as Poisson around a gamma factor with this variance (negative binomial): the shape of one gamma factor for that of
a product of some. Its quantiles are whole counts, added up chance by chance; large counts have those of Cornish and
Fisher, from four cumulants.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist

import numpy as np

from etl.forecast_model import Fit, Layout, profile_of, summed
from etl.forecast_past import Real, Whole

#: Cells that are added up together, and the mean count from which a quantile is computed instead.
BLOCK, MANY = 8192, 150.0
#: Steps of a count after which it is looked whether fewer cells go on.
_LOOK = 4


def within_groups(values: Real, finer: Whole, members: Whole) -> Real:
    """Sums of squares, by group, of the sums of `values` (day, series) over what a group has of each of `finer`."""
    later = (finer[1:] != finer[:-1]) | (members[1:] != members[:-1])
    cells = np.concatenate([[0], np.cumsum(later)])
    firsts = np.concatenate([[0], later.nonzero()[0] + 1])
    return summed(summed(values, cells) ** 2, members[firsts])


def doubts(fitted: Fit, days: slice) -> Real:
    """Variance of the factor of the doubt about the profile, as `days` of the horizon have it (day, series)."""
    shape = fitted.weeks * profile_of(fitted)
    doubt = np.divide(1.0, shape, out=np.zeros_like(shape), where=shape > 0)
    found: Real = np.take_along_axis(doubt, fitted.kind[days], axis=0)
    return found


def variances(fitted: Fit, layout: Layout, members: Whole, expected: Real, doubt: Real, days: slice) -> Real:
    """Variance of the factor around the expected count of each group (day, group), relative to its square.

    `expected` and `doubt` (day, series) have `days` of the horizon; expected are 0 of series that do not count.
    """
    common = np.exp(np.repeat(fitted.drift, 7)[days]) * (1 + fitted.network)
    facility = np.exp(np.repeat(fitted.apart, 7)[days]) * (1 + fitted.facility)
    own = summed(expected**2 * doubt, members)
    units = within_groups(expected, layout.unit, members)
    facilities = within_groups(expected, layout.facility, members)
    square = summed(expected, members) ** 2
    apart = (facility - 1)[:, None] * facilities
    apart += facility[:, None] * (fitted.unit * units + (1 + fitted.unit) * own)
    above = (common - 1)[:, None] * square + common[:, None] * apart
    return np.divide(above, square, out=np.zeros_like(square), where=square > 0)


def quantiles(mean: Real, variance: Real, chances: tuple[float, ...]) -> list[Real]:
    """For each of the ascending `chances` the least counts that are not exceeded with it, of the form of `mean`.

    Counts are Poisson around `mean` times a gamma factor of mean 1 and `variance`.
    """
    means, factors = mean.ravel(), variance.ravel()
    found = np.zeros((len(chances), means.size))
    many = means >= MANY
    found[:, many] = _computed(means[many], factors[many], chances)
    few = np.flatnonzero((means > 0) & ~many)
    reach = means[few] + 2 * np.sqrt(means[few] + factors[few] * means[few] ** 2)
    few = few[np.argsort(-reach)]
    for begin, end in pairwise([*range(0, len(few), BLOCK), len(few)]):
        block = few[begin:end]
        found[:, block] = _added_up(means[block], factors[block], chances)
    return [of_chance.reshape(mean.shape) for of_chance in found]


def _added_up(mean: Real, variance: Real, chances: tuple[float, ...]) -> Real:
    """Quantiles (chance, cell) by the chance of each count; cells that reach far first."""
    spread = mean * variance
    odds = mean / (1 + spread)
    slope = odds * variance
    none = np.divide(np.log1p(spread), variance, out=mean.copy(), where=variance > 1e-9)
    chance = np.exp(-none)
    total = chance.copy()
    found = np.zeros((len(chances), len(mean)))
    count, going = 0, len(mean)
    while going:
        for of_chance, limit in zip(found, chances, strict=True):
            of_chance[:going] += total[:going] < limit
        count += 1
        chance[:going] *= (odds[:going] + (count - 1) * slope[:going]) / count
        total[:going] += chance[:going]
        if count % _LOOK == 0:
            short = np.flatnonzero(total[:going] < chances[-1])
            going = int(short[-1]) + 1 if len(short) else 0
    return found


def _computed(mean: Real, variance: Real, chances: tuple[float, ...]) -> Real:
    """Quantiles (chance, cell) of large counts by the expansion of Cornish and Fisher."""
    square = mean + mean * mean * variance
    deviation = np.sqrt(square)
    skew, heavy = (1 + 2 * mean * variance) / deviation, 6 * variance + 1 / square
    found = np.empty((len(chances), len(mean)))
    for number, chance in enumerate(chances):
        z = NormalDist().inv_cdf(chance)
        at = z + (z * z - 1) * skew / 6 + (z**3 - 3 * z) * heavy / 24 - (2 * z**3 - 5 * z) * skew * skew / 36
        found[number] = np.maximum(np.ceil(mean + deviation * at - 0.5), 0.0)
    return found
