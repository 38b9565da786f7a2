"""Fields that a reader cannot use: what some senders write wrong in a small share of their messages.

Every choice follows from the exam's number and the message, so it draws nothing from the stream of chance. A fault
stands where another field or message carries the value, where nothing needs it, or where it is lost anyway (`losses`):
the truth of the exam is the same without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sample_data.hl7_dialect import Dialect, chance
from sample_data.story import Exam

ORDER, BOOKING, REPORT = frozenset({"N"}), frozenset({"S12", "S13", "S14", "S15", "S26"}), frozenset("RFCB")
ADMISSION, CHARGE = frozenset({"P"}), frozenset({"C"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What a reader finds at `field` of one in so many messages of a sender, and the fields that make it so."""

    sender: str  # MSH-3@MSH-4
    keys: frozenset[str]  # messages of `emit_hl7` by their key, its letter for those that are numbered; empty: all
    field: str
    reason: str
    edits: tuple[tuple[str, int, str], ...]  # segment (the first), field, text with facts of the exam
    one_in: int
    lost: str = ""  # only where the exam has lost this


FAULTS = (
    Fault("RISA@EASTFIELD", frozenset(), "PID-7", "not a date", (("PID", 7, "UNKNOWN"),), 25),
    # the length of the slot stands with the device too
    Fault("RISA@EASTFIELD", BOOKING, "AIS-8", "unknown_unit",
          (("AIS", 8, "SLOTS"), ("AIL", 9, "{slot_min}"), ("AIL", 10, "MIN")), 8),
    # it repeats the time of the order
    Fault("RISB@NORTH", ORDER, "TQ1-7", "not a time", (("TQ1", 7, "AS SOON AS POSSIBLE"),), 12),
    # the trigger says the same
    Fault("RISB@WEST", frozenset({"S12"}), "SCH-25", "unknown_code", (("SCH", 25, "PLAN"),), 8),
    Fault("RISB@WEST", REPORT, "OBR-7", "not a time", (("OBR", 7, "SEE RIS"),), 2, "exam_times"),
    # PV1-44 says when the patient came
    Fault("HIS@NORTH", ADMISSION, "EVN-6", "not a date", (("EVN", 6, "00000000000000"),), 6),
    Fault("HIS@NORTH", ADMISSION, "MSH-10", "missing", (("MSH", 10, ""),), 6),
    # a charge without a quantity is one
    Fault("BILLNET@WEST", CHARGE, "FT1-10", "not a number", (("FT1", 10, "ONE"),), 12),
    # a message without a time is on no day
    Fault("BILLNET@EAST", CHARGE, "MSH-7", "not a time", (("MSH", 7, "TODAY"),), 20),
)  # fmt: skip


def faults_of(exam: Exam, dialect: Dialect, key: str) -> Iterator[Fault]:
    """What is wrong with one message of an exam."""
    sender = f"{dialect.app}@{dialect.sending}"
    for fault in FAULTS:
        is_kind = not fault.keys or key in fault.keys or (key[0] in fault.keys and key[1:].isdigit())
        is_lost = not fault.lost or fault.lost in exam.lost
        if fault.sender == sender and is_kind and is_lost and chance(f"{fault.field}{exam.placer}{key}", fault.one_in):
            yield fault


def spoiled(data: bytes, fault: Fault, exam: Exam) -> bytes:
    """The message with a fault in it."""
    mark, lines = data[3:4], data.split(b"\r")
    for segment, number, text in fault.edits:
        place = next(n for n, line in enumerate(lines) if line.startswith(segment.encode() + mark))
        fields = lines[place].split(mark)
        index = number - (segment == "MSH")  # MSH-1 is the mark itself
        fields += [b""] * (index + 1 - len(fields))
        fields[index] = text.format(slot_min=exam.slot_min).encode()
        lines[place] = mark.join(fields)
    return b"\r".join(lines)
