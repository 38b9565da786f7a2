"""Where a night looks for the rows that it makes again: stretches of days, and what touched exams have in common."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from etl import intake
from etl.build_models import read_build_models
from etl.build_ranges import derive_ranges
from etl.build_scope import in_scope, stretches
from tests.raw_rows import Row, link
from tests.slow import slow
from tests.warehouse import Warehouse, event, exam, image, order, report

DAY = date(2026, 3, 1)


def days(*spans: tuple[int, int | None]) -> list[tuple[date, date | None]]:
    return [(DAY + timedelta(days=since), None if end is None else DAY + timedelta(days=end)) for since, end in spans]


def moved(kind: str, at: str, *, mrn: str) -> Row:
    """A room that a patient entered or left."""
    told = {"standard": "hl7", "source": "HIS@NORTH", "facility_alias": "NORTH", "message_at": at, "kind": kind}
    return "room_move", {**told, "patient_id": mrn, "patient_authority": "NORTH", "at": at, "room": "RAD^CT1"}


@pytest.mark.parametrize(
    ("told", "most", "held"),
    [
        ([], 3, []),
        ([(0, 1)], 3, [(0, 1)]),
        ([(0, 1), (1, 2), (2, 5), (3, 4)], 3, [(0, 5)]),
        ([(0, 1), (9, 11), (12, 13), (40, 41)], 3, [(0, 1), (9, 13), (40, 41)]),
        ([(0, 1), (9, 11), (12, 13), (40, 41)], 2, [(0, 13), (40, 41)]),
        ([(0, 1), (9, 11), (12, 13), (40, 41)], 1, [(0, 41)]),
        ([(0, 1), (9, None), (12, 13), (40, 41)], 3, [(0, 1), (9, None)]),
        ([(0, None)], 1, [(0, None)]),
    ],
)  # fmt: skip
def test_few_stretches_hold_all_days(
    told: list[tuple[int, int | None]], most: int, held: list[tuple[int, int | None]]
) -> None:
    assert stretches(days(*told), most) == days(*held)


def test_no_rows_are_looked_for_where_nothing_is_in_scope() -> None:
    (worklist,) = (model for model in read_build_models("marts") if model.name == "fct_queue_read")
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE touched_worklist(facility VARCHAR, service_line VARCHAR, from_at TIMESTAMP, to_at TIMESTAMP)"
    )
    assert in_scope(con, worklist) == "FALSE"
    con.execute("INSERT INTO touched_worklist VALUES ('NORTH', NULL, '2026-03-02 10:00', '2026-03-03 10:00')")
    assert "taken_at >= '2026-03-02'" in in_scope(con, worklist)


def test_reads_whose_reports_move_leave_nothing_where_they_were(tmp_path: Path) -> None:
    """A final report that was older, a preliminary one told late, and an exam whose order tells it another number."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20", final="2026-03-02 12:00"),
        *exam("A2", "2026-05-02 10:00", "2026-05-02 10:20", final="2026-05-02 15:00"),
        image("7.1", "2026-04-02 09:00", None, study_uid="9.1", facility_alias="NORTH"),
    )
    assert house.rows("SELECT hour(read_at) FROM fct_read ORDER BY read_at") == [(12,), (15,)]
    house.load(
        report("2026-03-02 11:00", "A1", interpreter_id="R2"),
        event("final_report", "2026-03-02 11:00", "A1", origin="report"),
        report("2026-05-02 13:00", "A2", status="preliminary", interpreter_id="R3"),
        event("preliminary_report", "2026-05-02 13:00", "A2", origin="report"),
        order("2026-04-02 08:00", "A3", study_uid="9.1"),
    )
    night = house.build()
    assert not night.is_full
    told = house.rows("SELECT hour(read_at) FROM fct_read ORDER BY read_at")
    assert told[0] == (11,)
    assert (12,) not in told
    assert house.row("SELECT count(*) FROM fct_exam") == (3,)
    assert house.build(full=True).digest == night.digest


def test_stays_and_repeats_of_old_leave_nothing_where_they_were(tmp_path: Path) -> None:
    """A stay around midnight, a departure alone and two repeats; then an arrival is taken back, two patients merge, and
    a third one comes again."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 03:00", "2026-03-02 03:20", mrn="1"),
        *exam("A2", "2026-04-02 10:00", "2026-04-02 10:20", mrn="1"),
        *exam("A3", "2026-05-02 10:00", "2026-05-02 10:20", mrn="2"),
        *exam("A4", "2026-06-02 10:00", "2026-06-02 10:20", mrn="3"),
        *exam("A5", "2026-06-12 10:00", "2026-06-12 10:20", mrn="3"),
        moved("entered", "2026-03-02 02:50", mrn="1"), moved("left", "2026-03-02 05:10", mrn="1"),
        moved("left", "2026-04-02 10:30", mrn="1"),
        moved("entered", "2026-05-02 09:50", mrn="2"), moved("left", "2026-05-02 10:30", mrn="2"),
        moved("entered", "2026-06-02 09:50", mrn="3"), moved("left", "2026-06-02 10:30", mrn="3"),
    )  # fmt: skip
    repeats = "SELECT round(days) FROM fct_repeat ORDER BY 1"
    assert house.row("SELECT count(*), count(entered_at) FROM fct_room_stay") == (4, 3)
    assert house.rows(repeats) == [(10,), (31,)]
    house.load(
        moved("not_entered", "2026-03-02 02:55", mrn="1"), link("merge", "1", "2"),
        *exam("A6", "2026-07-02 10:00", "2026-07-02 10:20", mrn="3"),
    )  # fmt: skip
    night = house.build()
    assert not night.is_full
    assert house.row("SELECT count(*), count(entered_at), count(DISTINCT mover_key) FROM fct_room_stay") == (4, 2, 2)
    assert house.rows(repeats) == [(10,), (20,), (30,), (31,)]
    assert house.build(full=True).digest == night.digest


@slow
def test_blocks_of_few_rows_are_made_one_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('fct_exam_event')"
    counts = []
    for batches in (1000, 1):
        monkeypatch.setattr(intake, "TIDY_BATCHES", batches)
        (tmp_path / str(batches)).mkdir()
        house = Warehouse(tmp_path / str(batches)).built(*exam("A0", "2026-03-02 10:00", "2026-03-02 10:20"))
        for n in range(1, 6):
            house.load(*exam(f"A{n}", f"2026-03-0{n + 2} 10:00", "2026-03-09 10:20"), order("2026-03-01 08:00", "A0"))
            assert not house.build().is_full
        counts.append(house.row(blocks)[0])
    assert counts[0] > counts[1]


def test_only_what_waits_otherwise_moves_backlog_and_worklists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two patients become one, which moves their exams but nothing that waited; then a report comes late."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-02 10:00", "2026-03-02 10:20", mrn="1", final="2026-03-02 12:00"),
        *exam("A2", "2026-05-02 10:00", "2026-05-02 10:20", mrn="2", final="2026-05-02 15:00"),
    )
    derived = []

    def watched(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
        derive_ranges(con, anew)
        told = "(SELECT count(*) FROM touched_patient), (SELECT count(*) FROM touched_worklist)"
        derived.append(con.execute(f"SELECT {told}").fetchall()[0])

    monkeypatch.setattr("etl.build_scope.derive_ranges", watched)
    patients = house.rows("SELECT DISTINCT patient_key FROM fct_exam")
    house.load(link("merge", "1", "2"))
    assert not house.build().is_full
    assert len(house.rows("SELECT DISTINCT patient_key FROM fct_exam")) == len(patients) - 1
    house.load(
        report("2026-03-02 11:00", "A1", interpreter_id="R2"),
        event("final_report", "2026-03-02 11:00", "A1", origin="report"),
    )
    night = house.build()
    assert [worklists for _, worklists in derived] == [0, 1]
    assert derived[0][0] > 0
    assert derived[1][0] == 0
    assert night.digest == house.build(full=True).digest
