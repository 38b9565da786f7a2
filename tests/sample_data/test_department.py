"""The model: physics that must hold, magnitudes that must be plausible, stories that were planted."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from sample_data.department import OUTAGE_DEVICE, Department
from sample_data.network import Network
from sample_data.run import Run
from sample_data.story import Exam

RUN = Run(4200, 42, 5, date(2026, 9, 28))


@pytest.fixture(scope="module")
def department() -> tuple[Department, list[Exam]]:
    made = Department(Network(RUN.exams, RUN.days), RUN)
    return made, list(made.exams())


@pytest.fixture(scope="module")
def stories(department: tuple[Department, list[Exam]]) -> list[Exam]:
    return department[1]


def test_all_exams_are_ordered_and_numbered_once(stories: list[Exam]) -> None:
    assert abs(len(stories) - RUN.exams) <= RUN.exams * 0.02
    assert len({(e.facility, e.accession) for e in stories}) == len(stories)
    assert len({e.placer for e in stories}) == len(stories)
    assert len({e.study_uid for e in stories}) == len(stories)


def test_a_device_does_one_exam_at_a_time(stories: list[Exam]) -> None:
    busy: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for e in stories:
        if e.exam_started_at and e.exam_ended_at:
            busy[e.device.id].append((e.exam_started_at, e.exam_ended_at))
    assert len(busy) == 15
    for intervals in busy.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(intervals)))


ORDER = (
    "ordered_at", "arrived_at", "exam_started_at", "exam_ended_at", "images_available_at", "read_started_at",
    "prelim_at", "final_at", "resigned_at",
)  # fmt: skip


def test_stamps_follow_each_other(stories: list[Exam]) -> None:
    for e in stories:
        stamps = [at for name in ORDER if (at := getattr(e, name)) is not None]
        assert stamps == sorted(stamps), e.accession


def test_nothing_happens_after_the_horizon(department: tuple[Department, list[Exam]]) -> None:
    made, stories = department
    names = (*ORDER, "cancelled_at", "no_show_at", "discontinued_at", "critical_communicated_at", "merged_at")
    latest = max(at for e in stories for n in names if (at := getattr(e, n)) is not None)
    assert latest <= made.clock.horizon


def test_all_stamps_are_whole_seconds(stories: list[Exam]) -> None:
    for e in stories:
        taken = [image.at for series in e.series for image in series.images]
        stamps = [getattr(e, name) for name in ORDER]
        assert all(at.microsecond == 0 for at in [*taken, *stamps] if at is not None)


def test_only_performed_exams_have_images_and_reports(stories: list[Exam]) -> None:
    for e in stories:
        assert bool(e.series) == (e.exam_ended_at is not None)
        if e.cancelled_at or e.no_show_at:
            assert e.exam_started_at is None
        if e.discontinued_at:
            assert e.exam_ended_at is None
            assert e.device.has_mpps


def test_a_replaced_order_points_to_its_replacement(stories: list[Exam]) -> None:
    by_placer = {e.placer: e for e in stories}
    replaced = [e for e in stories if e.replaced_by]
    assert replaced
    for e in replaced:
        assert by_placer[e.replaced_by].replaces == e.placer
        assert by_placer[e.replaced_by].ordered_at == e.cancelled_at


def median_min(stories: list[Exam], of: Callable[[Exam], bool], start: str, stop: str) -> float:
    pairs = [(getattr(e, start), getattr(e, stop)) for e in stories if of(e)]
    return float(statistics.median((b - a).total_seconds() / 60 for a, b in pairs if a and b))


def test_turnaround_depends_on_class_and_priority(stories: list[Exam]) -> None:
    def group(letters: str) -> Callable[[Exam], bool]:
        return lambda e: e.patient_class + e.priority == letters

    stat = median_min(stories, group("ES"), "exam_ended_at", "final_at")
    inpatient = median_min(stories, group("IR"), "exam_ended_at", "final_at")
    outpatient = median_min(stories, group("OR"), "exam_ended_at", "final_at")
    assert 20 <= stat <= 60
    assert 120 <= inpatient <= 600
    assert 600 <= outpatient <= 2000


def test_rejects_differ_by_technologist(stories: list[Exam]) -> None:
    made: dict[str, list[bool]] = defaultdict(list)
    for e in stories:
        if e.device.id == "N-DX1" and e.technologist:
            made[e.technologist.id] += [i.reject_reason is not None for s in e.series for i in s.images]
    rates = {who: sum(rejected) / len(rejected) for who, rejected in made.items()}
    assert 0.04 <= statistics.mean(rates.values()) <= 0.10
    assert max(rates, key=lambda who: rates[who]) == "X304"
    silent = [i for e in stories if not e.device.sends_rejects for s in e.series for i in s.images]
    assert not any(i.reject_reason for i in silent)


def test_east_imports_nothing_and_north_does(stories: list[Exam]) -> None:
    answers: dict[str, set[str]] = defaultdict(set)
    for e in stories:
        if e.outside:
            answers[e.facility].add(e.outside.status)
    assert "imported" not in answers["EAST"]
    assert answers["NORTH"] == {"imported", "held", "unavailable", "none"}


def test_the_outage_stands_still(department: tuple[Department, list[Exam]]) -> None:
    made, stories = department
    begin, end = made.outage
    assert end - begin == timedelta(days=2)
    starts = [e.exam_started_at for e in stories if e.device.id == OUTAGE_DEVICE and e.exam_started_at]
    assert not [at for at in starts if begin + timedelta(hours=2) <= at < end]
    assert [at for at in starts if end <= at < end + timedelta(days=3)]


def test_patients_of_a_scanner_that_is_down_move_to_the_other(department: tuple[Department, list[Exam]]) -> None:
    made, stories = department
    begin, end = made.outage
    assert begin.weekday() <= 3
    moved = [e for e in stories if e.moved_from is not None]
    assert {e.device.modality for e in moved} == {"MR"}
    assert all(e.device.facility == e.facility and e.device != e.planned_device for e in moved)
    during = [e for e in moved if e.arrived_at and begin <= e.arrived_at < end]
    assert len(during) >= 3
    assert {e.planned_device.id for e in during} == {OUTAGE_DEVICE}


def test_mondays_are_overbooked_at_the_west_scanner(stories: list[Exam]) -> None:
    waits: dict[bool, list[float]] = defaultdict(list)
    for e in stories:
        if e.device.id == "W-MR1" and e.slot_at and e.exam_started_at:
            waits[e.slot_at.isoweekday() == 1].append((e.exam_started_at - e.slot_at).total_seconds() / 60)
    assert statistics.mean(waits[True]) > statistics.mean(waits[False]) + 10


def test_the_night_falls_behind(stories: list[Exam]) -> None:
    def waited(hours: set[int]) -> float:
        ended = [e for e in stories if e.patient_class == "E" and e.exam_ended_at and e.exam_ended_at.hour in hours]
        return statistics.mean(
            (e.final_at - e.exam_ended_at).total_seconds() for e in ended if e.final_at and e.exam_ended_at
        )

    night, day = {4, 5, 6, 7, 8, 9}, {15, 16, 17, 18, 19, 20}  # UTC
    assert waited(night) > 1.5 * waited(day)
