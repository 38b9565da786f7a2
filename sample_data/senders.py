"""Who tells of an exam, and when the told events happened: what is known of each sender's last sign of life."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sample_data.dicom_import import import_ae
from sample_data.dicom_steps import step_end
from sample_data.emit_dicom import sends_step_end
from sample_data.emit_fhir import BASE, versions
from sample_data.emit_hl7 import STATUSES, bookings
from sample_data.hl7_dialect import DICTATION, Dialect, recorded
from sample_data.recorded import Record, Row
from sample_data.story import Exam

Told = tuple[str, datetime | None]


def told(record: Record, row: Row) -> Iterator[tuple[str, datetime]]:
    """(sender, instant) of the events that order system, dictation, archive and devices tell of an exam."""
    steps = [_by_archive(record), _by_device(record)]
    if not record.exam.is_hl7_missing:
        steps += [_by_server(record), _by_ris(record, row), _by_dictation(record)]
    for step in steps:
        yield from ((sender, at) for sender, at in step if at is not None)


def _by_server(record: Record) -> Iterator[Told]:
    if record.dialect is None:
        for at, _ in versions(record.network, record.exam):
            if at not in (record.exam.merged_at, record.exam.room_left_at):  # told of patient or room, not of an exam
                yield BASE, at


def _by_ris(record: Record, row: Row) -> Iterator[Told]:
    exam, ris = record.exam, record.dialect
    if ris is None:
        return
    instants = [record.field(exam.ordered_at), row["critical_communicated_at"]]
    if not exam.replaced_by:
        instants.append(record.field(exam.cancelled_at))
    instants += [record.status(attribute) for attribute, _, _ in STATUSES]
    instants += [recorded(record.network, ris, at, is_header=True) for _, at, _, _ in bookings(exam)]
    instants += [record.field(at) for _, _, at, _ in record.reports]
    for at in instants:
        yield _name(ris), at


def _by_dictation(record: Record) -> Iterator[Told]:
    if record.exam.facility == "EAST":
        for at in _dictated(record.exam):
            yield _name(DICTATION), recorded(record.network, DICTATION, at)


def _dictated(exam: Exam) -> Iterator[datetime]:
    if exam.dictated_at is not None and exam.interpreter is not None:
        yield exam.dictated_at
    yield from (a.at for a in exam.addenda if a.kind == "addendum" and "final" not in exam.lost)


def _by_archive(record: Record) -> Iterator[Told]:
    if record.has_dicom and record.exam.outside is not None:
        yield import_ae(record.exam.facility), record.exam.outside.imported_at


def _by_device(record: Record) -> Iterator[Told]:
    exam = record.exam
    if record.has_mpps and "mpps_create" not in exam.lost:
        yield exam.device.ae_title, record.device_time(exam.exam_started_at)
    if record.has_mpps and sends_step_end(exam):
        yield exam.device.ae_title, record.device_time(step_end(exam), may_have_offset=False)


def _name(dialect: Dialect) -> str:
    return f"{dialect.app}@{dialect.sending}"
