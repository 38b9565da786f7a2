"""The forecast beside what was: days seen and days ahead, groups with their error, the back-test in all measures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from sql.filters import KEYS, Filters
from sql.measure import metric
from sql.noted import noted
from sql.rows import rows
from sql.snapshot import Snapshot

#: Days before the forecast that are shown beside it.
DAYS_BEFORE = 42
_PARTS = ("facility", "modality")


def _usable(filters: Filters | None) -> Filters:
    """The filters that a forecast can apply: facility, modality and scope."""
    empty: dict[str, tuple[str, ...]] = {key: () for key in KEYS if key not in _PARTS}
    return (filters or Filters()).replace(since=None, until=None, compare="none", **empty)


def outlook(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """Exams by day: the last `DAYS_BEFORE` days as they were, then the days ahead. Empty without a forecast.

    Columns day, value, lower, upper (95 %), lower_80, upper_80 (NULL for days seen), n (of a day ahead: exams of the
    same day 28 days before), is_forecast. Only facility, modality and scope apply.
    """
    usable = _usable(filters)
    wide = metric(snapshot, "forecast_volume", period="day", filters=usable)
    near = metric(snapshot, "forecast_volume", period="day", filters=usable, statistic="within_80")
    ahead = wide.join(near.select("period_start", lower_80="lower", upper_80="upper"), on="period_start", how="left")
    first = ahead["period_start"].min()
    if not isinstance(first, date):
        return _days(ahead, is_forecast=True)
    seen = _seen(snapshot, usable, first)
    unknown = [pl.lit(None, pl.Float64).alias(name) for name in ("lower_80", "upper_80")]
    return pl.concat([_days(seen.with_columns(unknown), is_forecast=False), _days(ahead, is_forecast=True)])


@noted
def _seen(snapshot: Snapshot, filters: Filters, first: date) -> pl.DataFrame:
    """Exams of the days before the first one ahead, to be remembered as a question of that day: it is the same under
    all filters, until there is a new snapshot."""
    before = filters.replace(since=first - timedelta(days=DAYS_BEFORE), until=first)
    return metric(snapshot, "volume", period="day", filters=before)


def _days(frame: pl.DataFrame, *, is_forecast: bool) -> pl.DataFrame:
    return frame.select(
        pl.col("period_start").alias("day"), "value", "lower", "upper", "lower_80", "upper_80", "n",
        pl.lit(is_forecast).alias("is_forecast"),
    ).sort("day")  # fmt: skip


def outlook_groups(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """Modalities of the facilities: exams ahead with interval, exams before, and the error of a day beside those of
    plain rules; or why there is no forecast.

    Columns facility, modality, value, lower, upper, n (exams of the 28 days before), forecast, seasonal_naive,
    last_4_weeks (weighted absolute percentage error, 0-1), n_days, reason.
    """
    usable = _usable(filters)
    found = rows(snapshot, "dim_forecast", filters=usable, columns=(*_PARTS, "n_days", "reason"), limit=10_000)
    ahead = metric(snapshot, "forecast_volume", groups=_PARTS, filters=usable)
    told = {name: (ahead, name) for name in ("value", "lower", "upper", "n")}
    for model in ("forecast", "seasonal_naive", "last_4_weeks"):
        told[model] = metric(snapshot, "forecast_error", groups=_PARTS, filters=usable, statistic=model), "value"
    places = [" | ".join(map(str, place)) for place in zip(*(found[part].to_list() for part in _PARTS), strict=True)]
    found = found.hstack([_by_parts(places, *each).alias(name) for name, each in told.items()])
    return found.sort("value", descending=True, nulls_last=True).select(
        *_PARTS, "value", "lower", "upper", "n", "forecast", "seasonal_naive", "last_4_weeks", "n_days", "reason"
    )


def _by_parts(places: Sequence[str], frame: pl.DataFrame, column: str) -> pl.Series:
    """What a metric's groups have, in the order of places (facility | modality); NULL where it has none."""
    known = dict(zip(frame["group_value"].to_list(), frame[column].to_list(), strict=True))
    return pl.Series([known.get(place) for place in places], dtype=frame.schema[column])


@noted
def backtest(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """The back-test by level and model, over the groups that the filters leave.

    Columns level (network, facility, facility_modality, hour_band), model, n_days, n_exams, wape, mase (ratios), mae
    (exams a day), within_80, within_95 (0-1), width_95 (exams), from_day, to_day. The network is there without filters
    and scope only; facilities without a filter on modality.
    """
    clause = _usable(filters).where(_PARTS, alias="e", table="fct_forecast_error")
    return snapshot.execute(
        f"""SELECT e.level, e.model, CAST(sum(e.n_days) AS BIGINT) AS n_days, CAST(sum(e.n_exams) AS BIGINT) AS n_exams,
        sum(e.abs_error) / nullif(sum(e.n_exams), 0) AS wape, sum(e.abs_error) / nullif(sum(e.scale), 0) AS mase,
        sum(e.abs_error) / sum(e.n_days) AS mae, sum(e.n_within_80) / sum(e.n_days) AS within_80,
        sum(e.n_within_95) / sum(e.n_days) AS within_95, sum(e.width_95) / sum(e.n_days) AS width_95,
        min(e.from_day) AS from_day, max(e.to_day) AS to_day
        FROM fct_forecast_error e WHERE {clause.sql}
        GROUP BY e.level, e.model
        ORDER BY list_position(['network', 'facility', 'facility_modality', 'hour_band'], e.level),
                 list_position(['forecast', 'last_4_weeks', 'seasonal_naive'], e.model)""",
        clause.params,
    )
