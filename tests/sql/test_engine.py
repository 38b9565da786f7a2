"""The engine takes a sum over an outer join with nothing for 0 by its statistics: no number of ours may follow it."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.intake import open_intake
from sql.engine import SOUND
from sql.filters import Filters
from sql.measure import explain, metric
from sql.snapshot import Snapshot
from tests.snapshots import exam_row, snapshot_of

MARCH = Filters(since=date(2026, 3, 6), until=date(2026, 3, 31))
SUMMED = """
    SELECT n FROM (
        SELECT sum(a.k) AS n
        FROM a LEFT JOIN (FROM nothing WHERE at_day >= DATE '2026-01-01') r ON r.k = a.k
    ) WHERE n >= 30"""


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """150 exams in March, and repeats in January alone."""
    days = [datetime(2026, 1, 6) + timedelta(hours=4 * number) for number in range(6 * 84)]
    exams = [exam_row(60.0, f"{day}", exam_key=f"E{number}", exam_started_at=day, patient_key=f"P{number}",
                      region="head") for number, day in enumerate(days)]  # fmt: skip
    repeats = [{"exam_key": f"E{number}", "kind": "repeat", "exam_started_local": days[number]} for number in range(40)]
    return snapshot_of(tmp_path, datetime(2026, 4, 1), fct_exam=exams, fct_repeat=repeats)


def summed(con: duckdb.DuckDBPyConnection) -> list[Any]:
    con.execute("CREATE TEMP TABLE nothing AS SELECT range AS k, DATE '2025-01-01' AS at_day FROM range(10)")
    con.execute("CREATE TEMP TABLE a AS SELECT range AS k FROM range(1000)")
    return con.execute(SUMMED).fetchall()


def test_the_fault_is_there_and_the_setting_keeps_it_away() -> None:
    """Where the first fails, the engine is mended: away with `sql.engine` and what names it."""
    with duckdb.connect() as con:
        assert summed(con) == []
    with duckdb.connect() as con:
        con.execute(SOUND)
        assert summed(con) == [(499500,)]


def test_what_reads_and_what_builds_has_the_setting(snapshot: Snapshot, tmp_path: Path) -> None:
    asked = "SELECT current_setting('disabled_optimizers') AS told"
    assert snapshot.execute(asked)["told"].to_list() == ["statistics_propagation"]
    with closing(open_intake(tmp_path / "intake.duckdb")) as con:
        assert con.execute(asked).fetchall() == [("statistics_propagation",)]


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("etl/*.py")), ids=lambda path: path.name)
def test_whoever_runs_models_is_told(path: Path) -> None:
    """Who connects and attaches a database to run statements over both says so first."""
    text = path.read_text("utf-8")
    assert "ATTACH '" not in text or "duckdb.connect(" not in text or "execute(SOUND)" in text


def test_a_count_beside_a_table_without_rows_is_whole(snapshot: Snapshot) -> None:
    (row,) = metric(snapshot, "repeat_exam_rate", filters=MARCH).to_dicts()
    assert (row["n"], row["denominator"]) == (150, 150.0)


@pytest.mark.parametrize("asked", ["SELECT n FROM ({}) ORDER BY n", "SELECT n FROM ({}) WHERE n >= 30",
                                   "SELECT n FROM ({}) GROUP BY n"])  # fmt: skip
def test_a_statement_of_ours_is_right_in_any_client(snapshot: Snapshot, asked: str) -> None:
    text, path = explain("repeat_exam_rate", filters=MARCH).text, snapshot.path
    snapshot.close()
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute(asked.format(text)).fetchall() == [(150,)]
