"""Reports: DiagnosticReport -> report + events, one report for each order that it answers."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from etl.records import Parsed
from etl.sources.fhir_fields import event, read, table
from etl.sources.fhir_imaging import is_imaging, modality_of
from etl.sources.fhir_people import (
    DICOM_UID,
    demographics_of,
    numbers_of,
    orders_of,
    person_of,
    role_of,
    subject_of,
    visit_of,
)
from etl.sources.fhir_resource import Reference, Resource, text_of

REPORT = table("""
WHEN                                            issued                      when        R4
WHEN                                            meta.lastUpdated            when        R4
status_code                                     status                      text        R4
PROCEDURE                                       code                        procedure   R4
exam_started_at                                 effectivePeriod.start       instant     R4
exam_started_at                                 effectiveDateTime           instant     R4
exam_ended_at                                   effectivePeriod.end         instant     R4
""")
#: What a report says about the exam -> event at that time.
MOMENTS = {
    "exam_started": table("""
WHEN                                            effectivePeriod.start       when        R4
WHEN                                            effectiveDateTime           when        R4
"""),
    "exam_ended": table("WHEN                   effectivePeriod.end         when        R4"),
}

#: DiagnosticReport.status (diagnostic-report-status) -> report status; '' is no report yet.
STATUS: dict[str, str] = {
    "registered": "", "unknown": "", "partial": "partial", "preliminary": "preliminary", "modified": "preliminary",
    "final": "final", "amended": "corrected", "corrected": "corrected", "appended": "addendum",
    "cancelled": "cancelled", "entered-in-error": "cancelled",
}  # fmt: skip
#: Status as sent -> event. A report in error was never this exam's, so it does not end the order.
EVENT: dict[str, str] = {
    "preliminary": "preliminary_report", "modified": "preliminary_report", "final": "final_report",
    "amended": "corrected_report", "corrected": "corrected_report", "appended": "addendum", "cancelled": "cancelled",
}  # fmt: skip
MAX_TEXT = 32 * 1024


def add_report(resource: Resource, parsed: Parsed) -> None:
    """One report row and its events for each order; laboratory reports are kept without rows."""
    if resource.is_deleted or not is_imaging(resource):
        return
    code = resource.text("status")
    if code not in STATUS:
        resource.defect("status", "unknown_code" if code else "missing")
    status = STATUS.get(code, "")
    shared = {
        **resource.common, **numbers_of(resource, resource.nodes("identifier")), **_study(resource),
        **subject_of(resource, "subject"), **demographics_of(resource, "subject"),
        **_visit(resource), "modality": modality_of(resource), **read(resource, REPORT), **_people(resource),
        "status": status, "document_id": resource.itself.name or None, "text": _words(resource),
    }  # fmt: skip
    if not status:
        return
    for order in orders_of(resource, "basedOn"):
        row = {**shared, **order}
        parsed.add("report", resource.position, row)
        if code in EVENT:
            reader = {} if code == "cancelled" else _actor(row)
            parsed.add("event", resource.position, event(row, EVENT[code], "report", status_code=code, **reader))
        if status != "cancelled":
            for moment, rows in MOMENTS.items():
                when = read(resource, rows)
                if when.get("at"):
                    told = event(row, moment, "report", status_code=code, **when)
                    parsed.add("event", resource.position, told)


def _study(resource: Resource) -> dict[str, Any]:
    """Study Instance UID, where a reference to the study states it (R4 imagingStudy, R5 study)."""
    for study in resource.references("imagingStudy", "study"):
        if study.identifier.get("system") == DICOM_UID:
            return numbers_of(resource, [study.identifier])
    return {}


def _visit(resource: Resource) -> dict[str, Any]:
    visit = visit_of(resource)
    return {name: visit[name] for name in ("visit_id", "patient_class") if name in visit}


def _actor(row: dict[str, Any]) -> dict[str, Any]:
    return {f"actor_{part}": row.get(f"interpreter_{part}") for part in ("id", "authority", "name")}


def _people(resource: Resource) -> dict[str, Any]:
    """Who read: resultsInterpreter by role, without a role the first as interpreter and the second as assistant.

    Where nobody is named there, it is the practitioner who issues the report (performer).
    """
    found: dict[str, Any] = {}
    readers, issuers = _practitioners(resource, "resultsInterpreter"), _practitioners(resource, "performer")
    for actor in (*readers, *issuers):
        role = role_of(actor)
        if role:
            _fill(resource, found, role, actor)
    plain = [actor for actor in readers or issuers[:1] if not role_of(actor)]
    for role, actor in zip(("interpreter", "assistant"), plain, strict=False):
        _fill(resource, found, role, actor)
    return found


def _practitioners(resource: Resource, path: str) -> list[Reference]:
    return [r for r in resource.references(path) if r.type in ("Practitioner", "PractitionerRole", "")]


def _fill(resource: Resource, found: dict[str, Any], role: str, actor: Reference) -> None:
    if f"{role}_id" not in found:
        person = person_of(resource, actor)
        parts = ("id", "authority", "name") if role in ("interpreter", "assistant") else ("id", "name")
        found.update({f"{role}_{part}": person[part] for part in parts})


def _words(resource: Resource) -> str | None:
    """The report's plain text, else its conclusion. Private."""
    for form in resource.nodes("presentedForm"):
        data = form.get("data")
        if text_of(form, "contentType").startswith("text/plain") and isinstance(data, str) and len(data) < 4 * MAX_TEXT:
            try:
                words = base64.b64decode(data, validate=True).decode("utf-8", "replace").replace("\0", "")
            except (binascii.Error, ValueError):
                resource.defect("presentedForm.data", "bad_base64")
            else:
                return words[:MAX_TEXT] or None
    return text_of(resource.body, "conclusion")[:MAX_TEXT] or None
