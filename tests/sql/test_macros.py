"""A snapshot explains itself: its macros give the numbers of sql.query in any client, its tables carry comments."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sql.catalog import Catalog, Column
from sql.filters import FILTERS, NO_VALUE, Filters
from sql.query import QueryError, explain, metric
from sql.shape import PERIODS
from sql.snapshot import Snapshot, open_snapshot
from tests.snapshots import write_snapshot

START, DAYS = datetime(2025, 12, 1), 70
THROUGH = START + timedelta(days=DAYS)
METRICS = Catalog.load().metrics
#: Columns whose words mean something to a metric.
WORDS = {
    "zone": ("America/New_York",), "kind": ("repeat", "duplicate", "follow_up"), "role": ("final", "preliminary"),
    "patient_class": ("outpatient", "inpatient", "emergency"), "availability": ("imported", "held", "none"),
    "modality": ("CT", "a"), "code": ("critical_found", "discontinued"),
    "metric": tuple(f"critical_communication:{category}" for category in "abc"),
    "outcome": ("kept", "no_show", "cancelled"), "source": ("ris", "mpps", "none"), "facility": ("N", "W"),
    "fate": ("used", "no_departure"), "level": ("facility_modality",),
    "model": ("forecast", "seasonal_naive", "last_4_weeks"),
}  # fmt: skip
#: What is asked of clocks and lengths.
MARKED = {"weekday": ("1", "3", "6", "7"), "hour": tuple(str(hour) for hour in range(0, 24, 2)),
          "length": ("report_final_min:10-40.5", "wait_min:20-", "exam_duration_min:0-30")}  # fmt: skip
NEVER_NULL = {"zone", "facility", "exam_key", "day", "source", "device", "hour_at", "hour_local", "drawn", "expected"}


def value_of(column: Column, rng: random.Random) -> Any:
    """Any value that the column could have."""
    if column.name not in NEVER_NULL and rng.random() < 0.1:
        return None
    if column.name == "exam_key":
        return f"E{rng.randrange(60)}"
    moment = START + timedelta(minutes=rng.randrange(DAYS * 1440))
    by_type = {
        "BOOLEAN": lambda: rng.random() < 0.8,
        "DOUBLE": lambda: rng.randrange(-5, 300) / 4,
        "BIGINT": lambda: rng.randrange(20),
        "INTEGER": lambda: rng.randrange(20),
        "TIMESTAMP": lambda: moment.replace(minute=0) if column.name.startswith("hour_") else moment,
        "DATE": moment.date,
        "INTEGER[]": lambda: [rng.randrange(9) for _ in range(7)],
        "VARCHAR": lambda: rng.choice(WORDS.get(column.name, ("a", "b", "c"))),
    }
    return by_type[column.type]()


def seeded(*of: object) -> random.Random:
    """Chance that depends on nothing but what it is for: another column elsewhere changes no value here."""
    return random.Random(repr(of))  # noqa: S311 - test data


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with random rows in every table that a metric reads."""
    read = {m.table for m in METRICS.values()} | {
        "fct_repeat",
        "fct_image_reject",
        "dim_staffing",
        "fct_exam_event",
        "fct_room_day",
        "fct_series",
        "dim_target",
        "dim_procedure_weight",
    }
    tables = {
        name: [{c.name: value_of(c, seeded(name, n, c.name)) for c in model.columns} for n in range(60)]
        for name, model in Catalog.load().tables.items()
        if name in read
    }
    # A repeat is an exam that counts and says again what that says: statements take the marts at their word.
    for number, row in enumerate(tables["fct_exam"]):
        row["exam_key"] = f"E{number}"
    needed = ("is_countable", "exam_started_at", "exam_started_local", "region", "patient_key")
    begun = [row for row in tables["fct_exam"] if all(row[name] for name in needed)]
    for row in begun:
        row["exam_local"] = row["exam_started_local"]
    tables["fct_repeat"] = [row | {name: told for name, told in exam.items() if name in row}
                            for exam, row in zip(begun, tables["fct_repeat"], strict=False)]  # fmt: skip
    for number, row in enumerate(tables["fct_backlog_hour"]):  # at 23:00, where days end
        row["hour_local"] = START + timedelta(days=number % (DAYS - 1) + 1, hours=-1)
        row["hour_at"] = row["hour_local"] + timedelta(hours=5)
    for name in ("fct_device_idle", "fct_appointment", "fct_device_day", "dim_staffing"):
        for row in tables[name]:  # one device, so that there is enough to know what is usual there
            row.update({"device": "a"})
    for row in tables["dim_target"]:  # of many exams, so that there are some whose critical result has a limit
        row.update({"priority": None, "patient_class": None, "valid_from": None, "valid_to": None})
    for row in tables["fct_device_idle"]:
        row["idle_since_at"] = row["idle_from_at"]
    usual = {"slots": 2, "bookings_from": START.date(), "idle_run_min": 9.0, "n_idle_runs": 60, "exam_min": 20.0}
    tables["dim_device_usual"] = [{"device": name, "turnover_min": 5.0, **usual} for name in ("a", "b")]
    tables["dim_facility"] = [{"facility": f, "zone": "America/New_York"} for f in ("N", "W")]
    tables["dim_shift"] = [{"minute_of_week": m, "shift": "day" if m % 1440 < 720 else None} for m in range(10080)]
    return write_snapshot(tmp_path_factory.mktemp("macros") / "radops.duckdb", tables, THROUGH)


@pytest.fixture(scope="module")
def snapshot(path: Path) -> Iterator[Snapshot]:
    opened = open_snapshot(path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def plain(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Any client: no setting of ours."""
    copy = path.with_name("copy.duckdb")
    shutil.copyfile(path, copy)
    with duckdb.connect(str(copy), read_only=True) as con:
        yield con


def asked_by(client: duckdb.DuckDBPyConnection, statement: str) -> pl.DataFrame:
    """The answer to a client's statement, which is planned once: as a relation it would be planned twice."""
    return pl.DataFrame(client.execute(statement).to_arrow_table())


def same(told: pl.DataFrame, asked: pl.DataFrame) -> None:
    """Equal but for the order of rows."""
    keys = ["period_start", "group_value"]
    assert_frame_equal(told.sort(keys), asked.sort(keys), check_exact=True)


@pytest.mark.parametrize("metric_id", METRICS)
def test_macro_equals_query(metric_id: str, snapshot: Snapshot, plain: duckdb.DuckDBPyConnection) -> None:
    asked = METRICS[metric_id]
    n_rows = 0
    for groups in [(), *((g,) for g in asked.groups), asked.groups[:2]]:
        for period in ("all", *PERIODS) if groups in ((), asked.groups[:1]) else ("all", "month"):
            told = asked_by(plain, f"FROM metrics.{metric_id}(groups := {list(groups)}, period := '{period}')")
            same(told, metric(snapshot, metric_id, groups=groups, period=period))
            n_rows += told.height
    assert n_rows > 10


@pytest.mark.parametrize("metric_id", METRICS)
def test_macro_takes_statistics_dates_and_filters(
    metric_id: str, snapshot: Snapshot, plain: duckdb.DuckDBPyConnection
) -> None:
    asked = METRICS[metric_id]
    filters = Filters()
    arguments = ["groups := ['facility']"]
    if asked.has_dates:
        filters = filters.replace(since=datetime(2025, 12, 20).date(), until=datetime(2026, 1, 25).date())
        arguments += ["since := DATE '2025-12-20'", "until := DATE '2026-01-25'"]
    for item in FILTERS:
        if item.key in asked.filters:
            values = ("N", "W") if item.key == "facility" else (*WORDS.get(item.column, ("a", "b")), NO_VALUE)
            values = MARKED.get(item.key, values)
            filters = filters.replace(**{item.key: values})
            arguments.append(f"{item.key} := {list(values)}")
    for statistic in asked.statistics:
        told = asked_by(plain, f"FROM metrics.{metric_id}({', '.join(arguments)}, statistic := '{statistic}')")
        same(told, metric(snapshot, metric_id, groups=("facility",), filters=filters, statistic=statistic))


@pytest.mark.parametrize("argument", ["groups := ['colour']", "period := 'decade'", "statistic := 'p42'"])
@pytest.mark.parametrize("metric_id", ["report_final", "reads", "utilization"])
def test_macro_refuses_what_the_query_refuses(
    metric_id: str, argument: str, snapshot: Snapshot, plain: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(duckdb.Error, match=r"(groups|period|statistic) (is|are)"):
        plain.sql(f"FROM metrics.{metric_id}({argument})").fetchall()
    name, _, value = argument.partition(" := ")
    word = value.strip("[]'")
    with pytest.raises(QueryError, match=f"{metric_id} has no .*{word}"):
        metric(snapshot, metric_id, **{name: (word,) if name == "groups" else word})  # type: ignore[arg-type]


@pytest.mark.parametrize("metric_id", METRICS)
def test_explained_text_runs_as_it_is(metric_id: str, snapshot: Snapshot, plain: duckdb.DuckDBPyConnection) -> None:
    asked = METRICS[metric_id]
    filters = Filters(facility=("N", "it's")) if "facility" in asked.filters else Filters()
    filters = filters.replace(since=START.date(), until=THROUGH.date()) if asked.has_dates else filters
    told = explain(metric_id, groups=asked.groups[:1], filters=filters)
    assert "$" not in told.text
    same(asked_by(plain, told.text), metric(snapshot, metric_id, groups=asked.groups[:1], filters=filters))


def test_every_table_and_column_has_a_comment(plain: duckdb.DuckDBPyConnection) -> None:
    without = plain.sql("""
        SELECT table_name, column_name FROM duckdb_columns()
        WHERE schema_name = 'main' AND NOT internal AND coalesce(comment, '') = ''
        UNION ALL
        SELECT table_name, NULL FROM duckdb_tables() WHERE schema_name = 'main' AND coalesce(comment, '') = ''
    """).fetchall()
    assert without == []


def test_every_metric_is_in_the_dictionary(plain: duckdb.DuckDBPyConnection) -> None:
    assert [m for (m,) in plain.sql("SELECT id FROM meta_metric").fetchall()] == list(METRICS)
    assert plain.sql("SELECT question, goal, groups[1] FROM meta_metric WHERE id = 'reject_rate'").fetchall() == [
        ("How many images are rejected and taken again?", 0.08, "facility")
    ]
    documented = plain.sql("SELECT count(*) FROM meta_column").fetchall()
    assert documented == [(sum(len(m.columns) for m in Catalog.load().tables.values()),)]
    commented = plain.sql("""
        SELECT count(DISTINCT function_name) FROM duckdb_functions()
        WHERE schema_name = 'metrics' AND comment IS NOT NULL""").fetchall()
    assert commented == [(len(METRICS),)]
