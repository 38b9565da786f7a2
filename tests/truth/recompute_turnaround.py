"""The other intervals of a report's way recomputed from the simulator's truth; see `recompute`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from tests.truth.department import Department, Row, minutes
from tests.truth.recompute import HOUR, Rows, interval, is_scheduled_outpatient


def in_days(rows: Rows) -> Rows:
    """The same rows with their minutes as days."""

    def days(d: Department) -> Iterator[Row]:
        for row in rows(d):
            yield row | {"value": None if row["value"] is None else row["value"] / 1440}

    return days


def is_emergency(exam: Row) -> bool:
    return exam["patient_class"] == "emergency"


def backlog_age(d: Department) -> Iterator[Row]:
    """Hours that the oldest exam of each facility, modality, priority and class has waited, at each full hour."""
    ended: dict[tuple[str, ...], list[datetime]] = defaultdict(list)
    groups = ("facility", "modality", "priority", "patient_class")
    for exam in d.countable:
        hour = exam["exam_ended_at"].replace(minute=0, second=0)
        hour += HOUR if hour < exam["exam_ended_at"] else 0 * HOUR
        while hour <= d.data_through and (exam["first_final_at"] is None or hour < exam["first_final_at"]):
            ended[*(exam[g] for g in groups), hour].append(exam["exam_ended_at"])
            hour += HOUR
    for (*words, hour), waiting in ended.items():
        row = dict(zip(groups, words, strict=True))
        yield d.keys(row, d.local(row["facility"], hour)) | {"value": minutes(min(waiting), hour) / 60}


def door_to_ct(d: Department) -> Iterator[Row]:
    """From the door to the first image of an emergency patient's CT."""
    first: dict[tuple[str, str], datetime] = {}
    for image in d.truth("image"):
        key = (image["facility"], image["accession"])
        first[key] = min(image["at"], first.get(key, image["at"]))
    for exam in d.countable:
        if is_emergency(exam) and exam["modality"] == "CT":
            length = minutes(exam["door_at"], first.get((exam["facility"], exam["accession"])))
            words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
            yield words | {"value": length if length is not None and length >= 0 else None}


def door_to_read(d: Department) -> Iterator[Row]:
    for exam in filter(is_emergency, d.countable):
        reads = [at for at in (exam["first_prelim_at"], exam["first_final_at"]) if at is not None]
        length = minutes(exam["door_at"], min(reads, default=None))
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield words | {"value": length if length is not None and length >= 0 else None}


def critical_communication(d: Department) -> Iterator[Row]:
    """Told within the limit of the category; silence past the limit is a miss."""
    unit = {"min": 1, "h": 60, "d": 1440}
    limits = {row["metric"]: float(row["target"]) * unit[row["unit"]] for row in d.site("targets.csv")}
    for exam in d.countable:
        limit = limits.get(f"critical_communication:{exam['critical_category']}")
        found, told = exam["critical_found_at"], exam["critical_communicated_at"]
        if limit is None or found is None or (told is None and minutes(found, d.data_through) <= limit):
            continue
        if told is None or told >= found:
            is_met = told is not None and minutes(found, told) <= limit
            yield d.keys(exam, d.local(exam["facility"], found)) | {"numerator": float(is_met), "denominator": 1.0}


ROWS: dict[str, Rows] = {
    "door_to_ct": door_to_ct,
    "door_to_read": door_to_read,
    "critical_communication": critical_communication,
    "schedule_lag": in_days(interval("ordered_at", "scheduled_at", "scheduled_at", is_scheduled_outpatient)),
    "image_availability": interval("exam_ended_at", "images_available_at", "exam_ended_at"),
    "time_to_read": interval("exam_ended_at", "read_started_at", "exam_ended_at"),
    "report_prelim": interval("exam_ended_at", "first_prelim_at", "exam_ended_at"),
    "read_final": interval("images_available_at", "first_final_at", "exam_ended_at"),
    "prelim_to_final": interval("first_prelim_at", "first_final_at", "exam_ended_at"),
    "order_to_final": interval("ordered_at", "first_final_at", "exam_ended_at"),
    "arrival_to_final": interval("arrived_at", "first_final_at", "exam_ended_at", is_emergency),
    "backlog_age": backlog_age,
}
