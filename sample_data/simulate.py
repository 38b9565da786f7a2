"""`simulate`: the network's files, their truth and the site folder, from one seed; same arguments, same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sample_data.department import Department
from sample_data.emit_dicom import DicomWriter, leaves_files
from sample_data.emit_fhir import FhirWriter
from sample_data.emit_hl7 import Hl7Emitter
from sample_data.hl7_dialect import RIS
from sample_data.hl7_files import Hl7Files
from sample_data.network import Network
from sample_data.run import Run
from sample_data.site_files import write_site
from sample_data.truth import Truth

#: A run without a start date ends here, so that the same arguments always give the same bytes.
USUAL_END = date(2026, 11, 16)
#: Hours that one HL7 file covers, by exams a day.
LOW_VOLUME, FILE_HOURS = 300, (6, 1)
PROGRESS_EVERY = 500
PARTS = ("files", "truth", "site")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run made."""

    exams: int
    messages: int
    resources: int
    dicom_files: int
    start: date
    days: int


def simulate(  # noqa: PLR0913 - one public verb; all but the folder are named
    out: Path,
    *,
    exams: int,
    days: int,
    seed: int,
    start: date | None = None,
    messages_only: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Write `out/files`, `out/truth` and `out/site`, replacing those of an earlier run.

    `messages_only` leaves out the DICOM and MPPS files; the truth then says what the messages alone tell. `progress` is
    called with exams done and exams in all. Raises ValueError for sizes that make no run.
    """
    if exams < 1 or days < 1:
        raise ValueError("exams and days must be at least 1")
    for part in PARTS:
        shutil.rmtree(out / part, ignore_errors=True)
    start = start or USUAL_END - timedelta(days=days)
    network = Network(exams, days)
    department = Department(network, Run(exams, days, seed, start))
    horizon = department.clock.horizon
    emitter, files = Hl7Emitter(network, horizon), out / "files"
    hl7 = Hl7Files(files / "hl7", list(network.facilities), hours=FILE_HOURS[exams / days > LOW_VOLUME])
    truth = Truth(out / "truth", network, horizon, has_dicom=not messages_only)
    truth.volume(department.demand.volumes, exams)
    truth.device_clocks(department.clock.start)
    dicom, fhir = DicomWriter(network, files), FhirWriter(network, files / "fhir")
    count = dicom_files = 0
    for exam in department.exams():
        # without files an exam without messages would leave no trace at all
        exam.is_hl7_missing &= not messages_only and leaves_files(exam)
        truth.exam(exam)
        for sent in emitter.messages(exam):
            hl7.add(sent)
            if sent.envelope is not None:
                truth.message(sent.envelope)
        if exam.facility not in RIS:
            for envelope in fhir.exam(exam):
                truth.message(envelope)
        if not messages_only:
            dicom_files += dicom.exam(exam)
        count += 1
        if progress is not None and count % PROGRESS_EVERY == 0:
            progress(count, exams)
    resources = fhir.close()
    messages = hl7.close(truth.quarantine, truth.laboratory)
    truth.close()
    write_site(out / "site", network, start, days)
    return Summary(count, messages, resources, dicom_files, start, days)
