"""Objects beside the images: rejection notes (key object selection) and dose reports (PS3.3 A.35, PS3.16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sample_data.dicom_device import code
from sample_data.dicom_images import ExamImages
from sample_data.story import Exam, Image, Series

KEY_OBJECT_CLASS, DOSE_CLASS = "1.2.840.10008.5.1.4.1.1.88.59", "1.2.840.10008.5.1.4.1.1.88.67"
#: CID 7011, and the titles of CID 7010 that take one of these reasons.
REASONS = {
    "111207": "Image artifact(s)", "111208": "Grid artifact(s)", "111209": "Positioning", "111210": "Motion blur",
    "111211": "Under exposed", "111212": "Over exposed", "111214": "Detector artifact(s)", "111220": "Other failure",
}  # fmt: skip
QUALITY, SAFETY = ("113001", "Rejected for Quality Reasons"), ("113037", "Rejected for Patient Safety Reasons")
SAFETY_REASONS = frozenset({"111220"})
KEY_OBJECT_SERIES, DOSE_SERIES = 900, 990
#: Part of the dose that the first CT acquisition, the topogram, gives; and scan length in cm.
TOPOGRAM_SHARE, SCAN_CM = 0.02, 35.0
#: When the dose report is written, after the end of the exam.
DOSE_AFTER = timedelta(seconds=5)

Item = dict[str, Any]


def derived_uid(*parts: str) -> str:
    """A UID that belongs to the parts, always the same."""
    return f"2.25.{int.from_bytes(blake2b('/'.join(parts).encode(), digest_size=12).digest())}"


def _content(relation: str, kind: str, name: Item, **value: Any) -> Item:
    """A content item (PS3.3 C.17.3)."""
    return {"RelationshipType": relation, "ValueType": kind, "ConceptNameCodeSequence": [name], **value}


def _number(name: Item, value: float, unit: str) -> Item:
    measured = {"NumericValue": f"{value:.8g}", "MeasurementUnitsCodeSequence": [code(unit, unit, "UCUM")]}
    return _content("CONTAINS", "NUM", name, MeasuredValueSequence=[measured])


def _document(exam: ExamImages, at: datetime, sop_class: str, series: tuple[str, str, int, str]) -> Item:
    """General series, equipment and document elements of a structured report."""
    uid, modality, number, description = series
    return {
        "SOPClassUID": sop_class,
        "Modality": modality,
        "SeriesInstanceUID": uid,
        "SeriesNumber": number,
        "SeriesDescription": description,
        "InstanceNumber": 1,
        "ValueType": "CONTAINER",
        "ContinuityOfContent": "SEPARATE",
        **exam.clock.stamp("Series", at),
        **exam.clock.stamp("Content", at),
        **exam.clock.stamp("InstanceCreation", at),
    }


def rejection_note(exam: ExamImages, series: Series, image: Image) -> tuple[str, bytes]:
    """SOP Instance UID and file of the note about one rejected image (TID 2010, CID 7011)."""
    if image.reject_reason is None or image.rejected_at is None:
        raise ValueError("only a rejected image has a note")
    uid, at = derived_uid("note", image.sop_uid), image.rejected_at
    title = SAFETY if image.reject_reason in SAFETY_REASONS else QUALITY
    reference = {"ReferencedSOPClassUID": exam.sop_class, "ReferencedSOPInstanceUID": image.sop_uid}
    evidence = {
        "StudyInstanceUID": exam.exam.study_uid,
        "ReferencedSeriesSequence": [
            {"SeriesInstanceUID": series.series_uid, "ReferencedSOPSequence": [reference]},
        ],
    }
    reason = code(image.reject_reason, REASONS[image.reject_reason])
    note = {
        **_document(exam, at, KEY_OBJECT_CLASS, (f"{uid}.1", "KO", KEY_OBJECT_SERIES, "Rejected images")),
        "SOPInstanceUID": uid,
        "ConceptNameCodeSequence": [code(*title)],
        "ContentTemplateSequence": [{"MappingResource": "DCMR", "TemplateIdentifier": "2010"}],
        "CurrentRequestedProcedureEvidenceSequence": [evidence],
        "ContentSequence": [
            _content(
                "HAS CONCEPT MOD", "CODE", code("113011", "Document Title Modifier"), ConceptCodeSequence=[reason]
            ),
            {"RelationshipType": "CONTAINS", "ValueType": "IMAGE", "ReferencedSOPSequence": [reference]},
        ],
    }
    return uid, exam.file(KEY_OBJECT_CLASS, uid, exam.encode(note))


def _ct_events(exam: ExamImages, total: float, images: list[Image]) -> Iterator[Item]:
    rest = total * (1 - TOPOGRAM_SHARE) / max(1, len(images) - 1)
    for n, image in enumerate(images):
        dlp = round(rest if n else total * TOPOGRAM_SHARE, 2)
        dose = [
            _number(code("113830", "Mean CTDIvol"), round(dlp / SCAN_CM, 3), "mGy"),
            _number(code("113838", "DLP"), dlp, "mGy.cm"),
        ]
        yield _event(exam, code("113819", "CT Acquisition"), image, [
            _content("CONTAINS", "CONTAINER", code("113829", "CT Dose"), ContinuityOfContent="SEPARATE",
                     ContentSequence=dose)
        ])  # fmt: skip


def _xa_events(exam: ExamImages, total: float, images: list[Image]) -> Iterator[Item]:
    for image in images:
        dap = _number(code("122130", "Dose Area Product"), total / len(images), "Gy.m2")
        yield _event(exam, code("113706", "Irradiation Event X-Ray Data"), image, [dap])


def _event(exam: ExamImages, name: Item, image: Image, dose: list[Item]) -> Item:
    started, uid = exam.clock.moment(image.at), derived_uid("event", image.sop_uid)
    return _content(
        "CONTAINS", "CONTAINER", name, ContinuityOfContent="SEPARATE",
        ContentSequence=[
            _content("CONTAINS", "DATETIME", code("111526", "DateTime Started"), DateTime=started),
            _content("CONTAINS", "UIDREF", code("113769", "Irradiation Event UID"), UID=uid),
            *dose,
        ],
    )  # fmt: skip


def has_dose_report(story: Exam) -> bool:
    """Its device writes a dose report about its images."""
    has_images = any(s.images for s in story.series if not s.is_derived)
    return has_images and story.exam_ended_at is not None and (story.dose_dlp, story.dose_dap) != (None, None)


def dose_report(exam: ExamImages) -> tuple[str, bytes] | None:
    """SOP Instance UID and file of the dose report at the end of the exam (TID 10011 CT, TID 10001 XA), if any."""
    story = exam.exam
    if story.exam_ended_at is None or not has_dose_report(story):
        return None
    images = [i for s in story.series if not s.is_derived for i in s.images]
    if story.dose_dlp is not None:
        template, events = "10011", list(_ct_events(exam, story.dose_dlp, images))
    else:
        template, events = "10001", list(_xa_events(exam, story.dose_dap or 0.0, images))
    uid, at = derived_uid("dose", story.study_uid), story.exam_ended_at + DOSE_AFTER
    report = {
        **_document(exam, at, DOSE_CLASS, (f"{uid}.1", "SR", DOSE_SERIES, "Dose report")),
        "SOPInstanceUID": uid,
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "ConceptNameCodeSequence": [code("113701", "X-Ray Radiation Dose Report")],
        "ContentTemplateSequence": [{"MappingResource": "DCMR", "TemplateIdentifier": template}],
        "ContentSequence": events,
    }
    return uid, exam.file(DOSE_CLASS, uid, exam.encode(report))
