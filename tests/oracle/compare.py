"""Rows of the oracle beside rows of `fct_exam`: the columns both know, as sets that can be subtracted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.oracle.exams import fold
from tests.oracle.facts import read
from tests.oracle.product import SITE

Row = dict[str, Any]
#: Columns of fct_exam that the oracle tells. Missing here: pseudonyms, images, harmonized names, fees, shifts.
COLUMNS = (
    "accession", "facility", "patient", "device", "modality", "procedure_local", "region", "laterality", "contrast",
    "priority", "patient_class", "sex", "location",
    "ordered_at", "booked_at", "scheduled_at", "door_at", "arrived_at", "protocoled_at", "exam_started_at",
    "exam_ended_at", "images_available_at", "read_started_at", "first_prelim_at", "last_prelim_at", "first_final_at",
    "last_final_at", "cancelled_at",
    "ordered_source", "arrived_source", "exam_started_source", "exam_ended_source", "images_available_source",
    "first_prelim_source", "first_final_source",
    "ordered_local", "scheduled_local", "arrived_local", "exam_started_local", "exam_ended_local", "first_final_local",
    "order_to_exam_min", "wait_min", "exam_duration_min", "report_prelim_min", "report_final_min", "read_final_min",
    "first_read_min", "prelim_to_final_min", "order_to_final_min", "arrival_to_final_min", "image_availability_min",
    "time_to_read_min", "radiologist", "assistant", "n_addenda", "n_corrections", "has_order", "has_report",
    "is_cancelled", "is_no_show", "is_discontinued", "is_countable", "exclusion_reason",
)  # fmt: skip


def oracle_rows(messages: list[bytes]) -> list[Row]:
    """The oracle's exams, readers by name."""
    return [
        exam | {name: exam[name] and exam[name][2] for name in ("radiologist", "assistant")}
        for exam in fold(list(read(b"".join(messages), SITE)), SITE)
    ]


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in COLUMNS)


def differences(oracle: list[Row], product: list[Row]) -> list[str]:
    """What differs, one line an exam: each column with the oracle's and the product's value. Empty if nothing does."""
    wanted, got = Counter(map(_values, oracle)), Counter(map(_values, product))
    lonely = list((got - wanted).elements())
    found = []
    for row in (wanted - got).elements():
        near = [other for other in lonely if other[:2] == row[:2]]
        if not near:
            found.append(f"only the oracle has {row[:3]}")
            continue
        best = min(near, key=lambda other: sum(a != b for a, b in zip(row, other, strict=True)))
        lonely.remove(best)
        pairs = zip(COLUMNS, row, best, strict=True)
        found.append(f"{row[:2]}: " + ", ".join(f"{name} {a} / {b}" for name, a, b in pairs if a != b))
    return found + [f"only the product has {row[:3]}" for row in lonely]
