"""FHIR R4 and R5 in JSON: resources, Bundles and NDJSON -> typed records, one message a resource version.

Bulk exports keep each type in a file of its own, so rows say who they mean by reference: `Patient/1` of its server is a
patient identifier, and the Patient resource states which record numbers are the same person, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable

from etl.records import Parsed, Rejected
from etl.site import Site
from etl.sources.fhir_file import directory, items
from etl.sources.fhir_images import add_study
from etl.sources.fhir_order import add_order
from etl.sources.fhir_patient import add_encounter, add_patient
from etl.sources.fhir_procedure import add_procedure, add_task
from etl.sources.fhir_report import add_report
from etl.sources.fhir_resource import Resource
from etl.sources.fhir_schedule import add_appointment
from etl.sources.fhir_types import RESOURCE_TYPES

#: Why a resource is unusable.
REASONS: dict[str, str] = {
    "bad_json": "the text is no JSON, or ends too early",
    "bad_encoding": "the bytes are not UTF-8",
    "bad_bundle": "Bundle.entry cannot be used",
    "not_an_object": "a resource is an object",
    "duplicate_key": "an object names the same key twice",
    "no_resource_type": "resourceType is missing",
    "unsupported_type": "resourceType names no resource of R4 or R5",
    "too_large": "longer than 16 MiB, or a document longer than 256 MiB; bulk data belongs in NDJSON",
    "too_deep": "nested deeper than a resource can be",
    "too_many_entries": "more than 200,000 entries in one Bundle",
}

#: resourceType -> what reads it. All other types hold nothing for us, or only serve to resolve references.
HANDLERS: dict[str, Callable[[Resource, Parsed], None]] = {
    "ServiceRequest": add_order,
    "DiagnosticReport": add_report,
    "ImagingStudy": add_study,
    "Procedure": add_procedure,
    "Task": add_task,
    "Appointment": add_appointment,
    "Patient": add_patient,
    "Encounter": add_encounter,
}


def parse(data: bytes, site: Site) -> Parsed:
    """Every resource version of a file, in order. Never raises: what cannot be used is counted, with its reason."""
    parsed = Parsed("fhir")
    known = directory(data)
    for position, item in enumerate(items(data)):
        parsed.read += 1
        kind = item.body.get("resourceType")
        reason = item.reason or ("" if kind else "no_resource_type")
        if not reason and (not isinstance(kind, str) or kind not in RESOURCE_TYPES):
            reason = "unsupported_type"
        if reason:
            parsed.rejected.append(Rejected(position, reason, item.detail))
            continue
        handler = HANDLERS.get(str(kind))
        if handler is not None:
            resource = Resource(item, position, site, known)
            handler(resource, parsed)
            said = {name: resource.common[name] for name in ("standard", "source", "message_at", "facility_alias")}
            parsed.envelopes.add(position, {**said, "kind": kind})
            parsed.defects += resource.defects
    return parsed


def messages(data: bytes) -> list[bytes]:
    """Each resource by position as canonical JSON, so that it is the same bytes in a Bundle, in NDJSON or alone."""
    return [item.data for item in items(data)]
