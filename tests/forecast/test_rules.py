"""Hand-worked cases: who gets a forecast, its first and last day, closed days, holidays, silence, order of rows."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

import polars as pl
import pytest

from tests.forecast.made import Ended, Forecast, forecast_of

FIRST = date(2026, 3, 2)  # a Monday
NOON = time(12)


def steady(n_days: int, facility: str = "N", modality: str = "CT", weekday: int = 10, sunday: int = 3) -> list[Ended]:
    days = (FIRST + timedelta(days=n) for n in range(n_days))
    return [(facility, modality, datetime.combine(day, NOON)) for day in days
            for _ in range(sunday if day.weekday() == 6 else weekday)]  # fmt: skip


def morning_after(n_days: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=n_days), time(9))


def reasons(told: Forecast) -> dict[tuple[str, str], str | None]:
    return {(f, m): reason for f, m, reason in told.unit.select("facility", "modality", "reason").iter_rows()}


def by_day(told: Forecast) -> dict[date, float]:
    frame = told.path.group_by(pl.col("band_local").dt.date().alias("day")).agg(pl.col("expected").sum())
    return dict(frame.iter_rows())


def test_no_exams_no_forecast() -> None:
    told = forecast_of([], morning_after(60))
    assert (told.path.height, told.score.height, told.unit.height) == (0, 0, 0)


@pytest.mark.parametrize(("n_days", "reason"), [(41, "short history"), (42, None)])
def test_six_weeks_are_needed(n_days: int, reason: str | None) -> None:
    told = forecast_of(steady(n_days), morning_after(n_days))
    assert reasons(told) == {("N", "CT"): reason}
    assert told.path.height == (0 if reason else 28 * 4)
    assert told.score.is_empty() == bool(reason)


def test_a_steady_series_goes_on_and_is_never_missed() -> None:
    told = forecast_of(steady(84), morning_after(84))
    days = by_day(told)
    assert min(days) == FIRST + timedelta(days=84)
    assert max(days) == FIRST + timedelta(days=84 + 27)
    assert {round(value, 3) for day, value in days.items() if day.weekday() < 6} == {10.0}
    assert {round(value, 3) for day, value in days.items() if day.weekday() == 6} == {3.0}
    error = told.score.group_by("model").agg(pl.col("abs_error").sum().round(3), pl.col("scale").sum())
    assert dict(error.select("model", "abs_error").iter_rows()) == {
        "forecast": 0.0, "seasonal_naive": 0.0, "last_4_weeks": 0.0,
    }  # fmt: skip
    assert set(told.path["hour_band"].unique()) == {"00-06", "06-12", "12-18", "18-24"}
    assert told.path.filter(pl.col("hour_band") != "12-18")["expected"].sum() == 0


def test_the_day_of_the_cut_off_is_forecast_not_counted() -> None:
    """Three exams of an unfinished day must not pull the level down, nor exams dated behind it up."""
    late = [("N", "CT", datetime.combine(FIRST + timedelta(days=84), time(1)))] * 3
    told = forecast_of([*steady(84), *late, *steady(120)[-50:]], morning_after(84))
    assert by_day(told) == by_day(forecast_of(steady(84), morning_after(84)))


def test_the_cut_off_is_taken_on_the_local_clock() -> None:
    """02:00 UTC is still the day before in New York."""
    at = datetime.combine(FIRST + timedelta(days=84), time(2))
    assert min(by_day(forecast_of(steady(84), at, zone="America/New_York"))) == FIRST + timedelta(days=83)
    assert min(by_day(forecast_of(steady(84), at))) == FIRST + timedelta(days=84)


def test_a_silent_facility_gets_none_and_leaves_the_others_alone() -> None:
    north = steady(84)
    for n_silent, reason in ((7, None), (8, "facility silent")):
        told = forecast_of([*north, *steady(84 - n_silent, "W")], morning_after(84))
        assert reasons(told) == {("N", "CT"): None, ("W", "CT"): reason}
    assert by_day(told) == by_day(forecast_of(north, morning_after(84)))


@pytest.mark.parametrize(("n_days", "reason"), [(28, None), (29, "no exams of late")])
def test_a_modality_that_ceased_gets_none(n_days: int, reason: str | None) -> None:
    told = forecast_of([*steady(84), *steady(84 - n_days, modality="NM")], morning_after(84))
    assert reasons(told) == {("N", "CT"): None, ("N", "NM"): reason}


def test_a_new_modality_waits_and_one_that_began_late_is_not_taken_as_idle_before() -> None:
    late = [row for row in steady(84, modality="MR") if row[2].date() >= FIRST + timedelta(days=42)]
    told = forecast_of([*steady(84), *late], morning_after(84))
    assert reasons(told)["N", "MR"] is None
    share = told.path.filter(modality="MR")["expected"].sum() / told.path["expected"].sum()
    assert share == pytest.approx(0.5, abs=0.01)
    origins = told.score.filter(level="facility_modality", modality="MR", model="forecast")["n_days"].sum()
    assert 0 < origins < told.score.filter(level="facility_modality", modality="CT", model="forecast")["n_days"].sum()


def test_closed_days_are_zero_and_past_ones_no_evidence() -> None:
    past, ahead = FIRST + timedelta(days=71), FIRST + timedelta(days=92)  # Wednesday ten weeks on, Tuesday
    ended = [row for row in steady(84) if row[2].date() != past]
    told = forecast_of(ended, morning_after(84), [("N", past, "closed"), ("N", ahead, "closed")])
    days = by_day(told)
    assert days[ahead] == 0
    assert told.path.filter(pl.col("band_local").dt.date() == ahead)["drawn"].list.sum().sum() == 0
    assert days[ahead + timedelta(days=1)] == pytest.approx(10, abs=0.01)


def test_a_holiday_is_as_quiet_as_a_sunday_at_its_facility_only() -> None:
    holiday = FIRST + timedelta(days=92)
    told = forecast_of([*steady(84), *steady(84, "W")], morning_after(84), [("N", holiday, "holiday")])
    on_day = told.path.filter(pl.col("band_local").dt.date() == holiday).group_by("facility").agg(
        pl.col("expected").sum().round(2))  # fmt: skip
    assert dict(on_day.iter_rows()) == {"N": 3.0, "W": 10.0}


def test_order_of_the_rows_changes_nothing() -> None:
    rng = random.Random(3)  # noqa: S311
    ended = [(f, m, at) for f in "NW" for m in ("CT", "MR") for _, _, at in steady(70) if rng.random() < 0.6]
    once = forecast_of(ended, morning_after(70))
    again = forecast_of(rng.sample(ended, len(ended)), morning_after(70))
    assert once.path.equals(again.path)
    assert once.score.equals(again.score)
    assert once.unit.equals(again.unit)
