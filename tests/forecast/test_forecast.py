"""The forecast of simulated networks: recomputed in plain Python, and held against days that were hidden from it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest

from tests.forecast.made import Forecast, Made, made_network
from tests.forecast.plain import Plain

SIZES = {"small": (1500, 120, 3, date(2026, 2, 1)), "middle": (11_000, 150, 4, date(2026, 6, 20))}


@pytest.fixture(scope="module", params=SIZES)
def world(request: pytest.FixtureRequest) -> tuple[Made, Forecast]:
    made = made_network(*SIZES[request.param])
    return made, made.forecast()


@pytest.fixture(scope="module")
def plain(world: tuple[Made, Forecast]) -> Plain:
    made, _ = world
    return Plain(made.seen, made.marks, made.through.date() - timedelta(days=1))


def test_expected_counts_are_recomputed(world: tuple[Made, Forecast], plain: Plain) -> None:
    _, told = world
    expected = plain.expected(plain.n_days)
    assert told.path.height == len(expected) * 28 > 28 * 40
    for facility, modality, at, value in told.path.select("facility", "modality", "band_local", "expected").iter_rows():
        ahead = (at.date() - plain.first).days - plain.n_days
        assert value == pytest.approx(expected[facility, modality, at.hour // 6][ahead], abs=2e-6)


def test_backtest_is_recomputed(world: tuple[Made, Forecast], plain: Plain) -> None:
    _, told = world
    truth = plain.backtest()
    keys = ("level", "facility", "modality", "hour_band", "model", "horizon_week")
    rows = told.score.select(*keys, "n_days", "n_exams", "abs_error", "scale").iter_rows()
    seen = {}
    for level, facility, modality, band, model, week, *values in rows:
        number = None if band is None else str(int(band[:2]) // 6)
        seen[level, "|".join(part for part in (facility, modality, number) if part is not None), model, week] = values
    assert seen.keys() == truth.keys()
    for key, values in seen.items():
        assert values == pytest.approx(truth[key], abs=1e-4), key


def test_it_beats_both_plain_rules_where_days_have_exams_enough(world: tuple[Made, Forecast]) -> None:
    _, told = world
    error = {
        (level, model): share
        for level, model, share in told.score.group_by("level", "model")
        .agg(pl.col("abs_error").sum() / pl.col("n_exams").sum())
        .iter_rows()
    }
    for level in ("network", "facility", "facility_modality", "hour_band"):
        assert error[level, "forecast"] < error[level, "last_4_weeks"] < error[level, "seasonal_naive"], level


def covered(made: Made, told: Forecast, keys: tuple[str, ...]) -> tuple[int, int, int]:
    """Cells (day and `keys`) of the hidden days, and those inside the 80 and the 95 % interval."""
    names = ("facility", "modality", "hour_band")
    real: Counter[tuple[object, ...]] = Counter()
    for facility, modality, at in made.hidden:
        words = dict(
            zip(names, (facility, modality, f"{at.hour // 6 * 6:02d}-{at.hour // 6 * 6 + 6:02d}"), strict=True)
        )
        real[at.date(), *(words[key] for key in keys)] += 1
    paths: dict[tuple[object, ...], list[int]] = {}
    for row in told.path.iter_rows(named=True):
        cell = (row["band_local"].date(), *(row[key] for key in keys))
        paths[cell] = [a + b for a, b in zip(paths.get(cell, [0] * 200), row["drawn"], strict=True)]
    inside = [0, 0]
    for cell, sums in paths.items():
        ordered = sorted(sums)
        for number, (low, high) in enumerate(((20, 179), (5, 194))):
            inside[number] += ordered[low] <= real[cell] <= ordered[high]
    return len(paths), inside[0], inside[1]


@pytest.mark.parametrize(("keys", "most"), [((), 28), (("facility",), 112), (("facility", "modality"), 392)])
def test_intervals_hold_the_days_that_really_came(
    world: tuple[Made, Forecast], keys: tuple[str, ...], most: int
) -> None:
    """Counts of few exams fall on whole numbers, so intervals hold more than they promise; never far less."""
    made, told = world
    n_cells, in_80, in_95 = covered(made, told, keys)
    assert n_cells == most
    assert in_80 / n_cells > 0.68
    assert in_95 / n_cells > 0.87


def test_all_units_are_forecast_and_drawn_about_what_is_expected(world: tuple[Made, Forecast]) -> None:
    _, told = world
    assert told.unit["reason"].null_count() == told.unit.height == 14
    drawn = told.path["drawn"].list.sum().sum() / 200
    assert drawn == pytest.approx(told.path["expected"].sum(), rel=0.03)
