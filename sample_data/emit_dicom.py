"""The DICOM and MPPS files of one exam, as its device and the import station would send them (headers only)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sample_data.dicom_device import Station
from sample_data.dicom_documents import dose_report, rejection_note
from sample_data.dicom_images import ExamImages
from sample_data.dicom_import import imported
from sample_data.dicom_steps import step_created, step_end, step_set
from sample_data.network import Network
from sample_data.story import Exam


class DicomWriter:
    """Writes below `folder`: `dicom/<facility>/<day>/<SOP UID>.dcm` and `mpps/<facility>/<day>/`, days in UTC."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.stations = {id: Station(network, room.device) for id, room in network.rooms.items()}
        self.made: set[Path] = set()

    def exam(self, exam: Exam) -> int:
        """Write all files of an exam and return their number."""
        count = 0
        for kind, day, name, data in self._files(exam):
            folder = self.folder / kind / exam.facility / day
            if folder not in self.made:
                folder.mkdir(parents=True, exist_ok=True)
                self.made.add(folder)
            with open(f"{folder}/{name}.dcm", "wb", buffering=0) as file:
                file.write(data)
            count += 1
        return count

    def _files(self, exam: Exam) -> Iterator[tuple[str, str, str, bytes]]:
        """(folder, day, name, content) of each file."""
        if exam.outside is not None and exam.outside.imported_at is not None:
            day = f"{exam.outside.imported_at:%Y%m%d}"
            for uid, data in imported(self.network, exam):
                yield "dicom", day, uid, data
        start, station = exam.exam_started_at, self.stations[exam.device.id]
        if start is None:
            return
        day, clock = f"{start:%Y%m%d}", station.clock(start)
        if exam.device.has_mpps and "mpps_create" not in exam.lost:
            yield "mpps", day, f"{exam.step_uid}.create", step_created(station, exam, clock, start)
        ended = step_end(exam)
        if ended is not None and sends_step_end(exam):
            yield "mpps", day, f"{exam.step_uid}.set", step_set(station, exam, ended)
        if exam.series and not exam.is_study_missing:
            for uid, data in self._objects(ExamImages(station, exam, clock)):
                yield "dicom", day, uid, data

    @staticmethod
    def _objects(images: ExamImages) -> Iterator[tuple[str, bytes]]:
        for series in images.exam.series:
            part = images.series_part(series)
            for number, image in enumerate(series.images, start=1):
                yield image.sop_uid, images.image(series, part, image, number)
                if image.reject_reason is not None:
                    yield rejection_note(images, series, image)
        report = dose_report(images)
        if report is not None:
            yield report


def leaves_files(exam: Exam) -> bool:
    """Some file names the exam: images or the begin of a step."""
    has_step = exam.device.has_mpps and exam.exam_started_at is not None and "mpps_create" not in exam.lost
    return has_step or (bool(exam.series) and not exam.is_study_missing)


def sends_step_end(exam: Exam) -> bool:
    """An N-SET arrives. One for a step that nothing else tells of is refused: nobody could say whose it is."""
    is_known = "mpps_create" not in exam.lost or (bool(exam.series) and not exam.is_study_missing)
    return exam.device.has_mpps and "mpps_set" not in exam.lost and is_known
