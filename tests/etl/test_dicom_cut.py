"""A file cut anywhere gives the same rows as the whole file or none at all: never a value that differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from etl.site import Site
from etl.sources import dicom
from tests.etl import dicom_made as made
from tests.etl.test_dicom_document import dose_report, rejection_note
from tests.etl.test_dicom_image import enhanced
from tests.etl.test_dicom_step import created, ended

ENCODINGS = (made.EXPLICIT, made.IMPLICIT, made.BIG, made.DEFLATED)


def nested(*, is_open: bool) -> Dataset:
    """An image with sequences, of undefined length where `is_open`."""
    codes, step = [made.code("CTH", "CT head", "L")], made.dataset(ReferencedSOPInstanceUID="1.9")
    request = made.dataset(AccessionNumber="A2", RequestedProcedureID="R1", RequestedProcedureCodeSequence=codes)
    whole = made.image(
        AccessionNumber="", RequestAttributesSequence=[request], ProcedureCodeSequence=codes,
        ReferencedPerformedProcedureStepSequence=[step],
    )  # fmt: skip
    if is_open:
        for keyword in ("RequestAttributesSequence", "ProcedureCodeSequence"):
            whole[keyword].is_undefined_length = True
            for item in whole[keyword].value:
                item.is_undefined_length_sequence_item = True
    return whole


def header_only() -> Dataset:
    """A header whose pixel data was dropped on arrival: trailing padding says that nothing is missing."""
    whole = made.image(PixelData=None)
    whole.DataSetTrailingPadding = b"\0\0"
    return whole


WHOLE = {
    "nested": lambda: nested(is_open=False), "open": lambda: nested(is_open=True), "header": header_only,
    "enhanced": lambda: enhanced(3), "note": rejection_note, "dose": dose_report, "created": created, "ended": ended,
}  # fmt: skip


def assert_cuts(data: bytes, most: int = 20_000) -> int:
    """Every cut is rejected with a reason or gives the same rows; returns how many gave rows."""
    whole = dicom.parse(data, made.SITE)
    assert whole.rejected == []
    assert whole.rows
    answer, same = made.everything(whole), 0
    for size in made.cuts(len(data), most):
        parsed = dicom.parse(data[:size], made.SITE)
        assert parsed.read == 1
        if parsed.rejected:
            assert parsed.rejected[0].reason in ("truncated", "unproven", "missing_uid", "bad_encoding"), size
            assert parsed.rows == {}
        elif parsed.rows:
            assert made.everything(parsed) == answer, size
            same += 1
        else:
            assert parsed.rows == {}
    return same


@pytest.mark.parametrize("syntax", ENCODINGS)
@pytest.mark.parametrize("name", WHOLE)
def test_cut_at_every_byte(name: str, syntax: str) -> None:
    data = made.file_of(WHOLE[name](), syntax)
    same = assert_cuts(data)
    if name in ("nested", "open", "header", "enhanced"):  # nothing may follow the proof of an image
        assert same <= 1  # a deflated stream has a pad byte that means nothing
    assert same < 200


@pytest.mark.parametrize("syntax", [made.EXPLICIT, made.IMPLICIT, made.BIG])
def test_headerless_cut_at_every_byte(syntax: str) -> None:
    assert assert_cuts(made.headerless(nested(is_open=True), syntax)) == 0


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm", "image_dfl.dcm", "MR_small_RLE.dcm"]
)
def test_files_of_others_cut(name: str) -> None:
    path = get_testdata_file(name, download=False)
    assert path
    assert assert_cuts(Path(str(path)).read_bytes(), 3_000) < 200


def test_fixtures_cut(fixtures: Path) -> None:
    found = sorted((fixtures / "dicom").rglob("*.dcm"))
    checked = 0
    for path in found:
        data = path.read_bytes()
        if dicom.parse(data, Site()).rows:
            assert_cuts(data, 300)
            checked += 1
    assert checked >= 40


def test_a_message_is_the_header_alone_and_a_rejected_one_is_kept_whole() -> None:
    """So an object is the same message with and without its pixels, and quarantine can be replayed."""
    whole, padded = made.file_of(made.image()), made.file_of(header_only())
    pixels = whole.index(b"\xe0\x7f\x10\x00")
    made.parse(whole)
    assert dicom.messages(whole) == [whole[:pixels]] == dicom.messages(padded)
    assert dicom.messages(whole) == [whole[:pixels]]  # also without `parse` before
    for data in (whole[:-1], made.file_of(made.image(PixelData=None)), made.file_of(made.image(), made.DEFLATED)):
        made.parse(data)
        assert dicom.messages(data) == [data] == dicom.messages(data)


def test_a_cut_value_is_what_pydicom_would_read(tmp_path: Path) -> None:
    """The danger is real: pydicom reads a file cut inside PatientID as a shorter PatientID."""
    from pydicom import dcmread  # noqa: PLC0415

    data = made.file_of(made.image(PatientID="M123456"))
    cut = data[: data.index(b"M123456") + 4]
    (tmp_path / "cut.dcm").write_bytes(cut)
    assert dcmread(tmp_path / "cut.dcm").PatientID == "M123"
    assert made.reasons(made.parse(cut)) == ["truncated"]
