"""Overtime, unused capacity, slots and discontinued exams recomputed from the simulator's truth; see `recompute`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from tests.truth.department import Department, Row, minutes
from tests.truth.recompute import Rows, device_hours, turnover


def overtime(d: Department) -> Iterator[Row]:
    stated = {row["device"] for row in d.site("staffing.csv")}
    for words, _, _, _, busy, both in device_hours(d):
        if words["device"] in stated:
            yield words | {"numerator": busy - both, "denominator": 1.0}


def unused_capacity(d: Department) -> Iterator[Row]:
    """Idle staffed minutes over the device's median exam with its median turnover."""
    lengths: dict[str, list[float]] = defaultdict(list)
    gaps: dict[str, list[float]] = defaultdict(list)
    for exam in d.countable:
        length = minutes(exam["exam_started_at"], exam["exam_ended_at"])
        if length is not None and length > 0:
            lengths[exam["device"]].append(length)
    for gap in turnover(d):
        gaps[gap["device"]].append(gap["value"])
    for words, _, _, staffed, _, both in device_hours(d):
        device = words["device"]
        if staffed and device in lengths:
            each = median(lengths[device]) + (median(gaps[device]) if device in gaps else 0)
            yield words | {"numerator": (staffed - both) / each, "denominator": 1.0}


def slots(d: Department) -> Iterator[tuple[Row, Row, Row, str]]:
    """(words, appointment, exam, outcome) of every slot: kept, noshow, cancelled or unknown."""
    for slot in d.truth("appointment"):
        exam = d.exam_of[slot["facility"], slot["accession"]]
        came = slot["status"] in ("arrived", "completed") or exam["arrived_at"] or exam["exam_started_at"]
        outcome = "kept" if came else slot["status"] if slot["status"] in ("noshow", "cancelled") else "unknown"
        words = d.keys(exam | {"device": slot["device"]}, d.local(slot["facility"], slot["slot_at"]))
        yield words, slot, exam, outcome


def slot_outcomes(counted: str, *outcomes: str) -> Rows:
    """Share of one outcome among some, of the slots that the data have reached."""

    def rows(d: Department) -> Iterator[Row]:
        for words, slot, _, outcome in slots(d):
            if outcome in outcomes and slot["slot_at"] <= d.data_through:
                yield words | {"numerator": float(outcome == counted), "denominator": 1.0}

    return rows


def scheduled_vs_performed(d: Department) -> Iterator[Row]:
    quarter = timedelta(minutes=15)
    for words, slot, exam, _ in slots(d):
        started, length = exam["exam_started_at"], minutes(exam["exam_started_at"], exam["exam_ended_at"])
        if exam["is_countable"] and started is not None:
            yield words | {
                "numerator": {
                    "late": float(started - slot["slot_at"] > quarter),
                    "early": float(slot["slot_at"] - started > quarter),
                    "moved": float(exam["device"] != slot["device"]),
                    "longer": float(length > slot["duration_min"]) if length >= 0 else None,
                },
                "denominator": 1.0,
            }


#: CID 9300 reason -> its kind; any other is `other`.
REASONS = {"110501": "equipment", "110504": "patient", "110505": "patient", "110515": "patient"}


def discontinued_rate(d: Department) -> Iterator[Row]:
    for exam in d.exams:
        if exam["exam_started_at"] is None:
            continue
        kind = REASONS.get(exam["discontinued_reason"], "other") if exam["is_discontinued"] else ""
        kinds = {name: float(kind == name) for name in ("equipment", "patient", "order", "other")}
        words = d.keys(exam, d.local(exam["facility"], exam["exam_started_at"]))
        yield words | {"numerator": kinds | {"all": float(exam["is_discontinued"])}, "denominator": 1.0}


ROWS: dict[str, Rows] = {
    "overtime": overtime,
    "unused_capacity": unused_capacity,
    "slot_fill": slot_outcomes("kept", "kept", "noshow", "cancelled"),
    "no_show_rate": slot_outcomes("noshow", "kept", "noshow"),
    "scheduled_vs_performed": scheduled_vs_performed,
    "discontinued_rate": discontinued_rate,
}
