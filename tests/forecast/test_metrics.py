"""The metrics of a forecast, for every grouping and period, against sums and quantiles made from its rows in Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from statistics import quantiles
from typing import Any

import pytest

from sql.catalog import Catalog
from sql.filters import Filters
from sql.noted import listening
from sql.query import metric, outlook
from sql.shape import PERIODS
from sql.snapshot import Snapshot
from tests.forecast.made import Ended, Forecast, forecast_of
from tests.snapshots import snapshot_of
from tests.truth.statistics import period_of

FIRST, N_DAYS = date(2026, 1, 5), 75
THROUGH = datetime.combine(FIRST + timedelta(days=N_DAYS), time(9))
GROUPS = [(), ("facility",), ("modality",), ("hour_band",), ("weekday",), ("facility", "modality"),
          ("facility", "modality", "hour_band"), ("hour_band", "weekday")]  # fmt: skip


def network() -> list[Ended]:
    rng = random.Random(8)  # noqa: S311
    return [
        (facility, modality, datetime.combine(FIRST + timedelta(days=day), time(hour)))
        for facility in ("A", "B") for modality in ("CT", "DX") for day in range(N_DAYS)
        for hour in (2, 9, 10, 15, 20) for _ in range(rng.randrange(4))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def told() -> Forecast:
    return forecast_of(network(), THROUGH)


@pytest.fixture(scope="module")
def snapshot(told: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("forecast")
    return snapshot_of(folder, THROUGH, fct_forecast=told.path.to_dicts(), fct_forecast_error=told.score.to_dicts())


def quantile(values: list[int], percent: float) -> float:
    """Percentile by the standard library, in steps of half a percent."""
    return quantiles(values, n=200, method="inclusive")[round(percent * 2) - 1]


def word(row: dict[str, Any], group: str) -> str:
    return str(row["band_local"].isoweekday()) if group == "weekday" else str(row[group])


def test_days_before_those_ahead_are_asked_as_a_page_remembers_it(told: Forecast, snapshot: Snapshot) -> None:
    """Under filters without dates, and of the day on which the forecast begins: so it is foreseen for any dates."""
    with listening() as calls:
        outlook(snapshot, Filters(since=FIRST, until=FIRST + timedelta(days=9), facility=("A",), compare="previous"))
    first = min(row["band_local"] for row in told.path.iter_rows(named=True)).date()
    assert [call.args[1:] for call in calls if first in call.args] == [(Filters(facility=("A",)), first)]


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("period", ["all", *PERIODS])
@pytest.mark.parametrize("statistic", ["within_95", "within_80"])
def test_forecast_volume(
    told: Forecast, snapshot: Snapshot, groups: tuple[str, ...], period: str, statistic: str
) -> None:
    low, high = {"within_95": (2.5, 97.5), "within_80": (10.0, 90.0)}[statistic]
    cells: dict[tuple[Any, str], list[dict[str, Any]]] = defaultdict(list)
    for row in told.path.iter_rows(named=True):
        cells[period_of(period, row["band_local"]), " | ".join(word(row, g) for g in groups) or "all"].append(row)
    frame = metric(snapshot, "forecast_volume", groups=groups, period=period, statistic=statistic)
    assert frame.height == len(cells)
    for row in frame.iter_rows(named=True):
        key = None if period == "all" else (row["period_start"], row["period_end"])
        members = cells[key, row["group_value"]]
        sums = [sum(places) for places in zip(*(member["drawn"] for member in members), strict=True)]
        assert row["value"] == pytest.approx(sum(member["expected"] for member in members), abs=1e-6)
        assert row["n"] == sum(member["n_before"] for member in members)
        assert (row["lower"], row["upper"]) == pytest.approx((quantile(sums, low), quantile(sums, high)))


def test_n_counts_the_exams_of_28_days_before(told: Forecast, snapshot: Snapshot) -> None:
    seen = sum(at.date() >= FIRST + timedelta(days=N_DAYS - 28) for _, _, at in network())
    assert metric(snapshot, "forecast_volume")["n"].to_list() == [seen]
    assert metric(snapshot, "forecast_volume", filters=Filters(until=FIRST)).is_empty()


@pytest.mark.parametrize("statistic", Catalog.load().metric("forecast_error").statistics)
@pytest.mark.parametrize("group", ["", "facility", "modality", "horizon_week"])
def test_forecast_error(told: Forecast, snapshot: Snapshot, statistic: str, group: str) -> None:
    model = statistic if not statistic.startswith("within") else "forecast"
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in told.score.iter_rows(named=True):
        if row["level"] == "facility_modality" and row["model"] == model:
            inside = (row[f"n_{statistic}"], row["n_days"]) if statistic.startswith("within") else None
            above, below = inside or (row["abs_error"], row["n_exams"])
            cell = sums[str(row[group]) if group else "all"]
            cell[0] += above
            cell[1] += below
    frame = metric(snapshot, "forecast_error", groups=(group,) if group else (), statistic=statistic)
    answers = {row["group_value"]: row["value"] for row in frame.iter_rows(named=True)}
    assert answers == pytest.approx({key: above / below for key, (above, below) in sums.items()})
