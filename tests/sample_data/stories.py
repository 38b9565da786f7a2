"""Small hand-made stories for the tests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sample_data.network import Network
from sample_data.story import Exam, Image, Person, Series, Staff

NETWORK = Network(6000, 60)
HORIZON = datetime(2027, 1, 1)
READER = Staff("R101", "Adler", "Miriam", "radiologist", "NORTH")
TRAINEE = Staff("T201", "Umar", "Bilal", "trainee", "NORTH")
TECHNOLOGIST = Staff("X301", "Abbott", "Joy", "technologist", "NORTH")
REFERRER = Staff("P401", "Moreau", "Claire", "referrer", "NORTH")


def person(number: int = 1) -> Person:
    return Person(
        f"P{number:07d}", "Peña", "José", date(1960, 5, 17), "M", f"N7000000{number}",
        {f: f"{letter}100000{number}" for f, letter in zip(("NORTH", "EAST", "WEST", "SOUTH"), "ABCD", strict=True)},
    )  # fmt: skip


def series(*taken: datetime, derived: bool = False) -> Series:
    return Series("2.25.9", 1, "Axial", taken[0], [Image(f"2.25.{n}", at) for n, at in enumerate(taken)], derived)


def exam(device: str, ordered_at: datetime, **more: Any) -> Exam:
    """An exam on a device of the network; `more` overrides or adds facts."""
    d = NETWORK.rooms[device].device
    who = more.pop("person", person())
    procedure = {"CT": "CT_HEAD_WO", "MR": "MR_BRAIN_WO", "DX": "XR_CHEST_1V", "CR": "XR_CHEST_1V"}[d.modality]
    p, name = NETWORK.procedures[procedure], NETWORK.names[d.facility, procedure]
    facts: dict[str, Any] = {
        "accession": "ACC1", "placer": "P00000010", "filler": "F1", "requested_procedure": "RP1",
        "facility": d.facility,
        "person": who, "mrn": who.mrns[d.facility], "visit": "V1", "procedure": p.id, "code": name.code,
        "text": name.text, "dicom_text": p.name, "modality": d.modality, "region": p.region, "laterality": p.laterality,
        "contrast": p.contrast, "service_line": p.service_line, "priority": "S", "patient_class": "E", "location": "ED",
        "reason_code": "PAIN", "referrer": REFERRER, "device": d, "ordered_at": ordered_at,
        "technologist": TECHNOLOGIST, "study_uid": "2.25.77", "step_uid": "2.25.78",
    }  # fmt: skip
    return Exam(**facts | more)
