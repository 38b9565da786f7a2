"""The file of a run: a header, numbers in order, some of these again, the place of each; and sums that tell a hurt one.

The numbers lie in pages, of which the first number stands once more with those of the other pages: who looks for a
number reads these and one page (`etl/run_search.py`).

The header is read whenever a run is asked: it has a sum of its own and says what the run covers. All numbers and places
are read and summed up in turn, a run a week, when it is first asked on its day or after it. What does not give its sum
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

Keys = npt.NDArray[np.uint64]
Places = npt.NDArray[np.uint32]
Spots = npt.NDArray[np.int64]
Entries = tuple[Keys, Places]

NO_ENTRIES: Entries = np.empty(0, np.uint64), np.empty(0, np.uint32)
#: Octets before the numbers, so that no page of them lies in two of the disk; and numbers of a page.
HEAD, PAGE = 4096, 256
_MARK = b"radruns3"
#: Mark, entries, places covered after and up to, sums of the keys, of the places and of all before.
_HEADER = struct.Struct("<8sQQQIII4x")
_SUMMED = _HEADER.size - 8


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
    def size(self) -> int:
        """Octets of the file."""
        return self.at_places + self.n * 4


def _header(run: Run, keys: int, places: int) -> bytes:
    told = _HEADER.pack(_MARK, run.n, run.since, run.upto, keys, places, 0)
    return _HEADER.pack(_MARK, run.n, run.since, run.upto, keys, places, zlib.crc32(told[:_SUMMED]))


def write(path: Path, run: Run, parts: Iterable[Entries]) -> None:
    """Write a run, whose `parts` are in order one after the other, and wait until it is on the disk."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "r+b") as file:
        at, at_page, of_keys, of_places = 0, 0, 0, 0
        for keys, places in parts:
            told, firsts, where = keys.tobytes(), keys[-at % PAGE :: PAGE].tobytes(), places.tobytes()
            _put(file, HEAD + at * 8, told)
            _put(file, run.at_firsts + at_page, firsts)
            _put(file, run.at_places + at * 4, where)
            of_keys, of_places = zlib.crc32(told, of_keys), zlib.crc32(where, of_places)
            at, at_page = at + len(keys), at_page + len(firsts)
        file.truncate(run.size)
        _put(file, 0, _header(run, of_keys, of_places))
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def _put(file: BinaryIO, at: int, octets: bytes) -> None:
    file.seek(at)
    file.write(octets)


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
        sums = _HEADER.unpack(file.read(_HEADER.size))[4:6]
    keys, places = opened(path, run)
    if (_sum(keys), _sum(places)) != sums or (run.n and not np.array_equal(keys[::PAGE], first_keys(path, run))):
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
    if told != _header(run, *_HEADER.unpack(told)[4:6]):
        return None
    return datetime.fromtimestamp(about.st_mtime, UTC).date()


def _sum(values: Keys | Places) -> int:
    return zlib.crc32(values.view(np.uint8).data)


def _is_due(name: str, seen: date, day: date) -> bool:
    """Whether the day of the week of a run has come since it was last `seen` to be whole."""
    return not day - timedelta(days=(day.toordinal() - zlib.crc32(name.encode())) % DAYS) <= seen <= day
