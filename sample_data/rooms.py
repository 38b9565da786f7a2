"""Patients in rooms: when they leave, and what the tracking of NORTH and the encounters of SOUTH tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from sample_data.hl7_dialect import chance, delay
from sample_data.story import Exam

#: The facility that tracks patients by ADT. Its emergency patients are told again in their bay, which is no device's.
TRACKING, BAY = "NORTH", "ED^BAY"
#: One patient in so many whose departure or arrival nobody tells, and who is told in a wrong room first.
UNTOLD_DEPARTURE, UNTOLD_ARRIVAL, WRONG = 20, 50, 30
WRONG_ROOM = "RAD^XR-1"


class Move(NamedTuple):
    """What is told of a patient and a room: entered, left, or not_entered, which takes an arrival back."""

    kind: str
    at: datetime
    room: str


def is_assigned(exam: Exam) -> bool:
    """The room is told as the place of the patient (PV1-3), and not as one for a while (PV1-11): who has no bed.

    An arrival at such a place is one of the visit, unless a device stands there; so it is told of rooms the site knows.
    """
    return exam.patient_class == "O" and exam.device.site_room != ""


def leave(exams: list[Exam], now: datetime, turnover_s: int, horizon: datetime) -> None:
    """The patient of `exams` gets up and leaves in the first part of the time until the next one."""
    left_at = now + timedelta(seconds=turnover_s * (20 + delay(f"leave{exams[0].placer}", 0, 50).seconds) // 100)
    for exam in exams:
        exam.room_left_at = left_at if left_at <= horizon else None


def tracked(exam: Exam) -> Iterator[Move]:
    """What the tracking tells: once for all exams of an order, by the first."""
    entered, left, room = exam.room_entered_at, exam.room_left_at, exam.device.room
    if exam.facility != TRACKING or not room or entered is None or not exam.placer.endswith("0"):
        return
    if room != WRONG_ROOM and chance(f"wrong{exam.placer}", WRONG):
        mistaken = entered - timedelta(seconds=90)
        yield Move("entered", mistaken, WRONG_ROOM)
        yield Move("not_entered", mistaken, WRONG_ROOM)
    if not chance(f"enter{exam.placer}", UNTOLD_ARRIVAL):
        yield Move("entered", entered, room)
    if left is None:
        return
    if not chance(f"depart{exam.placer}", UNTOLD_DEPARTURE):
        yield Move("left", left, room)
    if exam.patient_class == "E":
        yield Move("entered", left + delay(f"bay{exam.placer}", 120, 900), BAY)


def encountered(exam: Exam) -> Iterator[Move]:
    """What the encounter of an exam tells, in its last version."""
    if exam.facility == TRACKING or not exam.device.room or exam.exam_started_at is None:
        return
    if exam.room_entered_at is not None:
        yield Move("entered", exam.room_entered_at, exam.device.room)
    if exam.room_left_at is not None and not chance(f"depart{exam.placer}", UNTOLD_DEPARTURE):
        yield Move("left", exam.room_left_at, exam.device.room)


def standing(exam: Exam) -> list[Move]:
    """What is left of all that is told: without an arrival that was taken back."""
    told = [*tracked(exam), *encountered(exam)]
    gone = {(move.at, move.room) for move in told if move.kind == "not_entered"}
    return [move for move in told if (move.at, move.room) not in gone]
