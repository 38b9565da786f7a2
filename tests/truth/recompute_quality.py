"""Metrics of interoperability recomputed in plain Python from the simulator's truth; see `recompute.py`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations
from statistics import median

from tests.truth.department import Department, Row, minutes
from tests.truth.recompute import Rows

#: Interval -> milestones it runs between.
INTERVALS = {
    "order_to_exam_min": ("ordered_at", "exam_started_at"),
    "wait_min": ("arrived_at", "exam_started_at"),
    "exam_duration_min": ("exam_started_at", "exam_ended_at"),
    "report_prelim_min": ("exam_ended_at", "first_prelim_at"),
    "report_final_min": ("exam_ended_at", "first_final_at"),
    "read_final_min": ("images_available_at", "first_final_at"),
    "prelim_to_final_min": ("first_prelim_at", "first_final_at"),
}


def unmapped_codes(d: Department) -> Iterator[Row]:
    for exam in d.countable:
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield words | {"numerator": float(exam["procedure"] is None), "denominator": 1.0}


def negative_intervals(d: Department) -> Iterator[Row]:
    for exam in d.countable:
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        for name, (start, stop) in INTERVALS.items():
            length = minutes(exam[start], exam[stop])
            if length is not None:
                yield words | {"interval_name": name, "numerator": float(length < 0), "denominator": 1.0}


def clock_offset(d: Department) -> Iterator[Row]:
    """Median seconds that a device's start of the exam lies before or after what the RIS or the report says."""
    apart: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in d.truth("clock"):
        apart[row["facility"], row["device"]].append(60 * minutes(row["anchor_at"], row["device_at"]))
    for (facility, device), seconds in apart.items():
        yield {"facility": facility, "device": device, "local": d.data_through, "value": abs(median(seconds))}


def clock_drift(d: Department) -> Iterator[Row]:
    """Median slope over all pairs of days of the last 90, each day with its median offset."""
    by_day: dict[tuple[str, str], dict[date, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in d.truth("clock"):
        if row["anchor_at"].date() > d.data_through.date() - timedelta(days=90):
            offset = 60 * minutes(row["anchor_at"], row["device_at"])
            by_day[row["facility"], row["device"]][row["anchor_at"].date()].append(offset)
    for (facility, device), days in by_day.items():
        middle = {day: median(offsets) for day, offsets in days.items()}
        slopes = [(middle[b] - middle[a]) / (b - a).days for a, b in combinations(sorted(middle), 2)]
        if len(middle) >= 7:
            yield {"facility": facility, "device": device, "local": d.data_through, "value": abs(median(slopes))}


def label_consistency(d: Department) -> Iterator[Row]:
    """Exams under the code that most exams of their procedure have at their facility."""
    codes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    named = [e for e in d.countable if e["procedure"] is not None and e["procedure_local"] is not None]
    for exam in named:
        codes[exam["facility"], exam["procedure"]][exam["procedure_local"]] += 1
    for exam in named:
        told = codes[exam["facility"], exam["procedure"]]
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        is_usual = told[exam["procedure_local"]] == max(told.values())
        yield words | {"numerator": float(is_usual), "denominator": 1.0}


def ai_readiness(d: Department) -> Iterator[Row]:
    """The simulated devices write all but the body part, which they leave out where nobody knows the region."""
    named = {(row["facility"], row["accession"]) for row in d.truth("label")}
    for exam in d.countable:
        if not exam["has_study"]:
            continue
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        has_region = float((exam["facility"], exam["accession"]) in named)
        always = dict.fromkeys(("identity", "modality", "description", "maker", "time"), 1.0)
        yield words | {"numerator": {**always, "ready": has_region, "body_part": has_region}, "denominator": 1.0}


#: Statistic -> what the truth calls it.
LABEL_KINDS = ("modality", "body_part", "laterality", "contrast", "views")


def label_contradictions(d: Department) -> Iterator[Row]:
    """As planted: headers tell an attribute or not, and tell it rightly or not."""
    for label in d.truth("label"):
        exam = d.exam_of[label["facility"], label["accession"]]
        if not exam["is_countable"]:
            continue
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"])) | {"procedure": label["procedure"]}
        told = {kind: float(label[f"tells_{kind}"]) for kind in LABEL_KINDS}
        wrong = {kind: float(label[f"wrong_{kind}"]) for kind in LABEL_KINDS}
        yield words | {
            "numerator": {**wrong, "any": max(wrong.values())},
            "denominator": {**told, "any": max(told.values())},
        }


ROWS: dict[str, Rows] = {
    "unmapped_codes": unmapped_codes,
    "negative_intervals": negative_intervals,
    "clock_offset": clock_offset,
    "clock_drift": clock_drift,
    "label_consistency": label_consistency,
    "ai_readiness": ai_readiness,
    "label_contradictions": label_contradictions,
}
