"""Overtime and unused capacity of the devices recomputed from the simulator's truth; see `recompute`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
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


ROWS: dict[str, Rows] = {"overtime": overtime, "unused_capacity": unused_capacity}
