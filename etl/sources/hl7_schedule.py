"""Bookings: SIU^S12-S27 (chapter 10) -> appointment + event."""

from __future__ import annotations

from typing import Any

from etl.records import Parsed
from etl.sources.hl7_fields import Table, read, table
from etl.sources.hl7_imaging import is_imaging_procedure
from etl.sources.hl7_message import NO_SEGMENT, Message, Segment
from etl.sources.hl7_patient import patient_of
from etl.sources.hl7_request import identify

APPOINTMENT = table("""
appointment_id                                                  SCH-2       EI      10.6.2.2
appointment_id                                                  SCH-1       EI      10.6.2.1
placer_id                                                       SCH-26      EI      10.6.2.26
filler_id                                                       SCH-27      EI      10.6.2.27
slot_at                                                         AIS-4       DTM     10.6.4.4
slot_at                                                         TQ1-7       DTM     4.5.4.7
slot_at                                                         SCH-11.4    DTM     10.6.2.11
slot_at                                                         AIL-6       DTM     10.6.6.6
slot_at                                                         AIG-8       DTM     10.6.5.8
resource                                                        AIL-3       ST      10.6.6.3
resource                                                        AIG-3       ST      10.6.5.3
reason_code                                                     SCH-6       ST      10.6.2.6
reason_code                                                     SCH-7       ST      10.6.2.7
reason_code                                                     SCH-6.2     ST      10.6.2.6
at,at_precision,at_zone_source                                  MSH-7       WHEN    2.14.9.7
procedure_code,procedure_text,procedure_system,alternate_code,alternate_text,alternate_system AIS-3 CWE 10.6.4.3
""")

#: Length of the slot by segment, the first that has a number in a known unit; the unit is in the field after it.
DURATION = {
    row.segment: Table([row])
    for row in table("""
duration                                                        AIS-7       NM      10.6.4.7
duration                                                        AIL-9       NM      10.6.6.9
duration                                                        SCH-9       NM      10.6.2.9
""")
}
_UNIT_FIELD = {"AIS": 8, "AIL": 10, "SCH": 10}
#: Minutes in a unit (UCUM and ANSI+ spellings, first letters); minutes where none is said.
UNITS = {"": 1.0, "MIN": 1.0, "M": 1.0, "H": 60.0, "HR": 60.0, "HOU": 60.0, "S": 1 / 60, "SEC": 1 / 60, "D": 1440.0}

#: Trigger (table 0003) -> appointment status, event. S18-S22 change a part of an appointment that stays booked;
#: S23 and S24 block and open time of no patient.
TRIGGERS: dict[str, tuple[str, str]] = {
    "S12": ("booked", "scheduled"), "S13": ("rescheduled", "rescheduled"), "S14": ("booked", ""),
    "S15": ("cancelled", "cancelled"), "S16": ("discontinued", "cancelled"), "S17": ("deleted", "cancelled"),
    "S18": ("booked", ""), "S19": ("booked", ""), "S20": ("booked", ""), "S21": ("booked", ""), "S22": ("booked", ""),
    "S23": ("blocked", ""), "S24": ("open", ""), "S26": ("noshow", "no_show"), "S27": ("booked", "scheduled"),
}  # fmt: skip

#: SCH-25 (table 0278 and common additions), letters only, lower case -> appointment status, event. It wins over the
#: trigger; None keeps the trigger's event.
STATUSES: dict[str, tuple[str, str | None]] = {
    "pending": ("pending", ""), "waitlist": ("waitlist", ""), "booked": ("booked", None),
    "started": ("started", ""), "complete": ("completed", ""), "completed": ("completed", ""),
    "cancelled": ("cancelled", "cancelled"), "canceled": ("cancelled", "cancelled"),
    "dc": ("discontinued", "cancelled"), "deleted": ("deleted", "cancelled"), "blocked": ("blocked", ""),
    "overbook": ("overbooked", None), "overbooked": ("overbooked", None), "noshow": ("noshow", "no_show"),
    "arrived": ("arrived", "arrived"), "checkedin": ("arrived", "arrived"),
}  # fmt: skip


def add_schedule_message(message: Message, parsed: Parsed) -> None:
    """One appointment and its event; bookings of other departments are kept without rows."""
    if message.trigger not in TRIGGERS:
        message.defect("MSH-9.2", "unknown_trigger")
        return
    segments = _segments(message)
    if not _is_ours(message, segments):
        return
    patient = patient_of(message, segments.get("PID", NO_SEGMENT), segments.get("PV1", NO_SEGMENT))
    found = read(message, segments, APPOINTMENT)
    row = {
        **message.common, **identify(message, segments), **found, **patient.identity, **patient.demographics,
        "duration_min": _duration(message, segments),
    }  # fmt: skip
    status, event = _outcome(message, segments)
    parsed.add("appointment", message.position, {**row, "status": status})
    if event:
        parsed.add("event", message.position, _event(row, event, _said(message, segments)))


def _segments(message: Message) -> dict[str, Segment]:
    """The first of each segment; of several services (AIS) the first imaging one, with the resources that follow it."""
    found: dict[str, Segment] = {}
    services: list[dict[str, Segment]] = [{}]
    for name, fields in message.segments:
        if name == "RGS" or (name == "AIS" and "AIS" in services[-1]):
            services.append({})
        if name in ("AIS", "AIG", "AIL"):
            services[-1].setdefault(name, fields)
        else:
            found.setdefault(name, fields)
    first = next((service for service in services if service), {})
    chosen = next((service for service in services if _is_imaging_service(message, service)), first)
    return {"SCH": NO_SEGMENT, **found, **chosen}


def _is_imaging_service(message: Message, segments: dict[str, Segment]) -> bool:
    return is_imaging_procedure(message, segments.get("AIS", NO_SEGMENT)[3])


def _is_ours(message: Message, segments: dict[str, Segment]) -> bool:
    """Rows 1, 5, 6 and 8 of the decision table of `hl7_imaging`."""
    is_certain = message.sender.is_mapped or "IPC" in segments or "ZDS" in segments
    return is_certain or _is_imaging_service(message, segments)


def _said(message: Message, segments: dict[str, Segment]) -> str:
    """Filler status: SCH-25, else that of the service, AIS-10."""
    return message.part(segments["SCH"][25], 1) or message.part(segments.get("AIS", NO_SEGMENT)[10], 1)


def _outcome(message: Message, segments: dict[str, Segment]) -> tuple[str, str]:
    status, event = TRIGGERS[message.trigger]
    said = _said(message, segments)
    if not said:
        return status, event
    known = STATUSES.get("".join(c for c in said.lower() if c.isalpha()))
    mapped = message.sender.status.get(said)
    if known is None and mapped is None:
        message.defect("SCH-25", "unknown_code")
        return status, event
    stated, stated_event = known or (said.lower(), None)
    if message.trigger == "S13" and stated == "booked":
        stated = status
    return stated, mapped or (event if stated_event is None else stated_event)


def _duration(message: Message, segments: dict[str, Segment]) -> float | None:
    for segment, rows in DURATION.items():
        number = read(message, segments, rows).get("duration")
        if number is None:
            continue
        unit = message.part(segments[segment][_UNIT_FIELD[segment]], 1).upper()
        minutes = UNITS.get(unit, UNITS.get(unit[:3]))
        if minutes is None:
            message.defect(f"{segment}-{_UNIT_FIELD[segment]}", "unknown_unit")
            continue
        return float(number * minutes)
    return None


_SHARED = (
    "standard", "source", "message_id", "message_at", "facility_alias", "accession", "filler_id", "placer_id",
    "requested_procedure_id", "study_uid", "appointment_id", "patient_id", "patient_authority", "visit_id",
    "at", "at_precision", "at_zone_source", "reason_code",
)  # fmt: skip


def _event(row: dict[str, Any], code: str, said: str) -> dict[str, Any]:
    slot = row.get("slot_at") if code in ("scheduled", "rescheduled") else None
    return {
        **{name: row[name] for name in _SHARED if name in row},
        "code": code, "origin": "schedule", "status_code": said or None, "slot_at": slot,
        "station": row.get("resource"), "is_inferred": False,
    }  # fmt: skip
