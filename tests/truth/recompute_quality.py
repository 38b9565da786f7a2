"""Metrics of interoperability recomputed in plain Python from the simulator's truth; see `recompute.py`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import combinations, pairwise
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


def clock_pairs(d: Department) -> Iterator[tuple[tuple[str, str], date, float]]:
    """(facility, device), day and seconds that the device is ahead, of each exam: the mean of its begin and its end."""
    for row in d.truth("clock"):
        begin = minutes(row["anchor_at"], row["device_at"])
        end = minutes(row["anchor_ended_at"], row["device_ended_at"])
        known = [60 * length for length in (begin, end) if length is not None]
        anchor = row["anchor_ended_at"] if begin is None else row["anchor_at"]
        yield (row["facility"], row["device"]), anchor.date(), sum(known) / len(known)


def clock_offset(d: Department) -> Iterator[Row]:
    """Median seconds that a device's exam lies before or after what the RIS or the report says."""
    apart: dict[tuple[str, str], list[float]] = defaultdict(list)
    for who, _, offset in clock_pairs(d):
        apart[who].append(offset)
    for (facility, device), seconds in apart.items():
        yield {"facility": facility, "device": device, "local": d.data_through, "value": abs(median(seconds))}


def clock_days(d: Department) -> dict[tuple[str, str], dict[date, float]]:
    """Median offset of each of the last 90 days with exams, by device."""
    found: dict[tuple[str, str], dict[date, list[float]]] = defaultdict(lambda: defaultdict(list))
    for who, day, offset in clock_pairs(d):
        if day > d.data_through.date() - timedelta(days=90):
            found[who][day].append(offset)
    return {who: {day: median(offsets) for day, offsets in days.items()} for who, days in found.items()}


def slopes(days: dict[date, float], keep: Callable[[date, date], bool]) -> list[float]:
    """Gain of a day of each pair of days that is kept."""
    return [(days[b] - days[a]) / (b - a).days for a, b in combinations(sorted(days), 2) if keep(a, b)]


def clock_steps(days: dict[date, float]) -> list[date]:
    """Days from which on a clock is elsewhere: ten days lie 150 s off the ten before, beyond the drift of near days.

    Of days within ten the largest, then the one that differs most from the day before.
    """
    near = slopes(days, lambda a, b: (b - a).days <= 10)
    drift = median(near) if near else 0.0
    jumps: dict[date, tuple[float, float, date]] = {}
    for earlier, day in pairwise(sorted(days)):
        level = {other: offset - drift * (other - day).days for other, offset in days.items()}
        before = [level[other] for other in days if 1 <= (day - other).days <= 10]
        after = [level[other] for other in days if 0 <= (other - day).days < 10]
        if min(len(before), len(after)) >= 3:
            jumps[day] = abs(median(after) - median(before)), abs(days[day] - days[earlier]), day
    return [
        day for day, size in jumps.items()
        if size[0] > 150 and size == max(other for then, other in jumps.items() if abs((then - day).days) < 10)
    ]  # fmt: skip


def clock_slope(days: dict[date, float]) -> float:
    """Median slope over all pairs of days without a step between."""
    steps = clock_steps(days)
    part = {day: sum(step <= day for step in steps) for day in days}
    return median(slopes(days, lambda a, b: part[a] == part[b]))


def clock_drift(d: Department) -> Iterator[Row]:
    for (facility, device), days in clock_days(d).items():
        if len(days) >= 7:
            yield {"facility": facility, "device": device, "local": d.data_through, "value": abs(clock_slope(days))}


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


def message_defects(d: Department) -> Iterator[Row]:
    """Messages of each day, and those in which a field was planted that nobody can use."""
    for told in d.truth("message"):
        if told["day"] is not None:
            words = d.keys(told | {"message_kind": told["kind"]}, told["day"])
            yield words | {"numerator": float(told["n_defective"]), "denominator": float(told["n_messages"])}


ROWS: dict[str, Rows] = {
    "unmapped_codes": unmapped_codes,
    "negative_intervals": negative_intervals,
    "clock_offset": clock_offset,
    "clock_drift": clock_drift,
    "label_consistency": label_consistency,
    "ai_readiness": ai_readiness,
    "label_contradictions": label_contradictions,
    "message_defects": message_defects,
}
