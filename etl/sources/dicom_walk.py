"""A DICOM header walker over bytes: only wanted elements are read, and completeness is proven.

Guarantee: every value returned lay whole within the file, and the walk ended on an element boundary at the end of the file
or at pixel data that is whole itself (PS3.5 chapters 7 and A.4). A file cut anywhere is therefore rejected, or it was
cut between elements and lacks later ones; a value of a cut file never differs from the whole file's.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct

MAX_DEPTH = 32
MAX_ELEMENTS = 50_000
MAX_VALUE = 8 * 1024 * 1024
MAX_INFLATED = 64 * 1024 * 1024
MAX_RATIO = 200
PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
#: VRs with two reserved octets and a 32-bit length (PS3.5 table 7.1-1).
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"

Items = list[dict[int, "Value"]]
Value = "bytes | Items"
Dataset = dict[int, bytes | Items]


class BrokenError(Exception):
    """The bytes are no whole DICOM file; `reason` is a word of `etl.sources.dicom.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class File:
    """A walked file: file meta, data set (tag to raw bytes or items), transfer syntax, byte order."""

    meta: Dataset
    dataset: Dataset
    transfer_syntax: str
    is_big_endian: bool


class Walker:
    """Walks one stream of elements in one encoding, collecting the tags of `wanted`."""

    def __init__(self, data: bytes, wanted: frozenset[int], *, explicit: bool, big: bool) -> None:
        self.data, self.wanted, self.explicit = data, wanted, explicit
        self.two = Struct(">HH" if big else "<HH").unpack_from
        self.four = Struct(">L" if big else "<L").unpack_from
        self.short = Struct(">H" if big else "<H").unpack_from
        self.n = 0

    def _head(self, at: int, end: int) -> tuple[int, bytes, int, int]:
        """(tag, VR, length, position of the value) of the element at `at`."""
        if at + 8 > end:
            raise BrokenError("truncated")
        group, element = self.two(self.data, at)
        tag = group << 16 | element
        if not self.explicit or group == 0xFFFE:
            return tag, b"", self.four(self.data, at + 4)[0], at + 8
        vr = self.data[at + 4 : at + 6]
        if vr in SHORT_VRS:
            return tag, vr, self.short(self.data, at + 6)[0], at + 8
        if vr in LONG_VRS:
            if at + 12 > end:
                raise BrokenError("truncated")
            return tag, vr, self.four(self.data, at + 8)[0], at + 12
        raise BrokenError("bad_encoding")

    def dataset(self, at: int, end: int, depth: int, *, until_item_end: bool = False) -> tuple[Dataset, int]:
        """Elements from `at` up to `end`, an item's end or pixel data; returns them and the position after."""
        if depth > MAX_DEPTH:
            raise BrokenError("too_deep")
        found: Dataset = {}
        wanted, last = self.wanted, -1
        while at < end:
            tag, vr, length, value_at = self._head(at, end)
            self.n += 1
            if self.n > MAX_ELEMENTS:
                raise BrokenError("too_many_elements")
            if tag == ITEM_END and until_item_end:
                return found, value_at
            if tag <= last and depth == 0:
                raise BrokenError("bad_encoding")  # tags ascend (PS3.5 7.1): garbage, or a second data set
            last = tag
            if tag in PIXELS and depth == 0:
                self._pixels(length, value_at, end)
                return found, end
            at = self._value(found, tag, vr, length, value_at, end, depth, is_wanted=tag in wanted)
        if until_item_end:
            raise BrokenError("truncated")
        return found, at

    def _value(  # noqa: PLR0913 - the parts of one element
        self, found: Dataset, tag: int, vr: bytes, length: int, at: int, end: int, depth: int, *, is_wanted: bool
    ) -> int:
        if length == UNDEFINED:
            if vr not in (b"SQ", b"UN", b""):
                raise BrokenError("bad_encoding")
            walker = self if vr != b"UN" else Walker(self.data, self.wanted, explicit=False, big=False)
            items, after = walker.items(at, end, depth + 1, is_undefined=True)
            if is_wanted:
                found[tag] = items
            return after
        after = at + length
        if after > end:
            raise BrokenError("truncated")
        if is_wanted:
            if vr == b"SQ" or (not vr and tag in SEQUENCES):
                found[tag] = self.items(at, after, depth + 1, is_undefined=False)[0]
            elif length > MAX_VALUE:
                raise BrokenError("value_too_large")
            else:
                found[tag] = self.data[at:after]
        return after

    def items(self, at: int, end: int, depth: int, *, is_undefined: bool) -> tuple[Items, int]:
        """Items of a sequence; returns them and the position after."""
        if depth > MAX_DEPTH:
            raise BrokenError("too_deep")
        found: Items = []
        while at < end:
            tag, _, length, value_at = self._head(at, end)
            self.n += 1
            if self.n > MAX_ELEMENTS:
                raise BrokenError("too_many_elements")
            if tag == SEQUENCE_END and is_undefined:
                return found, value_at
            if tag != ITEM:
                raise BrokenError("bad_encoding")
            if length == UNDEFINED:
                item, at = self.dataset(value_at, end, depth, until_item_end=True)
            elif value_at + length > end:
                raise BrokenError("truncated")
            else:
                item, at = self.dataset(value_at, value_at + length, depth)
            found.append(item)
        if is_undefined:
            raise BrokenError("truncated")
        return found, at

    def _pixels(self, length: int, at: int, end: int) -> None:
        """Prove that pixel data is whole without reading it: its declared length, or its fragments' (PS3.5 A.4)."""
        if length != UNDEFINED:
            if at + length > end:
                raise BrokenError("truncated")
            return
        while True:
            tag, _, size, value_at = self._head(at, end)
            if tag == SEQUENCE_END:
                return
            if tag != ITEM or size == UNDEFINED:
                raise BrokenError("bad_encoding")
            at = value_at + size
            if at > end:
                raise BrokenError("truncated")


#: Sequences among the wanted tags: implicit VR does not say which elements are sequences.
SEQUENCES: frozenset[int] = frozenset()


def inflate(data: bytes) -> bytes:
    """A deflated data set (PS3.5 A.5), bounded in size and ratio. Raises BrokenError."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = engine.decompress(data, MAX_INFLATED + 1)
    except zlib.error as error:
        raise BrokenError("truncated") from error
    if len(out) > MAX_INFLATED or len(out) > MAX_RATIO * max(len(data), 1):
        raise BrokenError("inflate_limit")
    if not engine.eof:
        raise BrokenError("truncated")
    return out
