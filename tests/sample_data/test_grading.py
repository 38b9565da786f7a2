"""Scores of preliminary reports in NORTH's messages, and what of them can be known."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from sample_data.emit_hl7 import Hl7Emitter
from sample_data.grading import grade
from sample_data.recorded import Record
from sample_data.story import Addendum, Exam
from tests.sample_data.stories import HORIZON, NETWORK, READER, TRAINEE, exam

FINAL = datetime(2026, 7, 14, 15, 0)
CHANGED = FINAL + timedelta(hours=2)
CORRECTED, ADDED = ([Addendum(kind, FINAL + timedelta(hours=5), READER)] for kind in ("corrected", "addendum"))


def story(device: str = "N-CT1", **more: Any) -> Exam:
    facts: dict[str, Any] = {"prelim_at": FINAL - timedelta(hours=1), "final_at": FINAL, "interpreter": READER,
                             "assistant": TRAINEE}  # fmt: skip
    return exam(device, FINAL - timedelta(hours=3), **facts | more)


def carried(told: Exam) -> list[tuple[str, str | None]]:
    """OBR-25 of each result in order of sending, with the score that it carries."""
    found = []
    for sent in sorted(Hl7Emitter(NETWORK, HORIZON).messages(told)):
        lines = [line.split("|") for line in sent.data.decode().strip("\r").split("\r")]
        status = next((fields[25] for fields in lines if fields[0] == "OBR" and len(fields) > 25), "")
        if lines[0][8].startswith("ORU"):
            scores = [fields[5] for fields in lines if fields[0] == "OBX" and fields[3].startswith("DISCREP")]
            found.append((status, scores[0] if scores else None))
    return found


def known(told: Exam) -> str | None:
    value = Record(NETWORK, told, HORIZON, has_dicom=False).row()["discrepancy"]
    assert value is None or isinstance(value, str)
    return value


@pytest.mark.parametrize(
    ("facts", "messages", "expected"),
    [
        ({}, [("P", None), ("F", None)], None),
        ({"score": "1"}, [("P", None), ("F", "1")], "none"),
        ({"score": "3a", "rescored_at": CHANGED, "new_score": "2b", "addenda": CORRECTED},
         [("P", None), ("F", "3a"), ("F", "2b"), ("C", "2b")], "minor"),
        ({"score": "3a", "rescored_at": CHANGED, "new_score": '""', "addenda": ADDED},
         [("P", None), ("F", "3a"), ("F", '""'), ("F", None)], None),
        ({"rescored_at": CHANGED, "new_score": "3b"}, [("P", None), ("F", None), ("F", "3b")], "major"),
        ({"score": "3b", "lost": frozenset({"final"})}, [("P", None)], None),
    ],
)  # fmt: skip
def test_messages_carry_the_score_of_their_time(
    facts: dict[str, Any], messages: list[tuple[str, str | None]], expected: str | None
) -> None:
    told = story(**facts)
    assert (carried(told), known(told)) == (messages, expected)


def numbered(device: str, n: int, **more: Any) -> list[Exam]:
    return [story(device, placer=f"P{number:08d}", **more) for number, _ in zip(count(1), range(n), strict=False)]


def test_only_reports_that_a_trainee_read_first_in_north_are_scored() -> None:
    stories = numbered("N-CT1", 400)
    others = [*numbered("E-CT1", 50), *numbered("N-CT1", 50, assistant=None), *numbered("N-CT1", 50, final_at=None)]
    for one in [*stories, *others]:
        grade(one)
    assert {one.score for one in others} == {""}
    assert {one.score for one in stories} == {"", "1", "2a", "2b", "3a", "3b"}
    changed = [one for one in stories if one.rescored_at is not None]
    assert '""' in {one.new_score for one in changed}
    assert all(one.score for one in changed if one.new_score == '""')
