"""Image objects of one exam: what the worklist gave, what the device measured, one header an object."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zlib import crc32

from sample_data.dicom_bytes import Encoded, join, part10
from sample_data.dicom_device import Clock, Station, code, person_name
from sample_data.hl7_segments import TEMPORARY_NAME, is_temporary
from sample_data.mislabels import headers
from sample_data.story import Exam, Image, Series

#: SOP classes by modality (PS3.4 B.5).
SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1", "US": "1.2.840.10008.5.1.4.1.1.6.1", "NM": "1.2.840.10008.5.1.4.1.1.20",
    "PT": "1.2.840.10008.5.1.4.1.1.128", "XA": "1.2.840.10008.5.1.4.1.1.12.1", "MG": "1.2.840.10008.5.1.4.1.1.1.2",
}  # fmt: skip
ENHANCED = {"MR": "1.2.840.10008.5.1.4.1.1.4.1"}
MPPS_CLASS = "1.2.840.10008.3.1.2.3.3"
PROJECTIONS = frozenset({"DX", "CR", "MG"})
SIZES = {"CT": 512, "MR": 256, "US": 768, "NM": 256, "PT": 200, "XA": 1024, "DX": 2544, "CR": 2140, "MG": 3328}
FRAMES = {"XA": 40, "NM": 2}
ENHANCED_FRAMES = 6
#: Pixel data was left out; trailing padding (PS3.10 7.2) ends the header, so a reader sees that nothing is missing.
HEADER_END = {"DataSetTrailingPadding": b"\0\0"}
#: Deviation index of exposures rejected as under and over exposed.
WRONG_EXPOSURE = {"111211": -4.2, "111212": 4.6}


def patient_of(exam: Exam, station: Station) -> dict[str, Any]:
    """The patient module (PS3.3 C.7.1.1) as the worklist knew the patient at the time."""
    p = exam.person
    issuer = exam.facility if station.maker.has_issuer else None
    if is_temporary(exam):
        return {"PatientName": "^".join(TEMPORARY_NAME), "PatientID": exam.mrn, "IssuerOfPatientID": issuer,
                "PatientBirthDate": "", "PatientSex": ""}  # fmt: skip
    return {"PatientName": f"{p.family}^{p.given}", "PatientID": exam.mrn, "IssuerOfPatientID": issuer,
            "PatientBirthDate": f"{p.birth_date:%Y%m%d}", "PatientSex": p.sex}  # fmt: skip


def step_of(exam: Exam) -> list[dict[str, str]]:
    """Reference to the performed procedure step (PS3.3 table 10-11)."""
    return [{"ReferencedSOPClassUID": MPPS_CLASS, "ReferencedSOPInstanceUID": exam.step_uid}]


def procedure_of(exam: Exam, station: Station) -> list[dict[str, str]] | None:
    """The local procedure code, where the maker passes it on."""
    return [code(exam.code, exam.text[:64], f"L{exam.facility}")] if station.maker.has_code else None


class ExamImages:
    """Writes headers of one exam: the parts of device, exam and series are encoded once."""

    def __init__(self, station: Station, exam: Exam, clock: Clock) -> None:
        self.station, self.exam, self.clock = station, exam, clock
        self.encode = station.encoder.encode
        self.is_enhanced = station.device.is_enhanced and exam.modality in ENHANCED
        self.sop_class = (ENHANCED if self.is_enhanced else SOP_CLASSES)[exam.modality]
        self.said = headers(exam, None)
        self.exam_part = self.encode(self.study())

    def study(self) -> dict[str, Any]:
        """What is the same in all objects of the exam, also in notes and dose reports."""
        exam, station, start = self.exam, self.station, self.exam.exam_started_at
        if start is None:
            raise ValueError("an exam without a start has no objects")
        procedure = procedure_of(exam, station)
        request = {
            "AccessionNumber": exam.accession,
            "StudyInstanceUID": exam.study_uid,
            "RequestedProcedureDescription": exam.text[:64],
            "RequestedProcedureCodeSequence": procedure,
            "ScheduledProcedureStepDescription": exam.text[:64],
            "ScheduledProcedureStepID": f"S{exam.filler}",
            "RequestedProcedureID": exam.requested_procedure,
        }
        return {
            **self.clock.stamp("Study", start),
            **patient_of(exam, station),
            "AccessionNumber": exam.accession,
            "ReferringPhysicianName": person_name(exam.referrer),
            "TimezoneOffsetFromUTC": self.clock.offset_text,
            "StudyDescription": exam.dicom_text,
            "ProcedureCodeSequence": procedure,
            "OperatorsName": person_name(exam.technologist) if exam.technologist else "",
            "ReferencedPerformedProcedureStepSequence": step_of(exam) if station.device.has_mpps else None,
            "StudyInstanceUID": exam.study_uid,
            "StudyID": exam.filler,
            "RequestAttributesSequence": [request],
            **self.clock.stamp("PerformedProcedureStepStart", start),
        }

    def series_part(self, series: Series) -> Encoded:
        """What is the same in all objects of a series."""
        exam = self.exam
        return self.encode({
            **self.clock.stamp("Series", series.started_at),
            "SOPClassUID": self.sop_class,
            "Modality": exam.modality,
            "SeriesDescription": series.description[:64],
            "BodyPartExamined": self.said.body_part,
            "ContrastBolusAgent": self.said.agent if series.number > 1 else None,
            "ProtocolName": exam.dicom_text,
            "SeriesInstanceUID": series.series_uid,
            "SeriesNumber": series.number,
            "Laterality": self.said.side,
        })  # fmt: skip

    def image(self, series: Series, series_part: Encoded, image: Image, number: int) -> bytes:
        """The header of one object."""
        device, clock, size = self.station.device, self.clock, SIZES[self.exam.modality]
        kind = ("DERIVED", "SECONDARY", "MPR") if series.is_derived else ("ORIGINAL", "PRIMARY")
        acquired: dict[str, Any] = clock.stamp("Acquisition", image.at)
        if device.writes_acquisition_datetime:
            acquired["AcquisitionDateTime"] = clock.moment(image.at)
        own = self.encode({
            **acquired,
            **clock.stamp("Content", image.at),
            **clock.stamp("InstanceCreation", image.at + timedelta(seconds=1)),
            "ImageType": kind,
            "SOPInstanceUID": image.sop_uid,
            "InstanceNumber": number,
            "ViewPosition": image.view or None,
            "ImageLaterality": image.laterality or None,
            "NumberOfFrames": FRAMES.get(self.exam.modality),
            "Rows": size,
            "Columns": size,
            **self._exposure(image),
            **(self._frames(image) if self.is_enhanced else {}),
            **HEADER_END,
        })  # fmt: skip
        return self.file(self.sop_class, image.sop_uid, series_part, own)

    def file(self, sop_class: str, sop_uid: str, *parts: Encoded) -> bytes:
        """A Part 10 file of this exam: the parts of device and exam, then `parts`."""
        dataset = join(self.station.always, self.exam_part, *parts)
        syntax = self.station.encoder.transfer_syntax
        return part10(sop_class, sop_uid, syntax, self.station.device.ae_title, dataset)

    def _exposure(self, image: Image) -> dict[str, Any]:
        """Exposure facts, always the same for an image."""
        chance, modality = crc32(image.sop_uid.encode()), self.exam.modality
        if modality == "CT":
            return {"KVP": (100, 120)[chance % 2], "Exposure": 60 + chance % 140, "ExposureTime": 500}
        if modality not in PROJECTIONS:
            return {}
        index = WRONG_EXPOSURE.get(image.reject_reason or "", (chance % 21 - 10) / 10)
        return {
            "KVP": 29 if modality == "MG" else 60 + chance % 60,
            "ExposureTime": 5 + chance % 300,
            "Exposure": 1 + chance % 80,
            "ImageAndFluoroscopyAreaDoseProduct": f"{(chance % 400 + 10) / 100:.2f}",
            "ExposureIndex": str(round(400 * 10 ** (index / 10))),
            "TargetExposureIndex": "400",
            "DeviationIndex": f"{index:.1f}",
        }

    def _frames(self, image: Image) -> dict[str, Any]:
        """The functional groups of an enhanced object (PS3.3 C.7.6.16), frames spread over its acquisition."""
        each_ms = image.duration_s * 1000 // ENHANCED_FRAMES
        frames = []
        for n in range(ENHANCED_FRAMES):
            whole, millisecond = divmod(n * each_ms, 1000)
            moment = self.clock.moment(image.at + timedelta(seconds=whole), millisecond)
            content = {
                "FrameReferenceDateTime": moment,
                "FrameAcquisitionDateTime": moment,
                "FrameAcquisitionDuration": float(each_ms),
                "StackID": "1",
                "InStackPositionNumber": n + 1,
            }
            frames.append({"FrameContentSequence": [content]})
        region = self.exam.region or "UNKNOWN"
        shared = {"FrameAnatomySequence": [{"FrameLaterality": "U", "AnatomicRegionSequence": [
            code(f"R{crc32(region.encode()) % 1000}", region, "99SIM")]}]}  # fmt: skip
        return {
            "AcquisitionDuration": float(image.duration_s),
            "NumberOfFrames": ENHANCED_FRAMES,
            "SharedFunctionalGroupsSequence": [shared],
            "PerFrameFunctionalGroupsSequence": frames,
        }
