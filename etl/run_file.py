"""The file of a run: a header, numbers in order, some of these again, the place of each, a sieve; and sums of all.

The numbers lie in pages, of which the first number stands once more with those of the other pages: who looks for a
number that the sieve lets through (`etl/run_sieve.py`) reads these and one page (`etl/run_search.py`).

The header is read whenever a run is asked: it has a sum of its own and says what the run covers. All the rest is
read and summed up in turn, a run a week, when it is first asked on its day or after it. What does not give its sum
is as good as lost: it is told by the table again.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from etl.durable import sync
from etl.proof import DAYS, today
from etl.run_sieve import Octets, Sieving, n_octets

Keys = npt.NDArray[np.uint64]
Places = npt.NDArray[np.uint32]
Spots = npt.NDArray[np.int64]
Entries = tuple[Keys, Places]

NO_ENTRIES: Entries = np.empty(0, np.uint64), np.empty(0, np.uint32)
#: Octets before the numbers, so that no page of them lies in two of the disk; and numbers of a page.
HEAD, PAGE = 4096, 256
_MARK = b"radruns4"
#: Mark, entries, places covered after and up to, sums of the keys, of the places, of the sieve and of all before.
_HEADER = struct.Struct("<8sQQQIIII")
_SUMMED = _HEADER.size - 4


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the database names it: `n` entries of the places after `since` up to `upto`."""

    file: str
    n: int
    since: int
    upto: int

    @property
    def n_pages(self) -> int:
        """Pages of numbers; the last one may be shorter."""
        return -(-self.n // PAGE)

    @property
    def at_firsts(self) -> int:
        """Octets before the first numbers of pages."""
        return HEAD + self.n * 8

    @property
    def at_places(self) -> int:
        """Octets before the places."""
        return self.at_firsts + self.n_pages * 8

    @property
    def at_sieve(self) -> int:
        """Octets before the sieve."""
        return self.at_places + self.n * 4

    @property
    def size(self) -> int:
        """Octets of the file."""
        return self.at_sieve + n_octets(self.n)


def _header(run: Run, sums: tuple[int, ...]) -> bytes:
    told = _HEADER.pack(_MARK, run.n, run.since, run.upto, *sums, 0)
    return told[:_SUMMED] + struct.pack("<I", zlib.crc32(told[:_SUMMED]))


@dataclass
class _Part:
    """A part of a file that is written from `at` on, and the sum of its octets."""

    file: BinaryIO
    at: int
    sum: int = 0

    def put(self, octets: bytes) -> None:
        self.file.seek(self.at)
        self.file.write(octets)
        self.at, self.sum = self.at + len(octets), zlib.crc32(octets, self.sum)


def write(path: Path, run: Run, parts: Iterable[Entries]) -> None:
    """Write a run, whose `parts` are in order one after the other, and wait until it is on the disk."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "r+b") as file:
        of_keys, of_firsts, of_places, of_sieve = (
            _Part(file, at) for at in (HEAD, run.at_firsts, run.at_places, run.at_sieve)
        )
        sieving, n = Sieving(run.n), 0
        for keys, places in parts:
            of_keys.put(keys.tobytes())
            of_firsts.put(keys[-n % PAGE :: PAGE].tobytes())
            of_places.put(places.tobytes())
            of_sieve.put(sieving.upto(keys))
            n += len(keys)
        of_sieve.put(sieving.rest())
        _Part(file, 0).put(_header(run, (of_keys.sum, of_places.sum, of_sieve.sum)))
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def sieve(path: Path, run: Run) -> Octets:
    """The octets of a run's sieve, read from the disk as they are looked at."""
    return np.memmap(path, np.uint8, "r", run.at_sieve, (n_octets(run.n),))


def opened(path: Path, run: Run) -> Entries:
    """Keys and places of a run, read from the disk as they are looked at."""
    if not run.n:
        return NO_ENTRIES
    return (
        np.memmap(path, np.uint64, "r", HEAD, (run.n,)),
        np.memmap(path, np.uint32, "r", run.at_places, (run.n,)),
    )


def first_keys(path: Path, run: Run) -> Keys:
    """The first number of each page of a run that has any."""
    return np.memmap(path, np.uint64, "r", run.at_firsts, (run.n_pages,))


def is_whole(path: Path, run: Run) -> bool:
    """Whether a run is there as it was made: by its size and its header, and where its turn has come by all of it."""
    seen = _seen(path, run)
    return seen is not None and (not _is_due(run.file, seen, today()) or is_sound(path, run))


def is_sound(path: Path, run: Run) -> bool:
    """Whether all that a run tells gives its sums, which is noted as the file's time."""
    if _seen(path, run) is None:
        return False
    with path.open("rb") as file:
        sums = _HEADER.unpack(file.read(_HEADER.size))[4:7]
    keys, places = opened(path, run)
    if (_sum(keys), _sum(places), _sum(sieve(path, run))) != sums:
        return False
    if run.n and not np.array_equal(keys[::PAGE], first_keys(path, run)):
        return False
    os.utime(path)
    return True


def _seen(path: Path, run: Run) -> date | None:
    """The day on which a run was last seen to be sound; None where its size or its header is not what it should be."""
    try:
        with path.open("rb") as file:
            told, about = file.read(_HEADER.size), os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    if len(told) < _HEADER.size or about.st_size != run.size:
        return None
    if told != _header(run, _HEADER.unpack(told)[4:7]):
        return None
    return datetime.fromtimestamp(about.st_mtime, UTC).date()


def _sum(values: Keys | Places | Octets) -> int:
    return zlib.crc32(values.view(np.uint8).data)


def _is_due(name: str, seen: date, day: date) -> bool:
    """Whether the day of the week of a run has come since it was last `seen` to be whole."""
    return not day - timedelta(days=(day.toordinal() - zlib.crc32(name.encode())) % DAYS) <= seen <= day
