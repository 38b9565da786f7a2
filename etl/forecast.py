"""The forecast of a build: from the days' counts to the tables `forecast_path`, `forecast_score` and `forecast_unit`.

It depends on the counted exams, the data cut-off and the site's calendar alone, so every order of arrival gives the
same rows. A unit (modality of a facility) without enough history, or without exams of late, gets none and a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import duckdb
import numpy as np
import polars as pl

from etl.forecast_backtest import MODEL, SUMS, TESTED_DAYS, History, scores
from etl.forecast_model import HORIZON, Layout, draw, fit, known
from etl.forecast_past import Real
from etl.frames import query, table

#: Fewest days of history; days used at most; days without any exam after which a facility, and one modality, is left.
LEAST_HISTORY, MOST_HISTORY = 42, 420
SILENT_DAYS, CEASED_DAYS = 7, 28
BAND_HOURS = 6
#: Kind of a Sunday, and of any day that the calendar marks.
QUIET = 6
N_PATHS, SEED = 200, 20260101
#: Changes whenever the same exams would give another forecast.
VERSION = f"4 numpy {np.__version__}"
#: The mart that it is made from, and the tables that it makes.
COUNTS, MADE = "fct_volume_day", ("forecast_path", "forecast_score", "forecast_unit")
Schema = dict[str, pl.DataType | type[pl.DataType]]
Unit = tuple[str | None, str | None]

_UNIT: Schema = {"facility": pl.String, "modality": pl.String}
PATH: Schema = {
    **_UNIT, "hour_band": pl.String, "band_local": pl.Datetime("us"), "expected": pl.Float64, "n_before": pl.Int64,
    "drawn": pl.List(pl.Int32),
}  # fmt: skip
SCORE: Schema = {
    "level": pl.String, **_UNIT, "hour_band": pl.String, "model": pl.String, "horizon_week": pl.Int32,
    "from_day": pl.Date, "to_day": pl.Date,
    **{name: pl.Int64 if name.startswith("n_") else pl.Float64 for name in SUMS},
}  # fmt: skip
UNIT: Schema = {
    **_UNIT, "first_day": pl.Date, "last_day": pl.Date, "n_days": pl.Int64, "n_exams": pl.Int64, "from_day": pl.Date,
    "to_day": pl.Date, "reason": pl.String,
}  # fmt: skip


class Span(NamedTuple):
    """First and last day of a unit with an exam up to the last whole day, and its exams until then."""

    first: date
    last: date
    n_exams: int


class Daily(NamedTuple):
    """Units with their spans, counts of the last `MOST_HISTORY` days (a row of `fct_volume_day` each), days that the
    calendar marks, and the last whole day."""

    spans: dict[Unit, Span]
    counts: pl.DataFrame
    marked: dict[tuple[str | None, date], str]
    last_day: date


def load_forecast(con: duckdb.DuckDBPyConnection) -> None:
    """Create the three temporary tables from `fct_volume_day`, `site_calendar` and `clock`."""
    daily = _read(con)
    reasons = {} if daily is None else dict(_reasons(daily))
    kept = sorted((unit for unit, reason in reasons.items() if reason is None), key=_order)
    paths = pl.DataFrame(schema=PATH)
    scored = [pl.DataFrame(schema=SCORE)]
    if daily is not None and kept:
        first = max(min(daily.spans[unit].first for unit in kept), daily.last_day - timedelta(days=MOST_HISTORY - 1))
        history = _history(daily, kept, first)
        paths = _paths(history, kept, daily)
        scored += [rows.select(pl.col(name).cast(kind) for name, kind in SCORE.items())
                   for rows in _scores(history, kept, daily)]  # fmt: skip
    units = [] if daily is None else [_unit(daily, unit, reason) for unit, reason in reasons.items()]
    table(con, "forecast_path", paths)
    table(con, "forecast_score", pl.concat(scored))
    table(con, "forecast_unit", pl.DataFrame(units, schema=UNIT, orient="row"))


def bands() -> list[str]:
    """Names of the bands of hours."""
    return [f"{hour:02d}-{hour + BAND_HOURS:02d}" for hour in range(0, 24, BAND_HOURS)]


def _order(unit: Unit) -> tuple[str, str]:
    return unit[0] or "", unit[1] or ""


def days_before(con: duckdb.DuckDBPyConnection) -> str | None:
    """SQL condition on the days of `fct_volume_day` that count, where they are those of the last build; else None."""
    last = _last_day(con, "data_through")
    return None if last is None or last != _last_day(con, "told_through") else _until(last)


def _last_day(con: duckdb.DuckDBPyConnection, column: str) -> date | None:
    """The last day that is whole everywhere, by a column of `clock`."""
    found: date | None = con.execute(f"""
        SELECT min(CAST(local_at(c.{column}, z.zone) AS DATE)) - 1
        FROM clock c
        CROSS JOIN (SELECT zone FROM site_facility UNION ALL SELECT default_zone FROM site_zone) z""").fetchall()[0][0]
    return found


def _until(last: date) -> str:
    return f"day_local <= DATE '{last}'"


def _read(con: duckdb.DuckDBPyConnection) -> Daily | None:
    last = _last_day(con, "data_through")
    if last is None:
        return None
    until = f"FROM fct_volume_day WHERE {_until(last)}"
    found = query(con, f"""
        SELECT facility, modality, min(day_local), max(day_local), CAST(sum(n_exams) AS BIGINT) {until}
        GROUP BY facility, modality ORDER BY ALL""")  # fmt: skip
    spans: dict[Unit, Span] = {(row[0], row[1]): Span(*row[2:]) for row in found.iter_rows()}
    counts = query(
        con,
        f"""
        SELECT facility, modality, hour_from, day_local, n_exams {until}
            AND day_local > DATE '{last}' - {MOST_HISTORY}""",
    )
    marks: dict[tuple[str | None, date], str] = {}
    for facility, day, kind in query(con, """
            SELECT facility, date, kind FROM site_calendar
            WHERE date IS NOT NULL AND kind IN ('closed', 'holiday') ORDER BY kind DESC""").iter_rows():  # fmt: skip
        marks[facility, day] = kind  # closed after holiday
    return Daily(spans, counts, marks, last)


def _reasons(daily: Daily) -> Iterator[tuple[Unit, str | None]]:
    """Why a unit gets no forecast; None where it gets one."""
    latest: dict[str | None, date] = {}
    for (facility, _), span in daily.spans.items():
        latest[facility] = max(latest.get(facility, date.min), span.last)
    for unit, span in sorted(daily.spans.items(), key=lambda item: _order(item[0])):
        if (daily.last_day - span.first).days + 1 < LEAST_HISTORY:
            yield unit, "short history"
        elif (daily.last_day - latest[unit[0]]).days > SILENT_DAYS:
            yield unit, "facility silent"
        elif (daily.last_day - span.last).days > CEASED_DAYS:
            yield unit, "no exams of late"
        else:
            yield unit, None


def _history(daily: Daily, units: list[Unit], first: date) -> History:
    n_days, n_bands = (daily.last_day - first).days + 1, len(bands())
    facilities = sorted({unit[0] or "" for unit in units})
    counts = _counted(daily, units, first)
    is_open = np.ones((n_days + HORIZON, len(units) * n_bands), np.bool_)
    kind, began = np.zeros(is_open.shape, np.int64), np.zeros(counts.shape[1], np.int64)
    kind += np.array([(first + timedelta(days=n)).weekday() for n in range(n_days + HORIZON)])[:, None]
    for number, unit in enumerate(units):
        series = slice(number * n_bands, (number + 1) * n_bands)
        began[series] = max((daily.spans[unit].first - first).days, 0)
        is_open[: began[series.start], series] = False
        for (facility, day), mark in daily.marked.items():
            if facility == unit[0] and 0 <= (place := (day - first).days) < len(kind):
                kind[place, series] = QUIET
                is_open[place, series] &= mark != "closed"
    layout = Layout(
        np.repeat(np.arange(len(units)), n_bands),
        np.repeat(np.array([facilities.index(unit[0] or "") for unit in units]), n_bands),
    )
    return History(counts, kind, is_open, began, layout)


def _counted(daily: Daily, units: list[Unit], first: date) -> Real:
    """Counts (day, series) from `first` on."""
    n_bands = len(bands())
    numbers = pl.DataFrame(
        [(*unit, n) for n, unit in enumerate(units)], schema={**_UNIT, "unit": pl.Int64}, orient="row"
    )
    told = daily.counts.filter(pl.col("day_local") >= first).join(numbers, on=list(_UNIT), nulls_equal=True)
    days = told.select((pl.col("day_local") - first).dt.total_days())["day_local"].to_numpy()
    series = told.select(pl.col("unit") * n_bands + pl.col("hour_from") // BAND_HOURS)["unit"].to_numpy()
    found = np.zeros(((daily.last_day - first).days + 1, len(units) * n_bands))
    found[days, series] = told["n_exams"].to_numpy()
    return found


def _paths(history: History, units: list[Unit], daily: Daily) -> pl.DataFrame:
    """Rows of `PATH`: a day after the other, and of each day the series in order."""
    fitted = fit(known(history.counts, history.kind, history.is_open).until(len(history.counts)), history.layout)
    drawn = np.empty((HORIZON, history.counts.shape[1], N_PATHS), np.int32)
    draws = draw(fitted, history.layout, N_PATHS, np.random.Generator(np.random.PCG64(SEED)))
    for of_day, told in zip(drawn, draws, strict=True):
        of_day[:] = told
    midnights = [datetime.combine(daily.last_day + timedelta(days=n + 1), datetime.min.time()) for n in range(HORIZON)]
    names, each = bands(), len(units) * HORIZON
    columns = {
        "facility": [unit[0] for unit in units for _ in names] * HORIZON,
        "modality": [unit[1] for unit in units for _ in names] * HORIZON,
        "hour_band": names * each,
        "band_local": [
            midnight + timedelta(hours=band * BAND_HOURS)
            for midnight in midnights for _ in units for band in range(len(names))
        ],
        "expected": np.round(fitted.expected, 6).ravel(),
        "n_before": history.counts[-HORIZON:].astype(np.int64).ravel(),
        "drawn": pl.Series(drawn.reshape(-1, N_PATHS)).cast(pl.List(pl.Int32)),
    }  # fmt: skip
    return pl.DataFrame(columns, schema=PATH)


def _scores(history: History, units: list[Unit], daily: Daily) -> Iterator[pl.DataFrame]:
    """Rows of `SCORE`, of one level and model after the other."""
    layout, names = history.layout, bands()
    facilities = sorted({unit[0] or "" for unit in units})
    levels: dict[str, tuple[Any, list[tuple[Any, ...]]]] = {
        "network": (np.zeros_like(layout.unit), [(None, None, None)]),
        "facility": (layout.facility, [(facility or None, None, None) for facility in facilities]),
        "facility_modality": (layout.unit, [(*unit, None) for unit in units]),
        "hour_band": (np.arange(len(layout.unit)), [(*unit, band) for unit in units for band in names]),
    }
    n_days = len(history.counts)
    window = {"from_day": daily.last_day - timedelta(days=min(TESTED_DAYS, n_days) - 1), "to_day": daily.last_day}
    for level, score in scores(history, {level: members for level, (members, _) in levels.items()}).items():
        names_of = list(zip(*levels[level][1], strict=True))
        for model, sums in score.items():
            group, week = np.nonzero(sums["n_days"])
            keys = {
                key: pl.Series(told, dtype=pl.String).gather(group)
                for key, told in zip(("facility", "modality", "hour_band"), names_of, strict=True)
            }
            told = {name: _told(values[group, week], name, model) for name, values in sums.items()}
            place = {"level": level, "model": model, "horizon_week": week + 1, **window}
            yield pl.DataFrame(keys | told).with_columns(
                **{k: v if isinstance(v, np.ndarray) else pl.lit(v) for k, v in place.items()}
            )


def _told(values: Real, name: str, model: str) -> pl.Series:
    """The sums as they are stored; only our own forecast has an interval."""
    kind = SCORE[name]
    if model != MODEL and name.endswith(("_80", "_95")):
        return pl.Series([None], dtype=kind).new_from_index(0, len(values))
    return pl.Series(np.round(values, 6)).cast(kind)


def _unit(daily: Daily, unit: Unit, reason: str | None) -> dict[str, Any]:
    span = daily.spans[unit]
    ahead = (daily.last_day + timedelta(days=1), daily.last_day + timedelta(days=HORIZON))
    return {
        "facility": unit[0], "modality": unit[1], "first_day": span.first, "last_day": span.last,
        "n_days": (daily.last_day - span.first).days + 1, "n_exams": span.n_exams,
        "from_day": ahead[0] if reason is None else None, "to_day": ahead[1] if reason is None else None,
        "reason": reason,
    }  # fmt: skip
