"""Sessions, repeats and prior cases of hand-made exams."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from sample_data.neighbours import Neighbours
from sample_data.recorded import Record, Row, is_countable
from sample_data.story import Exam, OutsidePrior, Person
from tests.sample_data.stories import HORIZON, NETWORK, exam, person

NOON = datetime(2026, 10, 20, 16)


def settle(*stories: Exam) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {"session": [], "repeat": [], "prior_case": []}
    neighbours = Neighbours(NETWORK, lambda table, row: tables[table].append(row), has_imports=True)
    for story in stories:
        row = Record(NETWORK, story, HORIZON, has_dicom=True).row()
        neighbours.exam(story, row, is_countable(row))
    neighbours.close()
    return tables


def done(number: int, device: str, start: datetime, *, minutes: int = 10, **more: Any) -> Exam:
    return exam(
        device, start - timedelta(hours=1), accession=f"ACC{number}", placer=f"P{number}",
        exam_started_at=start, exam_ended_at=start + timedelta(minutes=minutes), **more,
    )  # fmt: skip


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def sessions(*stories: Exam) -> list[tuple[datetime, datetime, int]]:
    rows = settle(*stories)["session"]
    return sorted((r["started_at"], r["ended_at"], r["n_exams"]) for r in rows)


def test_touching_exams_of_one_patient_are_one_session() -> None:
    clock = timedelta(minutes=7)
    found = sessions(done(1, "N-CT1", at(0)), done(2, "N-CT1", at(10)), done(3, "N-CT1", at(21)))
    assert found == [(at(0) + clock, at(20) + clock, 2), (at(21) + clock, at(31) + clock, 1)]


def test_another_patient_has_a_session_of_its_own() -> None:
    other: Person = person(2)
    assert [n for _, _, n in sessions(done(1, "N-CT1", at(0)), done(2, "N-CT1", at(5), person=other))] == [1, 1]


def test_stories_may_come_in_any_order() -> None:
    stories = [done(1, "N-CT1", at(0)), done(2, "N-CT1", at(10)), done(3, "N-CT1", at(5), minutes=2)]
    assert sessions(*stories) == sessions(*reversed(stories))
    assert [n for _, _, n in sessions(*stories)] == [3]


def kinds(*stories: Exam) -> list[tuple[str, str, float, str]]:
    rows = settle(*stories)["repeat"]
    return [(r["accession"], r["prior_accession"], round(r["days"], 4), r["kind"]) for r in rows]


def test_the_latest_earlier_exam_is_the_prior() -> None:
    days = [timedelta(days=n) for n in (0, 2, 2.5)]
    found = kinds(*(done(n, "N-CT1", NOON + day) for n, day in enumerate(days)))
    assert found == [("ACC1", "ACC0", 2.0, "repeat"), ("ACC2", "ACC1", 0.5, "repeat")]


@pytest.mark.parametrize(
    ("device", "more", "expected"),
    [
        ("N-CT1", {}, "repeat"),
        ("W-CT1", {}, "duplicate"),
        ("N-CT1", {"reason_code": "FU"}, "follow_up"),
        ("N-CT1", {"procedure": "CT_CHEST_LOWDOSE_WO"}, "follow_up"),
        ("N-CT1", {"person": person(2)}, None),
        ("N-CT1", {"contrast": "W"}, None),
        ("N-CT1", {"laterality": "L"}, None),
        ("N-MR1", {}, None),
    ],
)
def test_what_a_second_exam_is(device: str, more: dict[str, Any], expected: str | None) -> None:
    found = kinds(done(1, "N-CT1", NOON), done(2, device, NOON + timedelta(days=3), **more))
    assert [kind for *_, kind in found] == ([expected] if expected else [])


def test_repeats_end_after_ninety_days_and_cancelled_exams_are_none() -> None:
    assert kinds(done(1, "N-MR1", NOON), done(2, "N-MR1", NOON + timedelta(days=90)))
    assert not kinds(done(1, "N-MR1", NOON), done(2, "N-MR1", NOON + timedelta(days=90, seconds=1)))
    assert not kinds(done(1, "N-MR1", NOON, cancelled_at=at(30)), done(2, "N-MR1", NOON + timedelta(days=2)))


def outcome(outside: OutsidePrior, *later: Exam, index: str = "N-CT1") -> tuple[str, bool]:
    [case] = settle(done(1, index, NOON, outside=outside), *later)["prior_case"]
    return case["availability"], case["is_repeated"]


def outside(status: str, modality: str = "CT", imported_at: datetime | None = None) -> OutsidePrior:
    return OutsidePrior(status, modality, "HEAD", imported_at=imported_at)


def test_an_import_counts_only_where_there_is_evidence() -> None:
    assert outcome(outside("imported", imported_at=at(-30)))[0] == "imported"
    assert outcome(outside("imported"))[0] == "held"
    assert outcome(outside("imported", imported_at=at(30)))[0] == "held"  # after the exam: too late to help


def test_the_exam_itself_may_repeat_the_outside_study() -> None:
    assert outcome(outside("unavailable")) == ("unavailable", True)
    assert outcome(outside("held", "MR")) == ("held", False)
    assert outcome(outside("held", "MR"), done(2, "N-MR1", NOON + timedelta(days=29))) == ("held", True)
    assert outcome(outside("held", "MR"), done(2, "N-MR1", NOON + timedelta(days=31))) == ("held", False)


def test_a_control_is_repeated_only_by_another_exam() -> None:
    assert outcome(outside("none", "")) == ("none", False)
    assert outcome(outside("none", ""), done(2, "N-CT1", NOON + timedelta(days=1))) == ("none", True)
    assert outcome(outside("none", ""), done(2, "W-CT1", NOON + timedelta(days=1))) == ("none", False)
