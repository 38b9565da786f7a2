"""What a night leaves as it is: marts of whole tables, the forecast, and what the clock or other rows would move."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl import build_fold, build_scope
from etl.build_models import BuildModel, plan_build
from etl.build_same import Same, sources
from tests.raw_rows import Row
from tests.warehouse import Warehouse, event, exam, image, order, report

#: Marts of whole tables that no exam tells anything of.
OF_SITE = {"dim_facility_alias", "dim_special_day", "dim_mapping"}
FORECAST = {"fct_forecast", "fct_forecast_error", "dim_forecast"}


def history() -> list[Row]:
    """Exams at noon of each of 50 days; the cut-off is in the 51st."""
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(51)]
    return [row for n, day in enumerate(days) for row in exam(f"A{n}", f"{day} 16:00", f"{day} 16:20", mrn=str(n))]


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Marts that a night did not make again."""
    names: list[str] = []

    def watched(same: Same, model: BuildModel) -> bool:
        is_same = IS_SAME(same, model)
        names.extend([model.name] * is_same)
        return is_same

    monkeypatch.setattr(Same, "is_same", watched)
    return names


IS_SAME = Same.is_same


def night(house: Warehouse, *rows: Row) -> str:
    """The digest of a night, which a build of all exams gives as well."""
    house.load(*rows)
    told = house.build()
    assert not told.is_full
    return told.digest


def read_by(tree: Any) -> Iterator[tuple[str, str]]:
    """Tables and names of subqueries in a statement as the engine reads it."""
    if isinstance(tree, dict):
        if tree.get("type") == "BASE_TABLE":
            yield "table", tree["table_name"]
        for entry in tree.get("cte_map", {}).get("map", []):
            yield "with", entry["key"]
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from read_by(value)


@pytest.mark.parametrize("model", [m for m in plan_build().marts if m.scope == "all"], ids=lambda model: model.name)
def test_all_that_a_mart_reads_is_known(model: BuildModel) -> None:
    (told,) = duckdb.connect().execute("SELECT json_serialize_sql(?)", [model.body]).fetchall()[0]
    found = set(read_by(json.loads(told)))
    tables, subqueries = ({name for kind, name in found if kind == of} for of in ("table", "with"))
    assert tables - subqueries <= sources(model.body)


def test_messages_told_again_leave_marts_of_whole_tables(tmp_path: Path, left: list[str]) -> None:
    house = Warehouse(tmp_path).built(*history())
    assert left == []
    digest = night(house, *history()[-20:])
    kept = OF_SITE | FORECAST | {"dim_facility", "dim_procedure", "dim_calendar", "dim_device_usual", "dq_freshness"}
    assert kept <= set(left)
    assert house.build(full=True).digest == digest


def test_another_exam_makes_what_it_changes(tmp_path: Path, left: list[str]) -> None:
    house = Warehouse(tmp_path).built(*history())
    digest = night(house, *exam("B", "2026-04-01 16:00", "2026-04-01 16:20", mrn="B"))
    assert set(left) >= OF_SITE
    assert not set(left) & (FORECAST | {"dim_facility", "dim_calendar"})
    assert "dim_procedure" in left, "nothing was charged for it, so no procedure weighs otherwise"
    assert house.rows("SELECT max(n_exams) FROM dim_forecast") == [(51,)]
    assert house.build(full=True).digest == digest


def test_the_forecast_is_made_again_when_a_whole_day_is_other_than_it_was(tmp_path: Path, left: list[str]) -> None:
    house = Warehouse(tmp_path).built(*history())
    today, tomorrow = "2026-04-20", "2026-04-21"
    digest = night(house, *exam("B", f"{today} 17:00", f"{today} 17:30", mrn="B"))
    assert set(left) >= FORECAST
    assert house.build(full=True).digest == digest
    left.clear()
    digest = night(house, *exam("C", f"{tomorrow} 12:00", f"{tomorrow} 12:30", mrn="C"))
    assert not set(left) & FORECAST
    assert house.rows("SELECT max(n_exams) FROM dim_forecast") == [(52,)]
    assert house.build(full=True).digest == digest


def test_what_is_told_up_to_the_clock_goes_on_with_it(tmp_path: Path, left: list[str]) -> None:
    """An event moves the clock and nothing of its exam."""
    house = Warehouse(tmp_path).built(*history())
    digest = night(house, event("discharged", "2026-04-29 10:00", "A50", mrn="50"))
    assert {"dim_facility", "dim_procedure"} <= set(left)
    assert not set(left) & {"dim_calendar", "dq_freshness"}
    assert house.rows("SELECT max(day) FROM dim_calendar") == [(date(2026, 4, 29),)]
    assert house.build(full=True).digest == digest


def test_nothing_but_changes_moves_devices_and_backlog_while_the_clock_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A2 waits on in its group, at its device, which a late report of A1 of another group leaves alone."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20", facility="WEST", station="WCT01"),
        *exam("A2", "2026-03-02 10:00", "2026-03-02 10:20", mrn="2"),
        *exam("A3", "2026-03-05 10:00", "2026-03-05 10:20", mrn="3", final="2026-03-05 12:30"),
    )
    moved: list[list[tuple[Any, ...]]] = []
    derived = build_scope.derive_scopes

    def watched(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
        derived(con, anew)
        told = """
            SELECT facility, CAST('backlog' AS VARCHAR) FROM touched_backlog UNION ALL
            SELECT device, 'device' FROM touched_device UNION ALL
            SELECT 'one', 'patient' FROM touched_patient"""
        moved.append(sorted(con.execute(told).fetchall()))

    monkeypatch.setattr(build_fold, "derive_scopes", watched)
    late = (
        report("2026-03-03 11:00", "A1", facility="WEST", message_at="2026-03-05 12:00"),
        event("final_report", "2026-03-03 11:00", "A1", facility="WEST", origin="report"),
    )
    digest = night(house, *late)
    assert moved == [[("WEST", "backlog")]]
    assert house.build(full=True).digest == digest
    moved.clear()
    digest = night(house, *exam("A4", "2026-03-05 14:00", "2026-03-05 14:20", mrn="4"))
    assert {("NORTH", "backlog"), ("W-CT1", "device"), ("N-CT1", "device"), ("one", "patient")} <= set(moved[0])
    assert house.build(full=True).digest == digest


def test_what_is_declared_and_imported_late_moves_prior_cases(tmp_path: Path) -> None:
    said = {"outside_prior": "HELD", "outside_modality": "CT", "outside_body_part": "HEAD"}
    cases = "SELECT availability FROM fct_prior_case"
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20"), *exam("A2", "2026-03-03 10:00", "2026-03-03 10:20")
    )
    assert house.rows(cases) == []
    digest = night(house, order("2026-03-02 09:00", "A1", **said))
    assert house.rows(cases) == [("held",)]
    assert house.build(full=True).digest == digest
    digest = night(
        house,
        image("x1", "2025-12-20 10:00", None, study_uid="7.1", imported_at="2026-03-03 08:00", procedure_code="CTH"),
        event("images_imported", "2026-03-03 08:00", None, origin="image", study_uid="7.1"),
    )
    assert house.rows(cases) == [("held",)]
    assert house.build(full=True).digest == digest
    digest = night(house, event("images_imported", "2026-03-01 10:00", None, origin="image", study_uid="7.1"))
    assert house.rows(cases) == [("imported",)]
    assert house.build(full=True).digest == digest
