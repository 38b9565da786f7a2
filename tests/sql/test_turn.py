"""Since when a number runs otherwise: the change point is where it was made, and noise has none."""

from __future__ import annotations

import numpy as np
import pytest

from sql.turn import CHANCE, change_point


def by_all_ways(values: list[float]) -> tuple[int, int]:
    """The place and the statistic by their definition: every way to part the values, every pair."""
    ways = {
        at: sum((late > early) - (late < early) for early in values[:at] for late in values[at:])
        for at in range(1, len(values))
    }
    at = max(ways, key=lambda place: abs(ways[place]))
    return at, ways[at]


@pytest.mark.parametrize("seed", range(8))
def test_the_statistic_is_that_of_its_definition(seed: int):
    draw = np.random.default_rng(seed)
    values = [float(value) for value in draw.choice([1.0, 2.0, 3.5, *draw.random(9)], draw.integers(2, 60))]
    assert change_point(values)[:2] == by_all_ways(values)


@pytest.mark.parametrize("step", [4.0, -4.0])
def test_a_step_in_noise_is_found_within_two_days(step: float):
    values = np.random.default_rng(7).normal(size=56) + np.where(np.arange(56) >= 33, step, 0)
    at, up, chance = change_point(values.tolist())
    assert abs(at - 33) <= 2
    assert (up > 0) == (step > 0)
    assert chance < 0.001


def test_noise_alone_is_called_a_change_no_oftener_than_is_said():
    draw = np.random.default_rng(11)
    found = sum(change_point(draw.normal(size=56).tolist())[2] <= CHANCE for _ in range(400))
    assert found <= 400 * CHANCE * 1.5


def test_values_that_never_change_have_no_change():
    assert change_point([3.0] * 20)[2] == 1.0
