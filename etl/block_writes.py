"""Which blocks of the marts may be others than when they were last published: those that the engine was free to write.

A checkpoint of the engine must survive being killed, so it never writes over a block that the one before it uses: only
over blocks that were free then, over those of its own bookkeeping, and behind the end. Its file lists both. A note
beside the marts adds them up from one process that opens them to the next; where anything else may have happened to the
file (its headers are not those noted, more than one checkpoint since) nothing is told, and all of it is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from etl.block_hashes import SIZE
from etl.copying import BLOCK, HEADER
from etl.proof import read_note, state, write_note

NOTE = "marts.written"
#: The one engine whose file is read here.
_ENGINE = "2.0.1"
#: One of its headers, of which the later is right: sum, iteration, root, free list, blocks, octets of a block.
_HEADER = struct.Struct("<6Q")
#: Its bookkeeping has so many pieces a block; each begins with a pointer: a block, and the piece in the last octet.
_PIECES, _POINTER, _NOWHERE = 64, struct.Struct("<Q"), 2**64 - 1
_PIECE = (BLOCK - 8) // _PIECES // 8 * 8
#: What it tells, each behind a number of entries: free blocks, those used more than once, and those of the bookkeeping.
_COUNT, _LISTS = _POINTER, ((struct.Struct("<Q"), True), (struct.Struct("<QI"), False), (struct.Struct("<QQ"), True))


@dataclass(frozen=True, slots=True)
class Free:
    """Blocks that may be written until the next checkpoint: `numbers`, and all from `end` on."""

    iteration: int
    numbers: frozenset[int]
    end: int


@dataclass(frozen=True, slots=True)
class Written:
    """Blocks that may have been written since the file was in the state `origin`: `numbers`, and all from `end` on."""

    origin: str
    numbers: frozenset[int]
    end: int

    def blank(self, hashes: bytes) -> bytes:
        """Hashes of the file as it was then, with zeros for each block that may be another now."""
        kept, blank = bytearray(hashes[: self.end * SIZE]), bytes(SIZE)
        for number in self.numbers:
            if number < len(kept) // SIZE:
                kept[number * SIZE : (number + 1) * SIZE] = blank
        return bytes(kept)


class Watch:
    """One opening of the marts; made before anything opens them."""

    def __init__(self, marts: Path) -> None:
        self._marts, self._before, self._free = marts, _noted(marts), free(marts)

    def written(self) -> Written | None:
        """What may be written since the last publish, now that the file lies still; None where that is not known."""
        before, at_first, now = self._before, self._free, free(self._marts)
        if before is None or at_first is None or now is None or now.iteration - at_first.iteration not in (0, 1):
            return None
        return Written(before.origin, before.numbers | at_first.numbers, min(before.end, at_first.end))

    def note(self) -> None:
        """Note it for the next opening."""
        written = self.written()
        if written is None:
            self._marts.with_name(NOTE).unlink(missing_ok=True)
        else:
            _write(self._marts, written)


def begin(marts: Path, published: Path) -> None:
    """Note that the marts are in the state of this copy of them, and nothing is written since."""
    if state(marts) == state(published) and (at_first := free(marts)) is not None:
        _write(marts, Written(state(published), frozenset(), at_first.end))


def free(marts: Path) -> Free | None:
    """Where the engine may write in a file that lies still; None where that is not to be read of it."""
    if duckdb.__version__ != _ENGINE or not marts.exists() or not state(marts):
        return None
    with marts.open("rb") as file:
        head = file.read(HEADER)
        headers = (_HEADER.unpack_from(head, at) for at in (HEADER // 3, 2 * HEADER // 3))
        _, iteration, _, pointer, end, octets = max(headers, key=lambda header: header[1])
        try:
            numbers = _numbers(_told(file, pointer, end)) if octets == BLOCK else None
        except struct.error:  # it ends before what it tells of
            return None
    if numbers is None or any(number >= end for number in numbers):
        return None
    return Free(iteration, frozenset(numbers), end)


def _told(file: BinaryIO, pointer: int, end: int) -> bytes:
    """What the bookkeeping tells from a pointer on, which leads from piece to piece; nothing where it leads astray."""
    told = bytearray()
    while pointer != _NOWHERE:
        block, piece = pointer & (1 << 56) - 1, pointer >> 56
        if block >= end or piece >= _PIECES or len(told) > end * BLOCK:
            return b""
        file.seek(HEADER + block * BLOCK + 8 + piece * _PIECE)
        found = file.read(_PIECE)
        (pointer,) = _POINTER.unpack_from(found)
        told += found[_POINTER.size :]
    return bytes(told)


def _numbers(told: bytes) -> list[int] | None:
    """The blocks that a free list names: free ones and those of the bookkeeping, not those used more than once."""
    found: list[int] = []
    at = 0
    for entry, is_wanted in _LISTS:
        (n,) = _COUNT.unpack_from(told, at)
        end = at + _COUNT.size + n * entry.size
        if is_wanted:
            found += (number for number, *_ in entry.iter_unpack(told[at + _COUNT.size : end]))
        at = end
    return found if at <= len(told) else None


def _noted(marts: Path) -> Written | None:
    told = read_note(marts, NOTE)
    if told is None:
        return None
    try:
        return Written(str(told["origin"]), frozenset(map(int, told["numbers"])), int(told["end"]))
    except (ValueError, KeyError, TypeError):  # none of ours: all is read
        return None


def _write(marts: Path, written: Written) -> None:
    told = {"origin": written.origin, "numbers": sorted(written.numbers), "end": written.end}
    write_note(marts, NOTE, told)
