"""Parser processes: what is read of a file may be less than its size, and what is held of all of them is bounded."""

from __future__ import annotations

import os
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread

import pytest

from etl.handover import hand_over, taken
from etl.inbox import Candidate, scan
from etl.parsing import JOB_BYTES, run_job
from etl.pool import JOB_FILES, Parser
from etl.settings import Settings
from etl.site import Site
from tests.bench.parsers import apart
from tests.etl import dicom_made as made

N_BYTES = JOB_BYTES // 3 + 1


def message(number: int, n_bytes: int) -> bytes:
    head = f"MSH|^~\\&|RIS|NORTH|||20260115||ORU^R01|C{number}|P|2.5.1\rPID|1||M{number}^^^NORTH\rOBX|1|TX|A^B||"
    return (head + "x" * (n_bytes - len(head)) + "\r").encode()


@pytest.fixture
def reports(tmp_path: Path) -> list[Candidate]:
    """Files that a process may hold three of."""
    for number in range(14):
        (tmp_path / f"{number:03d}.hl7").write_bytes(message(number, N_BYTES))
    return list(scan([tmp_path]))


def test_a_job_ends_where_enough_is_held(reports: list[Candidate]) -> None:
    result = run_job(reports, Site(), 30.0, 1 << 30)
    assert [file.candidate for file in result.files] == reports[:3]
    assert sum(file.n_bytes for file in result.files) == sum(candidate.size for candidate in reports[:3])


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_job_left_is_parsed_in_order(reports: list[Candidate], workers: int) -> None:
    results = list(Parser(Settings(workers=workers), Site()).parse(reports))
    assert [file.candidate for result in results for file in result.files] == reports
    assert [file.n_read for result in results for file in result.files] == [1] * len(reports)
    assert max(sum(file.n_bytes for file in result.files) for result in results) < JOB_BYTES + N_BYTES


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    """Ten times the files, the same peak: of a parser process and of the one which takes the results."""
    for number in range(40):
        (tmp_path / f"{number:03d}.dcm").write_bytes(made.file_of(made.image(SOPInstanceUID=f"1.2.3.{number}")))
    few, many = (apart(tmp_path, times, 2) for times in (30, 300))
    for process in ("peak_mb", "peak_parser_mb"):
        assert many[process] < few[process] + 6, process  # what one result holds for each file would be 15 MB


def test_images_are_counted_by_their_headers(tmp_path: Path) -> None:
    """More of them than JOB_BYTES in one job, of whose pixels nothing is held."""
    for number in range(JOB_FILES):
        whole = made.image(SOPInstanceUID=f"1.2.3.{number}", PixelData=bytes(1 << 17))
        (tmp_path / f"{number:03d}.dcm").write_bytes(made.file_of(whole))
    found = list(scan([tmp_path]))
    assert sum(candidate.size for candidate in found) > JOB_BYTES
    (result,) = Parser(Settings(workers=1), made.SITE).parse(found)
    assert [file.candidate for file in result.files] == found
    assert result.frames["instance"].height == JOB_FILES
    assert sum(file.n_bytes for file in result.files) < JOB_BYTES // 4


@pytest.mark.parametrize("value", [-1, ([("a", b"b")], None), bytes(5_000_000)])
def test_what_is_handed_over_is_taken(value: object) -> None:
    """Also where it is more than the pipe holds."""
    here, there = Pipe()
    sending = Thread(target=lambda: [hand_over(there, value) for _ in range(2)])
    sending.start()
    assert [taken(here), taken(here)] == [value, value]
    sending.join()


@pytest.mark.parametrize("sent", [b"", b"\x05", (9).to_bytes(8, "little") + b"half"])
def test_what_is_not_whole_is_not_taken(sent: bytes) -> None:
    here, there = Pipe()
    os.write(there.fileno(), sent)
    there.close()
    with pytest.raises((EOFError, OSError)):
        taken(here)
