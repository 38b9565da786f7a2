"""Every first metric recomputed in plain Python from the simulator's truth.

`rows(department, metric)` gives row-level facts: the grouping words and either `value` (percentiles) or `numerator` and
`denominator`; `fold` groups them. Definitions are written anew here from the metric headers' words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from math import floor

from tests.truth.department import Department, Row, merged, minutes, overlap_min


def quantile(values: list[float], p: float) -> float:
    """Linear interpolation between order statistics (Hyndman and Fan type 7)."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * p
    low = floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def interval(start: str, stop: str, anchor: str, keep: Callable[[Row], bool] = lambda _: True):
    """Rows of a turnaround: eligible exams with the whole interval in minutes; negative ones carry no value."""

    def rows(d: Department) -> Iterator[Row]:
        for exam in d.countable:
            if not keep(exam) or exam[anchor] is None:
                continue
            length = minutes(exam[start], exam[stop])
            words = d.keys(exam, d.local(exam["facility"], exam[anchor]))
            yield words | {"value": length if length is not None and length >= 0 else None}

    return rows


def first_read(d: Department) -> Iterator[Row]:
    for exam in d.countable:
        reads = [at for at in (exam["first_prelim_at"], exam["first_final_at"]) if at is not None]
        length = minutes(exam["exam_ended_at"], min(reads) if reads else None)
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield words | {"value": length if length is not None and length >= 0 else None}


def target_of(d: Department, exam: Row) -> float | None:
    """The most specific target of the report's turnaround, minutes."""
    columns = ("facility", "modality", "priority", "patient_class")
    fitting = [
        row
        for row in d.site("targets.csv")
        if row["metric"] == "report_final" and all(row[c] in ("", "*", exam[c]) for c in columns)
    ]
    if not fitting:
        return None
    best = max(
        fitting,
        key=lambda row: [row[c] not in ("", "*") for c in ("facility", "modality", "priority", "patient_class")],
    )
    return float(best["target"])


def within_target(d: Department) -> Iterator[Row]:
    for exam in d.countable:
        length, target = minutes(exam["exam_ended_at"], exam["first_final_at"]), target_of(d, exam)
        if target is None or length is None or length < 0:
            continue
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield words | {"numerator": float(length <= target), "denominator": 1.0}


def utilization(d: Department) -> Iterator[Row]:
    for block in d.blocks:
        device = d.devices[block.device]
        staffed = (block.opens_at, block.closes_at)
        hour = block.opens_at.replace(minute=0, second=0)
        while hour < block.closes_at:
            part = (max(hour, staffed[0]), min(hour + timedelta(hours=1), staffed[1]))
            busy = sum(
                overlap_min(part, (b[0], b[1]))
                for b in d.busy.get(block.device, [])
                if b[1] > part[0] and b[0] < part[1]
            )
            words = d.keys(device, d.local(device["facility"], hour))
            yield words | {"numerator": busy, "denominator": overlap_min(part, part)}
            hour += timedelta(hours=1)


def turnover(d: Department) -> Iterator[Row]:
    for device, sessions in d.busy.items():
        facts = d.devices[device]
        blocks = [b for b in d.blocks if b.device == device]
        for before, after in pairwise(sessions):
            gap = minutes(before[1], after[0])
            is_same_block = any(b.opens_at <= before[1] and after[0] <= b.closes_at for b in blocks)
            if gap is not None and gap <= 60 and is_same_block:
                yield d.keys(facts, d.local(facts["facility"], after[0])) | {"value": gap}


def first_case_on_time(d: Department) -> Iterator[Row]:
    firsts: dict[str, dict[object, datetime]] = defaultdict(dict)
    opens: dict[tuple[str, object], datetime] = {}
    for block in d.blocks:
        key = (block.device, block.day)
        opens[key] = min(block.opens_local, opens.get(key, block.opens_local))
    for device, sessions in d.busy.items():
        for session in sessions:
            local = d.local(d.devices[device]["facility"], session[0])
            open_at = opens.get((device, local.date()))
            if open_at is not None and local >= open_at - timedelta(minutes=60):
                firsts[device].setdefault(local.date(), local)
    for device, days in firsts.items():
        for day, local in days.items():
            late = local > opens[device, day] + timedelta(minutes=15)
            yield d.keys(d.devices[device], None) | {
                "weekday": str(local.isoweekday()),
                "numerator": float(not late),
                "denominator": 1.0,
            }


def reject_rate(d: Department) -> Iterator[Row]:
    for image in d.truth("image"):
        yield dict(image) | {"numerator": float(image["is_rejected"]), "denominator": 1.0}


def repeats(kinds: tuple[str, ...], days: float) -> Callable[[Department], Iterator[Row]]:
    """Share of countable exams that repeat an earlier one within `days`."""

    def rows(d: Department) -> Iterator[Row]:
        found = {(r["facility"], r["accession"]) for r in d.truth("repeat") if r["kind"] in kinds and r["days"] <= days}
        for exam in d.countable:
            words = d.keys(exam, d.local(exam["facility"], exam["exam_started_at"] or exam["exam_ended_at"]))
            yield words | {"numerator": float((exam["facility"], exam["accession"]) in found), "denominator": 1.0}

    return rows


def prior_availability(d: Department) -> Iterator[Row]:
    for case in d.truth("prior_case"):
        yield dict(case) | {"numerator": float(case["is_repeated"]), "denominator": 1.0}


def reads(
    value: Callable[[Department, Row, bool], float], role: str = "final"
) -> Callable[[Department], Iterator[Row]]:
    """One row a read of a role, counted by `value(department, read, is_after_hours)`."""

    def rows(d: Department) -> Iterator[Row]:
        for read in d.truth("read"):
            if read["role"] != role:
                continue
            exam = d.exam_of[read["facility"], read["accession"]]
            local = d.local(read["facility"], read["read_at"])
            words = d.keys(exam, local) | {"radiologist": read["interpreter"]}
            yield words | {"numerator": value(d, read, d.shift_of(local)[1]), "denominator": 1.0}

    return rows


def reading_hours(d: Department, facility: str | None = None) -> dict[str, float]:
    """Active reading hours by interpreter: union of reading intervals, gaps under 30 minutes bridged."""
    by_reader: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for read in d.truth("read"):
        if read["role"] == "final" and facility in (None, read["facility"]):
            start = read["read_started_at"] or read["read_at"] - timedelta(minutes=10)
            by_reader[read["interpreter"]].append((start, read["read_at"]))
    bridge = timedelta(minutes=30)
    return {r: sum(minutes(a, b) for a, b in merged(i, bridge)) / 60 for r, i in by_reader.items()}


def is_scheduled_outpatient(exam: Row) -> bool:
    return exam["patient_class"] == "outpatient" and exam["scheduled_at"] is not None


PERCENTILES: dict[str, Callable[[Department], Iterable[Row]]] = {
    "order_to_exam": interval(
        "ordered_at", "exam_started_at", "exam_started_at", lambda e: not is_scheduled_outpatient(e)
    ),
    "wait": interval("arrived_at", "exam_started_at", "exam_started_at"),
    "exam_duration": interval("exam_started_at", "exam_ended_at", "exam_ended_at"),
    "report_final": interval("exam_ended_at", "first_final_at", "exam_ended_at"),
    "first_read": first_read,
    "turnover": turnover,
}
RATIOS: dict[str, Callable[[Department], Iterable[Row]]] = {
    "within_target": within_target,
    "utilization": utilization,
    "first_case_on_time": first_case_on_time,
    "reject_rate": reject_rate,
    "repeat_exam_rate": repeats(("repeat", "duplicate"), 30),
    "duplicate_across_facilities": repeats(("duplicate",), 30),
    "prior_availability": prior_availability,
    "share_after_hours": reads(lambda _d, _r, after: float(after)),
}
SUMS: dict[str, Callable[[Department], Iterable[Row]]] = {
    "reads": reads(lambda _d, _r, _a: 1.0),
    "wrvu": reads(lambda _d, read, _a: read["wrvu"] or 0.0),
}


def fold(rows: Iterable[Row], groups: tuple[str, ...]) -> dict[str, list[Row]]:
    """Rows by group value in the metrics' own notation: values joined by ' | ', 'all' without groups."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[" | ".join(str(row[g]) for g in groups) or "all"].append(row)
    return found
