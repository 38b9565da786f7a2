"""The DICOM objects of one exam as they are counted. Performed steps say no time of their own (PS3.4 F.7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sample_data.dicom_documents import DOSE_AFTER, has_dose_report
from sample_data.dicom_import import OBJECTS, import_ae, taken_at
from sample_data.dicom_steps import step_end
from sample_data.emit_dicom import sends_step_end
from sample_data.envelope import Envelope
from sample_data.hl7_dialect import first_occurrence
from sample_data.recorded import Record

WRITTEN_AFTER = timedelta(seconds=1)


def dicom_envelopes(record: Record) -> Iterator[Envelope]:
    """One envelope a file, with (0008,0012) and (0008,0013) as its time."""
    exam, facility, sender = record.exam, record.exam.facility, record.exam.device.ae_title
    if not record.has_dicom:
        return
    if exam.outside is not None and exam.outside.imported_at is not None and exam.outside.taken_at is not None:
        for number in range(1, OBJECTS + 1):
            at = first_occurrence(record.network, facility, taken_at(exam.outside, number))
            yield Envelope(facility, import_ae(facility), "dicom", f"image {exam.outside.modality}", at)
    if record.has_mpps and "mpps_create" not in exam.lost:
        yield Envelope(facility, sender, "dicom", "step", None)
    if record.has_mpps and step_end(exam) is not None and sends_step_end(exam):
        yield Envelope(facility, sender, "dicom", "step", None)
    if not record.has_images:
        return
    for image in (image for series in exam.series for image in series.images):
        written = record.device_time(image.at + WRITTEN_AFTER)
        yield Envelope(facility, sender, "dicom", f"image {exam.modality}", written)
        if image.rejected_at is not None:
            yield Envelope(facility, sender, "dicom", "key_objects", record.device_time(image.rejected_at))
    if has_dose_report(exam) and exam.exam_ended_at is not None:
        yield Envelope(facility, sender, "dicom", "dose_report", record.device_time(exam.exam_ended_at + DOSE_AFTER))
