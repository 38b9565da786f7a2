"""Bookings: Appointment -> appointment + events.

Every version states the whole booking, and none says what changed. So `created` is when it was first booked, and the
slot of a version is told at `meta.lastUpdated`: the slot told last wins, in whatever order versions arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from etl.records import Parsed
from etl.sources.fhir_fields import event, read, table
from etl.sources.fhir_imaging import is_imaging, modality_of
from etl.sources.fhir_people import demographics_of, numbers_of, orders_of, subject_of
from etl.sources.fhir_resource import Resource

APPOINTMENT = table("""
WHEN                                            meta.lastUpdated            when        R4
WHEN                                            created                     when        R4
slot_at                                         start                       instant     R4
duration_min                                    minutesDuration             number      R4
resource                                        participant.actor           place       R4
reason_code                                     cancelationReason           coded       R4
reason_code                                     cancellationReason          coded       R5
PROCEDURE                                       serviceType                 procedure   R4
""")
BOOKED_AT = table("WHEN created when R4")
CANCELLED_AT = table("""
WHEN                                            cancellationDate            when        R5
WHEN                                            meta.lastUpdated            when        R4
""")
#: Appointment.status (appointmentstatus) -> status, event at the version's time.
STATUS: dict[str, tuple[str, str]] = {
    "proposed": ("proposed", ""), "pending": ("pending", ""), "waitlist": ("waitlist", ""),
    "booked": ("booked", ""), "arrived": ("arrived", "arrived"), "checked-in": ("arrived", "arrived"),
    "fulfilled": ("completed", ""), "cancelled": ("cancelled", "cancelled"), "noshow": ("noshow", "no_show"),
    "entered-in-error": ("deleted", "cancelled"),
}  # fmt: skip
#: Statuses in which no slot is taken yet.
NO_SLOT = frozenset({"proposed", "pending", "waitlist"})
#: A version this close to `created` is the first one.
AT_ONCE = timedelta(seconds=1)


def add_appointment(resource: Resource, parsed: Parsed) -> None:
    """One appointment and its events for each order; bookings of other departments are kept without rows."""
    if resource.is_deleted:
        _add_deleted(resource, parsed)
        return
    if not is_imaging(resource):
        return
    code = resource.text("status")
    if code not in STATUS:
        resource.defect("status", "unknown_code" if code else "missing")
    status = STATUS.get(code, (code or "unknown", ""))[0]
    shared = {
        **_identity(resource), **subject_of(resource, "subject", "participant.actor"),
        **demographics_of(resource, "subject", "participant.actor"), "modality": modality_of(resource),
        **read(resource, APPOINTMENT), "status": status,
    }  # fmt: skip
    shared.setdefault("duration_min", _length(resource, shared.get("slot_at")))
    cancelled = read(resource, CANCELLED_AT) if status == "cancelled" else {}
    for order in orders_of(resource, "basedOn"):
        row = {**shared, **order}
        parsed.add("appointment", resource.position, {**row, **cancelled})
        for told in _events(resource, row, code):
            parsed.add("event", resource.position, told)


def _identity(resource: Resource) -> dict[str, Any]:
    numbers = numbers_of(resource, resource.nodes("identifier"))
    return {**resource.common, **numbers, "appointment_id": resource.text("id") or None}


def _length(resource: Resource, start: Any) -> float | None:
    end = resource.instant("end")
    return (end - start).total_seconds() / 60 if end and start and end > start else None


def _events(resource: Resource, row: dict[str, Any], code: str) -> Iterator[dict[str, Any]]:
    facts = {"status_code": code or None, "station": row.get("resource")}
    if code not in NO_SLOT:
        booked = read(resource, BOOKED_AT)
        at, told_at = booked.get("at"), row.get("at")
        is_first = not at or not told_at or abs(told_at - at) <= AT_ONCE or resource.text("meta.versionId") == "1"
        slot = row.get("slot_at")
        if at or is_first:
            yield event(row, "scheduled", "schedule", **facts, **booked, slot_at=slot if is_first else None)
        if not is_first:
            yield event(row, "scheduled", "schedule", **facts, slot_at=slot, is_inferred=True)
    said = STATUS.get(code, ("", ""))[1]
    if said:
        when = read(resource, CANCELLED_AT) if said == "cancelled" else {}
        yield event(row, said, "schedule", **facts, **when, reason_code=row.get("reason_code"))


def _add_deleted(resource: Resource, parsed: Parsed) -> None:
    if resource.sender.is_mapped:
        row = {**_identity(resource), **read(resource, APPOINTMENT), "status": "deleted"}
        parsed.add("appointment", resource.position, row)
        parsed.add("event", resource.position, event(row, "cancelled", "schedule", status_code="deleted"))
