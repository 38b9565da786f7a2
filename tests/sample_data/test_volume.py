"""Volume has weekday, holiday, season, growth and chance, and the truth says what was expected."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import fmean, stdev

import polars as pl

from sample_data.demand import Demand
from sample_data.network import Network
from sample_data.run import Run
from sample_data.simulate import simulate
from sample_data.volume import expected_volume, is_holiday, volumes

START = date(2025, 1, 6)


def test_effects_by_hand() -> None:
    monday, sunday = expected_volume(START, START), expected_volume(START + timedelta(days=6), START)
    assert round(monday / sunday, 2) == 1.52  # 1.14 / 0.75, the season hardly moves in a week
    winter, summer = expected_volume(date(2025, 1, 15), START), expected_volume(date(2025, 7, 16), START)
    assert winter > 1.08 * summer  # both Wednesdays; growth works against it
    a_year_on = expected_volume(START + timedelta(days=364), START) / monday
    assert 1.055 < a_year_on < 1.065
    assert is_holiday(date(2025, 11, 27))
    assert not is_holiday(date(2025, 11, 20))
    assert expected_volume(date(2025, 12, 25), START) < 0.7 * expected_volume(date(2025, 12, 18), START)


def test_chance_is_its_own_and_of_the_size_it_says() -> None:
    days = volumes(START, 700, ["A", "B"], seed=5)
    assert days == volumes(START, 700, ["A", "B"], seed=5)
    network = [day.drawn / day.expected for day in days]
    assert 0.045 < stdev(network) < 0.056
    assert 0.06 < stdev([day.facilities["A"] for day in days]) < 0.08
    assert abs(fmean(network) - 1) < 0.01


def test_orders_of_a_run_follow_it(tmp_path: Path) -> None:
    simulate(tmp_path, exams=2000, days=40, seed=9, start=date(2025, 11, 10), messages_only=True)
    told = pl.read_parquet(tmp_path / "truth" / "volume.parquet")
    assert told.height == 40
    assert abs(told["expected_orders"].sum() - 2000) < 1e-6
    assert told.filter("is_holiday")["day"].dt.date().to_list() == [date(2025, 11, 27)]
    network, run = Network(2000, 40), Run(2000, 40, 9, date(2025, 11, 10))
    demand = Demand(network, Random(1), run, network.utc("NORTH", told["day"][0], 0))  # noqa: S311
    placed = Counter({day: sum(len(r.procedures) for r in demand.day(day)) for day in range(40)})
    assert sum(placed.values()) == 2000
    ratios = [placed[n] / expected for n, expected in enumerate(told["expected_orders"])]
    assert all(0.8 < ratio < 1.25 for ratio in ratios)
    calendar = (tmp_path / "site" / "calendar.csv").read_text()
    assert "NORTH,2025-11-27,holiday" in calendar
    assert "WEST,2025-12-25,closed" in calendar
