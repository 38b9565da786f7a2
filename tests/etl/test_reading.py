"""Pieces of a file: the same octets from memory, from the disk itself, and where the disk cannot be asked so."""

from __future__ import annotations

import errno
import mmap
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from etl import reading
from etl.reading import PIECE, Pieces

PAGE = 4096
SIZES = [0, 1, PAGE, PIECE - 1, PIECE, PIECE + PAGE, 2 * PIECE + 12_345]


def written(path: Path, size: int) -> bytes:
    octets = Random(size).randbytes(size)  # noqa: S311 - only bytes
    with path.open("wb") as file:
        file.write(octets)
        os.fsync(file.fileno())
    return octets


def told(path: Path) -> bytes:
    """All of a file, piece by piece."""
    found, at = [], 0
    with Pieces(path) as pieces:
        while piece := pieces.read(at):
            found.append(bytes(piece))
            at += len(piece)
    assert all(len(piece) == PIECE for piece in found[:-1])
    return b"".join(found)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("in_memory", [True, False])
def test_all_comes_either_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, *, in_memory: bool) -> None:
    octets = written(tmp_path / "file", size)
    monkeypatch.setattr(reading._Held, "has", lambda held, at: in_memory or at >= held._size)
    assert told(tmp_path / "file") == octets


@pytest.mark.skipif(sys.platform != "linux", reason="only there what lies in memory is looked at")
@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.EFAULT])
def test_what_cannot_be_looked_at_in_memory_is_read_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    """An older system refuses the advice; a page that is gone and cannot be read is told by reading it."""
    octets, asked = written(tmp_path / "file", PIECE + PAGE), []

    class Refusing(mmap.mmap):
        def madvise(self, option: int, *_where: int) -> None:
            asked.append(option)
            raise OSError(refusal, "no")

    monkeypatch.setattr(reading._Held, "has", lambda _held, _at: True)
    monkeypatch.setattr(mmap, "mmap", Refusing)
    monkeypatch.setattr(reading, "_opened_past", lambda path: os.open(path, os.O_RDONLY))  # wherever the test runs
    assert told(tmp_path / "file") == octets
    assert asked == [reading._POPULATE_READ] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system what lies in memory")
def test_a_piece_in_memory_is_not_copied_and_the_last_one_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = written(tmp_path / "file", 16 * PIECE + 1)
    monkeypatch.setattr(reading, "_opened_past", lambda path: os.open(path, os.O_RDONLY))  # wherever the test runs
    monkeypatch.setattr(reading._Held, "has", lambda _held, _at: True)
    with Pieces(tmp_path / "file") as pieces:
        for at in range(0, len(octets), PIECE):
            piece = pieces.read(at)
            assert bytes(piece) == octets[at : at + PIECE]
            assert piece.readonly, "the file itself, not room that it was copied to"
        told_of = Path("/proc/self/smaps").read_text("ascii").split(str(tmp_path / "file"))[1]
    resident = next(line for line in told_of.splitlines() if line.startswith("Rss:"))
    assert int(resident.split()[1]) <= 2 * PIECE >> 10, "kB of the file that count as memory of this process"


@pytest.mark.skipif(sys.platform != "linux", reason="only there a file is read past memory")
def test_a_refusal_is_made_up_for_and_a_fault_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    octets, usual, refused = written(tmp_path / "file", 2 * PIECE), os.preadv, errno.EINVAL
    with (tmp_path / "file").open("rb") as file:  # as if it had been opened past memory, wherever the test runs
        monkeypatch.setattr(reading, "_opened_past", lambda _path: os.dup(file.fileno()))
        monkeypatch.setattr(reading._Held, "has", lambda _held, _at: False)
        failed: list[int] = []

        def preadv(number: int, buffers: Sequence[Any], at: int) -> int:
            if not failed:
                failed.append(number)
                raise OSError(refused, "no")
            return usual(number, buffers, at)

        monkeypatch.setattr(os, "preadv", preadv)
        assert told(tmp_path / "file") == octets
        refused = errno.EIO
        failed.clear()
        with pytest.raises(OSError, match="no"):
            told(tmp_path / "file")


def test_files_that_cannot_be_mapped_are_read_as_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    octets = written(tmp_path / "file", PIECE + 1)

    def refused(_file: int) -> None:
        raise OSError(errno.ENODEV, "no")

    monkeypatch.setattr(reading, "_Held", refused)
    assert told(tmp_path / "file") == octets


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system what lies in memory")
def test_what_was_just_written_lies_in_memory(tmp_path: Path) -> None:
    written(tmp_path / "file", PIECE)
    with (tmp_path / "file").open("rb") as file:
        held = reading._Held(file.fileno())
        assert held.has(0)
        assert held.has(PIECE), "nothing is there to be read from the disk"
