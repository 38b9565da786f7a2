"""Order of the worklists recomputed in plain Python from the simulator's truth, by simply looking at every pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from tests.truth.department import Department, Row, minutes
from tests.truth.recompute import Rows, target_of

FORGOTTEN = timedelta(days=7)
UNKNOWN_READ = timedelta(minutes=10)


def turn_of(d: Department, exam: Row) -> Row | None:
    """When an exam was ready, due and begun to be read, and by whom; None if it was not begun after its end."""
    ended, started = exam["exam_ended_at"], exam["read_started_at"]
    reports = [at for at in (exam["first_prelim_at"], exam["first_final_at"]) if at is not None]
    known = [at for at in (started, *reports) if at is not None]
    if not known or min(known) < ended:
        return None
    taken = started if started is not None and started == min(known) else max(min(reports) - UNKNOWN_READ, ended)
    available = exam["images_available_at"]
    is_prelim = exam["first_prelim_at"] is not None and exam["first_prelim_at"] == min(reports)
    target = target_of(d, exam)
    return {
        "exam": exam,
        "ready": available if available is not None and ended < available <= taken else ended,
        "due": ended + timedelta(minutes=target or 0),
        "taken": taken,
        "radiologist": (exam["assistant"] or exam["interpreter"]) if is_prelim else exam["interpreter"],
        "worklist": (exam["facility"], exam["service_line"], exam["priority"] if target is None else None),
    }


def turns(d: Department) -> Iterator[tuple[Row, list[Row], list[Row], list[Row]]]:
    """(turn, those it passed, those that passed it, its worklist)."""
    lists: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for exam in d.countable:
        turn = turn_of(d, exam)
        if turn is not None:
            lists[turn["worklist"]].append(turn)

    def passes(taken: Row, waiting: Row) -> bool:
        is_waiting = waiting["ready"] <= taken["taken"] < waiting["taken"] < waiting["ready"] + FORGOTTEN
        return is_waiting and waiting["due"] < taken["due"]

    for worklist in lists.values():
        for turn in worklist:
            passed = [other for other in worklist if passes(turn, other)]
            passed_by = [other for other in worklist if passes(other, turn)]
            yield turn, passed, passed_by, worklist


def queue_fairness(d: Department) -> Iterator[Row]:
    for turn, passed, passed_by, _ in turns(d):
        is_queued = turn["taken"] < turn["ready"] + FORGOTTEN
        words = d.keys(turn["exam"], d.local(turn["exam"]["facility"], turn["taken"]))
        yield words | {
            "radiologist": turn["radiologist"],
            "numerator": {"reads": float(bool(passed)), "exams": float(bool(passed_by)) if is_queued else None},
            "denominator": {"reads": 1.0, "exams": float(is_queued)},
        }


def queue_delay(d: Department) -> Iterator[Row]:
    """What remains before an exam once those that passed it stand behind it, in the begins as they were."""
    for turn, _, passed_by, worklist in turns(d):
        if passed_by:
            begins = sorted(other["taken"] for other in worklist)
            before = [other for other in worklist if (other["taken"], other["due"]) < (turn["taken"], turn["due"])]
            begin = begins[len(before) - len(passed_by)]
            words = d.keys(turn["exam"], d.local(turn["exam"]["facility"], turn["taken"]))
            yield words | {"value": minutes(begin, turn["taken"])}


ROWS: dict[str, Rows] = {"queue_fairness": queue_fairness, "queue_delay": queue_delay}
