"""Every check catches its planted breach; every header tells the truth."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from etl.build_models import SQL, read_build_models, read_checks
from etl.build_scope import SCOPES, TALLY, keep_before
from sql.catalog import read_model
from tests.warehouse import Warehouse, event, exam

#: Check -> statement that breaks the rule it guards.
BREACHES: dict[str, str] = {
    "exam_key_unique": "INSERT INTO fct_exam FROM fct_exam LIMIT 1",
    "exam_read_known": "INSERT INTO fct_read BY NAME SELECT 'x' AS exam_key",
    "event_exam_known": "INSERT INTO fct_exam_event BY NAME SELECT 'x' AS exam_key",
    "busy_fits_hour": "UPDATE fct_device_hour SET busy_min = 61 WHERE busy_min > 0",
    "day_is_sum_of_hours": "UPDATE fct_device_day SET staffed_min = staffed_min + 1",
    "session_not_negative": "UPDATE fct_device_busy SET busy_ended_at = busy_started_at",
    "repeat_after_prior": "UPDATE fct_repeat SET days = -1",
    "repeat_unique": "INSERT INTO fct_repeat FROM fct_repeat LIMIT 1",
    "backlog_not_negative": "UPDATE fct_backlog_hour SET n_past_target = n_waiting + 1",
    "backlog_unique": "INSERT INTO fct_backlog_hour FROM fct_backlog_hour LIMIT 1",
    "counts_not_negative": "UPDATE fct_exam SET n_images = -1",
    "countable_has_end": "UPDATE fct_exam SET exam_ended_at = NULL WHERE is_countable",
    "reading_sessions_apart": "UPDATE fct_reading_session SET ended_at = ended_at + INTERVAL 90 DAY",
    "device_known": "UPDATE fct_exam SET device = 'nowhere'",
    "room_fits_hour": """INSERT INTO fct_room_hour BY NAME
        SELECT 'N-CT1' AS device, TIMESTAMP '2026-03-02 15:00' AS hour_at, 60.0 AS staffed_min, 50.0 AS room_min,
        51.0 AS room_staffed_min""",
    "facility_known": "UPDATE fct_exam SET facility = 'nowhere'",
}


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    house = Warehouse(tmp_path_factory.mktemp("checks")).built(
        *exam("A1", "2026-03-02 15:00", "2026-03-02 15:30", final="2026-03-02 18:00"),
        *exam("A2", "2026-03-04 15:00", "2026-03-04 15:30", final="2026-03-04 18:00"),
        event("arrived", "2026-03-04 20:00", "A3", mrn="2"),
    )
    return house.marts


def broken(con: duckdb.DuckDBPyConnection, check: str) -> int:
    row = con.execute(f"SELECT count(*) FROM ({read_checks()[check]})").fetchone()
    assert row is not None
    return int(row[0])


def test_every_check_has_a_planted_breach() -> None:
    assert set(read_checks()) == set(BREACHES)


@pytest.mark.parametrize("check", BREACHES)
def test_check_is_quiet_on_good_marts_and_catches_its_breach(check: str, marts: Path) -> None:
    con = duckdb.connect(str(marts))
    try:
        keep_before(con, anew=True)
        con.execute("""
            CREATE TEMP VIEW device_profile AS SELECT DISTINCT device FROM fct_exam
            WHERE device IS NOT NULL AND NOT is_imported AND exam_started_at IS NOT NULL""")
        assert broken(con, check) == 0
        con.execute("BEGIN")
        con.execute(BREACHES[check])
        assert broken(con, check) > 0
        con.execute("ROLLBACK")
    finally:
        con.close()


def test_headers_name_the_columns_that_the_tables_have(marts: Path) -> None:
    """The build creates tables from the headers and fills them by name, so a column too many in either fails there."""
    with duckdb.connect(str(marts), read_only=True) as con:
        for model in read_build_models("marts"):
            if model.materialize == "table":
                real = [(row[0], row[1]) for row in con.execute(f"DESCRIBE {model.name}").fetchall()]
                assert real == [(column.name, column.type) for column in model.columns], model.name
                assert all(column.note for column in model.columns), model.name


def test_grain_keys_are_unique(marts: Path) -> None:
    models = [read_model(path) for path in sorted((SQL / "marts").glob("*.sql"))]
    with duckdb.connect(str(marts), read_only=True) as con:
        for model in (m for m in models if m.materialize == "table"):
            doubles = con.execute(f"SELECT {model.key} FROM {model.name} GROUP BY ALL HAVING count(*) > 1").fetchall()
            assert doubles == [], model.name


def test_scopes_are_known_and_name_their_bound() -> None:
    for model in read_build_models("marts"):
        if model.materialize == "table" and model.scope not in ("all", TALLY):
            scope = SCOPES[model.scope]
            assert bool(scope.since or scope.on) == bool(model.scope_column), model.name
