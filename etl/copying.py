"""A copy of a database file that is proven byte for byte while it is made, and the sums of the engine's own blocks.

Each block of the file begins with a sum of the words that follow in it, which the engine checks as it reads the block.
Here all are checked that are written, also those that no statement reads. What is written is read back at once and
compared. An older copy is made like its source by writing what differs: most blocks of a large file stay a night.
Hashes of the copy's blocks tell what differs where they were kept; blocks of the source that nobody can have written
since (`etl.block_writes`) need not be read to know theirs. A part of what is so told is read and compared each time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from etl.block_hashes import SIZE, of_block
from etl.errors import CheckFailedError
from etl.reading import PIECE, Pieces

#: The engine's file: three headers, then blocks.
HEADER, BLOCK = 3 * 4096, 1 << 18
_FACTOR, _START = 0xBF58476D1CE4E5B9, 5381
#: Bytes after which the disk is told to begin; it would else wait for the end.
_AT_ONCE = 1 << 25
#: Copies within which every block that hashes tell to be the same is read and compared.
TURNS = 16
_FICLONE = 0x40049409
_BLANK = bytes(SIZE)


class Copied(NamedTuple):
    """How a copy came about.

    `is_sound`: the engine's sums of all blocks are right. A block that was never filled may break its sum too, so False
    is a suspicion that only reading all rows clears. `is_shared`: the filesystem shares blocks, so nothing was written.
    `hashes`: of all blocks, one behind the other, where they were read.
    """

    is_sound: bool
    is_shared: bool = False
    hashes: bytes = b""


class _Older(NamedTuple):
    """What a copy has already: its pieces, hashes of its blocks where they are known, and whose turn it is.

    `told`: hashes of the source's blocks where these are known without reading them, else zeros.
    """

    pieces: Pieces
    hashes: bytes
    turn: int
    told: bytes = b""

    def piece(self, at: int) -> memoryview | None:
        """What is compared of a piece; None where hashes tell enough."""
        return self.pieces.read(at) if not self.hashes or self._is_turn(at) else None

    def has(self, number: int, hashed: bytes) -> bool:
        """Whether the block of that number has that hash, which is the source's, as far as is known.

        Raises _NotAsTold where the source's is not what it was told to be.
        """
        if self.told[number * SIZE : (number + 1) * SIZE] not in (b"", _BLANK, hashed):
            raise _NotAsTold
        return not self.hashes or self.hashes[number * SIZE : (number + 1) * SIZE] == hashed

    def unread(self, at: int, number: int) -> bytes:
        """Hashes of the next blocks from the one of that number on, of one piece, that need not be read; or none."""
        begin, end = number * SIZE, (number + PIECE // BLOCK) * SIZE
        hashes = self.hashes[begin:end]
        is_same = len(hashes) == end - begin and self.told[begin:end] == hashes
        return hashes if is_same and not self._is_turn(at) else b""

    def _is_turn(self, at: int) -> bool:
        return at // PIECE % TURNS == self.turn % TURNS


class _NotAsTold(Exception):
    """A block of the source that nobody can have written is another."""


def copy(source: Path, target: Path) -> Copied:
    """Write a copy and wait until it is on the disk; where the filesystem can, it shares the blocks instead.

    Raises CheckFailedError where the copy is not like its source.
    """
    target.touch(mode=0o600)
    with FileIO(source) as old, FileIO(target, "w") as new, FileIO(target) as back:
        is_shared, size = _is_cloned(old, new), os.fstat(old.fileno()).st_size
        if not is_shared:
            _reserve(new, size)
        is_sound, hashes = (_blocks_are_sound(source), b"") if is_shared else _copied(source, new, back)
        _finish(new, size)
    return Copied(is_sound, is_shared, hashes)


def renew(source: Path, target: Path, hashes: bytes = b"", turn: int = 0, told: bytes = b"") -> Copied:
    """Make an older copy, whose blocks were sound, like its source, and wait until it is on the disk.

    The source is read, and each block that differs is written as `copy` does it. `hashes` are those of the copy's
    blocks: what they tell to be the same is compared in one part of so many (`TURNS`), that of this `turn`. All is
    compared without them. `told` are hashes of the source's blocks, zeros for those not known: of pieces that the copy
    has too only that part is read, and where one is not what it was told to be, all. Raises CheckFailedError as `copy`.
    """
    size = source.stat().st_size
    told = told[: max(size - HEADER, 0) // BLOCK * SIZE]
    with FileIO(target, "r+") as new, FileIO(target) as back, Pieces(target) as pieces:
        try:
            is_sound, hashes = _copied(source, new, back, _Older(pieces, hashes, turn, told))
        except _NotAsTold:  # nothing of what was told can be relied on, nor what was written meanwhile be told
            is_sound, hashes = _copied(source, new, back, _Older(pieces, b"", turn))
        new.truncate(size)
        _finish(new, size)
    return Copied(is_sound, hashes=hashes)


def _finish(new: FileIO, size: int) -> None:
    os.fsync(new.fileno())
    if os.fstat(new.fileno()).st_size != size:
        raise _torn(str(new.name))


def _torn(target: str) -> CheckFailedError:
    return CheckFailedError(f"the copy {Path(target).name} is not like its source; nothing was published")


def _is_cloned(old: FileIO, new: FileIO) -> bool:
    """Clone the file where the filesystem shares blocks."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - not on every platform

    try:
        fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
    except OSError:
        return False
    return True


def _reserve(new: FileIO, size: int) -> None:
    """Ask for all the room of a file at once, where the filesystem can: block by block takes a third longer.

    The library's own call is not for it: where the filesystem cannot, it would write to every block.
    """
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - a run that finds nothing to publish does without

    call = getattr(ctypes.CDLL(None), "fallocate64", None)
    if call is not None:
        call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
        call(new.fileno(), 0, 0, size)  # without room, writing tells it


def _blocks_are_sound(source: Path) -> bool:
    """Whether all blocks have the sums that they tell."""
    is_right, at, is_sound = _sums(), HEADER, True
    with Pieces(source) as old:
        while piece := old.read(at):
            is_sound &= all(is_right(block) for block in _blocks(piece))
            at += len(piece)
    return is_sound


def _copied(source: Path, new: FileIO, back: FileIO, before: _Older | None = None) -> tuple[bool, bytes]:
    """Copy block by block, read each back; returns whether all that were written have their sums, and all hashes.

    `before`: what the copy has already, of which stays what is like its source. Raises CheckFailedError, _NotAsTold.
    """
    made = _Made(new, back)
    with Pieces(source) as old:
        made.put(old.read(0)[:HEADER])
        while True:
            if before and (unread := before.unread(made.at, made.number)):
                made.keep(PIECE, unread)
                continue
            if not (piece := old.read(made.at)):
                return made.is_sound, bytes(made.hashes)
            known = before.piece(made.at) if before else None
            for begin, block in enumerate(_blocks(piece)):
                hashed = of_block(block)
                is_kept = before is not None and before.has(made.number, hashed)
                if is_kept and (known is None or _is_same(block, known[begin * BLOCK :][:BLOCK])):
                    made.keep(len(block), hashed)
                else:
                    made.write(block, hashed)


class _Made:
    """A copy on its way: written or kept up to `at`, with the hashes of its blocks."""

    def __init__(self, new: FileIO, back: FileIO) -> None:
        self._new, self._back, self._room = new, back, memoryview(bytearray(BLOCK))
        self._is_right = _sums()
        self._since = self.at = 0  # what is written from `_since` on has not yet been set on its way
        self.is_sound, self.hashes = True, bytearray()

    @property
    def number(self) -> int:
        """The block that comes next."""
        return len(self.hashes) // SIZE

    def put(self, octets: memoryview) -> None:
        """Write what comes next, and compare it with what the copy now has there."""
        self._new.seek(self.at)
        left = octets
        while left:
            left = left[self._new.write(left) :]
        self._back.seek(self.at)
        n = 0
        while n < len(octets) and (more := self._back.readinto(self._room[n : len(octets)])):
            n += more
        if not _is_same(octets, self._room[:n]):
            raise _torn(str(self._new.name))
        self.at += n

    def write(self, block: memoryview, hashed: bytes) -> None:
        """Write the next block, and see whether it has its sum."""
        self.put(block)
        self.hashes += hashed
        self.is_sound &= self._is_right(block)
        if self.at - self._since >= _AT_ONCE:
            self._begin_writing()

    def keep(self, n: int, hashes: bytes) -> None:
        """Leave what comes next as it is."""
        self._begin_writing()
        self.hashes += hashes
        self._since = self.at = self.at + n

    def _begin_writing(self) -> None:
        """Pages yet to be written stay in memory: the advice to forget them only sets them on their way to the disk."""
        if sys.platform == "linux" and self._since < self.at:
            os.posix_fadvise(self._new.fileno(), self._since, self.at - self._since, os.POSIX_FADV_DONTNEED)
        self._since = self.at


def _blocks(piece: memoryview) -> Iterator[memoryview]:
    """The blocks of a piece; the last one of a file may be shorter."""
    return (piece[begin : begin + BLOCK] for begin in range(0, len(piece), BLOCK))


def _is_same(block: memoryview, other: memoryview) -> bool:
    import numpy as np  # noqa: PLC0415 - a run that finds nothing to publish does without

    kind = np.uint8 if len(block) % 8 else np.uint64
    return len(block) == len(other) and np.array_equal(np.frombuffer(block, kind), np.frombuffer(other, kind))


def _sums() -> Callable[[memoryview], bool]:
    """Tells whether a block has the engine's sum: over all its words but the first, which holds it."""
    import numpy as np  # noqa: PLC0415 - a run that finds nothing to publish does without

    factor, room = np.uint64(_FACTOR), np.empty(BLOCK // 8, np.uint64)

    def is_right(block: memoryview) -> bool:
        if len(block) != BLOCK:
            return False
        words = np.frombuffer(block, np.uint64)
        np.multiply(words, factor, out=room)
        return bool(np.bitwise_xor.reduce(room[1:]) ^ np.uint64(_START) == words[0])

    return is_right
