"""How far a trainee's report differed, as the senior who signs codes it: NORTH's report carries a score, others' none.

Chance is drawn from the exam's number, so that grading moves nothing else of a run.
"""

from __future__ import annotations

from datetime import datetime

from sample_data.hl7_dialect import chance, delay
from sample_data.story import Exam

#: Facilities whose reports have the field.
CODING = frozenset({"NORTH"})
#: Score as sent, in the manner of RADPEER -> grade.
SCORES = {"1": "none", "2a": "minor", "2b": "minor", "3a": "major", "3b": "major"}
#: What takes a score back (HL7's null).
NO_SCORE = '""'
#: One graded report in so many: left without a score, scored otherwise later, of these taken back.
UNSCORED, CHANGED, TAKEN_BACK = 8, 11, 3
#: Score: one report in so many, the first that fits; all others are "1".
RATES = (("3b", 90), ("3a", 40), ("2b", 16), ("2a", 12))


def grade(exam: Exam) -> None:
    """Score a signed report in place, and the changes of mind that follow."""
    final_at = exam.final_at
    if final_at is None or exam.assistant is None or exam.facility not in CODING:
        return
    if not chance(f"unscored{exam.placer}", UNSCORED):
        exam.score = _drawn(exam, "score")
    if chance(f"scored anew{exam.placer}", CHANGED):
        exam.rescored_at = final_at + delay(f"scored anew{exam.placer}", 3600, 200_000)
        is_taken_back = bool(exam.score) and chance(f"taken back{exam.placer}", TAKEN_BACK)
        exam.new_score = NO_SCORE if is_taken_back else _drawn(exam, "new score")


def _drawn(exam: Exam, key: str) -> str:
    return next((score for score, one_in in RATES if chance(f"{key}{score}{exam.placer}", one_in)), "1")


def score_at(exam: Exam, at: datetime) -> str:
    """What a message of `at` carries in the field; '' where it carries none."""
    is_changed = exam.rescored_at is not None and exam.rescored_at <= at
    return exam.new_score if is_changed else exam.score


def told_grade(exam: Exam, statuses: set[str]) -> str | None:
    """The grade by the score told last, where a version of OBR-25 F or C is sent; None where none is known."""
    if not statuses & {"F", "C"}:
        return None
    return SCORES.get(exam.score if exam.rescored_at is None else exam.new_score)
