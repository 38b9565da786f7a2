"""Repeats that need not have been, recomputed from the simulator's truth; see `recompute`."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from tests.truth.department import Department, Row
from tests.truth.recompute import Rows, prior_availability


def avoidable_repeats(d: Department) -> Iterator[Row]:
    """Each case without imported images: its repeat less the rate of the cases that had them."""
    cases = list(prior_availability(d))
    imported = [case["numerator"] for case in cases if case["availability"] == "imported"]
    for case in cases:
        if imported and case["availability"] in ("held", "unavailable"):
            yield case | {"numerator": case["numerator"] - fmean(imported)}


def declared_repeat(d: Department) -> Iterator[Row]:
    found = {(r["facility"], r["accession"]) for r in d.truth("repeat")}
    for exam in d.exams:
        if exam["exam_started_at"] is None:
            continue
        is_declared = exam["is_declared_repeat"]
        is_unfound = is_declared and (exam["facility"], exam["accession"]) not in found
        words = d.keys(exam, d.local(exam["facility"], exam["exam_started_at"]))
        yield words | {
            "numerator": {
                "necessary": float(is_declared),
                "unfound": None if is_declared and exam["region"] is None else float(is_unfound),
                "duplicate_order": float(exam["discontinued_reason"] == "110510"),
            },
            "denominator": 1.0,
        }


ROWS: dict[str, Rows] = {"avoidable_repeats": avoidable_repeats, "declared_repeat": declared_repeat}
