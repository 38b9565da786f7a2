"""Documents: MDM^T01-T11 (chapter 9) -> report + events."""

from __future__ import annotations

from typing import Any

from etl.records import Parsed
from etl.sources.hl7_discrepancy import discrepancy_of
from etl.sources.hl7_fields import read, table
from etl.sources.hl7_imaging import is_imaging
from etl.sources.hl7_message import NO_SEGMENT, Message
from etl.sources.hl7_order import Group, groups
from etl.sources.hl7_patient import patient_of
from etl.sources.hl7_request import identify, procedure_of
from etl.sources.hl7_result import report_event, report_text, shared_of, status_events

DOCUMENT = table("""
placer_id                                                       TXA-14      EI      9.6.1.14
filler_id                                                       TXA-15      EI      9.6.1.15
document_id                                                     TXA-12      EI      9.6.1.12
status_code                                                     TXA-17      ID      9.6.1.17
interpreter_id,interpreter_authority,interpreter_name           TXA-22      XCN     9.6.1.22
interpreter_id,interpreter_authority,interpreter_name           TXA-10      XCN     9.6.1.10
interpreter_id,interpreter_authority,interpreter_name           TXA-9       XCN     9.6.1.9
transcriptionist_id,transcriptionist_authority,transcriptionist_name TXA-11 XCN     9.6.1.11
""")

#: When a version came to be: TXA-22.15 (PPN) is the signature; TXA-8 is the edit; else the message.
SIGNED = table("""
at,at_precision,at_zone_source                                  TXA-22.15   WHEN    9.6.1.22
at,at_precision,at_zone_source                                  EVN-2       WHEN    3.4.1.2
at,at_precision,at_zone_source                                  MSH-7       WHEN    2.14.9.7
""")
UNSIGNED = table("""
at,at_precision,at_zone_source                                  TXA-8       WHEN    9.6.1.8
at,at_precision,at_zone_source                                  TXA-7       WHEN    9.6.1.7
at,at_precision,at_zone_source                                  EVN-2       WHEN    3.4.1.2
at,at_precision,at_zone_source                                  MSH-7       WHEN    2.14.9.7
""")
#: When it was dictated: TXA-6 origination. TXA-4 is the time of the activity that the document describes; it is the
#: dictation only in a document that is dictated and not yet more.
DICTATED = table("""
at,at_precision,at_zone_source                                  TXA-6       WHEN    9.6.1.6
""")
DICTATED_ONLY = table("""
at,at_precision,at_zone_source                                  TXA-6       WHEN    9.6.1.6
at,at_precision,at_zone_source                                  TXA-4       WHEN    9.6.1.4
""")

#: TXA-2 (table 0270) of imaging.
TYPES = frozenset({"DI", "RAD", "RADIOLOGY"})

#: TXA-17 (table 0271) -> report status; '' is not yet a report.
COMPLETION: dict[str, str] = {
    "AU": "final", "LA": "final", "PA": "preliminary", "DO": "preliminary", "IP": "partial", "IN": "partial", "DI": "",
}  # fmt: skip

#: What the trigger makes of a final version. T07/T08 edit before and T09/T10 replace after signing (9.4).
FINAL: dict[str, str] = {
    "T01": "final", "T02": "final", "T03": "final", "T04": "final", "T05": "addendum", "T06": "addendum",
    "T07": "corrected", "T08": "corrected", "T09": "corrected", "T10": "corrected", "T11": "cancelled",
}  # fmt: skip
#: Triggers whose TXA-6 is the dictation of this very version.
ORIGINAL = frozenset({"T01", "T02", "T03", "T04"})


def add_document_message(message: Message, parsed: Parsed) -> None:
    """One report version, or a dictation alone, for each imaging order that the document covers (9.4.2), or for itself.

    Documents of other departments are kept without rows.
    """
    if message.trigger not in FINAL:
        message.defect("MSH-9.2", "unknown_trigger")
        return
    observations = [fields for name, fields in message.segments if name == "OBX"]
    orders = list(groups(message, is_result=True))
    for group in orders or [Group(patient_of(message, message.first("PID"), message.first("PV1")))]:
        group.observations = observations
        if not _is_ours(message, group):
            continue
        row = _report(message, group)
        if row["status"]:
            parsed.add("report", message.position, row)
        shared = shared_of(row)
        for event in (*status_events(row, shared), *_dictation(message, row, shared)):
            parsed.add("event", message.position, event)


def _is_ours(message: Message, group: Group) -> bool:
    """TXA-2 names imaging, or the order that the document carries is imaging, or the site maps the sender."""
    document = message.first("TXA")
    kind = message.part(document[2], 1).upper()
    if kind in TYPES or kind in message.sender.radiology:
        return True
    if "OBR" in group.segments:
        return is_imaging(message, group.segments, group.names)
    return message.sender.is_mapped and document is not NO_SEGMENT


def _report(message: Message, group: Group) -> dict[str, Any]:
    segments = {**group.segments, "MSH": message.header, "TXA": message.first("TXA"), "EVN": message.first("EVN")}
    found = read(message, segments, DOCUMENT)
    found.pop("transcriptionist_authority", None)
    status = _status(message, found.get("status_code", ""))
    patient = group.patient
    identifiers = {name: value for name, value in identify(message, segments).items() if value}
    return {
        **message.common, **found, **identifiers, **patient.identity, **patient.demographics,
        "patient_class": patient.visit.get("patient_class"), **procedure_of(message, segments),
        **read(message, segments, UNSIGNED if status in ("preliminary", "partial", "") else SIGNED),
        "status": status, "discrepancy": discrepancy_of(message, group.observations),
        "text": report_text(message, group),
    }  # fmt: skip


def _status(message: Message, completion: str) -> str:
    if message.trigger == "T11":
        return "cancelled"
    if completion and completion not in COMPLETION:
        message.defect("TXA-17", "unknown_code")
    status = message.sender.result_status.get(completion) or COMPLETION.get(completion, "final")
    return FINAL[message.trigger] if status == "final" else status


def _dictation(message: Message, report: dict[str, Any], shared: dict[str, Any]) -> list[dict[str, Any]]:
    if message.trigger not in ORIGINAL:
        return []
    rows = DICTATED if report["status"] else DICTATED_ONLY
    when = read(message, {"TXA": message.first("TXA")}, rows)
    if not when:
        return []
    return [report_event(shared, "dictated", **when)]
