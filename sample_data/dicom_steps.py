"""MPPS as Part 10 files: what the modality said when it began (N-CREATE) and ended (N-SET) a step (PS3.4 F.7)."""

from __future__ import annotations

from datetime import datetime

from sample_data.dicom_bytes import part10
from sample_data.dicom_device import Clock, Station, code, person_name
from sample_data.dicom_images import MPPS_CLASS, SOP_CLASSES, patient_of, procedure_of
from sample_data.story import Exam

#: CID 9300, of those that happen here.
DISCONTINUED = {
    "110501": "Equipment failure", "110504": "Patient died", "110505": "Patient refused to continue procedure",
    "110510": "Duplicate order", "110515": "Patient condition prevented continuing",
    "113568": "Extravasation visible in image",
}  # fmt: skip


def step_end(exam: Exam) -> datetime | None:
    """When the modality ended or gave up the step."""
    return exam.exam_ended_at or exam.discontinued_at


def _file(station: Station, exam: Exam, dataset: bytes) -> bytes:
    syntax = station.encoder.transfer_syntax
    return part10(MPPS_CLASS, exam.step_uid, syntax, station.device.ae_title, dataset)


def step_created(station: Station, exam: Exam, clock: Clock, started_at: datetime) -> bytes:
    """The N-CREATE: IN PROGRESS with all attributes, those of the end empty."""
    device = station.device
    procedure = procedure_of(exam, station) or []
    scheduled = {
        "AccessionNumber": exam.accession,
        "ReferencedStudySequence": [],
        "StudyInstanceUID": exam.study_uid,
        "RequestedProcedureDescription": exam.text[:64],
        "ScheduledProcedureStepDescription": exam.text[:64],
        "ScheduledProtocolCodeSequence": [],
        "ScheduledProcedureStepID": f"S{exam.filler}",
        "RequestedProcedureID": exam.requested_procedure,
    }
    return _file(station, exam, station.encoder.dataset({
        "SpecificCharacterSet": station.maker.charset,
        "SOPClassUID": MPPS_CLASS,
        "SOPInstanceUID": exam.step_uid,
        "Modality": exam.modality,
        "TimezoneOffsetFromUTC": clock.offset_text,
        "ProcedureCodeSequence": procedure,
        "ReferencedPatientSequence": [],
        **patient_of(exam, station),
        "StudyID": exam.filler,
        "PerformedStationAETitle": device.ae_title,
        "PerformedStationName": device.station,
        "PerformedLocation": device.facility,
        **clock.stamp("PerformedProcedureStepStart", started_at),
        "PerformedProcedureStepEndDate": "",
        "PerformedProcedureStepEndTime": "",
        "PerformedProcedureStepStatus": "IN PROGRESS",
        "PerformedProcedureStepID": f"M{exam.filler}",
        "PerformedProcedureStepDescription": exam.dicom_text,
        "PerformedProcedureTypeDescription": "",
        "PerformedProtocolCodeSequence": [],
        "ScheduledStepAttributesSequence": [scheduled],
        "PerformedSeriesSequence": [],
    }))  # fmt: skip


def step_set(station: Station, exam: Exam, ended_at: datetime) -> bytes:
    """The N-SET: only what changed. It may not carry an offset (PS3.4 table F.7.2-1), nor say whose step it is."""
    clock = station.clock(ended_at)
    series = [
        {
            "RetrieveAETitle": "",
            "SeriesDescription": s.description[:64],
            "PerformingPhysicianName": "",
            "OperatorsName": person_name(exam.technologist) if exam.technologist else "",
            "ProtocolName": exam.dicom_text,
            "SeriesInstanceUID": s.series_uid,
            "ReferencedImageSequence": [
                {"ReferencedSOPClassUID": SOP_CLASSES[exam.modality], "ReferencedSOPInstanceUID": i.sop_uid}
                for i in s.images
            ],
            "ReferencedNonImageCompositeSOPInstanceSequence": [],
        }
        for s in exam.series
        if not s.is_derived
    ]
    reason = exam.discontinued_reason if exam.exam_ended_at is None else ""
    return _file(station, exam, station.encoder.dataset({
        "SpecificCharacterSet": station.maker.charset,
        "SOPClassUID": MPPS_CLASS,
        "SOPInstanceUID": exam.step_uid,
        **clock.stamp("PerformedProcedureStepEnd", ended_at),
        "PerformedProcedureStepStatus": "DISCONTINUED" if reason else "COMPLETED",
        "PerformedProcedureStepDiscontinuationReasonCodeSequence":
            [code(reason, DISCONTINUED[reason])] if reason else None,
        "PerformedSeriesSequence": series,
    }))  # fmt: skip
