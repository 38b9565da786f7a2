"""What a careful reader of all emitted files can know about an exam: the truth "as recorded".

Start and end come from MPPS, else the RIS status, else the acquisition times of original images, else the report.
Device stamps carry the device's clock error; times keep the precision and the ambiguity they were written with.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sample_data.device_clock import ahead
from sample_data.dicom_device import MAKERS
from sample_data.emit_dicom import sends_step_end
from sample_data.emit_hl7 import bookings, posted_at, reports, status_at
from sample_data.grading import told_grade
from sample_data.hl7_dialect import ADMISSION, DICTATION, RIS, first_occurrence, is_near_change, recorded
from sample_data.hl7_segments import is_temporary
from sample_data.mislabels import headers
from sample_data.network import Network
from sample_data.story import Exam

Row = dict[str, Any]
#: An instant by the device and by the RIS.
Told = tuple[datetime | None, datetime | None]


class Record:
    """Reads one story the way its messages and files tell it."""

    def __init__(self, network: Network, exam: Exam, horizon: datetime, *, has_dicom: bool) -> None:
        self.network, self.exam, self.horizon = network, exam, horizon
        self.dialect = RIS.get(exam.facility)
        self.has_dicom = has_dicom
        self.has_mpps = has_dicom and exam.device.has_mpps and exam.exam_started_at is not None
        self.has_images = has_dicom and bool(exam.series) and not exam.is_study_missing
        self.reports = list(reports(exam))

    def field(self, at: datetime | None) -> datetime | None:
        """A stamp as a field of the facility's messages gives it back."""
        return recorded(self.network, self.dialect, at) if self.dialect else at

    def device_time(self, at: datetime | None, *, may_have_offset: bool = True) -> datetime | None:
        """A stamp by the device's clock."""
        if at is None:
            return None
        device = self.exam.device
        at += ahead(device, at)
        if (device.writes_zone_offset and may_have_offset) or not is_near_change(at):
            return at
        return first_occurrence(self.network, device.facility, at)

    def status(self, attribute: str) -> datetime | None:
        """When the RIS (or FHIR server) says that a milestone was reached."""
        if self.dialect is None:
            at: datetime | None = getattr(self.exam, attribute)
            return at
        return self.field(status_at(self.exam, attribute))

    def interval(self) -> tuple[datetime | None, datetime | None]:
        """Start and end of the exam, each from its best source."""
        return (self._first(0), self._first(1))

    def _first(self, side: int) -> datetime | None:
        exam, is_end = self.exam, bool(side)
        attribute = ("exam_started_at", "exam_ended_at")[side]
        at: datetime | None = getattr(exam, attribute)
        is_told = sends_step_end(exam) if is_end else "mpps_create" not in exam.lost
        if self.has_mpps and is_told and at is not None:
            return self.device_time(at, may_have_offset=not is_end)  # an N-SET cannot carry it
        from_status = self.status(attribute)
        if from_status is not None:
            return from_status
        return self._acquired(side) if self.has_images else self._reported(at)

    def _acquired(self, side: int) -> datetime:
        """First (0) or last (1) acquisition of original images."""
        taken = [
            self.device_time(i.at + timedelta(seconds=side * i.duration_s))
            for s in self.exam.series if not s.is_derived for i in s.images
        ]  # fmt: skip
        return (min, max)[side]([t for t in taken if t is not None])

    def _reported(self, at: datetime | None) -> datetime | None:
        """Start or end of the exam, where a report carries it."""
        return self.field(at) if self.reports and "exam_times" not in self.exam.lost else None

    def clocks(self) -> tuple[Told, Told]:
        """Begin and end of the exam, each by the device (MPPS, else images), and by the RIS, else the report."""
        exam = self.exam
        has_begin, has_end = "mpps_create" not in exam.lost, sends_step_end(exam)
        return self._both(0, is_step=has_begin), self._both(1, is_step=has_end)

    def _both(self, side: int, *, is_step: bool) -> Told:
        attribute = ("exam_started_at", "exam_ended_at")[side]
        at: datetime | None = getattr(self.exam, attribute)
        if at is None:
            return None, None
        anchor_at = self.status(attribute) or self._reported(at)
        if self.has_mpps and is_step:
            return self.device_time(at, may_have_offset=not side), anchor_at
        return self._acquired(side) if self.has_images else None, anchor_at

    def versions(self, status: str) -> list[datetime]:
        """OBR-22 of all versions with an OBR-25 status, sorted."""
        return sorted(at for _, s, when, _ in self.reports if s == status and (at := self.field(when)) is not None)

    def _dictated_addenda(self) -> list[datetime]:
        """Addenda that the dictation system tells in place of the RIS."""
        if self.exam.facility != "EAST" or self.exam.is_hl7_missing or "final" in self.exam.lost:
            return []
        told = (recorded(self.network, DICTATION, a.at) for a in self.exam.addenda if a.kind == "addendum")
        return [at for at in told if at is not None]

    def read_started(self) -> datetime | None:
        """Start of reading, where a report carries it."""
        is_sent = self.dialect is None or self.dialect.writes_seconds
        if not self.reports or not is_sent or "read_started" in self.exam.lost:
            return None
        return self.field(self.exam.read_started_at)

    def critical(self, at: datetime | None) -> datetime | None:
        """A critical result's stamp, where a final version carries it."""
        has_final = any(status != "P" for _, status, _, _ in self.reports)
        return self.field(at) if has_final and self.exam.critical_category else None

    def critical_category(self) -> str | None:
        """A critical result's category, where its stamp carries it: the tasks of the FHIR server do not."""
        is_told = self.dialect is not None and self.critical(self.exam.critical_found_at) is not None
        return self.exam.critical_category if is_told else None

    def discontinued_reason(self) -> str | None:
        """Why the step was given up, where the modality's last word arrives."""
        return self.exam.discontinued_reason or None if self.has_mpps and sends_step_end(self.exam) else None

    def door(self) -> datetime | None:
        """Registered arrival of the visit: emergency patients' by ADT, on the FHIR server the begin of the visit."""
        if self.dialect is None:
            return self.exam.arrived_at
        if self.exam.is_hl7_missing or self.exam.door_at is None:
            return None
        return recorded(self.network, ADMISSION[self.exam.facility], self.exam.door_at)

    def wrvu(self) -> float | None:
        """Sum of the posted charges."""
        posted = posted_at(self.exam)
        if posted is None or posted > self.horizon:
            return None
        return round(sum(quantity * each for _, quantity, each in self.exam.charges), 4)

    def booked(self) -> tuple[datetime | None, datetime | None, str]:
        """First booking, the slot as last told, and the appointment's last status."""
        if self.dialect is None:
            return self.exam.booked_at, self.exam.slot_at, _fhir_appointment(self.exam)
        told = list(bookings(self.exam))
        if not told:
            return None, None, ""
        first = recorded(self.network, self.dialect, told[0][1], is_header=True)
        states = {"Booked": "booked", "Cancelled": "cancelled", "Noshow": "noshow", "Complete": "completed"}
        state = "rescheduled" if told[-1][0] == "S13" else states[told[-1][3]]
        return first, self.field(told[-1][2]), state

    def slot_told(self) -> datetime | None:
        """When the slot as last told was told first."""
        if self.dialect is None:
            return self.exam.rescheduled_at or self.exam.booked_at
        told = list(bookings(self.exam))
        first = next((at for _, at, slot, _ in told if self.field(slot) == self.field(told[-1][2])), None)
        return recorded(self.network, self.dialect, first, is_header=True)

    def cancelled(self) -> datetime | None:
        """When a booked slot was cancelled: told by the booking, else by the order."""
        at = self.exam.cancelled_at
        if self.dialect is None or at is None:
            return at
        told = [when for trigger, when, _, _ in bookings(self.exam) if trigger == "S15"]
        return recorded(self.network, self.dialect, told[0], is_header=True) if told else self.field(at)

    def device(self) -> str | None:
        """The device of the exam: by images or step, else the last that an order's message names, else as booked."""
        exam = self.exam
        if self.has_images or self.has_mpps:
            return exam.device.id
        is_known = not exam.is_hl7_missing
        if not is_known or not (self.is_told_station() or self.booked()[0] is not None):
            return None
        later = ("exam_started_at", "exam_ended_at", "discontinued_at", "images_available_at")
        is_told_anew = self.is_told_station() and any(self.status(name) is not None for name in later)
        return (exam.device if is_told_anew else exam.planned_device).id

    def patient(self) -> str:
        """The person, as far as anyone can tell.

        Somebody else is behind a temporary number whose merge has not come or never comes, and behind a number whose
        authority nobody states: no message tells of the exam, and its device does not write who gave the number out.
        """
        exam = self.exam
        if is_temporary(exam) and (exam.merged_at is None or exam.is_hl7_missing):
            return f"{exam.person.id}/{exam.mrn}"
        has_authority = not exam.is_hl7_missing or MAKERS[exam.device.manufacturer].has_issuer
        return exam.person.id if has_authority else f"{exam.person.id}/{exam.facility}"

    def label(self) -> Row | None:
        """What image headers tell of the exam, and what of it is wrong, where its name says a procedure."""
        exam = self.exam
        if not self.has_images or exam.procedure is None:
            return None
        said = headers(exam, self.network.procedures[exam.procedure])
        kinds = ("modality", "body_part", "laterality", "contrast", "views")
        told = {f"tells_{kind}": kind in said.told for kind in kinds}
        return told | {f"wrong_{kind}": kind in said.wrong for kind in kinds} | {"procedure": exam.procedure}

    def is_doubtful(self) -> bool:
        """A name that no person decided, and image headers that speak against it: nobody may take it as said."""
        label = self.label()
        if label is None or self.network.names[self.exam.facility, label["procedure"]].mapped_by != "text":
            return False
        return any(is_wrong for name, is_wrong in label.items() if name.startswith("wrong_"))

    def row(self) -> Row:
        """The exam's row of the truth."""
        exam = self.exam
        is_clear = not self.is_doubtful()
        is_known = not exam.is_hl7_missing
        started, ended = self.interval()
        booked_at, slot_at, _ = self.booked()
        prelims, finals = self.versions("P"), self.versions("F")
        images = [image for series in exam.series for image in series.images] if self.has_images else []
        n_rejected = sum(image.reject_reason is not None for image in images)
        has_code = self.has_images and MAKERS[exam.device.manufacturer].has_code
        return {
            "accession": exam.accession,
            "facility": exam.facility,
            "modality": exam.modality,
            "device": self.device(),
            "procedure": exam.procedure if is_clear else None,
            "procedure_local": exam.code if is_known or has_code else None,
            "region": (is_clear and exam.region) or None,
            "laterality": (is_clear and exam.laterality) or None,
            "contrast": (is_clear and exam.contrast) or None,
            "service_line": (is_clear and exam.service_line) or None,
            "priority": exam.priority if is_known else None,
            "patient_class": exam.patient_class if is_known else None,
            "patient": self.patient(),
            "ordered_at": self.field(exam.ordered_at) if is_known else None,
            "booked_at": booked_at,
            "scheduled_at": slot_at,
            "door_at": self.door(),
            "arrived_at": self.status("arrived_at"),
            "exam_started_at": started,
            "exam_ended_at": ended,
            "images_available_at": self.status("images_available_at"),
            "read_started_at": self.read_started(),
            "first_prelim_at": prelims[0] if prelims else None,
            "last_prelim_at": prelims[-1] if prelims else None,
            "first_final_at": finals[0] if finals else None,
            "last_final_at": finals[-1] if finals else None,
            "critical_found_at": self.critical(exam.critical_found_at),
            "critical_communicated_at": self.critical(exam.critical_communicated_at),
            "critical_category": self.critical_category(),
            "discrepancy": told_grade(exam, {status for _, status, _, _ in self.reports}),
            "discontinued_reason": self.discontinued_reason(),
            "interpreter": exam.interpreter.id if finals and exam.interpreter else None,
            "assistant": exam.assistant.id if self.reports and exam.assistant else None,
            "n_addenda": len(set(self.versions("FA") + self._dictated_addenda())),
            "n_corrections": len(set(self.versions("C"))),
            "n_images": len(images) - n_rejected,
            "n_rejected": n_rejected,
            "wrvu": self.wrvu(),
            "is_cancelled": is_known and exam.cancelled_at is not None,
            "is_no_show": is_known and exam.no_show_at is not None and (self.dialect is None or booked_at is not None),
            "is_discontinued": exam.discontinued_at is not None,
            "is_declared_repeat": is_known and bool(exam.duplicate_reason) and self.is_told_station(),
            "has_study": self.has_images,
            "has_order": is_known,
            "has_report": bool(self.reports),
            "study_uid": exam.study_uid,
        }

    def is_told_station(self) -> bool:
        """The order itself names the device (IPC-7, IPC-9)."""
        return self.dialect is not None and self.dialect.is_251


def is_countable(row: Row) -> bool:
    """Performed, and neither cancelled nor discontinued."""
    return row["exam_ended_at"] is not None and not row["is_cancelled"] and not row["is_discontinued"]


def _fhir_appointment(exam: Exam) -> str:
    if exam.booked_at is None:
        return ""
    if exam.cancelled_at is not None:
        return "cancelled"
    if exam.no_show_at is not None:
        return "noshow"
    return "completed" if exam.exam_ended_at is not None else "arrived" if exam.arrived_at is not None else "booked"
