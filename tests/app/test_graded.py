"""The card of graded preliminary reports: who is shown which groups, and who reports none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.context import Context
from app.guard import Person
from app.sections import graded
from app.state import State
from sql.snapshot import Snapshot
from tests.raw_rows import at
from tests.snapshots import snapshot_of


def pairs(modality: str, readers: str, grade: str | None = "minor", facility: str = "NORTH") -> list[dict[str, Any]]:
    """One graded report of each reader."""
    usual = {"facility": facility, "modality": modality, "grade": grade, "read_local": at("2026-03-02 03:00")}
    return [{"exam_key": f"{facility}{modality}{r}{grade}", "radiologist": r, **usual} for r in readers]


def house(tmp_path: Path, *rows: list[dict[str, Any]]) -> Snapshot:
    names = [{"facility": "NORTH", "facility_name": "Northgate"}, {"facility": "WEST", "facility_name": "Westlake"}]
    return snapshot_of(tmp_path, at("2026-03-31"), dim_facility=names,
                       fct_discrepancy=[row for each in rows for row in each])  # fmt: skip


def seen(snapshot: Snapshot, person: Person) -> Context:
    return Context(snapshot, State.read("since=2026-03-01&until=2026-03-31", snapshot.data_through), person)


VIEWER, LEAD = Person("viewer", None), Person("lead", None, sees_readers=True)


def test_groups_of_fewer_than_five_graded_readers_are_for_those_who_may_see_readers(tmp_path: Path) -> None:
    """CT has five; of MR's five one has no grade yet; DX has four."""
    snapshot = house(tmp_path, pairs("CT", "abcde"), pairs("MR", "abcd"), pairs("MR", "e", None), pairs("DX", "abcd"),
                     pairs("DX", "abcd", "none"))  # fmt: skip
    assert sorted(graded.GRADED.ask(seen(snapshot, LEAD))["group_value"]) == ["CT", "DX", "MR"]
    assert graded.GRADED.ask(seen(snapshot, VIEWER))["group_value"].to_list() == ["CT"]
    assert "Only groups of at least 5 readers are shown." in str(graded.section(seen(snapshot, VIEWER)))
    assert "Only groups of at least" not in str(graded.section(seen(snapshot, LEAD)))


def test_a_facility_that_grades_nothing_is_named_and_has_no_number(tmp_path: Path) -> None:
    snapshot = house(tmp_path, pairs("CT", "abcde"), pairs("US", "abcde", None, "WEST"))
    shown = str(graded.section(seen(snapshot, LEAD)))
    assert "Not reported by Westlake" in shown
    assert graded.GRADED.ask(seen(snapshot, LEAD))["group_value"].to_list() == ["CT"]


def test_without_any_grade_it_is_not_known(tmp_path: Path) -> None:
    snapshot = house(tmp_path, pairs("CT", "abcde", None))
    shown = str(graded.section(seen(snapshot, LEAD)))
    assert "not known, which is not zero" in shown
    assert "Not reported by Northgate" in shown
