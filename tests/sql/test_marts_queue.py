"""Order of the worklists, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.raw_rows import Row, at
from tests.warehouse import Warehouse, event, exam

SITE_TARGETS = "report_final,,,stat,,60,min,test,,\nreport_final,,,routine,,1440,min,test,,\n"


def read(accession: str, ended: str, started: str | None, final: str, **columns: Any) -> list[Row]:
    """An exam of 10 minutes with its own patient; `started` is the begin of reading. Days are of March 2026."""
    days = [None if text is None else f"2026-03-{text}" for text in (ended, started, final)]
    rows = exam(accession, f"{days[0]}:00", f"{days[0]}:30", mrn=accession, final=days[2], **columns)
    if days[1]:
        rows.append(event("read_started", days[1], accession, mrn=accession, origin="report"))
    return rows


def turns(house: Warehouse) -> dict[str, tuple[int, int, float | None]]:
    """Accession -> exams it passed, reads that passed it by, delay in minutes."""
    found = house.rows("""
        SELECT e.accession, q.n_passed, q.n_passed_by, q.delay_min
        FROM fct_queue_read q JOIN fct_exam e USING (exam_key)
        ORDER BY q.taken_at""")
    return {row[0]: row[1:] for row in found}


@pytest.fixture
def house(tmp_path: Path) -> Warehouse:
    """Targets: stat an hour, routine a day, urgent none."""
    made = Warehouse(tmp_path)
    lines = (made.site / "targets.csv").read_text("utf-8").splitlines()[:1]
    (made.site / "targets.csv").write_text("\n".join([*lines, SITE_TARGETS]), "utf-8")
    return made


def test_one_due_sooner_waits_on(house: Warehouse) -> None:
    """B and C are begun before A, which is due sooner; without them A had come at 10:00, in the turn of B."""
    house.built(
        *read("A", "02 08:00", "02 10:40", "02 10:50"),
        *read("B", "02 09:00", "02 10:00", "02 10:10"),
        *read("C", "02 09:30", "02 10:20", "02 10:30"),
        *read("D", "02 07:00", "02 10:10", "02 10:15"),  # due before A: in order
    )
    assert turns(house) == {"B": (2, 0, None), "D": (0, 1, 10.0), "C": (1, 0, None), "A": (0, 2, 30.0)}


def test_a_stat_exam_may_go_first_but_not_before_one_that_is_long_due(house: Warehouse) -> None:
    house.built(
        *read("S1", "02 09:00", "02 09:10", "02 09:20", priority="S"),  # due 10:00:30; R1 the next morning
        *read("R1", "02 08:00", "03 09:30", "03 09:40"),                # due on the 3rd at 08:00:30
        *read("S2", "03 08:00", "03 09:00", "03 09:10", priority="S"),  # due at 09:00:30: R1 was due sooner
    )  # fmt: skip
    assert turns(house) == {"S1": (0, 0, None), "S2": (1, 0, None), "R1": (0, 1, 30.0)}


def test_without_a_target_by_arrival_within_the_priority(house: Warehouse) -> None:
    house.built(
        *read("U1", "02 08:00", "02 11:00", "02 11:10", priority="A"),
        *read("U2", "02 09:00", "02 10:00", "02 10:10", priority="A"),
        *read("R", "02 09:10", "02 10:30", "02 10:40"),  # has a target: no comparison
    )
    assert turns(house) == {"U2": (1, 0, None), "R": (0, 0, None), "U1": (0, 1, 60.0)}


def test_begins_and_ends_of_waiting(house: Warehouse) -> None:
    """Ready at its end or when its images are there; at its own begin it no longer waits; equally due is in order."""
    house.built(
        *read("A", "02 08:00", "02 10:00", "02 10:10"),
        *read("B", "02 08:30", "02 10:00", "02 10:12"),                # begun with A
        *read("C", "02 09:00", "02 09:30", "02 09:40"),                # images of A come a minute later
        event("images_available", "2026-03-02 09:31", "A", mrn="A", origin="ris"),
        event("images_available", "2026-03-02 09:30", "B", mrn="B", origin="ris"),
        *read("E", "02 08:30", "02 09:45", "02 09:50"),                # due with B, after A
    )  # fmt: skip
    assert turns(house) == {"C": (2, 0, None), "E": (1, 1, 15.0), "A": (0, 1, 15.0), "B": (0, 1, 0.0)}


def test_a_begin_that_is_not_told_is_ten_minutes_before_the_report(house: Warehouse) -> None:
    house.built(
        *read("A", "02 08:00", None, "02 10:10"),             # from 10:00
        *read("B", "02 08:30", "02 10:00", "02 10:02"),       # begun with A
        *read("C", "02 09:55", None, "02 10:01"),             # not before its end, 09:55:30: A waits
        *read("D", "02 11:00", "02 10:59", "02 11:30"),       # begun before its end: no turn
    )  # fmt: skip
    assert turns(house) == {"C": (2, 0, None), "A": (0, 1, 4.5), "B": (0, 1, 0.0)}
    assert house.rows("SELECT taken_at FROM fct_queue_read WHERE n_passed = 2") == [(at("2026-03-02 09:55:30"),)]


@pytest.mark.parametrize(("begun", "passed"), [("09 08:00:29", 1), ("09 08:00:30", 0)])
def test_left_for_seven_days_is_not_waiting(house: Warehouse, begun: str, passed: int) -> None:
    house.built(*read("A", "02 08:00", begun, "09 12:00"), *read("B", "08 08:00", "08 09:00", "08 09:10"))
    assert [(row[0], row[1]) for row in turns(house).values()] == [(passed, 0), (0, passed)]
    assert house.row("SELECT count(*) FROM fct_queue_read WHERE is_queued") == (1 + passed,)


def test_other_facilities_and_lines_are_other_worklists(house: Warehouse) -> None:
    house.built(
        *read("A", "02 08:00", "02 11:00", "02 11:10"),
        *read("B", "02 09:00", "02 10:00", "02 10:10", facility="WEST", station="WCT01", procedure_code="HEAD"),
        *read("C", "02 09:00", "02 10:30", "02 10:40", procedure_code="CXR", modality="DX", station="NDX01"),
    )
    assert turns(house) == {"B": (0, 0, None), "C": (0, 0, None), "A": (0, 0, None)}


def test_an_exam_that_comes_late_changes_the_turns_behind_it_only(house: Warehouse) -> None:
    house.built(
        *read("A", "02 08:00", "02 11:00", "02 11:10"),
        *read("C", "02 09:00", "02 12:00", "02 12:10"),
        *read("E", "02 08:20", "02 08:40", "02 08:50"),  # before all that changes, and still counts
    )
    house.built(*read("B", "02 09:30", "02 10:00", "02 10:10"))
    told = {"E": (1, 0, None), "B": (2, 0, None), "A": (0, 2, 140.0), "C": (0, 1, 60.0)}
    assert turns(house) == told
    assert house.build().digest == house.build(full=True).digest
    assert turns(house) == told
