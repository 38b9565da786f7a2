"""The file of a run: a header, then numbers in order, then the place of each; with sums by which a hurt one is known.

The header is read whenever a run is asked: it has a sum of its own and says what the run covers. All numbers and places
are read and summed up in turn, a run a week, when it is first asked on its day or after it. What does not give its sum
is as good as lost: it is told by the table again.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from etl.durable import sync
from etl.proof import DAYS, today

Keys = npt.NDArray[np.uint64]
Places = npt.NDArray[np.uint32]
Entries = tuple[Keys, Places]

NO_ENTRIES: Entries = np.empty(0, np.uint64), np.empty(0, np.uint32)
_ENTRY = 12
_MARK = b"radruns2"
#: Mark, entries, places covered after and up to, sums of the keys, of the places and of all before.
_HEADER = struct.Struct("<8sQQQIII4x")
_SUMMED = _HEADER.size - 8
_held: dict[tuple[Path, Run], Entries] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the database names it: `n` entries of the places after `since` up to `upto`."""

    file: str
    n: int
    since: int
    upto: int


def _header(run: Run, keys: int, places: int) -> bytes:
    told = _HEADER.pack(_MARK, run.n, run.since, run.upto, keys, places, 0)
    return _HEADER.pack(_MARK, run.n, run.since, run.upto, keys, places, zlib.crc32(told[:_SUMMED]))


def write(path: Path, run: Run, parts: Iterable[Entries]) -> None:
    """Write a run, whose `parts` are in order one after the other, and wait until it is on the disk."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "r+b") as file:
        at, of_keys, of_places = 0, 0, 0
        for keys, places in parts:
            told, where = keys.tobytes(), places.tobytes()
            file.seek(_HEADER.size + at * 8)
            file.write(told)
            file.seek(_HEADER.size + run.n * 8 + at * 4)
            file.write(where)
            of_keys, of_places = zlib.crc32(told, of_keys), zlib.crc32(where, of_places)
            at += len(keys)
        file.seek(0)
        file.write(_header(run, of_keys, of_places))
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def opened(path: Path, run: Run) -> Entries:
    """Keys and places of a run, read from the disk as they are looked at."""
    if not run.n:
        return NO_ENTRIES
    known = None if _held is None else _held.get((path, run))
    if known is not None:
        return known
    data = np.memmap(path, np.uint8, "r", offset=_HEADER.size, shape=(run.n * _ENTRY,))
    entries = data[: run.n * 8].view(np.uint64), data[run.n * 8 :].view(np.uint32)
    if _held is not None:
        _held[path, run] = entries
    return entries


@contextmanager
def held() -> Iterator[None]:
    """Keep runs open for the time of a block that asks them again and again, mostly for the same keys.

    A page that was looked at is then at hand: to fetch it takes longer than to search it.
    """
    global _held  # noqa: PLW0603 - a build holds what look-ups far below it open
    before, _held = _held, {}
    try:
        yield
    finally:
        _held = before


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
    if (_sum(keys), _sum(places)) != sums:
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
    if len(told) < _HEADER.size or about.st_size != _HEADER.size + run.n * _ENTRY:
        return None
    if told != _header(run, *_HEADER.unpack(told)[4:6]):
        return None
    return datetime.fromtimestamp(about.st_mtime, UTC).date()


def _sum(values: Keys | Places) -> int:
    return zlib.crc32(values.view(np.uint8).data)


def _is_due(name: str, seen: date, day: date) -> bool:
    """Whether the day of the week of a run has come since it was last `seen` to be whole."""
    return not day - timedelta(days=(day.toordinal() - zlib.crc32(name.encode())) % DAYS) <= seen <= day
