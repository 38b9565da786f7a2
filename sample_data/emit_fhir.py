"""What a FHIR server says of its exams: every version of every resource, in files of one UTC day.

A day's file is a history Bundle, a collection Bundle or NDJSON by resource type, as exports come. The truth holds
what these versions say: see `recorded.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sample_data.envelope import Envelope
from sample_data.fhir_resources import Resource, Speaker
from sample_data.network import Network
from sample_data.rooms import encountered
from sample_data.spool import EPOCH, Spool
from sample_data.story import Exam

TYPES = (
    "Patient", "ServiceRequest", "Encounter", "Appointment", "Procedure", "ImagingStudy", "DiagnosticReport", "Task",
)  # fmt: skip
BUNDLE_ENTRIES = 500
BASE = "https://fhir.southbank.example/r4"

Version = tuple[datetime, Resource]


def versions(network: Network, exam: Exam) -> Iterator[Version]:
    """(time of writing, resource) of everything that happened to an exam."""
    say = Speaker(network, exam)
    for step in (_order, _appointment, _performance, _reports):
        yield from step(say, exam)


def _order(say: Speaker, exam: Exam) -> Iterator[Version]:
    yield exam.ordered_at, say.patient()
    yield exam.ordered_at, say.service_request("active")
    yield exam.ordered_at, say.encounter("planned")
    if exam.merged_at is not None:
        yield exam.merged_at, say.merged_patient()
    if exam.cancelled_at is not None:
        yield exam.cancelled_at, say.service_request("revoked")
        yield exam.cancelled_at, say.encounter("cancelled")
    if exam.exam_ended_at is not None:
        yield exam.exam_ended_at, say.service_request("completed")
    if exam.protocoled_at is not None:
        yield exam.protocoled_at, say.task("protocoled", exam.protocoled_at, None)


def _appointment(say: Speaker, exam: Exam) -> Iterator[Version]:
    booked, slot = exam.booked_at, exam.slot_at
    if booked is None or slot is None:
        return
    yield booked, say.appointment("booked", exam.rescheduled_from or slot, booked)
    steps = (
        ("booked", exam.rescheduled_at), ("arrived", exam.arrived_at), ("cancelled", exam.cancelled_at),
        ("noshow", exam.no_show_at), ("fulfilled", exam.exam_ended_at),
    )  # fmt: skip
    for status, at in steps:
        if at is not None:
            yield at, say.appointment(status, slot, booked)


def _performance(say: Speaker, exam: Exam) -> Iterator[Version]:
    if exam.arrived_at is not None:
        yield exam.arrived_at, say.encounter("arrived")
        yield exam.arrived_at, say.task("arrived", exam.arrived_at, None)
    if exam.exam_started_at is not None:
        yield exam.exam_started_at, say.encounter("in-progress")
        yield exam.exam_started_at, say.procedure("in-progress")
    if exam.exam_ended_at is not None:
        yield exam.exam_ended_at, say.encounter("finished")
        yield exam.exam_ended_at, say.procedure("completed")
        yield exam.exam_ended_at, say.report("registered", exam.exam_ended_at)
    for move in encountered(exam):
        if move.kind == "left":
            yield move.at, say.encounter("finished", is_out=True)
    if exam.images_available_at is not None:
        yield exam.images_available_at, say.imaging_study()
        yield exam.images_available_at, say.task("images_available", exam.images_available_at, None)


def _reports(say: Speaker, exam: Exam) -> Iterator[Version]:
    final = exam.final_at
    if exam.prelim_at is not None:
        yield exam.prelim_at, say.report("preliminary", exam.prelim_at)
    if final is None:
        return
    yield final, say.report("final", final)
    if exam.read_started_at is not None:
        yield final, say.task("read_started", exam.read_started_at, exam.interpreter)
    for number, addendum in enumerate(exam.addenda):
        corrected = ("corrected", "amended")[number % 2]
        yield addendum.at, say.report(corrected if addendum.kind == "corrected" else "appended", addendum.at)
    if exam.critical_category:
        stamps = (
            ("critical_found", exam.critical_found_at),
            ("critical_communicated", exam.critical_communicated_at),
        )
        for code, at in stamps:
            if at is not None:
                yield max(final, at), say.task(code, at, exam.interpreter)


class FhirWriter:
    """Collects resources by `exam`, writes all files at `close`."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.spool = Spool(folder / ".spool")
        self.patients: set[tuple[str, datetime, bool]] = set()

    def exam(self, exam: Exam) -> Iterator[Envelope]:
        """Take all versions of one exam's resources, and tell of each that was not written before."""
        numbers: Counter[str] = Counter()
        speaker = Speaker(self.network, exam)
        for at, resource in sorted(versions(self.network, exam), key=lambda version: version[0]):
            name = f"{resource['resourceType']}/{resource['id']}"
            numbers[name] += 1
            # A patient has versions by many exams, so the second of writing numbers them.
            is_shared = resource["resourceType"] == "Patient"
            number = int((at - EPOCH).total_seconds()) if is_shared else numbers[name]
            meta = {"versionId": str(number), "lastUpdated": speaker.time(at), "source": BASE}
            whole = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta} | resource
            text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
            self.spool.add(at, TYPES.index(resource["resourceType"]), text.encode())
            told = (resource["id"], at, "link" in resource)
            if not is_shared or told not in self.patients:  # exams that are ordered at once repeat it
                yield Envelope(exam.facility, BASE, "fhir", resource["resourceType"], at)
            if is_shared:
                self.patients.add(told)

    def close(self) -> int:
        """Write all files and return the number of resources in them."""
        written = 0
        for day, items in self.spool.days():
            number = (day - EPOCH).days
            written += len(items)
            folder = self.folder / f"{day:%Y%m%d}"
            folder.mkdir(parents=True, exist_ok=True)
            if number % 4 < 2:
                self._bundles(folder, ("history", "collection")[number % 4], [data for _, _, data in items])
            else:
                self._ndjson(folder, [(kind, data) for _, kind, data in items])
        return written

    @staticmethod
    def _ndjson(folder: Path, items: list[tuple[int, bytes]]) -> None:
        for kind, name in enumerate(TYPES):
            lines = [data for own, data in items if own == kind]
            if lines:
                (folder / f"{name}.ndjson").write_bytes(b"\n".join(lines) + b"\n")

    @staticmethod
    def _bundles(folder: Path, kind: str, items: list[bytes]) -> None:
        for first in range(0, len(items), BUNDLE_ENTRIES):
            resources = [json.loads(data) for data in items[first : first + BUNDLE_ENTRIES]]
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [_entry(kind, r) for r in resources]}
            text = json.dumps(bundle, ensure_ascii=False, indent=1)
            (folder / f"bundle-{first // BUNDLE_ENTRIES:03d}.json").write_text(text + "\n", encoding="utf-8")


def _entry(kind: str, resource: dict[str, Any]) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    entry = {"fullUrl": f"{BASE}/{url}", "resource": resource}
    if kind == "history":
        entry["request"] = {"method": "PUT", "url": url}
        entry["response"] = {"status": "200", "lastModified": resource["meta"]["lastUpdated"]}
    return entry
