"""Texts of procedure names that patients share: counted batch by batch as all raw rows counted at once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.build_tables import SHARED_BY
from etl.identity_names import NAMING
from tests.raw_rows import Row, link
from tests.slow import first_of
from tests.warehouse import Warehouse, common, event, exam, order, report

DAY = "2026-03-02"


def counted(house: Warehouse) -> list[tuple[Any, ...]]:
    """Patients by name from all raw rows."""
    rows = " UNION ALL ".join(
        f"SELECT upper(trim(facility_alias)) AS alias, nullif(procedure_code, '') AS code, "
        f"trim(procedure_text) AS text, patient_authority, patient_id FROM raw_{record} WHERE procedure_text <> ''"
        for record in NAMING
    )
    with duckdb.connect(str(house.intake), read_only=True) as con:
        return con.execute(f"""
            SELECT CASE alias WHEN 'NGH' THEN 'NORTH' WHEN 'NORTH' THEN 'NORTH' WHEN 'WEST' THEN 'WEST'
                       ELSE 'unmapped' END AS facility, code, text, count(DISTINCT (patient_authority, patient_id))
            FROM ({rows}) GROUP BY ALL ORDER BY ALL""").fetchall()


def kept(house: Warehouse) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(house.intake), read_only=True) as con:
        return con.execute("SELECT facility, code, text, n_patients FROM work.name_text ORDER BY ALL").fetchall()


def named_rows(chance: random.Random) -> list[Row]:
    """Orders, reports and bookings of few patients with few names, told by facilities under several names."""
    rows: list[Row] = []
    for number in range(120):
        who = {"mrn": chance.choice(["1", "2", "3", "4", "5", "6", "", None]),
               "facility": chance.choice(["NORTH", "ngh", "WEST", "ELSEWHERE"])}  # fmt: skip
        name = {"procedure_code": chance.choice(["CTH", "", None]),
                "procedure_text": chance.choice(["CT HEAD", " CT HEAD ", "ct head", "KNEE", "", None])}  # fmt: skip
        make = chance.choice([order, report])
        rows.append(make(f"{DAY} 08:00", f"A{number}", **who, **name))
        if number % 4 == 0:
            rows.append(("appointment", {**common(f"A{number}", who["mrn"], who["facility"]), **name,
                                         "appointment_id": f"B{number}", "message_at": f"{DAY} 08:00"}))  # fmt: skip
    return rows


@pytest.mark.parametrize("n_batches", first_of([4, 1, 12]))
def test_batches_count_what_all_rows_count(tmp_path: Path, n_batches: int) -> None:
    chance = random.Random(n_batches)  # noqa: S311
    house, rows = Warehouse(tmp_path), named_rows(chance)
    chance.shuffle(rows)
    for batch in range(n_batches):
        house.load(*rows[batch::n_batches], *chance.sample(rows, 3))
        if batch % 3 == 0:
            house.build()
    # Who is one with whom, which of its messages are void and what is told again changes no count of what was sent.
    house.load(link("merge", "1", "2"), link("merge", "3", "4", authority="WEST"), *rows[:9],
               event("cancelled", f"{DAY} 20:00", "A3", mrn="3", origin="order"))  # fmt: skip
    night = house.build()
    told = kept(house)
    assert told == counted(house)
    assert {facility for facility, *_ in told} == {"NORTH", "WEST", "unmapped"}
    assert max(n for *_, n in told) >= SHARED_BY > min(n for *_, n in told)
    assert house.build(full=True).digest == night.digest
    assert kept(house) == told


def test_a_text_is_published_once_the_fifth_patient_has_it(tmp_path: Path) -> None:
    """Each patient is told in a batch of its own, and one of them twice."""
    house, text = Warehouse(tmp_path), "SELECT text FROM dq_procedure_name WHERE code = 'ODD'"
    name = {"procedure_code": "ODD", "procedure_text": "ODD THING"}
    for number in range(SHARED_BY - 1):
        house.load(*exam(f"A{number}", f"{DAY} 15:00", f"{DAY} 15:30", mrn=str(number), **name))
        house.build()
    house.load(report(f"{DAY} 18:00", "A0", mrn="0", **name))  # a patient counted already
    house.build()
    assert house.row(text) == (None,)
    house.load(order(f"{DAY} 18:00", "A99", mrn="99", **name))
    night = house.build()
    assert house.row(f"SELECT max(text), count(DISTINCT text) FROM ({text})") == ("ODD THING", 1)
    assert house.build(full=True).digest == night.digest
