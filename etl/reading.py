"""A large file read once, piece by piece: what lies in memory is looked at there, the rest comes past it from the disk.

To copy a gigabyte that lies in memory only to look at it takes the processor as long as all that is done with it. To
read what is not in memory by way of it costs a second a gigabyte, and pushes out what others need.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
from pathlib import Path
from types import TracebackType

#: Octets of a piece.
PIECE = 1 << 20
#: Advice to the system (Linux 5.14): make pages ready to be looked at, and say so where one cannot be read.
_POPULATE_READ = 22


class Pieces:
    """A file of which `read` gives piece after piece; one may be looked at until the next one is asked for."""

    def __init__(self, path: Path) -> None:
        self._usual = os.open(path, os.O_RDONLY)
        self._past = _opened_past(path)
        self._room = memoryview(mmap.mmap(-1, PIECE))
        try:
            self._held = _Held(self._usual) if self._past is not None else None
        except OSError:  # a filesystem whose files are not to be had as memory
            self._held = None

    def __enter__(self) -> Pieces:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._usual)
        self._give_up()

    @property
    def size(self) -> int:
        """Octets of the file."""
        return os.fstat(self._usual).st_size

    def read(self, at: int) -> memoryview:
        """What stands from `at`, a multiple of a page, on: a piece, less at the end of the file, nothing behind it."""
        n = 0
        if self._held is not None and self._held.has(at):
            if (piece := self._held.piece(at)) is not None:
                return piece
        else:
            n = self._read_past(at)
        while n < PIECE and (more := os.preadv(self._usual, [self._room[n:]], at + n)):
            n += more
        return self._room[:n]

    def _read_past(self, at: int) -> int:
        """Octets that came from the disk itself."""
        if self._past is None or self._held is None:
            return 0
        try:
            return os.preadv(self._past, [self._room], at)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self._give_up()  # a filesystem that takes the wish and cannot meet it
            return 0

    def _give_up(self) -> None:
        if self._past is not None:
            os.close(self._past)
            self._past = None


def _opened_past(path: Path) -> int | None:
    """The file opened so that it is read past memory; None where that is not to be had."""
    if sys.platform != "linux":
        return None
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError:  # a filesystem that has no such way: all is read as usual
        return None


class _Held:
    """A file as memory: which of its pages lie there, and its pieces as they lie there."""

    def __init__(self, file: int) -> None:
        import numpy as np  # noqa: PLC0415 - a run that finds nothing to publish does without

        self._size = os.fstat(file).st_size
        self._told = ctypes.create_string_buffer(1)
        self._given: int | None = None
        self._ask = ctypes.CDLL(None).mincore
        self._ask.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
        if self._size:
            self._file = mmap.mmap(file, self._size, prot=mmap.PROT_READ)
            self._begins = np.frombuffer(self._file, np.uint8).ctypes.data

    def has(self, at: int) -> bool:
        """Whether the page that begins there lies in memory; also where the system does not tell."""
        if at >= self._size:
            return True
        failed = self._ask(self._begins + at, 1, self._told)
        return bool(failed or self._told.raw[0] & 1)

    def piece(self, at: int) -> memoryview | None:
        """The piece as it lies in memory, in place of the one given before; None where it must be read as usual."""
        n = min(PIECE, self._size - at)
        if n <= 0:
            return None
        try:
            self._file.madvise(_POPULATE_READ, at, n)
        except OSError:  # an older system; or a page that is gone from memory and cannot be read: reading it tells why
            return None
        if self._given is not None:  # else all of the file would count as memory of this process
            self._file.madvise(mmap.MADV_DONTNEED, self._given, PIECE)
        self._given = at
        return memoryview(self._file)[at : at + n]
