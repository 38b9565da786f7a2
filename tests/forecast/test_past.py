"""Sums over past days: the same day after day as at once, and as one adds them up by hand."""

from __future__ import annotations

import numpy as np
import pytest

from etl.forecast_model import HORIZON, Layout, fit, known
from etl.forecast_past import KINDS, Faded, Past, Real, Truth, Whole

N_DAYS, N_SERIES = 90, 6
LAYOUT = Layout(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 0, 1, 1]))


def made(seed: int) -> tuple[Real, Whole, Truth]:
    """Counts, kinds and openness, with holidays and closed days of some series, one of which began late."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(N_DAYS + HORIZON)[:, None] % KINDS, N_SERIES, axis=1)
    kind[rng.random(kind.shape) < 0.05] = 6
    is_open = rng.random(kind.shape) > 0.05
    is_open[: N_DAYS // 2, 2] = False
    return rng.poisson(5.0, (N_DAYS, N_SERIES)).astype(np.float64), kind, is_open


@pytest.mark.parametrize("half_life", [1.0, 10.0, 112.0])
def test_sums_are_those_of_every_day_by_hand(half_life: float) -> None:
    counts, kind, is_open = made(1)
    faded = Past(counts, kind, is_open, [half_life]).until(20).until(21).until(N_DAYS).faded[half_life]
    by_hand = Faded(half_life, N_SERIES)
    for day in range(N_DAYS):
        weight = 0.5 ** ((N_DAYS - 1 - day) / half_life)
        for series in np.flatnonzero(is_open[day]):
            by_hand.days[kind[day, series], series] += weight
            by_hand.squares[kind[day, series], series] += weight**2
            by_hand.counts[kind[day, series], series] += weight * counts[day, series]
    for name in ("days", "squares", "counts"):
        np.testing.assert_allclose(getattr(faded, name), getattr(by_hand, name), rtol=1e-12, atol=1e-15)


def test_an_origin_knows_the_same_however_it_was_reached() -> None:
    counts, kind, is_open = made(2)
    on_the_way = known(counts, kind, is_open)
    for origin in (40, 43, 61, 62, N_DAYS):
        found = fit(on_the_way.until(origin), LAYOUT)
        expected = fit(known(counts[:origin], kind, is_open).until(origin), LAYOUT)
        assert found.expected.shape == (HORIZON, N_SERIES)
        for name in ("expected", "kind", "weeks", "network", "facility", "unit", "drift", "apart"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, atol=1e-12)
