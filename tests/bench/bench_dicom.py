"""DICOM files -> typed records: microseconds of CPU a file from open() on, beside pydicom stopping before the pixels.

The mix: explicit and implicit CT slices and radiographs with half a megabyte of pixels, sequences of defined and
undefined length, a deflated CT, an enhanced MR of 60 frames, a JPEG in fragments, a header without pixels. pydicom
reads 45 values of each; ours also proves that the file is whole, converts times to UTC and fills the warehouse's rows.
The limit is what any reader must do: open, read 16 KB, close. Ours has the time limit of a parser process, too. Both
twins and the peers run in turns, so that a machine that is busy slows all of them; a number is the least of the rounds.
Images come 20 a series and differ in what slices differ in; what is the same in a series is read once. Every round
begins as if nothing had been read; `alone` reads each image in full. `job` is all that a parser process does with a
whole job: also hashing what was read, and making the frames. `cold` is by the clock, with the files' pages dropped from
the page cache before (posix_fadvise DONTNEED).
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID

from etl import rows_twin
from etl.deadline import alarm
from etl.heads import SMALL_BYTES, header_of
from etl.inbox import Candidate, read_file
from etl.parsing import run_job
from etl.pool import JOB_FILES
from etl.site import Facility, Site
from etl.sources import dicom, dicom_kernel
from etl.sources.dicom_header import _moments_of
from etl.sources.dicom_identity import IDENTIFIERS, PATIENT
from etl.sources.dicom_image import INSTANCE
from etl.sources.dicom_series import forget
from tests.bench.parsers import measure

SITE = Site(facilities=(Facility("NORTH", "Northgate", "America/New_York", aliases=("NGTH",)),))
EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, JPEG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50"
CT, DX, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.4.1"
_ROOT = "1.2.840.10008.5.1.4.1.1."

#: Elements that nearly every image carries and nobody asks for, so that the walk is as long as in real files.
_FILLER = {
    "InstanceCreatorUID": "1.2.3", "ReferringPhysicianName": "Roe^Ann", "PhysiciansOfRecord": "Fox^Fay",
    "PatientAge": "057Y", "PatientWeight": "71.5", "PatientSize": "1.7", "AdditionalPatientHistory": "none known",
    "SliceThickness": "3.0", "DataCollectionDiameter": "500", "ReconstructionDiameter": "350",
    "DistanceSourceToDetector": "1085.6", "DistanceSourceToPatient": "595", "GantryDetectorTilt": "0",
    "TableHeight": "157", "RotationDirection": "CW", "XRayTubeCurrent": "300", "FilterType": "WEDGE_3",
    "GeneratorPower": "36", "FocalSpots": "1.2", "ConvolutionKernel": "Hr40d", "PatientPosition": "HFS",
    "AcquisitionNumber": "1", "PositionReferenceIndicator": "SN",
    "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], "FrameOfReferenceUID": "1.2.3.9",
    "PixelSpacing": [0.68, 0.68], "WindowCenter": "40", "WindowWidth": "400",
    "RescaleIntercept": "-1024", "RescaleSlope": "1", "RescaleType": "HU", "LossyImageCompression": "00",
    "IssueDateOfImagingServiceRequest": "20260115", "StudyID": "77", "SeriesNumber": "2",
}  # fmt: skip


def _items(*made: dict[str, Any]) -> Sequence:
    found = []
    for fields in made:
        item = Dataset()
        for keyword, value in fields.items():
            setattr(item, keyword, value)
        found.append(item)
    return Sequence(found)


def _code(value: str, meaning: str) -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": "L", "CodeMeaning": meaning}


def image(number: int, sop_class: str, modality: str, *, pixels: int = 524_288, is_open: bool = False) -> Dataset:
    """One image with sequences, private elements and pixels; each has times and UIDs of its own."""
    made = Dataset()
    clock = f"{9 + number // 3600 % 12:02d}{number // 60 % 60:02d}{number % 60:02d}.250"
    fields: dict[str, Any] = {
        **_FILLER, "SpecificCharacterSet": "ISO_IR 100", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": sop_class, "SOPInstanceUID": f"1.2.3.4.{number}", "StudyDate": "20260115", "StudyTime": "090000",
        "SeriesDate": "20260115", "SeriesTime": "090100", "AcquisitionDate": "20260115", "AcquisitionTime": clock,
        "ContentDate": "20260115", "ContentTime": clock, "InstanceCreationDate": "20260115",
        "InstanceCreationTime": clock, "AccessionNumber": f"A{number // 40}", "Modality": modality,
        "Manufacturer": "ACME", "InstitutionName": "NGTH", "StationName": "NCT01", "StudyDescription": "CT HEAD",
        "SeriesDescription": "Axial 3.0", "InstitutionalDepartmentName": "Radiology", "OperatorsName": "Trän^Tim",
        "ManufacturerModelName": "CT9000", "PatientName": "Doe^Jane", "PatientID": f"M{number // 40}",
        "IssuerOfPatientID": "NORTH", "PatientBirthDate": "19680412", "PatientSex": "F", "BodyPartExamined": "HEAD",
        "KVP": "120", "DeviceSerialNumber": "S1", "SoftwareVersions": "VB20A", "ProtocolName": "Head routine",
        "ExposureTime": "500", "Exposure": str(90 + number % 20), "StudyInstanceUID": f"1.2.3.{number // 40}",
        "SeriesInstanceUID": f"1.2.3.4.{number // 20}", "Laterality": "", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": 512, "Columns": 512, "BitsAllocated": 16, "BitsStored": 12,
        "HighBit": 11, "PixelRepresentation": 0, "PerformedProcedureStepStartDate": "20260115",
        "PerformedProcedureStepStartTime": "085900", "PerformedProcedureStepID": "7",
        "InstanceNumber": str(number % 20 + 1), "SliceLocation": f"{12.5 - 3 * (number % 20):g}",
        "ImagePositionPatient": [-175.0, -175.0, 12.5 - 3 * (number % 20)],
        "ReferencedPerformedProcedureStepSequence": _items({"ReferencedSOPInstanceUID": "1.9"}),
        "ProcedureCodeSequence": _items(_code("CTH", "CT head")),
        "RequestAttributesSequence": _items({"RequestedProcedureID": "R1", "ScheduledProcedureStepID": "S1",
                                             "RequestedProcedureDescription": "CT head"}),
        "ReferencedImageSequence": _items({"ReferencedSOPClassUID": CT, "ReferencedSOPInstanceUID": "1.2.3.5"}),
    }  # fmt: skip
    for keyword, value in fields.items():
        setattr(made, keyword, value)
    for group in (0x0019, 0x0021, 0x0029):
        block = made.private_block(group, "ACME HEADER", create=True)
        for element in range(4):
            block.add_new(element, "LO", f"private {element}")
        block.add_new(0x10, "OB", b"\1" * 2048)
    if is_open:
        for keyword in ("ProcedureCodeSequence", "RequestAttributesSequence", "ReferencedImageSequence"):
            made[keyword].is_undefined_length = True
            for item in made[keyword].value:
                item.is_undefined_length_sequence_item = True
    made.add_new(0x7FE00010, "OW", b"\1\2\3\4\5\6\7\0" * (pixels // 8))
    return made


def _enhanced(number: int, frames: int = 60) -> Dataset:
    made = image(number, MR, "MR")
    made.NumberOfFrames = frames
    made.PerFrameFunctionalGroupsSequence = Sequence()
    for n in range(frames):
        frame = Dataset()
        frame.FrameContentSequence = _items({
            "FrameAcquisitionDateTime": f"20260115091{n // 60}{n % 60:02d}.25", "FrameAcquisitionDuration": 900.0,
            "StackID": "1", "InStackPositionNumber": n + 1, "DimensionIndexValues": [1, n + 1],
        })  # fmt: skip
        frame.PlanePositionSequence = _items({"ImagePositionPatient": [0.0, 0.0, float(n)]})
        frame.FrameVOILUTSequence = _items({"WindowCenter": "40", "WindowWidth": "400"})
        made.PerFrameFunctionalGroupsSequence.append(frame)
    return made


def _compressed(number: int) -> Dataset:
    made = image(number, DX, "DX")
    made.add_new(0x7FE00010, "OB", encapsulate([b"\xff\xd8" + b"\1" * 60_000], has_bot=True))
    made["PixelData"].is_undefined_length = True
    return made


def file_of(made: Dataset, syntax: str) -> bytes:
    """A Part 10 file."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.SourceApplicationEntityTitle = "NORTHCT1"
    out = BytesIO()
    dcmwrite(out, made, enforce_file_format=True)
    return out.getvalue()


def _header_only(number: int) -> Dataset:
    made = image(number, CT, "CT")
    del made.PixelData
    made.DataSetTrailingPadding = b"\0\0"
    return made


#: Name of a kind, how often it comes in the mix, and how it is made.
KINDS: tuple[tuple[str, int, Callable[[int], bytes]], ...] = (
    ("explicit", 6, lambda n: file_of(image(n, CT, "CT"), EXPLICIT)),
    ("undefined lengths", 4, lambda n: file_of(image(n, CT, "CT", is_open=True), EXPLICIT)),
    ("implicit", 4, lambda n: file_of(image(n, CT, "CT"), IMPLICIT)),
    ("big endian", 1, lambda n: file_of(image(n, CT, "CT"), BIG)),
    ("fragments", 2, lambda n: file_of(_compressed(n), JPEG)),
    ("header only", 1, lambda n: file_of(_header_only(n), EXPLICIT)),
    ("enhanced", 1, lambda n: file_of(_enhanced(n), EXPLICIT)),
    ("deflated", 1, lambda n: file_of(image(n, CT, "CT", pixels=65_536), DEFLATED)),
)


def corpus(rounds: int) -> dict[str, list[bytes]]:
    """Files by kind, `rounds` times the mix."""
    made: dict[str, list[bytes]] = {}
    number = 0
    for name, weight, make in KINDS:
        made[name] = [make(number + n) for n in range(weight * rounds)]
        number += -(-weight * rounds // 40) * 40  # no series is of two kinds
    return made


def _cpu_us(works: dict[str, Callable[[], Any]], count: int, rounds: int) -> dict[str, float]:
    """The least of the rounds of CPU microseconds a file, of works that run in turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start = time.process_time()
            work()
            taken[name].append((time.process_time() - start) / count * 1e6)
    return {name: min(times) for name, times in taken.items()}


TAGS = [(field.first, field.rest) for field in (*INSTANCE, *IDENTIFIERS, *PATIENT)]


def _records(candidate: Candidate) -> None:
    """From open() to the records, as a parser process does it."""
    told = header_of(candidate, SITE, 60.0) if candidate.size > SMALL_BYTES else None
    parsed = told[0] if told else dicom.parse(read_file(candidate, 1 << 30), SITE)
    if parsed.rejected or parsed.defects:
        raise ValueError("every file of the mix is readable")


def _alone(candidate: Candidate) -> None:
    """As if no image had been read before."""
    _forget()
    _records(candidate)


def _forget() -> None:
    forget()
    _moments_of.cache_clear()


def _twin(compiled: Any, work: Callable[[], Any]) -> Callable[[], None]:
    def run_with() -> None:
        before = dicom_kernel.compiled, rows_twin.KERNEL
        dicom_kernel.compiled, rows_twin.KERNEL = compiled, compiled and rows_twin.BUILT
        _forget()
        try:
            work()
        finally:
            dicom_kernel.compiled, rows_twin.KERNEL = before

    return run_with


def _each(work: Callable[[Any], Any], things: list[Any]) -> Callable[[], None]:
    def run_each() -> None:
        for thing in things:
            work(thing)

    return run_each


def _pydicom(candidate: Candidate) -> None:
    whole = dcmread(candidate.path, stop_before_pixels=True)
    for first, rest in TAGS:
        element = whole.get(first)
        if element is not None and rest and element.value:
            element.value[0].get(rest[0])


def _limit(candidate: Candidate) -> None:
    handle = os.open(candidate.path, os.O_RDONLY)
    os.read(handle, 16_384)
    os.close(handle)


def _stored(folder: Path, made: dict[str, list[bytes]]) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for kind, datas in made.items():
        found[kind] = []
        for n, data in enumerate(datas):
            path = folder / f"{kind.replace(' ', '-')}-{n}.dcm"
            path.write_bytes(data)
            info = path.stat()
            found[kind].append(Candidate(str(path), info.st_size, info.st_mtime_ns))
    return found


def run(quick: bool = False) -> dict[str, Any]:
    """Measure; `quick` takes fewer rounds. Keys ending in `_us` are CPU microseconds a file."""
    gc.collect()
    gc.freeze()  # as a parser process does before its first job
    with alarm(), TemporaryDirectory() as folder:
        stored = _stored(Path(folder), corpus(4))
        found = _measure(stored, 5 if quick else 15) | _cold(stored, 3 if quick else 7)
        return found | {f"pool_{key}": value for key, value in measure(Path(folder), 800, 3 if quick else 5).items()}


def _cold(stored: dict[str, list[Candidate]], rounds: int) -> dict[str, float]:
    """Least microseconds by the clock a file: of the limit and of ours, from the disk and from the page cache."""
    files = [candidate for found in stored.values() for candidate in found]
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, work in (("limit", _limit), ("records", _records), ("pydicom", _pydicom)):
            for cache in ("cold", "warm"):
                _forget()
                if cache == "cold":
                    _drop(files)
                start = time.perf_counter()
                _each(work, files)()
                taken.setdefault(f"{cache}_{name}_wall_us", []).append((time.perf_counter() - start) / len(files) * 1e6)
    return {name: min(times) for name, times in taken.items()}


def _drop(files: list[Candidate]) -> None:
    """Take the files' pages out of the page cache: written back first, for only clean pages can go."""
    for candidate in files:
        handle = os.open(candidate.path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def _measure(stored: dict[str, list[Candidate]], rounds: int) -> dict[str, Any]:
    files = [candidate for found in stored.values() for candidate in found]
    twins = {"python": None, **({"compiled": dicom_kernel.built} if dicom_kernel.built else {})}
    jobs = (files * JOB_FILES)[:JOB_FILES]
    works: dict[str, Callable[[], Any]] = {"limit": _each(_limit, files), "pydicom": _each(_pydicom, files)}
    works |= {name: _twin(twin, _each(_records, files)) for name, twin in twins.items()}
    works |= {f"{name}_alone": _twin(twin, _each(_alone, files)) for name, twin in twins.items()}
    us = _cpu_us(works, len(files), rounds)
    job = {f"{name}_job_us": _twin(twin, partial(run_job, jobs, SITE, 60.0, 1 << 30)) for name, twin in twins.items()}
    result: dict[str, Any] = {
        "n_files": len(files),
        "mean_bytes": round(sum(candidate.size for candidate in files) / len(files)),
        **{f"{name}_us": taken for name, taken in us.items()},
        **_cpu_us(job, len(jobs), max(3, rounds // 4)),
    }
    for name, twin in twins.items():
        kinds = {kind: _twin(twin, _each(_records, found)) for kind, found in stored.items()}
        result |= {
            f"{name}_pydicom_ratio": us["pydicom"] / us[name],
            f"{name}_limit_ratio": us[name] / us["limit"],
            f"{name}_us_by_kind": {
                kind: _cpu_us({kind: work}, len(stored[kind]), rounds)[kind] for kind, work in kinds.items()
            },
        }
    return result


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
