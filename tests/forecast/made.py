"""Forecasts without files: exams made by hand or by the simulated department, taken through the build's step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import polars as pl

from etl.forecast import BAND_HOURS, load_forecast
from etl.frames import query
from sample_data.department import Department
from sample_data.network import Network, is_closed
from sample_data.run import Run
from sample_data.volume import is_holiday
from sql.macros import MACROS

#: Facility, modality, local time of the exam's end.
Ended = tuple[str, str, datetime]
Mark = tuple[str, date, str]


@dataclass(frozen=True)
class Forecast:
    """The three tables of a forecast."""

    path: pl.DataFrame
    score: pl.DataFrame
    unit: pl.DataFrame


def forecast_of(ended: Iterable[Ended], through: datetime, marks: Sequence[Mark] = (), zone: str = "UTC") -> Forecast:
    """What a build would make of these exams with the data cut-off `through` (UTC) and the calendar `marks`."""
    counts = Counter((f, m, at.hour // BAND_HOURS * BAND_HOURS, at.date()) for f, m, at in ended)
    with duckdb.connect() as con:
        for macro in MACROS:
            if macro.name == "local_at":
                con.execute(macro.create_duckdb())
        con.execute("CREATE TEMP TABLE fct_volume_day (facility VARCHAR, modality VARCHAR, hour_from INTEGER, "
                    "day_local DATE, n_exams BIGINT)")  # fmt: skip
        con.execute("CREATE TEMP TABLE site_calendar (facility VARCHAR, date DATE, kind VARCHAR)")
        con.execute("CREATE TEMP TABLE clock AS SELECT CAST(? AS TIMESTAMP) AS data_through", [through])
        con.execute("CREATE TEMP TABLE site_zone AS SELECT ? AS default_zone", [zone])
        con.execute("CREATE TEMP TABLE site_facility (zone VARCHAR)")
        if counts:
            con.executemany("INSERT INTO fct_volume_day VALUES (?, ?, ?, ?, ?)", [[*k, n] for k, n in counts.items()])
        if marks:
            con.executemany("INSERT INTO site_calendar VALUES (?, ?, ?)", [list(mark) for mark in marks])
        load_forecast(con)
        return Forecast(*(query(con, f"FROM forecast_{name}") for name in ("path", "score", "unit")))


@dataclass(frozen=True)
class Made:
    """A simulated network whose last 28 days are hidden from the forecast."""

    seen: list[Ended]
    hidden: list[Ended]
    marks: list[Mark]
    through: datetime  # UTC, in the morning of the first hidden day

    def forecast(self) -> Forecast:
        """The forecast of the hidden days."""
        return forecast_of(self.seen, self.through, self.marks, "America/New_York")


def made_network(exams: int, days: int, seed: int, start: date) -> Made:
    """`days` days that the forecast may see and 28 more, with `exams` in all."""
    network = Network(exams, days + 28)
    department = Department(network, Run(exams, days + 28, seed, start))
    ended = [
        (e.facility, e.modality, network.local(e.facility, e.exam_ended_at).replace(tzinfo=None))
        for e in department.exams()
        if e.exam_ended_at is not None and e.cancelled_at is None and e.exam_ended_at < department.clock.horizon
    ]
    first_hidden = start + timedelta(days=days)
    all_days = [start + timedelta(days=n) for n in range(days + 28)]
    marks = [(f, day, "closed" if is_closed(f, day) else "holiday") for day in all_days if is_holiday(day)
             for f in network.facilities]  # fmt: skip
    midnight = datetime.combine(first_hidden, datetime.min.time())
    return Made(
        [row for row in ended if row[2] < midnight], [row for row in ended if row[2] >= midnight], marks,
        midnight + timedelta(hours=15),
    )  # fmt: skip
