"""What a spread is and what an interval holds, on numbers whose spread is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etl.forecast_backtest import INTERVALS, _intervals
from etl.forecast_model import HORIZON, SPREAD_DAYS, Fit, Layout, draw, fit, known, summed
from etl.forecast_spread import MANY, doubts, quantiles, variances

CHANCES = (0.025, 0.1, 0.5, 0.9, 0.975)


def fitted(variance: float) -> Fit:
    """Four modalities of one facility with 30 exams a day, and a factor of that variance that each day has."""
    rng = np.random.default_rng(5)
    n_days = 2 * SPREAD_DAYS
    factor = rng.gamma(1 / variance, variance, n_days) if variance else np.ones(n_days)
    counts = rng.poisson(30 * np.repeat(factor[:, None], 4, axis=1)).astype(np.float64)
    kind = np.repeat(np.arange(n_days + HORIZON)[:, None] % 7, 4, axis=1)
    is_open = np.ones_like(kind, np.bool_)
    return fit(known(counts, kind, is_open).until(n_days), Layout(np.arange(4), np.zeros(4, np.int64)))


def test_days_before_those_of_the_spread_tell_nothing_of_it() -> None:
    """Four weeks in which all was closed, just before them."""
    rng, n_days = np.random.default_rng(5), 2 * SPREAD_DAYS
    counts = rng.poisson(30.0, (n_days, 4)).astype(np.float64)
    kind = np.repeat(np.arange(n_days + HORIZON)[:, None] % 7, 4, axis=1)
    is_open = np.ones_like(kind, np.bool_)
    is_open[SPREAD_DAYS - 28 : SPREAD_DAYS] = False
    found = fit(known(counts, kind, is_open).until(n_days), Layout(np.arange(4), np.zeros(4, np.int64)))
    assert found.network + found.facility + found.unit < 0.01


def test_the_chance_of_counts_is_no_spread_of_days() -> None:
    """A count of 30 varies by a third of a tenth of its square by itself."""
    found = fitted(0.0)
    assert found.network + found.facility + found.unit < 0.01


def test_the_spread_of_days_is_found() -> None:
    found = fitted(0.04)
    assert found.network + found.facility == pytest.approx(0.04, abs=0.015)
    assert found.unit < 0.01


def least(mean: float, variance: float, limit: float) -> int:
    """Least count that is not exceeded with a chance, from the probabilities of a negative binomial or Poisson."""
    size = 1 / variance if variance else 0.0
    total, count = 0.0, 0
    while True:
        told = -mean + count * math.log(mean) if not variance else (
            math.lgamma(size + count) - math.lgamma(size) - size * math.log1p(mean * variance)
            + count * (math.log(mean * variance) - math.log1p(mean * variance)))  # fmt: skip
        total += math.exp(told - math.lgamma(count + 1))
        if total >= limit:
            return count
        count += 1


def test_quantiles_are_the_least_counts_of_their_chance() -> None:
    means = np.array([0.0, 0.02, 0.3, 1.0, 2.7, 6.0, 14.0, 33.0, 90.0, 149.9])
    for variance in (0.0, 0.01, 0.2, 3.0):
        told = quantiles(means, np.full_like(means, variance), CHANCES)
        for chance, of_chance in zip(CHANCES, told, strict=True):
            truth = [least(mean, variance, chance) if mean else 0 for mean in means.tolist()]
            assert of_chance.tolist() == truth, (chance, variance)


def test_quantiles_of_large_counts_are_off_by_one_at_most() -> None:
    means = np.array([MANY, 151.0, 400.0, 1250.0])
    for variance in (0.0, 0.01, 0.05):
        told = quantiles(means, np.full_like(means, variance), CHANCES)
        for chance, of_chance in zip(CHANCES, told, strict=True):
            truth = np.array([least(mean, variance, chance) for mean in means.tolist()])
            assert np.abs(of_chance - truth).max() <= 1, (chance, variance)


def test_intervals_are_those_of_the_paths_that_are_published() -> None:
    """Of any sum over series: expected counts and spread are computed, the paths drawn."""
    unit, facility = np.repeat(np.arange(4), 2), np.repeat([0, 0, 1, 1], 2)
    layout, rng = Layout(unit, facility), np.random.default_rng(3)
    expected = np.tile(rng.uniform(2, 30, 8), (HORIZON, 1))
    kind = np.repeat(np.arange(HORIZON)[:, None] % 7, 8, axis=1)
    weeks = np.full((7, 8), 3.0)
    drift, apart = np.array([0.01, 0.012, 0.014, 0.016]), np.array([0.004, 0.005, 0.006, 0.007])
    made = Fit(expected, kind, weeks, 0.01, 0.02, 0.03, drift, apart)
    drawn = np.array(list(draw(made, layout, 6000, np.random.Generator(np.random.PCG64(1)))))
    for members in (np.zeros_like(unit), facility, unit, np.arange(8)):
        mean, paths = summed(expected, members), summed(drawn, members, axis=1)
        factor = variances(made, layout, members, expected, doubts(made, slice(None)), slice(None))
        assert paths.var(2) == pytest.approx(mean + mean**2 * factor, rel=0.15)
        assert paths.var(2).mean() == pytest.approx((mean + mean**2 * factor).mean(), rel=0.03)
        for low, high in zip(quantiles(mean, factor, (0.1,)), quantiles(mean, factor, (0.9,)), strict=True):
            inside = ((paths >= low[..., None]) & (paths <= high[..., None])).mean()
            least_inside = ((paths > low[..., None]) & (paths < high[..., None])).mean()
            assert least_inside - 0.01 < 0.8 < inside + 0.01


def test_both_ends_are_within_an_interval() -> None:
    mean, none = np.full((1, 1), 20.0), np.zeros((1, 1))
    low, high = (float(q[0, 0]) for q in quantiles(mean, none, INTERVALS["80"]))
    assert (low, high) == (14, 26)
    for seen, is_within in ((13.0, 0), (14.0, 1), (26.0, 1), (27.0, 0)):
        found = {name: float(value[0, 0]) for name, value in _intervals(mean, none, np.full((1, 1), seen))}
        assert (found["n_within_80"], found["width_80"]) == (is_within, 12.0), seen
