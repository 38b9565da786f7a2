"""A department with a change: what is ordered stays, the change does what it says, none is as before."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from sample_data.alteration import Alteration, ExtraDevice, ExtraReader, Sent
from sample_data.department import Department
from sample_data.network import Network
from sample_data.run import Run
from sample_data.story import Exam

EXAMS, DAYS = 400, 5


def stories(alteration: Alteration | None) -> list[Exam]:
    return list(Department(Network(EXAMS, DAYS), Run(EXAMS, DAYS, 3, date(2026, 10, 5), alteration)).exams())


def test_an_extra_reader_reads_in_the_hours_and_moves_no_exam() -> None:
    before, after = stories(None), stories(ExtraReader("evening", 1020, 1320, frozenset({2, 3})))
    ends = [sorted(str(e.exam_ended_at) for e in found) for found in (before, after)]
    assert ends[0] == ends[1]
    network = Network(EXAMS, DAYS)
    begun = [network.local("NORTH", e.read_started_at) for e in after
             if e.interpreter and e.interpreter.id == "R199" and e.read_started_at and not e.assistant]  # fmt: skip
    assert begun
    assert all(at.isoweekday() in (2, 3) and 17 <= at.hour < 22 for at in begun)
    assert not [e for e in before if e.interpreter and e.interpreter.id == "R199"]


def test_a_second_device_lets_two_patients_in_at_once() -> None:
    def overlaps(found: list[Exam]) -> int:
        spans = sorted((e.exam_started_at, e.exam_ended_at) for e in found
                       if e.device.id == "N-CT1" and e.exam_started_at and e.exam_ended_at)  # fmt: skip
        return sum(later[0] < earlier[1] for earlier, later in pairwise(spans))

    assert overlaps(stories(None)) == 0
    assert overlaps(stories(ExtraDevice("N-CT1", 0, 1440))) > 10


def test_sent_patients_wait_for_the_other_device() -> None:
    def spans(found: list[Exam]) -> list[tuple[str, str]]:
        return sorted((str(e.exam_started_at), str(e.exam_ended_at)) for e in found
                      if e.device.id in ("S-MR1", "W-MR1") and e.exam_started_at and e.exam_ended_at)  # fmt: skip

    def overlaps(found: list[tuple[str, str]]) -> int:
        return sum(later[0] < earlier[1] for earlier, later in pairwise(found))

    assert overlaps(spans(stories(None))) > 0
    assert overlaps(spans(stories(Sent("S-MR1", "W-MR1")))) == 0
