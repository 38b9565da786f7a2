"""What a spread is and what an interval holds, on numbers whose spread is known."""

from __future__ import annotations

import numpy as np
import pytest

from etl.forecast_backtest import _at, _intervals
from etl.forecast_model import HORIZON, SPREAD_DAYS, Fit, Layout, fit


def fitted(variance: float) -> Fit:
    """Four modalities of one facility with 30 exams a day, and a factor of that variance that each day has."""
    rng = np.random.default_rng(5)
    n_days = 2 * SPREAD_DAYS
    factor = rng.gamma(1 / variance, variance, n_days) if variance else np.ones(n_days)
    counts = rng.poisson(30 * np.repeat(factor[:, None], 4, axis=1)).astype(np.float64)
    kind = np.repeat(np.arange(n_days + HORIZON)[:, None] % 7, 4, axis=1)
    return fit(counts, kind, np.ones_like(kind, np.bool_), Layout(np.arange(4), np.zeros(4, np.int64)))


def test_the_chance_of_counts_is_no_spread_of_days() -> None:
    """A count of 30 varies by a third of a tenth of its square by itself."""
    found = fitted(0.0)
    assert found.network + found.facility + found.unit < 0.01


def test_the_spread_of_days_is_found() -> None:
    found = fitted(0.04)
    assert found.network + found.facility == pytest.approx(0.04, abs=0.015)
    assert found.unit < 0.01


def test_an_interval_of_80_percent_leaves_out_a_tenth_on_each_side() -> None:
    paths = np.arange(101.0)[None, :]
    for seen, is_within in ((9.0, (0, 1)), (10.0, (1, 1)), (90.0, (1, 1)), (91.0, (0, 1)), (98.0, (0, 0))):
        found = {name: float(value[0]) for name, value in _intervals(paths, np.array([seen]))}
        assert (found["n_within_80"], found["n_within_95"]) == is_within, seen
        assert [found["width_80"], found["width_95"]] == pytest.approx([80.0, 95.0])


def test_quantiles_are_those_of_numpy() -> None:
    paths = np.random.default_rng(8).poisson(20, (7, 100)).astype(np.float64)
    for chance in (0.0, 0.025, 0.1, 0.5, 0.9, 0.975, 1.0):
        assert _at(np.sort(paths, axis=1), chance) == pytest.approx(np.quantile(paths, chance, axis=1), abs=1e-12)
