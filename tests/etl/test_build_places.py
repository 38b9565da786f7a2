"""Where a night looks for the rows of exams: in the stretches that were written with them, wherever the engine moves
them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from etl import intake
from etl.build_models import plan_build
from etl.build_places import settle
from tests.slow import first_of
from tests.warehouse import Choices, Warehouse, event, exam, order, report

MARTS = tuple(model.name for model in plan_build().exam_marts)
#: Rows of a mart that lie in no stretch of the derivation of their exam.
ASTRAY = """
    SELECT count(*) FROM {mart} r WHERE NOT EXISTS (
        SELECT 1 FROM fct_exam e
        JOIN meta_place w ON w.mart = 'fct_exam' AND w.since <= e.rowid AND w.upto > e.rowid
        JOIN (SELECT number, number AS written FROM meta_place UNION FROM meta_moved) v ON v.number = w.number
        JOIN meta_place p ON p.mart = '{mart}' AND p.number = v.written AND p.since <= r.rowid AND p.upto > r.rowid
        WHERE e.exam_key = r.exam_key)"""


def astray(house: Warehouse) -> dict[str, int]:
    with duckdb.connect(str(house.marts)) as con:
        settle(con)
        told = {mart: int(con.execute(ASTRAY.format(mart=mart)).fetchall()[0][0]) for mart in MARTS}
    return {mart: n for mart, n in told.items() if n}


def n_known(house: Warehouse) -> int:
    return int(house.row("SELECT count(DISTINCT number) FROM meta_place")[0])


@pytest.mark.parametrize("batches", first_of([1000, 1]), ids=["as written", "tidied"])
def test_old_rows_lie_where_their_exam_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """Exams of all ages change night by night, and one night deletes the last rows of a mart without a new one."""
    monkeypatch.setattr(intake, "TIDY_BATCHES", batches)
    house = Warehouse(tmp_path, Choices(part_exams=2))
    for n in range(6):
        house.load(*exam(f"A{n}", f"2026-03-0{n + 1} 10:00", f"2026-03-0{n + 1} 10:20"))
    house.build()
    assert n_known(house) > 1
    for n in range(6):
        told = f"2026-04-0{n + 1} 08:00"
        house.load(
            *exam(f"B{n}", f"2026-04-0{n + 1} 10:00", f"2026-04-0{n + 1} 10:20"),
            order(told, f"A{n}"), event("protocoled", told, f"A{5 - n}", message_at=told),
            report(f"2026-04-0{n + 1} 11:00", f"B{n // 2}", interpreter_id="R2"),
        )  # fmt: skip
        night = house.build()
        assert not night.is_full
        assert astray(house) == {}
    assert house.build(full=True).digest == night.digest


def test_rows_of_which_nothing_is_known_are_looked_for_everywhere(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(*exam("A1", "2026-03-02 10:00", "2026-03-02 10:20"))
    with duckdb.connect(str(house.marts)) as con:
        settle(con)
        con.execute("UPDATE meta_place SET upto = upto - 1 WHERE mart = 'fct_exam_event'")
        settle(con)
        assert con.execute("SELECT count(*) FROM meta_place").fetchall() == [(0,)]
    for n in (2, 3):
        house.load(*exam(f"A{n}", "2026-03-03 10:00", "2026-03-03 10:20"), order("2026-03-01 08:00", "A1"))
        night = house.build()
        assert not night.is_full
    assert house.build(full=True).digest == night.digest
