"""What lies exactly on a limit, by hand. Monday 2026-03-02; New York is UTC-5."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sql.catalog import Catalog
from tests.raw_rows import Row
from tests.warehouse import Warehouse, event, exam, order

#: Targets of a test that is about their days.
TARGETS = """metric,facility,modality,priority,patient_class,target,unit,source,valid_from,valid_to
report_final,NORTH,,,,60,min,test,,2026-03-03
report_final,,,,,120,min,test,,
critical_communication:RED,NORTH,,,,30,min,test,,2026-03-03
critical_communication:RED,,,,,60,min,test,,"""


@pytest.fixture
def house(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


def test_the_first_of_two_orders_is_the_order(house: Warehouse) -> None:
    house.built(
        order("2026-03-02 08:00"), event("ordered", "2026-03-02 08:00", origin="order"),
        order("2026-03-02 08:30"), event("ordered", "2026-03-02 08:30", origin="order"),
    )  # fmt: skip
    assert house.row("SELECT ordered_at FROM fct_exam") == (datetime(2026, 3, 2, 8),)


@pytest.mark.parametrize(("begins", "is_turnover"), [("15:00", True), ("15:01", False)])
def test_a_gap_of_an_hour_is_turnover(house: Warehouse, begins: str, is_turnover: bool) -> None:
    house.built(
        *exam("A1", "2026-03-02 13:40", "2026-03-02 14:00", mrn="1"),
        *exam("B1", f"2026-03-02 {begins}", "2026-03-02 15:10", mrn="2"),
    )
    assert house.rows("SELECT is_turnover FROM fct_device_busy ORDER BY busy_started_at") == [(False,), (is_turnover,)]


@pytest.mark.parametrize(("begins", "is_on_time"), [("13:15", True), ("13:16", False)])
def test_fifteen_minutes_after_opening_are_on_time(house: Warehouse, begins: str, is_on_time: bool) -> None:
    house.built(*exam("A1", f"2026-03-02 {begins}", "2026-03-02 13:30"))
    found = house.rows("SELECT is_on_time FROM fct_device_day WHERE first_started_local IS NOT NULL")
    assert found == [(is_on_time,)]


@pytest.mark.parametrize(("begins", "is_repeated"), [("08:59", True), ("09:00", False)])
def test_thirty_days_after_a_prior_was_told_nothing_repeats_it(
    house: Warehouse, begins: str, is_repeated: bool
) -> None:
    """The exam of which it was told is of another kind, and so none of its repeats."""
    told = {"outside_prior": "held", "outside_modality": "CT", "outside_body_part": "HEAD"}
    chest = {"procedure_code": "CXR", "modality": "DX", "station": "NDX01"}
    house.built(
        *exam("P1", "2026-03-02 12:00", "2026-03-02 12:30", ordered="2026-03-02 09:00", **chest, **told),
        *exam("P2", f"2026-04-01 {begins}", "2026-04-01 09:20"),
    )
    assert house.row("SELECT is_repeated FROM fct_prior_case") == (is_repeated,)


#: Found, told, and whether that is in time.
CRITICAL = (
    ("2026-03-02 14:00:00", "2026-03-02 14:30:00", 1), ("2026-03-02 14:00:00", "2026-03-02 14:30:01", 0),
    ("2026-03-03 04:59:59", "2026-03-03 05:30:00", 0),  # the second of the facility, by which the limit is 30 min
    ("2026-03-03 05:00:00", "2026-03-03 06:00:00", 1),  # its third: 60 min
)  # fmt: skip


def critical(name: str, found: str, told: str) -> list[Row]:
    return [
        *exam(name, "2026-03-02 13:10", "2026-03-02 13:25", mrn=name),
        event("critical_found", found, name, mrn=name, origin="report", detail="RED"),
        event("critical_communicated", told, name, mrn=name, origin="report", detail="RED"),
    ]


def test_a_critical_result_on_its_limit_is_in_time(house: Warehouse) -> None:
    (house.site / "targets.csv").write_text(TARGETS + "\n", "utf-8")
    house.built(*(row for n, (found, told, _) in enumerate(CRITICAL) for row in critical(f"A{n}", found, told)))
    known = "(SELECT TIMESTAMP '2026-04-01' AS data_through)"
    body = Catalog.load().metrics["critical_communication"].body.replace("meta_snapshot", known)
    for n, (*_, numerator) in enumerate(CRITICAL):
        assert house.row(f"SELECT numerator FROM ({body} AND e.accession = 'A{n}')") == (numerator,), n


def test_a_target_ends_with_the_day_before_it_is_no_longer_valid(house: Warehouse) -> None:
    """Days are those of the facility: 05:00 UTC is its midnight."""
    (house.site / "targets.csv").write_text(TARGETS + "\n", "utf-8")
    house.built(*exam("A1", "2026-03-03 04:30", "2026-03-03 04:59"),
                *exam("A2", "2026-03-03 04:30", "2026-03-03 05:00", mrn="2"))  # fmt: skip
    assert house.rows("SELECT target_min FROM fct_exam ORDER BY accession") == [(60.0,), (120.0,)]
