"""What is taken over from an image before is what would be read: same rows, envelopes, defects and reasons."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from etl.site import Facility, Site
from etl.sources import dicom, dicom_series, sniff
from etl.sources.dicom_identity import IDENTIFIERS, PATIENT
from etl.sources.dicom_image import INSTANCE
from etl.sources.dicom_series import CLOCK, COLUMNS, VARYING, again, forget
from tests.etl import dicom_made as made
from tests.etl.test_dicom_cut import nested
from tests.etl.test_dicom_image import enhanced, full

OTHER_SITE = Site(facilities=(Facility("NORTH", "Northgate Hospital", "Europe/Berlin"),))
#: Values that one image may have and the next not; None takes the element away.
CHANGES: dict[str, tuple[Any, ...]] = {
    "SOPInstanceUID": ("1.2.3.4.6", "", None), "InstanceCreationDate": ("20260116", "x", None),
    "InstanceCreationTime": ("080000", "99"), "AcquisitionDate": ("20260701", "", None, "x"),
    "AcquisitionTime": ("235959.5", "10", "", None), "AcquisitionDateTime": ("20260115120000", "2026", "x", ""),
    "ContentDate": ("20260117", None), "ContentTime": ("101500", ""), "StudyDate": ("20260114", None, "x"),
    "SeriesTime": ("100101", ""), "ImageType": (["DERIVED", "SECONDARY"], ["ORIGINAL"], None), "KVP": ("100", None),
    "SpecificCharacterSet": ("ISO_IR 100", "ISO_IR 999", None), "PatientName": ("Roe^Ann",), "PatientID": ("M2", None),
    "TimezoneOffsetFromUTC": ("+0100", "x"), "InstitutionName": ("Westlake Clinic", ""), "OperatorsName": ("Trän^Tim",),
    "SOPClassUID": ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.88.33"), "StudyInstanceUID": ("1.2.4", ""),
    "SeriesInstanceUID": ("1.2.3.5", ""), "Rows": (4,), "Modality": ("MR",), "AcquisitionDuration": (2.5, -1.0),
    "ProcedureCodeSequence": ([made.code("MRH", "MR head", "L")], []), "StationName": ("WCT01",),
    "OtherPatientIDsSequence": ([made.dataset(PatientID="M9", IssuerOfPatientID="WEST")],),
    "InstanceNumber": ("1", "12", "123456", "", None), "SliceLocation": ("-7.5", "12.25", "1e300"),
    "ImagePositionPatient": ([0.0, 0.0, -1.5], [-175.25, 0.0, 12.0], None), "Exposure": ("151", "", "12345"),
    "ExposureTime": ("7", None), "ExposureInUAs": ("1500",), "ExposureIndex": ("4e2", ""),
    "ReferencedImageSequence": ([made.dataset(ReferencedSOPInstanceUID="1.9")], []),
}  # fmt: skip
#: Elements that differ from image to image in a real series; one image may lack none of them.
SLICES: dict[str, Any] = {
    "InstanceNumber": str, "SliceLocation": lambda n: f"{12.5 - 3 * n:.6g}", "Exposure": lambda n: str(95 + n),
    "ImagePositionPatient": lambda n: [0.0, 0.0, 12.5 - 3 * n], "ContentTime": lambda n: f"1003{n:02d}",
    "AcquisitionTime": lambda n: f"1002{n:02d}.{n}", "SOPInstanceUID": lambda n: f"1.2.3.4.{n}",
    "InstanceCreationDate": lambda _: "20260115", "InstanceCreationTime": lambda n: f"1004{n:02d}",
    "KVP": lambda _: "120", "PlanarConfiguration": lambda n: n % 2,
}  # fmt: skip


def slices(count: int, syntax: str = made.EXPLICIT) -> list[bytes]:
    """Images of a series of which each differs from the next in what real ones do, and some lengths too."""
    return [
        made.file_of(made.image(**{keyword: make(n) for keyword, make in SLICES.items()}), syntax) for n in range(count)
    ]


def changed(whole: Dataset, changes: dict[str, Any], syntax: str = made.EXPLICIT) -> bytes:
    """The file of an image with other values, also such as the standard does not allow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in changes.items():
            if value is None:
                whole.pop(keyword, None)
            else:
                setattr(whole, keyword, value)
        return made.file_of(whole, syntax, MediaStorageSOPClassUID=made.CT, MediaStorageSOPInstanceUID="1.2")


def told(data: bytes, site: Site) -> str:
    parsed = dicom.parse(data, site)
    envelopes = list(parsed.envelopes.rows)
    return repr((made.everything(parsed), parsed.defects, parsed.rejected, envelopes, dicom.messages(data)))


def assert_same(files: list[bytes], sites: tuple[Site, ...] = (made.SITE,)) -> None:
    """Each file read after the others, and alone."""
    forget()
    pairs = [(data, site) for data in files for site in sites]
    after = [told(data, site) for data, site in pairs]
    for (data, site), found in zip(pairs, after, strict=True):
        forget()
        assert told(data, site) == found


def test_no_field_is_read_of_what_varies() -> None:
    assert not VARYING & {field.first for field in (*INSTANCE, *IDENTIFIERS, *PATIENT)}
    assert not (COLUMNS | CLOCK) & {column for field in (*INSTANCE, *IDENTIFIERS, *PATIENT) for column in field.columns}


def test_an_image_of_the_series_is_not_read_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    monkeypatch.setattr(dicom, "again", lambda *given: answers.append(again(*given)) or answers[-1])
    forget()
    for number in range(4):
        fields = {"SOPInstanceUID": f"1.2.3.4.{number}", "AcquisitionTime": f"10020{number}"}
        row = made.one(made.parse(made.file_of(made.image(**fields))))
        assert row["acquired_at"] == made.utc(f"2026-01-15T15:02:0{number}")
    assert [bool(answer) for answer in answers] == [False, True, True, True]
    made.parse(made.file_of(made.image(BodyPartExamined="HEAD")))
    assert answers[-1] is None


@pytest.mark.parametrize("syntax", [made.EXPLICIT, made.IMPLICIT, made.BIG])
def test_slices_of_any_lengths_are_not_read_in_full(syntax: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where what nobody reads and the exposure differ from slice to slice."""
    files = slices(16, syntax)
    answers = []
    monkeypatch.setattr(dicom, "again", lambda *given: answers.append(again(*given)) or answers[-1])
    assert_same(files)
    assert [bool(answer) for answer in answers[:16]] == [False] + [True] * 15
    forget()
    rows = [made.one(made.parse(data)) for data in files]
    assert [row["exposure_mas"] for row in rows] == [float(95 + n) for n in range(16)]
    assert len({row["sop_hash"] for row in rows}) == len({row["acquired_at"] for row in rows}) == 16


def test_slices_that_were_deflated_are_not_read_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are inflated to their end all the same: what is cut there is rejected, and so is what is not deflated."""
    answers = []

    def asked(*given: Any, **named: bool) -> Any:
        answers.append((again(*given, **named), named))
        return answers[-1][0]

    monkeypatch.setattr(dicom, "again", asked)
    files = slices(5, made.DEFLATED)
    plain, start = slices(5)[0], files[0].index(b"1.2.840.10008.1.2.1.99")
    liar = files[0][: start + 22] + plain[plain.index(b"\x08\x00\x05\x00") :]
    assert_same([*files, files[1][:-3], liar, files[2], files[0] + b"\0"])
    told = [bool(answer) for answer, named in answers[:10] if named]
    assert told == [False, True, True, True, True]
    forget()
    assert not made.parse(files[0]).rejected
    assert [made.parse(data).rejected[0].reason for data in (files[1][:-3], liar)] == ["truncated", "bad_encoding"]


@pytest.mark.parametrize("syntax", [made.EXPLICIT, made.IMPLICIT, made.BIG])
def test_a_cut_slice_is_seen(syntax: str) -> None:
    *before, data = slices(4, syntax)
    forget()
    for other in before:
        told(other, made.SITE)
    for size in range(128, len(data)):
        found = told(data[:size], made.SITE), head_told(data[:size], len(data))
        forget()
        assert found == (told(data[:size], made.SITE), head_told(data[:size], len(data))), size
        for other in before:
            told(other, made.SITE)


def head_told(head: bytes, size: int) -> str | None:
    """What the first part of a file tells."""
    found = again(head, size, made.SITE) or dicom.parse_head(head, size, made.SITE)
    if found is None:
        return None
    return repr((made.everything(found[0]), found[0].defects, found[0].rejected, found[0].envelopes.rows, found[1]))


SERIES = [slices(4, syntax) for syntax in (made.EXPLICIT, made.IMPLICIT, made.BIG)]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_slice_is_read_as_if_alone(data: st.DataObject) -> None:
    *before, last = data.draw(st.sampled_from(SERIES))
    damage = bytearray(last)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(128, len(damage)))
        junk = data.draw(st.binary(min_size=1, max_size=6) | st.sampled_from((b"\xff" * 4, b"\0\0", b"SQ", b" ")))
        damage[at : at + data.draw(st.integers(0, len(junk)))] = junk
    assert_same([*before, bytes(damage), last])


@pytest.mark.parametrize("keyword", CHANGES)
def test_the_next_image_differs_in_one_element(keyword: str) -> None:
    for value in CHANGES[keyword]:
        first, second = changed(made.image(), {}), changed(made.image(), {keyword: value})
        assert_same([first, first, second, first, second])


def test_the_next_file_differs_beside_its_data_set() -> None:
    files = [made.file_of(made.image(), syntax) for syntax in (made.EXPLICIT, made.IMPLICIT, made.BIG, made.DEFLATED)]
    files += [made.file_of(made.image(), SourceApplicationEntityTitle=name) for name in ("NORTHCT1", "WESTCT1")]
    files += [made.file_of(made.image(), ReceivingApplicationEntityTitle="X"), files[0][:-1], files[0]]
    assert_same([*files, *reversed(files), *files], (made.SITE, OTHER_SITE))
    assert_same([data for data in files for _ in range(3)])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_series_of_any_images(data: st.DataObject) -> None:
    make = data.draw(st.sampled_from((made.image, full, lambda: nested(is_open=True), lambda: enhanced(2))))
    files = []
    for _ in range(data.draw(st.integers(2, 4))):
        keywords = data.draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3, unique=True))
        changes = {keyword: data.draw(st.sampled_from(CHANGES[keyword])) for keyword in keywords}
        syntax = data.draw(st.sampled_from((made.EXPLICIT, made.EXPLICIT, made.IMPLICIT)))
        files.append(changed(make(), changes, syntax))
    assert_same([files[0], *files, *files])


def test_fixtures_in_order(fixtures: Path) -> None:
    found = [path.read_bytes() for path in sorted((fixtures / "dicom").rglob("*.dcm"))]
    assert_same([data for data in found if sniff(data) == "dicom" for _ in range(3)])


def test_few_images_are_tried_and_not_for_long_files() -> None:
    forget()
    for number in range(dicom_series.MOST_TRIED + 2):
        for _ in range(2):
            made.parse(made.file_of(made.image(SeriesInstanceUID=f"1.2.3.{number}")))
    assert [len(tried) for tried in dicom_series._TRIED.values()] == [dicom_series.MOST_TRIED, 0]
    forget()
    long = made.image()
    long.private_block(0x0029, "ACME", create=True).add_new(0x10, "OB", b"\1" * dicom_series.MOST_BYTES)
    made.parse(made.file_of(long))
    assert not any(dicom_series._TRIED.values())


@pytest.mark.parametrize("syntax", [made.EXPLICIT, made.IMPLICIT, made.BIG])
def test_what_nobody_reads_may_differ(syntax: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its length: also where no image of the series had another value before."""
    answers = []
    monkeypatch.setattr(dicom, "again", lambda *given: answers.append(again(*given)) or answers[-1])
    files = [
        made.file_of(made.image(ImageComments=text, PatientComments=text, SOPInstanceUID=f"1.2.{n}"), syntax)
        for n, text in enumerate(("a", "", "abcd" * 100, "a"))
    ]
    assert_same(files)
    assert [bool(answer) for answer in answers[:4]] == [False, True, True, True]
