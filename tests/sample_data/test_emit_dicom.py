"""The DICOM and MPPS files, read by pydicom alone, say what the truth says."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import KeyObjectSelectionDocumentStorage, XRayRadiationDoseSRStorage

from sample_data.department import Department
from sample_data.dicom_steps import step_end
from sample_data.emit_dicom import DicomWriter
from sample_data.imaging import expose
from sample_data.losses import LOSSES
from sample_data.network import Network
from sample_data.recorded import Record
from sample_data.run import Run
from sample_data.simulate import Summary
from sample_data.site_files import write_site
from sample_data.story import Exam
from tests.sample_data.conftest import DAYS, EXAMS, SEED, START
from tests.sample_data.stories import HORIZON, NETWORK, exam

Made = tuple[Path, Summary]
Row = dict[str, Any]
NOT_IMAGES = {KeyObjectSelectionDocumentStorage, XRayRadiationDoseSRStorage}


class Reader:
    """Everything of one run, by the standard library, pydicom and polars."""

    def __init__(self, out: Path) -> None:
        toml = tomllib.loads((out / "site" / "site.toml").read_text("utf-8"))
        self.zones = {f["id"]: ZoneInfo(f["zone"]) for f in toml["facility"]}
        self.aliases = {a: f["id"] for f in toml["facility"] for a in (f["name"], *f["aliases"])}
        with (out / "site" / "devices.csv").open(encoding="utf-8", newline="") as file:
            self.devices = {(r["manufacturer"], r["model"], r["serial"]): r["device"] for r in csv.DictReader(file)}
        self.truth = {p.stem: pl.read_parquet(p).to_dicts() for p in (out / "truth").glob("*.parquet")}
        self.paths = sorted((out / "files" / "dicom").rglob("*.dcm"))
        objects = [pydicom.dcmread(path) for path in self.paths]
        for one in objects:
            _ = [element.value for element in one.iterall()]  # every value can be read
        self.imported = [o for o in objects if "OriginalAttributesSequence" in o]
        own = [o for o in objects if "OriginalAttributesSequence" not in o]
        self.images = [o for o in own if o.SOPClassUID not in NOT_IMAGES]
        self.notes = [o for o in own if o.SOPClassUID == KeyObjectSelectionDocumentStorage]
        self.doses = [o for o in own if o.SOPClassUID == XRayRadiationDoseSRStorage]
        self.steps = [pydicom.dcmread(path) for path in sorted((out / "files" / "mpps").rglob("*.dcm"))]

    def facility(self, one: FileDataset) -> str:
        """By institution, else station, else source AE."""
        names = (one.get("InstitutionName"), one.get("StationName"), one.file_meta.SourceApplicationEntityTitle)
        return next(self.aliases[name] for name in names if name in self.aliases)

    def device(self, one: Dataset) -> str:
        return self.devices[one.Manufacturer, one.ManufacturerModelName, one.DeviceSerialNumber]

    def at(self, one: FileDataset, text: str) -> datetime:
        """A DT, or DA and TM put together, in UTC."""
        local = datetime.strptime(text[:14], "%Y%m%d%H%M%S")
        if one.get("TimezoneOffsetFromUTC"):
            sign = -1 if one.TimezoneOffsetFromUTC[0] == "-" else 1
            offset = timedelta(hours=int(one.TimezoneOffsetFromUTC[1:3]), minutes=int(one.TimezoneOffsetFromUTC[3:5]))
            return local - sign * offset
        return local.replace(tzinfo=self.zones[self.facility(one)], fold=0).astimezone(UTC).replace(tzinfo=None)

    def exam_rows(self) -> dict[tuple[str, str], Row]:
        return {(row["facility"], row["accession"]): row for row in self.truth["exam"]}


@pytest.fixture(scope="module")
def read(network_files: Made) -> Reader:
    return Reader(network_files[0])


def test_every_file_is_counted(read: Reader, network_files: Made) -> None:
    assert len(read.paths) + len(read.steps) == network_files[1].dicom_files
    assert min(map(len, (read.images, read.notes, read.doses, read.steps, read.imported))) > 0


def test_every_file_is_a_message_of_the_truth(read: Reader) -> None:
    """By sender, facility and the day on which the object says that it was made."""
    found: Counter[tuple[str, str, datetime | None]] = Counter()
    for one in (*read.images, *read.notes, *read.doses, *read.imported, *read.steps):
        has_time = "InstanceCreationDate" in one
        at = read.at(one, one.InstanceCreationDate + one.InstanceCreationTime) if has_time else None
        day = at and at.replace(hour=0, minute=0, second=0)
        found[one.file_meta.SourceApplicationEntityTitle, read.facility(one), day] += 1
    told: Counter[tuple[str, str, datetime | None]] = Counter()
    for row in (row for row in read.truth["message"] if row["standard"] == "dicom"):
        told[row["source"], row["facility"], row["day"]] += row["n_messages"]
    assert found == told


def test_images_are_those_of_the_truth(read: Reader) -> None:
    evidence = [note.CurrentRequestedProcedureEvidenceSequence[0] for note in read.notes]
    rejected = {e.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID for e in evidence}
    found = {
        (o.SOPInstanceUID, o.AccessionNumber, read.device(o), read.facility(o), o.Modality, o.get("ViewPosition"),
         o.SOPInstanceUID in rejected)
        for o in read.images
    }  # fmt: skip
    columns = ("sop_uid", "accession", "device", "facility", "modality", "view", "is_rejected")
    assert found == {tuple(row[c] for c in columns) for row in read.truth["image"]}
    per_exam = Counter((o[3], o[1], o[6]) for o in found)
    for key, row in read.exam_rows().items():
        assert (row["n_images"], row["n_rejected"]) == (per_exam[*key, False], per_exam[*key, True])


def test_studies_are_those_of_the_truth(read: Reader) -> None:
    found = {(read.facility(o), o.AccessionNumber, o.StudyInstanceUID) for o in read.images}
    rows = read.exam_rows()
    assert found == {(*key, row["study_uid"]) for key, row in rows.items() if row["has_study"]}


def test_rejects_are_those_of_the_truth(read: Reader) -> None:
    names = {f"{r['family']}^{r['given']}": r["staff"] for r in _table("staff")}
    found = set()
    for note in read.notes:
        assert note.ConceptNameCodeSequence[0].CodeValue in ("113001", "113037")
        modifier, image = note.ContentSequence
        assert modifier.ConceptNameCodeSequence[0].CodeValue == "113011"
        found.add((
            image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID, note.AccessionNumber, read.device(note),
            modifier.ConceptCodeSequence[0].CodeValue, names[str(note.OperatorsName)],
            read.at(note, note.ContentDate + note.ContentTime),
        ))  # fmt: skip
    columns = ("sop_uid", "accession", "device", "reason", "operator", "at")
    assert found == {tuple(row[c] for c in columns) for row in read.truth["reject"]}


def _table(name: str) -> list[dict[str, str]]:
    path = Path(__file__).parents[2] / "sample_data" / "tables" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_steps_give_the_exam_times(read: Reader) -> None:
    """N-CREATE by its scheduled step; N-SET, which names nobody, by the step that its N-CREATE or images name.

    Missing are exactly those that were planted as lost: 1.5 % of the begins and 2 % of the ends (`losses`).
    """
    rows, exam_of = read.exam_rows(), {}
    for one in (o for o in read.images if "ReferencedPerformedProcedureStepSequence" in o):
        step = one.ReferencedPerformedProcedureStepSequence[0].ReferencedSOPInstanceUID
        exam_of[step] = (read.facility(one), one.AccessionNumber)
    begun = [s for s in read.steps if s.PerformedProcedureStepStatus == "IN PROGRESS"]
    for step in begun:
        key = (read.facility(step), step.ScheduledStepAttributesSequence[0].AccessionNumber)
        exam_of[step.SOPInstanceUID] = key
        started = step.PerformedProcedureStepStartDate + step.PerformedProcedureStepStartTime
        assert read.at(step, started) == rows[key]["exam_started_at"]
    closed = [s for s in read.steps if s.PerformedProcedureStepStatus != "IN PROGRESS"]
    for step in closed:
        assert not {"PatientID", "AccessionNumber", "ScheduledStepAttributesSequence"} & set(step.dir())
        row = rows[exam_of[step.SOPInstanceUID]]
        is_given_up = step.PerformedProcedureStepStatus == "DISCONTINUED"
        assert is_given_up == row["is_discontinued"]
        assert is_given_up == ("PerformedProcedureStepDiscontinuationReasonCodeSequence" in step)
        ended = read.at(step, step.PerformedProcedureStepEndDate + step.PerformedProcedureStepEndTime)
        assert row["exam_ended_at"] == (None if is_given_up else ended)
    stories = list(Department(Network(3 * EXAMS, DAYS), Run(3 * EXAMS, DAYS, SEED, START)).exams())
    done = [story for story in stories if story.device.has_mpps and story.exam_started_at is not None]
    left = [story for story in done if step_end(story) is not None]
    has_images = {key for key, row in rows.items() if row["has_study"]}
    known = {_key(s) for s in done if "mpps_create" not in s.lost}
    assert sorted(exam_of[step.SOPInstanceUID] for step in begun) == sorted(known)
    assert sorted(exam_of[step.SOPInstanceUID] for step in closed) == sorted(
        _key(s) for s in left if "mpps_set" not in s.lost and _key(s) in known | has_images
    )
    for what, all_of in (("mpps_create", done), ("mpps_set", left)):  # the planted share, but for chance
        share, n = LOSSES[what][0], len(all_of)
        n_lost = sum(what in story.lost for story in all_of)
        assert n_lost > 0
        assert abs(n_lost - share * n) < 4 * (share * (1 - share) * n) ** 0.5


def _key(story: Exam) -> tuple[str, str]:
    return story.facility, story.accession


@pytest.mark.parametrize("device", ["E-CT1", "W-MR1", "N-DX1"])
@pytest.mark.parametrize("hour", [5, 6, 12])
def test_without_step_and_status_the_original_images_give_the_times(tmp_path: Path, device: str, hour: int) -> None:
    """Around 2026-11-01 06:00 UTC, when the clocks of New York go back (those of Chicago an hour later)."""
    start = datetime(2026, 11, 1, hour, 20)
    story = exam(device, start, exam_started_at=start, exam_ended_at=start + timedelta(minutes=80), is_hl7_missing=True,
                 lost=frozenset({"mpps_create", "mpps_set"}))  # fmt: skip
    expose(Random(1), story, NETWORK.procedures[story.procedure or ""])  # noqa: S311 - a simulation
    DicomWriter(NETWORK, tmp_path / "files").exam(story)
    write_site(tmp_path / "site", NETWORK, date(2026, 11, 1), 1)
    (tmp_path / "truth").mkdir()
    read = Reader(tmp_path)
    own = [o for o in read.images if o.ImageType[0] == "ORIGINAL"]
    begun = [read.at(o, o.AcquisitionDate + o.AcquisitionTime) for o in own]
    over = [t + timedelta(seconds=o.get("AcquisitionDuration", 0)) for o, t in zip(own, begun, strict=True)]
    row = Record(NETWORK, story, HORIZON, has_dicom=True).row()
    assert (row["exam_started_at"], row["exam_ended_at"]) == (min(begun), max(over))


def test_each_maker_has_its_habits(read: Reader) -> None:
    of = {read.device(o): o for o in reversed(read.images)}
    assert {d for d, o in of.items() if o.file_meta.TransferSyntaxUID.is_implicit_VR} == {"E-CR1", "E-NM1"}
    assert {d for d, o in of.items() if "TimezoneOffsetFromUTC" in o} == {"N-DX1", "N-PT1", "W-MR1", "S-MR1"}
    assert not [d for d in ("N-MR1", "N-US1", "E-CT1", "E-CR1") if "AcquisitionDateTime" in of[d]]
    assert "AcquisitionDateTime" in of["N-CT1"]
    assert "InstitutionName" not in of["E-CR1"]
    assert {o.SpecificCharacterSet for o in of.values()} == {"ISO_IR 100", "ISO_IR 192"}
    mammogram = of["W-MG1"]
    assert (mammogram.ViewPosition, mammogram.ImageLaterality) in {("CC", "L"), ("CC", "R"), ("MLO", "L"), ("MLO", "R")}


def test_enhanced_objects_hold_their_frames(read: Reader) -> None:
    enhanced = [o for o in read.images if "PerFrameFunctionalGroupsSequence" in o]
    assert {read.device(o) for o in enhanced} == {"W-MR1"}
    for one in enhanced:
        frames = [group.FrameContentSequence[0] for group in one.PerFrameFunctionalGroupsSequence]
        assert len(frames) == one.NumberOfFrames
        assert frames[0].FrameAcquisitionDateTime[:14] == one.AcquisitionDateTime[:14]
        last = read.at(one, frames[-1].FrameAcquisitionDateTime)
        assert last <= read.at(one, one.AcquisitionDateTime) + timedelta(seconds=one.AcquisitionDuration)


def test_derived_images_come_after_the_patient(read: Reader) -> None:
    derived = [o for o in read.images if o.ImageType[0] == "DERIVED"]
    assert {o.Modality for o in derived} == {"CT", "MR"}
    rows = read.exam_rows()
    late = [
        read.at(o, o.AcquisitionDate + o.AcquisitionTime) - rows[read.facility(o), o.AccessionNumber]["exam_ended_at"]
        for o in derived
        if read.device(o) == "N-CT1" and rows[read.facility(o), o.AccessionNumber]["exam_ended_at"]
    ]
    assert min(late) > timedelta(0)


def test_dose_reports_have_a_dose_an_event(read: Reader) -> None:
    for report in read.doses:
        unit, name = ("mGy.cm", "DLP") if read.device(report)[2:4] == "CT" else ("Gy.m2", "Dose Area Product")
        text = report.to_json()
        assert unit in text
        assert text.count(f'"{name}"') == text.count('"Irradiation Event UID"') >= 2
    assert {read.device(o) for o in read.doses} == {"N-CT1", "N-XA1", "E-CT1", "W-CT1"}


def test_imported_studies_keep_their_origin(read: Reader) -> None:
    cases = [row for row in read.truth["prior_case"] if row["availability"] == "imported"]
    assert 0 < len(cases) <= len({o.StudyInstanceUID for o in read.imported})
    for one in read.imported:
        original = one.OriginalAttributesSequence[0]
        assert original.SourceOfPreviousValues == one.InstitutionName
        assert original.ModifiedAttributesSequence[0].PatientID != one.PatientID
        assert original.ModifyingSystem == one.file_meta.SourceApplicationEntityTitle
        assert (one.AccessionNumber, "RequestAttributesSequence" in one) == ("", False)
        assert read.facility(one) in ("NORTH", "WEST")
