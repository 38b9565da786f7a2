"""How many exams a day brings: weekday, holidays, season, growth and chance, each with its truth.

Effects multiply. The expected share of a day is known (`Day.expected`); what is drawn beside it is chance.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from sample_data.network import CLOSED_DAYS

#: Volume of a weekday (Monday first) relative to the mean.
WEEKDAY = (1.14, 1.10, 1.09, 1.08, 1.05, 0.79, 0.75)
#: Volume of a holiday relative to the mean.
HOLIDAY = 0.68
GROWTH_A_YEAR = 0.06
#: Half the difference between the fullest week (middle of January) and the emptiest.
SEASON, SEASON_PEAK_DAY = 0.07, 15
#: Standard deviation of the logarithm: of a day over the whole network, of a day at one facility.
NETWORK_CHANCE, FACILITY_CHANCE = 0.05, 0.07


class Day(NamedTuple):
    """One day: volume relative to a usual day, as expected and as drawn; factors of the facilities as drawn."""

    day: date
    is_holiday: bool
    expected: float
    drawn: float
    facilities: dict[str, float]


def is_holiday(day: date) -> bool:
    """A day on which few but the urgent come: those on which centres close, and the fourth Thursday of November."""
    is_thanksgiving = day.month == 11 and day.weekday() == 3 and 22 <= day.day <= 28
    return (day.month, day.day) in CLOSED_DAYS or is_thanksgiving


def expected_volume(day: date, start: date) -> float:
    """Volume of a day relative to a usual one at the start of the run, without chance."""
    base = HOLIDAY if is_holiday(day) else WEEKDAY[day.weekday()]
    season = 1 + SEASON * math.cos(2 * math.pi * (day.timetuple().tm_yday - SEASON_PEAK_DAY) / 365.25)
    return float(base * season * (1 + GROWTH_A_YEAR) ** ((day - start).days / 365.25))


def volumes(start: date, days: int, facilities: list[str], seed: int) -> list[Day]:
    """The days of a run, from chance of their own."""
    rng = Random(f"volume {seed}")  # noqa: S311 - a simulation
    made = []
    for day in (start + timedelta(days=n) for n in range(days)):
        expected = expected_volume(day, start)
        drawn = expected * math.exp(rng.gauss(0, NETWORK_CHANCE))
        shares = {facility: math.exp(rng.gauss(0, FACILITY_CHANCE)) for facility in facilities}
        made.append(Day(day, is_holiday(day), expected, drawn, shares))
    return made
