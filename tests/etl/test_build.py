"""The marts depend on the set of raw rows only: not on batches, order, interruption or the way they were derived."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl import build_fold
from etl.build import _report, build
from etl.build_digest import recount
from etl.errors import CheckFailedError
from etl.standing import BuildReport
from tests.conftest import REPO
from tests.raw_rows import Row, link
from tests.warehouse import Choices, Warehouse, event, exam, image, order, report

DAY = "2026-03-02"


def varied_rows() -> list[Row]:
    """Twelve exams of four patients with images, rejects, repeats, merges, corrections, cancels and late words."""
    rows: list[Row] = []
    for number in range(12):
        day, hour = 2 + number // 4, 9 + 2 * (number % 4)
        start, end = f"2026-03-{day:02d} {hour:02d}:10", f"2026-03-{day:02d} {hour:02d}:40"
        mrn, accession = str(number % 4), f"A{number}"
        facility, station = ("WEST", "WCT01") if number % 5 == 4 else ("NORTH", "NCT01")
        final = f"2026-03-{day:02d} {hour + 2:02d}:00" if number % 3 else None
        rows += exam(accession, start, end, mrn=mrn, facility=facility, station=station, final=final, priority="S",
                     ordered=f"2026-03-{day:02d} 08:00", placer_id=f"P{number}", study_uid=f"9.{number}",
                     procedure_code="CTH" if facility == "NORTH" else "HEAD", outside_prior="none")  # fmt: skip
        rows.append(image(f"h{number}", start, None, mrn=mrn, study_uid=f"9.{number}", series_uid=f"8.{number}",
                          facility=facility))  # fmt: skip
    rows += [
        event("cancelled", f"{DAY} 20:00", "A3", mrn="3", origin="order"),
        event("cancelled", f"{DAY} 20:00", "A13", mrn="1", origin="order"),
        order(f"{DAY} 19:00", "A13", mrn="1"),
        report(f"{DAY} 21:00", "A1", status="corrected"),
        event("corrected_report", f"{DAY} 21:00", "A1", origin="report"),
        link("same", "0", "E0"), link("same", "1", "E0"),
        link("merge", "2", "3", "2026-03-04"),
        ("charge", {"source": "BILL", "facility_alias": "NORTH", "accession": "A1", "charge_code": "C1",
                    "quantity": 2.0, "at": "2026-03-05", "message_id": "m1"}),
        ("reject", {"source": "PACS", "facility_alias": "NORTH", "study_uid": "9.2", "sop_hash": "h2",
                    "series_uid": "8.2", "reason_code": "111209", "at": "2026-03-02 13:20"}),
        event("arrived", f"{DAY} 07:00", None, mrn="1", origin="adt", visit_id="V1"),
        order(f"{DAY} 08:01", "A1", mrn="1", visit_id="V1"),
    ]  # fmt: skip
    return rows


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


def test_incremental_is_full_whatever_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = varied_rows()
    digests = set()
    for seed, n_batches in ((1, 1), (2, 5), (3, 3)):
        chance = random.Random(seed)  # noqa: S311
        monkeypatch.setattr("etl.build.FEW_MESSAGES", 0 if seed == 3 else 1_000)  # in as many threads as there are
        (tmp_path / str(seed)).mkdir()
        house = Warehouse(tmp_path / str(seed))
        shuffled = chance.sample(rows, len(rows))
        for batch in range(n_batches):
            house.load(*shuffled[batch::n_batches])
            report_ = house.build()
        digests.add(report_.digest)
        full = house.build(full=True)
        assert full.is_full
        digests.add(full.digest)
    assert len(digests) == 1


def test_parts_of_the_exams_change_nothing(tmp_path: Path) -> None:
    """One exam a part, and one batch a step of identity; exams that share a study stay together."""
    rows = [
        *varied_rows(),
        order(f"{DAY} 08:00", "B1", mrn="0", study_uid="9.0"),
        report(f"{DAY} 18:00", "B1", mrn="0", study_uid="9.0"),
    ]
    digests = set()
    for part_exams in (1_000_000, 1):
        (tmp_path / str(part_exams)).mkdir()
        house = Warehouse(tmp_path / str(part_exams), Choices(part_exams=part_exams))
        for batch in range(5):
            house.load(*rows[batch::5])
        with duckdb.connect(str(house.intake)) as con:
            con.execute("INSERT INTO raw_batch (batch_id, n_kept) SELECT range + 1, 10 FROM range(5)")
        told: list[str] = []
        built = build(house, progress=lambda name, done, of, told=told: told.append(f"{name} {done}/{of}"))
        assert told[-1].endswith(f" {len(told)}/{len(told)}")
        parts = len([line for line in told if line.startswith("fct_exam ")])
        assert (parts == 1) == (part_exams > 1), parts
        house.load(event("addendum", f"{DAY} 22:00", "A1", origin="report"), order(f"{DAY} 08:05", "B1", mrn="0"))
        digests |= {built.digest, house.build().digest}
        assert house.build(full=True).digest in digests
    assert len(digests) == 2


def test_stored_digests_are_those_of_the_rows(warehouse: Warehouse) -> None:
    rows = varied_rows()
    warehouse.load(*rows[::2])
    warehouse.build()
    warehouse.load(*rows[1::2])
    warehouse.build()
    stored = {name: (n, int(digest)) for name, n, digest in warehouse.rows("FROM meta_table")}
    with duckdb.connect(str(warehouse.marts), read_only=True) as con:
        assert recount(con, sorted(stored)) == stored
    assert stored["fct_exam"][0] == 13


def test_building_twice_changes_nothing(warehouse: Warehouse) -> None:
    warehouse.load(*varied_rows())
    first, again = warehouse.build(), warehouse.build()
    assert (again.digest, again.touched, again.is_full) == (first.digest, 0, False)


def test_without_exams_the_marts_are_empty(warehouse: Warehouse) -> None:
    empty = warehouse.build()
    assert (empty.n_exams, empty.data_through) == (0, None)
    warehouse.load(event("arrived", f"{DAY} 07:00", None, mrn=None))
    assert warehouse.build().n_exams == 0


def test_a_duplicate_of_every_row_changes_nothing(warehouse: Warehouse) -> None:
    rows = varied_rows()
    warehouse.load(*rows)
    once = warehouse.build()
    warehouse.load(*rows)
    assert warehouse.build().digest == once.digest


def test_a_changed_site_is_taken_up_without_new_batches(warehouse: Warehouse) -> None:
    warehouse.load(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30", final=f"{DAY} 16:00"))
    warehouse.build()
    path = warehouse.site / "targets.csv"
    path.write_text(path.read_text("utf-8").replace("2880", "10"), "utf-8")
    assert warehouse.build().is_full
    assert warehouse.row("SELECT target_min, is_within_target FROM fct_exam") == (10.0, False)


CORE: list[tuple[str, str, str]] = [
    ("ordered", "08:00", "order"), ("arrived", "08:30", "ris"), ("exam_started", "09:00", "ris"),
    ("exam_ended", "09:20", "ris"), ("preliminary_report", "10:00", "report"), ("final_report", "11:00", "report"),
]  # fmt: skip


def test_all_720_orders_of_the_six_core_events_give_one_row(warehouse: Warehouse) -> None:
    """Exam k receives its six events over six builds in the k-th order."""
    orders = list(itertools.permutations(CORE))
    for step in range(6):
        warehouse.load(
            *(
                event(code, f"{DAY} {clock}", f"A{number}", mrn=str(number), origin=origin)
                for number, sequence in enumerate(orders)
                for code, clock, origin in [sequence[step]]
            )
        )
        warehouse.build()
    answers = warehouse.rows("""
        SELECT count(*), ordered_at, arrived_at, exam_started_at, exam_ended_at, first_prelim_at, first_final_at,
               wait_min, exam_duration_min, report_final_min, is_countable
        FROM fct_exam GROUP BY ALL""")
    assert len(answers) == 1
    assert answers[0][0] == 720
    assert answers[0][-4:] == (30.0, 20.0, 100.0, True)


KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from etl.build import _report, build
from tests.warehouse import Warehouse
house = Warehouse(Path(sys.argv[1]))
def killed_at(wanted):
    def step(name, number, of):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
    build(house, full=sys.argv[2] == "full", progress=step)
for wanted in sys.argv[3:]:
    pid = os.fork()
    if not pid:
        killed_at(wanted)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_killed_anywhere_the_next_build_gives_the_clean_digest(tmp_path: Path) -> None:
    rows = varied_rows()
    (tmp_path / "clean").mkdir()
    clean = Warehouse(tmp_path / "clean")
    clean.load(*rows)
    digest = clean.build().digest
    (tmp_path / "hurt").mkdir()
    hurt = Warehouse(tmp_path / "hurt")
    hurt.load(*rows[: len(rows) // 2])
    hurt.build()
    hurt.load(*rows[len(rows) // 2 :])
    kill_at(("device_by_serial", "fct_exam", "fct_device_hour", "dq_identity"), hurt, "new")
    assert hurt.build().digest == digest


@pytest.mark.parametrize("step", ["fct_exam", "dq_identity"])
def test_a_full_build_that_is_killed_leaves_the_old_marts_and_the_next_one_removes_its_file(
    step: str, tmp_path: Path
) -> None:
    house = Warehouse(tmp_path)
    house.load(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30"), *exam("A2", f"{DAY} 16:00", f"{DAY} 16:30"))
    digest = house.build().digest
    kill_at((step,), house, "full")
    assert house.marts.with_name("marts.duckdb.new").exists()
    assert house.row("SELECT count(*) FROM fct_exam") == (2,)
    assert house.build().digest == digest
    assert sorted(path.name for path in tmp_path.glob("marts*")) == ["marts.duckdb"]


def kill_at(steps: tuple[str, ...], house: Warehouse, how: str) -> None:
    """Kill a build at each step in turn, in processes of their own that are forked with the modules loaded."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(house.root), how, *steps], cwd=REPO, check=True,
                          capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(REPO)})  # fmt: skip
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(steps)


def test_what_a_full_build_stages_goes_with_each_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the memory and the disk that it needs do not grow with the parts."""
    house, held = Warehouse(tmp_path, Choices(part_exams=5)), []
    for number in range(30):
        house.load(*exam(f"A{number}", f"{DAY} 15:00", f"{DAY} 15:30"))
    staged = build_fold.Fold._stage

    def stage(fold: build_fold.Fold, model: Any) -> None:
        staged(fold, model)
        if model.name == "stg_exam_fact":
            fold.con.execute("CREATE OR REPLACE TEMP TABLE heavy AS SELECT hash(range) FROM range(1000000)")
            held.append(fold.con.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()[0][0])

    monkeypatch.setattr(build_fold.Fold, "_stage", stage)
    assert house.build().n_exams == 30
    assert len(held) > 4
    assert held[-1] < held[0] + 12_000_000, "what one part staged is still held"


def test_a_night_is_in_the_file_when_it_has_committed(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.built(*varied_rows())
    logged = []

    def watched(con: duckdb.DuckDBPyConnection, touched: int, *, is_full: bool) -> BuildReport:
        log = warehouse.marts.with_name(f"{warehouse.marts.name}.wal")
        logged.append(log.stat().st_size if log.exists() else 0)
        return _report(con, touched, is_full=is_full)

    monkeypatch.setattr("etl.build._report", watched)
    warehouse.load(*exam("A77", "2026-03-09 10:00", "2026-03-09 10:20"))
    assert not warehouse.build().is_full
    assert logged == [0]


def test_a_failed_check_keeps_the_old_marts(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.load(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30"))
    before = warehouse.build()
    warehouse.load(*exam("A2", f"{DAY} 16:00", f"{DAY} 16:30"))
    monkeypatch.setattr("etl.build_checks.read_checks", lambda: {"no_exams": "SELECT 1 FROM fct_exam"})
    with pytest.raises(CheckFailedError, match="no_exams: 2 rows"):
        warehouse.build()
    assert warehouse.row("SELECT count(*) FROM fct_exam") == (1,)
    monkeypatch.undo()
    after = warehouse.build()
    assert (after.n_exams, after.digest != before.digest) == (2, True)


def test_a_row_that_no_build_made_fails_the_next_one(warehouse: Warehouse) -> None:
    """At night checks look at new rows; the number of all rows tells that the others are those of before."""
    warehouse.load(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30"))
    warehouse.build()
    with duckdb.connect(str(warehouse.marts)) as con:
        con.execute("INSERT INTO fct_exam BY NAME SELECT 'x' AS exam_key")
    warehouse.load(*exam("A2", f"{DAY} 16:00", f"{DAY} 16:30"))
    with pytest.raises(CheckFailedError, match="rows of fct_exam: 3 instead of 2"):
        warehouse.build()
    assert warehouse.build(full=True).n_exams == 2


def test_no_identifier_reaches_the_marts(tmp_path: Path) -> None:
    """Accession, MRN, name and UIDs are pseudonyms; the file holds none of them."""
    house = Warehouse(tmp_path, Choices(publish_accession=False))
    house.built(
        *exam("ACC4711", f"{DAY} 15:00", f"{DAY} 15:30", mrn="MRN4711", final=f"{DAY} 16:00", placer_id="PLC4711",
              visit_id="VIS4711"),
        image("SOP4711", f"{DAY} 15:05", "ACC4711", mrn="MRN4711", study_uid="1.4711", operator="Smith^Operator4711"),
    )  # fmt: skip
    content = house.marts.read_bytes()
    assert [what for what in (b"4711", b"Doe") if what in content] == []
    assert house.row("SELECT length(accession), length(patient_key) FROM fct_exam") == (24, 24)


def test_names_are_published_only_where_the_site_says_so(tmp_path: Path) -> None:
    rows = exam("A1", f"{DAY} 15:00", f"{DAY} 15:30", final=f"{DAY} 16:00")
    labels = []
    for publish in (False, True):
        (tmp_path / str(publish)).mkdir()
        house = Warehouse(tmp_path / str(publish), Choices(publish_names=publish)).built(*rows)
        labels.append(house.row("SELECT label FROM dim_radiologist")[0])
    assert labels[0].startswith("Radiologist ")
    assert labels[1] == "Doe^Jo"
