"""Files larger than their header: what is read of them, and that it says what all of the file says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from etl import files_twin, heads
from etl.heads import HEADS
from etl.inbox import Candidate, Opened
from etl.parsing import JobResult, message_hash, run_job
from etl.sources import dicom, dicom_kernel
from etl.sources.dicom_series import forget
from tests.conftest import needs_compiled
from tests.etl import dicom_made as made

PIXELS = 300_000
MOST = 1 << 30


def large(n_private: int = 0) -> Dataset:
    """An image of 300 KB of pixels and as many private octets as are asked for."""
    whole = made.image(PixelData=Random(1).randbytes(PIXELS))  # noqa: S311 - it must only not deflate
    if n_private:
        whole.private_block(0x0029, "ACME", create=True).add_new(0x10, "OB", b"\1" * n_private)
    return whole


def fragments(n: int = 3) -> bytes:
    whole = large()
    whole.PixelData = encapsulate([b"\xff\xd8" + b"\1" * 99_998] * n)
    whole["PixelData"].VR = "OB"
    whole["PixelData"].is_undefined_length = True
    return made.file_of(whole, made.JPEG)


def document() -> bytes:
    """A note without pixels, larger than the first part by an element behind all that is read."""
    from tests.etl.test_dicom_document import rejection_note  # noqa: PLC0415

    whole = rejection_note()
    whole.EncapsulatedDocument = b"\0" * 200_000
    return made.file_of(whole)


#: Kind -> how it is made, and octets that are read of it at most.
FILES: dict[str, tuple[Callable[[], bytes], int]] = {
    "explicit": (lambda: made.file_of(large()), HEADS[0]),
    "implicit": (lambda: made.file_of(large(), made.IMPLICIT), HEADS[0]),
    "big endian": (lambda: made.file_of(large(), made.BIG), HEADS[0]),
    "fragments": (fragments, HEADS[0] + 64),
    "rather long header": (lambda: made.file_of(large(20_000)), sum(HEADS[:2])),
    "long header": (lambda: made.file_of(large(100_000)), sum(HEADS[:2]) + 500_000),
    "very long header": (lambda: made.file_of(large(2_000_000)), sum(HEADS) + 3_000_000),
    "document": (document, sum(HEADS[:2]) + 300_000),
    "deflated": (lambda: made.file_of(large(), made.DEFLATED), 400_000),
}  # fmt: skip


def stored(folder: Path, data: bytes, name: str = "x.dcm") -> Candidate:
    path = folder / name
    path.write_bytes(data)
    info = path.stat()
    return Candidate(str(path), info.st_size, info.st_mtime_ns)


def job(*candidates: Candidate, most_bytes: int = MOST) -> JobResult:
    forget()
    return run_job(list(candidates), made.SITE, 30.0, most_bytes)


@pytest.fixture(params=("compiled", "python"))
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "compiled":
        needs_compiled(dicom_kernel.built)
    monkeypatch.setattr(dicom_kernel, "compiled", dicom_kernel.built if request.param == "compiled" else None)


@pytest.fixture
def n_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Octets of each reading; the first is another call where it is compiled."""
    counts: list[int] = []
    part, begun = Opened.part, heads.begun

    def begin(candidate: Candidate, most_bytes: int, *given: Any) -> Any:
        if files_twin.KERNEL is not None:
            counts.append(min(candidate.size, most_bytes))
        return begun(candidate, most_bytes, *given)

    monkeypatch.setattr(heads, "begun", begin)

    def counted(self: Opened, at: int, n_bytes: int) -> bytes:
        data = part(self, at, n_bytes)
        counts.append(len(data))
        return data

    monkeypatch.setattr(Opened, "part", counted)
    return counts


@pytest.mark.usefixtures("_twin")
@pytest.mark.parametrize("with_files", [True, False])
@pytest.mark.parametrize("n_fragments", [0, 3, 100])
def test_slices_say_what_each_says_alone(
    n_fragments: int, with_files: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the first is read in full; where the compiled twin opens them, those of many fragments are read on."""
    if with_files:
        needs_compiled(files_twin.BUILT)
    monkeypatch.setattr(files_twin, "KERNEL", files_twin.BUILT if with_files else None)
    asked = []
    parse_head = heads.parse_head
    monkeypatch.setattr(heads, "parse_head", lambda *given: asked.append(given[1]) or parse_head(*given))
    found = []
    for n in range(4):
        whole = made.image(SOPInstanceUID=f"1.2.3.4.{n}", AcquisitionTime=f"10020{n}", PixelData=bytes(40_000 + 2 * n))
        if n_fragments:
            whole.PixelData = encapsulate([b"\xff\xd8" + b"\1" * (20_000 + 2 * n)] * n_fragments)
            whole["PixelData"].VR = "OB"
            whole["PixelData"].is_undefined_length = True
        data = made.file_of(whole, made.JPEG if n_fragments else made.EXPLICIT)
        found.append(stored(tmp_path, data, f"{n}.dcm"))
    together = job(*found)
    assert len(asked) == (5 if with_files and n_fragments > 64 else 1)
    alone = [job(candidate) for candidate in found]
    assert [file for result in alone for file in result.files] == together.files
    for record, frame in together.frames.items():
        assert frame.rows() == [row for result in alone for row in result.frames[record].rows()]
    assert together.frames["instance"]["acquired_at"].n_unique() == 4


@pytest.mark.usefixtures("_twin")
@pytest.mark.parametrize("kind", FILES)
def test_the_head_says_what_the_file_says(kind: str, tmp_path: Path, n_read: list[int]) -> None:
    make, most = FILES[kind]
    data = make()
    found = job(stored(tmp_path, data))
    assert sum(n_read) <= most
    forget()
    whole = dicom.parse(data, made.SITE)
    assert [message_hash(message) for message in dicom.messages(data)] == found.files[0].hashes
    assert (found.files[0].n_read, found.files[0].rejected, found.files[0].standard) == (1, (), "dicom")
    (record,) = whole.rows
    rows = found.frames[record].drop("file_id").to_dicts()
    assert rows == made.rows(whole, record)
    envelope = found.frames["envelope"].drop("file_id").rows()
    assert envelope == whole.envelopes.rows


@pytest.mark.usefixtures("_twin")
@pytest.mark.parametrize("kind", FILES)
def test_a_cut_behind_the_head_is_seen_and_all_of_the_file_kept(kind: str, tmp_path: Path) -> None:
    data = FILES[kind][0]()
    for n, size in enumerate((len(data) - 1, len(data) - 7, len(data) - 9, len(data) * 3 // 4)):
        forget()
        told = dicom.parse(data[:size], made.SITE)
        found = job(stored(tmp_path, data[:size], f"{n}.dcm")).files[0]
        assert [rejected for rejected, _ in found.rejected] == told.rejected
        if kind not in ("document", "deflated"):
            assert [rejected.reason for rejected in told.rejected] == ["truncated"]
            assert [content for _, content in found.rejected] == [data[:size]]


def test_pixels_make_no_other_file(tmp_path: Path) -> None:
    data = made.file_of(large())
    other = data[:-2] + b"\7\7"
    files = job(
        stored(tmp_path, data), stored(tmp_path, other, "y.dcm"), stored(tmp_path, data + b"\0\0", "z.dcm")
    ).files
    assert files[0].file_id == files[1].file_id != files[2].file_id
    assert files[0].hashes == files[1].hashes == files[2].hashes


def test_a_file_that_changes_is_read_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = stored(tmp_path, made.file_of(large()))
    real = heads.parse_head

    def changing(*given: object) -> object:
        with open(candidate.path, "ab") as file:
            file.write(b"\0\0")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(heads, "parse_head", changing)
    assert [file.skipped for file in job(candidate).files] == ["changing"]


def test_what_is_too_large_is_not_read_in_part(tmp_path: Path) -> None:
    candidate = stored(tmp_path, made.file_of(large()))
    assert [r.reason for r, _ in job(candidate, most_bytes=200_000).files[0].rejected] == ["too_large"]


def test_fragments_whose_marks_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = stored(tmp_path, fragments())
    pread = os.pread

    def broken(handle: int, n_bytes: int, at: int) -> bytes:
        if at:
            raise OSError
        return pread(handle, n_bytes, at)

    monkeypatch.setattr(os, "pread", broken)
    found = job(candidate).files[0]  # then all of it is read, from its first octet
    assert (found.skipped, found.rejected, found.n_read) == ("", (), 1)
