"""A large file read once, piece by piece: what lies in memory is taken from there, the rest past it from the disk.

To read what is not in memory by way of it costs the processor a second a gigabyte, and pushes out what others need.
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


class Pieces:
    """A file of which `read` gives piece after piece, in one buffer that the next one takes again."""

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
        n = self._read_past(at)
        while n < PIECE and (more := os.preadv(self._usual, [self._room[n:]], at + n)):
            n += more
        return self._room[:n]

    def _read_past(self, at: int) -> int:
        """Octets that came from the disk itself."""
        if self._past is None or self._held is None or self._held.has(at):
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
    """Which pages of a file lie in memory."""

    def __init__(self, file: int) -> None:
        import numpy as np  # noqa: PLC0415 - a run that finds nothing to publish does without

        self._size = os.fstat(file).st_size
        self._told = ctypes.create_string_buffer(1)
        self._ask = ctypes.CDLL(None).mincore
        self._ask.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
        if self._size:
            self._file = np.frombuffer(mmap.mmap(file, self._size, prot=mmap.PROT_READ), np.uint8)

    def has(self, at: int) -> bool:
        """Whether the page that begins there lies in memory; also where the system does not tell."""
        if at >= self._size:
            return True
        failed = self._ask(self._file.ctypes.data + at, 1, self._told)
        return bool(failed or self._told.raw[0] & 1)
