"""Results: ORU^R01, R30-R32 and OUL (chapter 7) -> report + events, one report for each imaging OBR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etl.records import Parsed
from etl.sources.hl7_discrepancy import discrepancy_of, is_discrepancy
from etl.sources.hl7_fields import Table, read, table
from etl.sources.hl7_imaging import is_imaging
from etl.sources.hl7_message import NO_SEGMENT, Message
from etl.sources.hl7_order import Group, groups
from etl.sources.hl7_request import IDENTIFIERS, PROCEDURE, add_accession, add_procedure

REPORT = table("""
at,at_precision,at_zone_source                                  OBR-22      WHEN    7.4.1.22
at,at_precision,at_zone_source                                  MSH-7       WHEN    2.14.9.7
status_code                                                     OBR-25      ID      7.4.1.25
priority                                                        TQ1-9       ST      4.5.4.9
priority                                                        ORC-7.6     ST      4.5.1.7
priority                                                        OBR-27.6    ST      7.4.1.27
priority                                                        OBR-5       ID      7.4.1.5
interpreter_id,interpreter_authority,interpreter_name           OBR-32      NDL     7.4.1.32
read_started_at                                                 OBR-32.2    NDLTIME 7.4.1.32
read_ended_at                                                   OBR-32.3    NDLTIME 7.4.1.32
assistant_id,assistant_authority,assistant_name                 OBR-33      NDL     7.4.1.33
technician_id,technician_authority,technician_name              OBR-34      NDL     7.4.1.34
transcriptionist_id,transcriptionist_authority,transcriptionist_name OBR-35 NDL     7.4.1.35
exam_started_at                                                 OBR-7       DTM     7.4.1.7
exam_ended_at                                                   OBR-8       DTM     7.4.1.8
""")
#: What is read of a report in one go.
WHOLE = Table((*IDENTIFIERS, *PROCEDURE, *REPORT))
#: What a result says about the exam and its reading -> event at that time.
MOMENTS = {
    "read_started": table("at,at_precision,at_zone_source OBR-32.2 NDLWHEN 7.4.1.32"),
    "exam_started": table("at,at_precision,at_zone_source OBR-7 WHEN 7.4.1.7"),
    "exam_ended": table("at,at_precision,at_zone_source OBR-8 WHEN 7.4.1.8"),
}
#: When a critical result was found or communicated.
CRITICAL_AT = table("at,at_precision,at_zone_source OBX-14 WHEN 7.4.2.14")
#: Read with the person but not kept: the record has no column for them.
_DROPPED = ("technician_authority", "transcriptionist_authority")

#: OBR-25 (table 0123) -> report status; '' is a result message that is no report. A site's own codes come first.
RESULT_STATUS: dict[str, str] = {
    "P": "preliminary", "R": "preliminary", "M": "preliminary",  # M: corrected, not final
    "F": "final", "C": "corrected", "A": "partial", "X": "cancelled",
    "O": "", "S": "", "I": "", "N": "", "Y": "", "Z": "",
}  # fmt: skip
#: OBR-25 that is no report but tells where the exam is -> event, at OBR-22.
PROGRESS: dict[str, str] = {"S": "scheduled", "I": "exam_started", "N": "exam_ended"}
#: Progress after which OBR-7 and OBR-8 are times of the exam.
EXAM_PROGRESS = frozenset({"exam_started", "exam_ended"})

#: OBX-11 (table 0085) that overrides what OBR-25 says: U is now final although no text follows; C and W correct a final
#: report; A and B amend and append to it. (status by OBR-25, OBX-11) -> status.
OBSERVATION_STATUS: dict[tuple[str, str], str] = {
    ("preliminary", "U"): "final", ("partial", "U"): "final", ("", "U"): "final",
    ("final", "C"): "corrected", ("final", "W"): "corrected",
    ("final", "A"): "addendum", ("final", "B"): "addendum",
}  # fmt: skip
#: Status by OBX-11 where OBR-25 is empty, strongest first.
WITHOUT_RESULT_STATUS: tuple[tuple[str, str], ...] = (
    ("C", "corrected"), ("W", "corrected"), ("A", "addendum"), ("B", "addendum"), ("F", "final"), ("U", "final"),
    ("P", "preliminary"), ("R", "preliminary"), ("S", "partial"), ("X", "cancelled"),
)  # fmt: skip
#: OBX-3 suffix (7.1.4) of text that was added after signing.
ADDENDUM_SUFFIX = "ADT"

#: Report status -> event.
EVENT: dict[str, str] = {
    "preliminary": "preliminary_report", "final": "final_report", "corrected": "corrected_report",
    "addendum": "addendum", "cancelled": "cancelled",
}  # fmt: skip
#: What a coded OBX may say, where the site maps its code.
CRITICAL_EVENTS = frozenset({"critical_found", "critical_communicated"})

TEXT_TYPES = frozenset({"TX", "FT", "ST"})
#: Characters of report text kept, and the length beyond which a value is no text.
MAX_TEXT = 32 * 1024
MAX_VALUE = 64 * 1024


def add_result_message(message: Message, parsed: Parsed) -> None:
    """One report row and its events for each imaging group; laboratory results are kept without rows."""
    has_study = message.first("ZDS") is not NO_SEGMENT
    for group in groups(message, is_result=True):
        if "OBR" not in group.segments:
            continue
        if not has_study and not is_imaging(message, group.segments, group.names):
            continue
        status = _status(message, group)
        row = _report(message, group, status)
        code = row.get("status_code") or ""
        if status:
            parsed.add("report", message.position, row)
        for event in _events(message, group, row, code):
            parsed.add("event", message.position, event)


def _status(message: Message, group: Group) -> str:
    code = message.part(group.segments["OBR"][25], 1)
    mapped = message.sender.result_status.get(code)
    if code and mapped is None and code not in RESULT_STATUS:
        message.defect("OBR-25", "unknown_code")
    status = mapped if mapped is not None else RESULT_STATUS.get(code, "")
    kept = group.observations
    if message.sender.obx:
        kept = [fields for fields in kept if not is_discrepancy(message, fields)]
    marks = {message.part(field, 1) for field in {fields[11] for fields in kept}}
    if not code:
        return next((word for mark, word in WITHOUT_RESULT_STATUS if mark in marks), "")
    for mark in sorted(marks):
        status = OBSERVATION_STATUS.get((status, mark), status)
    if status in ("final", "corrected") and _has_addendum(message, group):
        return "addendum"
    return status


def _has_addendum(message: Message, group: Group) -> bool:
    escape = message.delimiters.escape
    return any(
        ADDENDUM_SUFFIX in (message.part(field, 1), message.part(field, 1, 2))
        for field in {fields[3] for fields in group.observations}
        if ADDENDUM_SUFFIX in field or escape in field
    )


def _report(message: Message, group: Group, status: str) -> dict[str, Any]:
    segments, patient = {**group.segments, "MSH": message.header}, group.patient
    row = add_procedure(message, segments, add_accession(message, segments, read(message, segments, WHOLE)))
    for name in _DROPPED:
        row.pop(name, None)
    for part in (message.common, patient.identity, patient.demographics):
        row |= part
    row["patient_class"] = patient.visit.get("patient_class")
    row["status"] = status
    row["critical_category"] = _critical_category(message, group)
    row["discrepancy"] = discrepancy_of(message, group.observations)
    row["text"] = report_text(message, group)
    return row


def _critical_category(message: Message, group: Group) -> str | None:
    for fields in group.observations if message.sender.obx else ():
        if message.sender.obx.get(message.part(fields[3], 1)) == "critical_category":
            return message.part(fields[5], 1) or None
    return None


def report_text(message: Message, group: Group) -> str | None:
    """Text of the TX, FT and ST observations that the site does not map to a column; embedded documents are skipped."""
    if not message.sender.obx and (plain := message.dialect.lines(group.observations, MAX_VALUE)) is not None:
        return "\n".join(plain)[:MAX_TEXT] or None
    lines: list[str] = []
    size = 0
    columns, repetition, escape = message.sender.obx, message.delimiters.repetition, message.delimiters.escape
    for fields in group.observations:
        value = fields[5]
        if fields[2].strip() not in TEXT_TYPES or len(value) > MAX_VALUE or value in ("", '""'):
            continue
        if columns and message.part(fields[3], 1) in columns:
            continue
        text = "\n".join(message.repetitions(value)) if repetition in value else value
        if escape in text:
            text = message.unescape(text)
        lines.append(text)
        size += len(text) + 1
        if size > MAX_TEXT:
            break
    return "\n".join(lines)[:MAX_TEXT] or None


def _events(message: Message, group: Group, report: dict[str, Any], code: str) -> Iterator[dict[str, Any]]:
    status, shared = report["status"], shared_of(report)
    progress = message.sender.status.get(code) or PROGRESS.get(code)
    if status:
        yield from status_events(report, shared)
    elif progress:
        yield report_event(shared, progress, origin="ris")
    if status not in ("", "cancelled") or progress in EXAM_PROGRESS:
        request = group.segments["OBR"]
        for moment, rows in MOMENTS.items():
            when = read(message, group.segments, rows) if request[rows[0].number] else {}
            if when.get("at") is not None:
                yield report_event(shared, moment, **when)
    for fields in group.observations if message.sender.obx else ():
        kind = message.sender.obx.get(message.part(fields[3], 1), "")
        if kind in CRITICAL_EVENTS:
            when = read(message, {"OBX": fields}, CRITICAL_AT)
            if when:
                yield report_event(shared, kind, **when, detail=report["critical_category"])


def status_events(report: dict[str, Any], shared: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The event of one report version, if its status is a milestone."""
    if report["status"] in EVENT:
        yield report_event(shared, EVENT[report["status"]])


#: Columns that an event takes over from its report.
_SHARED = (
    "standard", "source", "message_id", "message_at", "facility_alias",
    "accession", "filler_id", "placer_id", "requested_procedure_id", "study_uid", "patient_id", "patient_authority",
    "visit_id", "at", "at_precision", "at_zone_source", "status_code",
)  # fmt: skip


#: Events whose actor is the principal interpreter.
_READERS_EVENTS = frozenset({*EVENT.values(), "read_started", "dictated"}) - {"cancelled"}


#: Column of the actor -> column of the report.
_ACTOR = {f"actor_{part}": f"interpreter_{part}" for part in ("id", "authority", "name")}


def shared_of(report: dict[str, Any]) -> dict[str, Any]:
    """What all events of a report have from it; the actor is there for those that are the interpreter's."""
    row = {name: report[name] for name in _SHARED if name in report}
    for actor, interpreter in _ACTOR.items():
        row[actor] = report.get(interpreter)
    return row


def report_event(shared: dict[str, Any], code: str, **more: Any) -> dict[str, Any]:
    """An event row with the identifiers and, unless `more` says another, the time of its report."""
    row = shared | more
    row["code"] = code
    row["is_inferred"] = False
    row.setdefault("origin", "report")
    if code not in _READERS_EVENTS:
        for actor in _ACTOR:
            del row[actor]
    return row
