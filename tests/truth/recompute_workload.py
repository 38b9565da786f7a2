"""Metrics of workload recomputed in plain Python from the simulator's truth; see `recompute.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from tests.truth.department import Department, Row, merged, minutes
from tests.truth.recompute import Rows, reading_intervals, reads


def wrvu_per_hour(d: Department) -> Iterator[Row]:
    """Stretches of reading as in reads_per_hour; those with a charged final read count, with all their time."""
    charged: dict[str, list[tuple[object, float]]] = defaultdict(list)
    for read in d.truth("read"):
        if read["role"] == "final" and read["wrvu"] is not None:
            charged[read["interpreter"]].append((read["read_at"], read["wrvu"]))
    for reader, intervals in reading_intervals(d).items():
        for start, end in merged([(a, b) for a, b, _ in intervals], timedelta(minutes=30)):
            facility = min(i for i in intervals if start <= i[0] <= i[1] <= end)[2]
            weights = [wrvu for at, wrvu in charged[reader] if start <= at <= end]
            if weights:
                words = d.keys({"radiologist": reader, "facility": facility}, d.local(facility, start))
                yield words | {"numerator": sum(weights), "denominator": minutes(start, end) / 60, "n": len(weights)}


def share_stat(d: Department) -> Iterator[Row]:
    for row in reads(lambda _d, _r, _a: 1.0)(d):
        yield row | {"numerator": float(row["priority"] == "stat")}


def addendum_rate(d: Department) -> Iterator[Row]:
    for row in reads(lambda _d, _r, _a: 1.0)(d):
        added, corrected = row["n_addenda"] > 0, row["n_corrections"] > 0
        told = {"addendum": float(added), "corrected": float(corrected), "any": float(added or corrected)}
        yield row | {"numerator": told}


def graded_pairs(d: Department) -> list[Row]:
    """Exams whose preliminary and final report are of different readers, with the grade that was told last."""
    return [
        exam
        for exam in d.exams
        if exam["assistant"] is not None
        and exam["interpreter"] not in (None, exam["assistant"])
        and exam["first_prelim_at"] is not None
        and exam["first_final_at"] is not None
        and exam["first_prelim_at"] <= exam["first_final_at"]
    ]


def prelim_final_discrepancy(d: Department) -> Iterator[Row]:
    """By the wall clock of the preliminary report and its reader; a facility without any grade is not reported."""
    pairs = graded_pairs(d)
    reporting = {exam["facility"] for exam in pairs if exam["discrepancy"] is not None}
    for exam in pairs:
        if exam["facility"] in reporting:
            grade = exam["discrepancy"]
            found = {"any": float(grade != "none"), "major": float(grade == "major")}
            words = d.keys(exam, d.local(exam["facility"], exam["first_prelim_at"]))
            told = found if grade is not None else None
            yield words | {"radiologist": exam["assistant"], "numerator": told, "denominator": 1.0}


def queue_by_hour(d: Department) -> Iterator[Row]:
    """Work comes when an exam ends and goes when it is final; one without a charge weighs as its procedure usually."""
    known: dict[str, list[float]] = defaultdict(list)
    for exam in d.countable:
        if exam["wrvu"] is not None and exam["procedure"] is not None:
            known[exam["procedure"]].append(exam["wrvu"])
    usual = {procedure: median(weights) for procedure, weights in known.items()}
    for exam in d.countable:
        weight = exam["wrvu"] if exam["wrvu"] is not None else usual.get(exam["procedure"])
        if weight is None:
            continue
        ended = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield ended | {"numerator": {"growth": weight, "demand": weight}, "denominator": 1.0}
        if exam["first_final_at"] is not None:
            final = d.keys(exam, d.local(exam["facility"], exam["first_final_at"]))
            yield final | {"numerator": {"growth": -weight, "capacity": weight}, "denominator": 1.0}


def volume(d: Department) -> Iterator[Row]:
    """Exams that count, on the wall clock of their end."""
    for exam in d.countable:
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield words | {"numerator": 1.0, "denominator": 1.0}


ROWS: dict[str, Rows] = {
    "volume": volume,
    "wrvu_per_hour": wrvu_per_hour,
    "share_stat": share_stat,
    "addendum_rate": addendum_rate,
    "prelim_final_discrepancy": prelim_final_discrepancy,
    "queue_by_hour": queue_by_hour,
}
