"""The facts equal the truth row by row: what the simulator says can be read is what the pipeline has read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sql.query import rows
from tests.truth.recompute_workload import graded_pairs
from tests.truth.world import MESSAGES_ONLY, World

Row = dict[str, Any]
#: Columns of fct_exam that the truth has under the same name.
SAME = """ordered_at booked_at scheduled_at door_at arrived_at exam_started_at exam_ended_at
    images_available_at read_started_at
    first_prelim_at last_prelim_at first_final_at last_final_at critical_found_at critical_communicated_at device
    modality procedure procedure_local region laterality contrast service_line n_addenda n_corrections n_images
    n_rejected is_cancelled is_no_show is_discontinued
    discontinued_reason is_declared_repeat has_study has_order has_report""".split()  # noqa: SIM905
LIMIT = 100_000


def facts(world: World, table: str, *columns: str) -> list[Row]:
    """Rows of a published table; `exam_key` becomes (facility, accession)."""
    found = rows(world.snapshot, table, columns=columns, limit=LIMIT).to_dicts()
    for row in found:
        for name in row.keys() & {"exam_key", "prior_exam_key"}:
            row[name] = world.exams[row[name]]
    return found


def key(row: Row) -> tuple[str, str]:
    return row["facility"], row["accession"]


def test_exams(world: World) -> None:
    columns = ("exam_key", "accession", *SAME, "wrvu", "priority", "patient_class", "is_imported")
    ours = {row["exam_key"]: row for row in facts(world, "fct_exam", *columns) if not row["is_imported"]}
    told = {key(row): row for row in world.department.exams}
    assert ours.keys() == told.keys()
    wrong = [(k, name, told[k][name], ours[k][name]) for k in told for name in SAME if told[k][name] != ours[k][name]]
    assert wrong == []
    assert {k: row["wrvu"] for k, row in ours.items()} == {k: pytest.approx(row["wrvu"]) for k, row in told.items()}
    for name in ("priority", "patient_class"):  # the department gives them the words of the warehouse
        assert {k: row[name] for k, row in ours.items()} == {k: row[name] for k, row in told.items()}


def test_people(world: World) -> None:
    """Patients and readers of the truth are those of the warehouse, one to one."""
    ours = {
        row["exam_key"]: row for row in facts(world, "fct_exam", "exam_key", "patient_key", "radiologist", "assistant")
    }
    for theirs, name in (("patient", "patient_key"), ("interpreter", "radiologist"), ("assistant", "assistant")):
        pairs = {(row[theirs], ours[key(row)][name]) for row in world.department.exams}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}), name


def test_grades(world: World) -> None:
    """NORTH grades what its trainees read; EAST's drafts are signed by those who wrote them, and are no pairs."""
    pairs = graded_pairs(world.department)
    expected = {key(row): row["discrepancy"] for row in pairs}
    assert {row["exam_key"]: row["grade"] for row in facts(world, "fct_discrepancy", "exam_key", "grade")} == expected
    told = {(facility, grade) for (facility, _), grade in expected.items()}
    assert told == {("NORTH", "none"), ("NORTH", "minor"), ("NORTH", "major"), ("NORTH", None)}
    assert "EAST" in {exam["facility"] for exam in world.department.exams if exam["first_prelim_at"] is not None}


#: Truth table -> its columns, table of the warehouse, its columns.
TABLES: dict[str, tuple[str, str, str]] = {
    "session": ("device started_at ended_at n_exams", "fct_device_busy",
                "device busy_started_at busy_ended_at n_exams"),
    "appointment": ("exam slot_at duration_min status device", "fct_appointment",
                    "exam_key slot_at duration_min status booked_device"),
    "repeat": ("exam prior kind", "fct_repeat", "exam_key prior_exam_key kind"),
    "prior_case": ("exam availability is_repeated", "fct_prior_case", "exam_key availability is_repeated"),
    "reject": ("exam device reason view at", "fct_image_reject", "exam_key device reason_code view rejected_at"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_other_facts(world: World, name: str) -> None:
    theirs, table, ours = TABLES[name]
    told = world.department.truth(name)
    for row in told:
        row["exam"] = key(row) if "accession" in row else None
        row["prior"] = (row["prior_facility"], row["prior_accession"]) if "prior_accession" in row else None
    expected = Counter(tuple(row[c] for c in theirs.split()) for row in told)
    found = Counter(tuple(row[c] for c in ours.split()) for row in facts(world, table, *ours.split()))
    assert bool(expected) != (MESSAGES_ONLY and name == "reject")  # only rejection notes tell of rejects
    assert (expected - found, found - expected) == (Counter(), Counter())
