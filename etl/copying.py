"""A copy of a database file that is proven byte for byte while it is made, and the sums of the engine's own blocks.

Each block of the file begins with a sum of the words that follow in it, which the engine checks as it reads the block.
Here all are checked that are written, also those that no statement reads. What is written is read back at once and
compared. An older copy is made like its source by writing what differs: most blocks of a large file stay a night.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from etl.errors import CheckFailedError

#: The engine's file: three headers, then blocks.
HEADER, BLOCK = 3 * 4096, 1 << 18
_FACTOR, _START = 0xBF58476D1CE4E5B9, 5381
#: Bytes after which the disk is told to begin; it would else wait for the end.
_AT_ONCE = 1 << 25
_FICLONE = 0x40049409


class Copied(NamedTuple):
    """How a copy came about.

    `is_sound`: the engine's sums of all blocks are right. A block that was never filled may break its sum too, so False
    is a suspicion that only reading all rows clears. `is_shared`: the filesystem shares blocks, so nothing was written.
    """

    is_sound: bool
    is_shared: bool = False


def copy(source: Path, target: Path) -> Copied:
    """Write a copy and wait until it is on the disk; where the filesystem can, it shares the blocks instead.

    Raises CheckFailedError where the copy is not like its source.
    """
    target.touch(mode=0o600)
    with FileIO(source) as old, FileIO(target, "w") as new, FileIO(target) as back:
        if is_shared := _is_cloned(old, new):
            is_sound = _blocks_are_sound(old)
        else:
            _reserve(new, os.fstat(old.fileno()).st_size)
            is_sound = _copied(old, new, back)
        _finish(old, new)
    return Copied(is_sound, is_shared)


def renew(source: Path, target: Path) -> Copied:
    """Make an older copy, whose blocks were sound, like its source, and wait until it is on the disk.

    All of both is read, and each block that differs is written as `copy` does it. Raises CheckFailedError as that does.
    """
    with FileIO(source) as old, FileIO(target, "r+") as new, FileIO(target) as back:
        is_sound = _copied(old, new, back, renews=True)
        new.truncate(os.fstat(old.fileno()).st_size)
        _finish(old, new)
    return Copied(is_sound)


def _finish(old: FileIO, new: FileIO) -> None:
    os.fsync(new.fileno())
    if os.fstat(new.fileno()).st_size != os.fstat(old.fileno()).st_size:
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


def _blocks_are_sound(old: FileIO) -> bool:
    """Whether all blocks have the sums that they tell."""
    old.seek(HEADER)
    block, is_sound = bytearray(BLOCK), True
    is_right = _summed(block)
    while n := _fill(old, block):
        is_sound &= n == BLOCK and is_right()
    return is_sound


def _copied(old: FileIO, new: FileIO, back: FileIO, *, renews: bool = False) -> bool:
    """Copy block by block, read each back, and say whether all that were written have the sums that they tell.

    `renews`: blocks that the copy has already stay as they are.
    """
    head = bytearray(HEADER)
    at = _pass_on(head, _fill(old, head), new, back, bytearray(HEADER))
    since, block, again, is_sound = 0, bytearray(BLOCK), bytearray(BLOCK), True
    is_right = _summed(block)
    while n := _fill(old, block):
        if renews and _holds(back, again, block, n):
            _begin_writing(new, since, at)
            since = at = new.seek(at + n)
            continue
        back.seek(at)
        at += _pass_on(block, n, new, back, again)
        is_sound &= n == BLOCK and is_right()
        if at - since >= _AT_ONCE:
            _begin_writing(new, since, at)
            since = at
    return is_sound


def _fill(file: FileIO, block: bytearray) -> int:
    """Bytes read; fewer than the block has at the end of the file only."""
    n, view = 0, memoryview(block)
    while n < len(block) and (more := file.readinto(view[n:])):
        n += more
    return n


def _pass_on(block: bytearray, n: int, new: FileIO, back: FileIO, again: bytearray) -> int:
    """Write the first `n` bytes, and compare them with what the copy now has there; returns `n`."""
    left = memoryview(block)[:n]
    while left:
        left = left[new.write(left) :]
    if not _holds(back, again, block, n):
        raise _torn(str(new.name))
    return n


def _holds(file: FileIO, room: bytearray, block: bytearray, n: int) -> bool:
    """Whether the first `n` bytes of a block come next in a file."""
    return _fill(file, room) >= n and (room == block if n == len(block) else room[:n] == block[:n])


def _begin_writing(file: FileIO, since: int, until: int) -> None:
    """Pages yet to be written stay in memory: the advice to forget them only sets them on their way to the disk."""
    if sys.platform == "linux" and since < until:
        os.posix_fadvise(file.fileno(), since, until - since, os.POSIX_FADV_DONTNEED)


def _summed(block: bytearray) -> Callable[[], bool]:
    """Tells whether what is in `block` has the engine's sum: over all its words but the first, which holds it."""
    import numpy as np  # noqa: PLC0415 - a run that finds nothing to publish does without

    words, factor = np.frombuffer(block, np.uint64), np.uint64(_FACTOR)
    room = np.empty_like(words)

    def is_right() -> bool:
        np.multiply(words, factor, out=room)
        return bool(np.bitwise_xor.reduce(room[1:]) ^ np.uint64(_START) == words[0])

    return is_right
