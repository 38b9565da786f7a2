"""The discrepancy field: how far a preliminary report differs from the final one, as its reader coded it in an OBX.

Which OBX-3 that is and what its values mean are habits of the sender: `obx` names the field, `discrepancy` its grades.
A site that names none has nothing of it read. Only the grade is kept, never the score or a comment.
"""

from __future__ import annotations

from collections.abc import Iterable

from etl.site import GRADES
from etl.sources.hl7_message import Message, Segment

FIELD = "discrepancy"
#: OBX-11 (table 0085) by which a grade is taken back: deleted, wrong, cannot be obtained.
TAKEN_BACK = frozenset({"D", "W", "X"})
NULL = '""'  # HL7's word for: delete what you know


def is_discrepancy(message: Message, observation: Segment) -> bool:
    """The site names this OBX-3 of this sender as its discrepancy field."""
    columns = message.sender.obx
    return bool(columns) and columns.get(message.part(observation[3], 1)) == FIELD


def discrepancy_of(message: Message, observations: Iterable[Segment]) -> str | None:
    """The gravest grade of a message: none, minor or major; '' where it is taken back, None where nothing is said.

    A value without a grade is a defect, and says nothing.
    """
    if not message.sender.obx:
        return None
    grades: set[str] = set()
    is_taken_back = False
    for fields in observations:
        if not is_discrepancy(message, fields):
            continue
        if fields[5].strip() == NULL or message.part(fields[11], 1) in TAKEN_BACK:
            is_taken_back = True
            continue
        for repetition in message.repetitions(fields[5]):
            value = message.part(repetition, 1)
            grade = message.sender.discrepancy.get(value.casefold())
            if grade:
                grades.add(grade)
            elif value:
                message.defect("OBX-5", "unknown_code")
    return max(grades, key=GRADES.index) if grades else "" if is_taken_back else None
