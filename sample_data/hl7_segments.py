"""Segments of one exam in a dialect: the fields that radiology systems fill, by their numbers in the standard."""

from __future__ import annotations

from datetime import datetime

from sample_data.hl7_dialect import Writer
from sample_data.story import Exam, Staff

#: Our priority letter and class as TQ1-9/ORC-7.6 and PV1-2 carry them: the same letters.
TEMPORARY_NAME = ("Doe", "Unidentified")


def segment(name: str, fields: dict[int, str]) -> str:
    """`name` with its numbered fields; gaps stay empty."""
    return "|".join((name, *(fields.get(n, "") for n in range(1, max(fields) + 1))))


def msh(w: Writer, kind: str, control_id: str, app: str = "") -> str:
    """MSH (2.14.9). MSH-18 only where the sender states a character set."""
    d = w.dialect
    head = f"MSH|^~\\&|{app or d.app}|{d.sending}|RADOPS|NET|{w.header_time}||{kind}|{control_id}|P|{d.version}"
    return f"{head}||||||{d.charset}" if d.charset else head


def is_temporary(exam: Exam) -> bool:
    """Registered under a temporary number that a merge replaces later."""
    return exam.mrn != exam.person.mrns[exam.facility]


def pid(w: Writer, exam: Exam) -> str:
    """PID (3.4.2) with the local record number and, once the person is known, the network's."""
    p = exam.person
    local = f"{exam.mrn}^^^{exam.facility}^MR"
    if is_temporary(exam):
        family, given = TEMPORARY_NAME
        return f"PID|1||{local}||{family}^{given}||||"
    return (
        f"PID|1||{local}~{p.enterprise}^^^NET^PI||{w.text(p.family)}^{w.text(p.given)}||{p.birth_date:%Y%m%d}|{p.sex}"
    )


def pv1(w: Writer, exam: Exam, admitted_at: datetime | None = None, more: dict[int, str] | None = None) -> str:
    """PV1 (3.4.3): class, place, visit; `more` fields by number."""
    fields = {
        2: exam.patient_class,
        3: f"{exam.location}^^^{w.dialect.pv1_facility}" if w.dialect.pv1_facility else exam.location,
        19: f"{exam.visit}^^^{exam.facility}",
    }
    if admitted_at is not None:
        fields[44] = w.time(admitted_at)
    return segment("PV1", fields | (more or {}))


def xcn(staff: Staff | None) -> str:
    """A person as XCN (2A.3.86)."""
    return f"{staff.id}^{staff.family}^{staff.given}^^^^^^NET" if staff else ""


def ndl(w: Writer, staff: Staff | None, started_at: datetime | None = None, ended_at: datetime | None = None) -> str:
    """A person as NDL (2A.3.46): CNN in sub-components, then start and end of the work."""
    name = f"{staff.id}&{staff.family}&{staff.given}&&&&&&NET" if staff else ""
    return f"{name}^{w.time(started_at)}^{w.time(ended_at)}".rstrip("^")


def orc(w: Writer, exam: Exam, control: str, at: datetime | None, more: dict[int, str] | None = None) -> str:
    """ORC (4.5.1): order control, numbers, priority in ORC-7 for 2.3.1, time of this event; `more` fields by number."""
    fields = {1: control, 2: f"{exam.placer}^CPOE", 3: f"{exam.filler}^{w.dialect.filler_namespace}"}
    if not w.dialect.is_251:
        fields[7] = f"^^^^^{exam.priority}"
    return segment("ORC", fields | {9: w.time(at), 12: xcn(exam.referrer)} | (more or {}))


def tq1(w: Writer, exam: Exam) -> str:
    """TQ1 (4.5.4): the requested time, which this placer sets to the time of the order, and the priority."""
    return f"TQ1|1||||||{w.time(exam.ordered_at)}||{exam.priority}"


def obr(w: Writer, exam: Exam, more: dict[int, str] | None = None) -> str:
    """OBR (4.5.3). In 2.3.1 accession, procedure and step ids stand in OBR-18 to 20 (IHE RAD TF-2 4.4)."""
    fields = {
        1: "1",
        2: f"{exam.placer}^CPOE",
        3: f"{exam.filler}^{w.dialect.filler_namespace}",
        4: f"{exam.code}^{w.text(exam.text)}^L{exam.facility}",
        16: xcn(exam.referrer),
        24: exam.modality,
        31: exam.reason_code,
    }
    if exam.duplicate_reason and w.dialect.is_251:  # the field is of 2.5
        fields[48] = f"{exam.duplicate_reason}^^L"
    if not w.dialect.is_251:
        fields |= {18: exam.accession, 19: exam.requested_procedure, 20: f"S{exam.filler}", 27: f"^^^^^{exam.priority}"}
    return segment("OBR", fields | (more or {}))


def imaging(w: Writer, exam: Exam) -> str:
    """IPC (4.5.6) in 2.5.1, ZDS (IHE RAD TF-2 4.4) in 2.3.1: accession, study and station."""
    if not w.dialect.is_251:
        return f"ZDS|{exam.study_uid}^RADOPS^Application^DICOM"
    begun = exam.exam_started_at
    d = exam.device if begun is not None and w.sent_at >= begun else exam.planned_device
    return (
        f"IPC|{exam.accession}|{exam.requested_procedure}|{exam.study_uid}|S{exam.filler}|{exam.modality}"
        f"|{exam.code}|{d.station}|{w.text(d.name)}|{d.ae_title}"
    )


def obx(number: int, kind: str, code: str, value: str, status: str = "F") -> str:
    """OBX (7.4.2) as far as its result status, OBX-11."""
    return f"OBX|{number}|{kind}|{code}||{value}||||||{status}"


def obx_time(number: int, code: str, time: str) -> str:
    """OBX with a time as its value and as its observation time (OBX-14)."""
    return f"{obx(number, 'TS', code, time)}|||{time}"
