"""A walker over the elements of a DICOM data set: only wanted ones are kept, and nothing is taken on trust.

Every value lay whole within the bytes, every sequence was closed, and the top level's tags ascend (PS3.5 7.1). So where
an element with tag T was seen, every element before T was seen too: this is what `etl.sources.dicom` builds its proof
of completeness on. Nothing is read twice, nothing is guessed: what is not plainly right is refused with a reason.
"""

from __future__ import annotations

import zlib
from struct import Struct
from typing import Union

MAX_DEPTH = 32
MAX_ELEMENTS = 50_000
MAX_VALUE = 8 << 20
MAX_FRAGMENTS = 1_000_000
MAX_INFLATED = 64 << 20
MAX_RATIO = 200

#: Wanted tags: None for a value, the tags wanted of its items for a sequence.
Wanted = dict[int, Union["Wanted", None]]
Dataset = dict[int, Union[bytes, "list[Dataset]"]]

PIXELS = 0x7FE00008  # Float Pixel Data, the first of the pixel data elements
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
NOTHING: Wanted = {}
#: VR -> octets of the element's head (PS3.5 tables 7.1-1 and 7.1-2).
HEADS = dict.fromkeys(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(), 12) | dict.fromkeys(
    b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split(), 8
)


class BrokenError(Exception):
    """The bytes are no whole data set; `reason` is a word of `etl.sources.dicom.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Walker:
    """Walks one stream of elements in one encoding. `n` counts elements over all levels."""

    __slots__ = ("data", "explicit", "four", "head", "item", "n")

    def __init__(self, data: bytes, *, explicit: bool, big: bool = False) -> None:
        order = ">" if big else "<"
        self.data, self.explicit, self.n = data, explicit, 0
        self.head = Struct(order + ("HH2sH" if explicit else "HHL")).unpack_from
        self.item = Struct(order + "HHL").unpack_from
        self.four = Struct(order + "L").unpack_from

    def top(self, at: int, wanted: Wanted, stop: int = PIXELS) -> tuple[Dataset, int, int]:
        """The top level from `at`: its wanted elements, the last tag seen, and the position of the first tag >= `stop`.

        Without such a tag the position is the end of the bytes.
        """
        found: Dataset = {}
        last, after = self._elements(found, at, len(self.data), wanted, 0, stop)
        return found, last, after

    def rest(self, at: int) -> int:
        """Prove that the element at `at` is whole, without reading it: pixel data, fragments (PS3.5 A.4); its tag."""
        end = len(self.data)
        tag, _, length, at = self._head(at, end)
        if length != UNDEFINED:
            if at + length > end:
                raise BrokenError("truncated")
            return tag
        for _ in range(MAX_FRAGMENTS):
            if at + 8 > end:
                raise BrokenError("truncated")
            group, element, length = self.item(self.data, at)
            mark = group << 16 | element
            if mark == SEQUENCE_END:
                return tag
            if mark != ITEM or length == UNDEFINED:
                raise BrokenError("bad_encoding")
            at += 8 + length
            if at > end:
                raise BrokenError("truncated")
        raise BrokenError("too_many_elements")

    def _head(self, at: int, end: int) -> tuple[int, bytes, int, int]:
        """(tag, VR, length, position of the value) of one element."""
        if at + 8 > end:
            raise BrokenError("truncated")
        if not self.explicit:
            group, element, length = self.head(self.data, at)
            return group << 16 | element, b"", length, at + 8
        group, element, vr, length = self.head(self.data, at)
        width = HEADS.get(vr)
        if width is None:
            raise BrokenError("bad_encoding")
        if width == 12:
            if at + 12 > end:
                raise BrokenError("truncated")
            length = self.four(self.data, at + 8)[0]
        return group << 16 | element, vr, length, at + width

    def _elements(  # noqa: PLR0912, PLR0915 - the hot loop; calls cost more than branches
        self, found: Dataset, at: int, end: int, wanted: Wanted, depth: int, stop: int
    ) -> tuple[int, int]:
        """Wanted elements from `at` into `found`, up to `end` or the first tag >= `stop`; (last tag, position)."""
        if depth > MAX_DEPTH:
            raise BrokenError("too_deep")
        data, explicit, head, four, heads = self.data, self.explicit, self.head, self.four, HEADS
        vr, last, n = b"", -1, self.n
        while at < end:
            n += 1
            if n > MAX_ELEMENTS:
                raise BrokenError("too_many_elements")
            if at + 8 > end:
                raise BrokenError("truncated")
            if explicit:
                group, element, vr, length = head(data, at)
            else:
                group, element, length = head(data, at)
            tag = group << 16 | element
            if tag >= stop:
                break
            if tag <= last and not depth:
                raise BrokenError("unordered_tags")
            last = tag
            value = at + 8
            if explicit:
                width = heads.get(vr)
                if width is None:
                    raise BrokenError("bad_encoding")
                if width == 12:
                    value = at + 12
                    if value > end:
                        raise BrokenError("truncated")
                    length = four(data, at + 8)[0]
            if length == UNDEFINED:
                inner = wanted.get(tag, NOTHING)
                if inner is None:
                    raise BrokenError("bad_encoding")
                self.n = n
                items, at = self._undefined(value, end, vr, inner, depth + 1)
                n = self.n
                if inner:
                    found[tag] = items
                continue
            at = value + length
            if at > end:
                raise BrokenError("truncated")
            if tag in wanted:
                inner = wanted[tag]
                if inner is not None:
                    self.n = n
                    found[tag] = self._defined(value, at, vr, inner, depth + 1)
                    n = self.n
                elif length > MAX_VALUE:
                    raise BrokenError("value_too_large")
                else:
                    found[tag] = data[value:at]
        self.n = n
        return last, at

    def _undefined(self, at: int, end: int, vr: bytes, wanted: Wanted, depth: int) -> tuple[list[Dataset], int]:
        if vr == b"UN":  # PS3.5 6.2.2 note 2: whatever it is, it is encoded in implicit VR little endian
            return self._items(_implicit(self), at, end, wanted, depth, is_undefined=True)
        return self._items(self, at, end, wanted, depth, is_undefined=True)

    def _defined(self, at: int, end: int, vr: bytes, wanted: Wanted, depth: int) -> list[Dataset]:
        walker = _implicit(self) if vr == b"UN" else self
        return self._items(walker, at, end, wanted, depth, is_undefined=False)[0]

    def _items(
        self, walker: Walker, at: int, end: int, wanted: Wanted, depth: int, *, is_undefined: bool
    ) -> tuple[list[Dataset], int]:
        """Items of a sequence up to its end; those with a length are stepped over where nothing in them is wanted."""
        found: list[Dataset] = []
        walker.n = self.n
        while is_undefined or at < end:
            if at + 8 > end:
                raise BrokenError("truncated")
            group, element, length = walker.item(walker.data, at)
            tag = group << 16 | element
            at += 8
            walker.n += 1
            if tag == SEQUENCE_END and is_undefined:
                break
            if tag != ITEM:
                raise BrokenError("bad_encoding")
            item: Dataset = {}
            if length == UNDEFINED:
                at = walker._close(*walker._elements(item, at, end, wanted, depth, ITEM_END), end)
            elif at + length > end:
                raise BrokenError("truncated")
            elif wanted:
                _, after = walker._elements(item, at, at + length, wanted, depth, ITEM_END)
                at += length
                if after != at:
                    raise BrokenError("bad_encoding")
            else:
                at += length
            found.append(item)
            if walker.n > MAX_ELEMENTS:
                raise BrokenError("too_many_elements")
        self.n = walker.n
        return found, at

    def _close(self, _last: int, at: int, end: int) -> int:
        """The position behind the item's end at `at`."""
        if at + 8 > end:
            raise BrokenError("truncated")
        group, element, length = self.item(self.data, at)
        if group << 16 | element != ITEM_END or length:
            raise BrokenError("bad_encoding")
        return at + 8


def _implicit(walker: Walker) -> Walker:
    return Walker(walker.data, explicit=False)


def inflate(data: bytes) -> bytes:
    """A deflated data set (PS3.5 A.5), bounded in size and ratio, whole to its last block. Raises BrokenError."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    most = min(MAX_INFLATED, MAX_RATIO * len(data))
    try:
        out = engine.decompress(data, most + 1)
    except zlib.error as error:
        raise BrokenError("bad_encoding") from error
    if len(out) > most:
        raise BrokenError("inflate_limit")
    if not engine.eof:
        raise BrokenError("truncated")
    return out
