"""Helpers of the DICOM tests: objects made with pydicom, in any encoding, and what radops reads of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID

from etl.records import Parsed
from etl.site import Facility, Site
from etl.sources import dicom

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, JPEG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50"
CT, SR_DOSE, KOS = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.59"
ENHANCED_MR, MPPS = "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.3.1.2.3.3"

#: New York is 5 hours behind UTC in January, Chicago 6.
SITE = Site(
    facilities=(
        Facility("NORTH", "Northgate Hospital", "America/New_York", aliases=("NGTH", "NCT01", "NORTHCT1", "NIMPORT")),
        Facility("WEST", "Westlake Clinic", "America/Chicago", aliases=("WCT01", "WESTCT1")),
    ),
    default_zone="UTC",
)


def dataset(**fields: Any) -> Dataset:
    """A data set of keywords; lists of data sets become sequences."""
    made = Dataset()
    for keyword, value in fields.items():
        is_items = isinstance(value, list) and all(isinstance(item, Dataset) for item in value)
        setattr(made, keyword, Sequence(value) if is_items else value)
    return made


def image(**fields: Any) -> Dataset:
    """A CT image of Northgate, 10:00 on 15 January; None takes a field away."""
    made = dataset(
        SpecificCharacterSet="ISO_IR 192", ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], SOPClassUID=CT,
        SOPInstanceUID="1.2.3.4.5", StudyDate="20260115", StudyTime="100000", SeriesDate="20260115",
        SeriesTime="100100", AcquisitionDate="20260115", AcquisitionTime="100200.5", ContentDate="20260115",
        ContentTime="100300", AccessionNumber="A1", Modality="CT", Manufacturer="ACME",
        InstitutionName="Northgate Hospital", StationName="NCT01", ManufacturerModelName="CT9000",
        DeviceSerialNumber="S1", PatientName="Doe^Jane", PatientID="M1", IssuerOfPatientID="NORTH",
        StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4", Rows=2, Columns=2, BitsAllocated=16, BitsStored=16,
        HighBit=15, PixelRepresentation=0, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
        PixelData=b"\0" * 8,
    )  # fmt: skip
    made["PixelData"].VR = "OW"
    for keyword, value in fields.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def code(value: str, meaning: str = "meaning", scheme: str = "DCM") -> Dataset:
    return dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def file_of(made: Dataset, syntax: str = EXPLICIT, **meta: Any) -> bytes:
    """A Part 10 file."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    made.file_meta.MediaStorageSOPClassUID = made.get("SOPClassUID", CT)
    made.file_meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID", "1.2")
    for keyword, value in meta.items():
        setattr(made.file_meta, keyword, value)
    out = BytesIO()
    dcmwrite(out, made, enforce_file_format=True)
    return out.getvalue()


def headerless(made: Dataset, syntax: str = EXPLICIT) -> bytes:
    """The data set alone."""
    data = file_of(made, syntax)
    size = int.from_bytes(data[140:144], "little")
    return data[144 + size :]


def inflated(data: bytes) -> bytes:
    """The data set of a deflated file."""
    size = int.from_bytes(data[140:144], "little")
    return zlib.decompress(data[144 + size :], -zlib.MAX_WBITS)


def parse(data: bytes, site: Site = SITE) -> Parsed:
    return dicom.parse(data, site)


def rows(parsed: Parsed, record: str) -> list[dict[str, Any]]:
    return list(parsed.records(record))


def one(parsed: Parsed, record: str = "instance") -> dict[str, Any]:
    assert parsed.rejected == []
    found = rows(parsed, record)
    assert len(found) == 1
    return found[0]


def reasons(parsed: Parsed) -> list[str]:
    return [rejected.reason for rejected in parsed.rejected]


def defects(parsed: Parsed) -> list[tuple[str, str]]:
    return [(defect.field, defect.reason) for defect in parsed.defects]


def everything(parsed: Parsed) -> dict[str, list[dict[str, Any]]]:
    """All rows by record type."""
    return {record: rows(parsed, record) for record in parsed.rows}


def cuts(size: int, most: int) -> Iterator[int]:
    """Every length below `size`, or `most` of them: all of the first and last, the rest evenly."""
    if size <= most:
        yield from range(size)
        return
    edge = most // 4
    yield from range(edge)
    yield from range(edge, size - edge, max(1, (size - 2 * edge) // (most - 2 * edge)))
    yield from range(size - edge, size)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)
