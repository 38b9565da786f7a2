"""A walker over the elements of a DICOM data set: only wanted ones are kept, and nothing is taken on trust.

Every value lay whole within the bytes, every sequence was closed, and the top level's tags ascend (PS3.5 7.1). So where
an element with tag T was seen, every element before T was seen too: this is what `etl.sources.dicom` builds its proof
of completeness on. Nothing is read twice, nothing is guessed: what is not plainly right is refused with a reason.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
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
#: Implicit VR: the head is read as if the VR were there, with no octets.
_NO_VR = {b"": 8}
_STRUCTS = {
    (explicit, big): tuple(
        struct.Struct(order + kinds).unpack_from for kinds in ("HH2sH" if explicit else "HH0sL", "HHL", "L")
    )
    for explicit in (False, True)
    for big, order in ((False, "<"), (True, ">"))
}


Fetch = Callable[[int, int], bytes]
#: An element: its tag, where it begins, where its value begins (again its begin, if its length is undefined), its end.
Place = tuple[int, int, int, int]


class BrokenError(Exception):
    """The bytes are no whole data set; `reason` is a word of `etl.sources.dicom.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Walker:
    """Walks one stream of elements in one encoding. `n` counts elements over all levels.

    `data` may be the first part of `size` octets: what must be read and lies behind it is refused as `truncated`,
    but for the marks of fragments where `fetch` (position, octets) gives them.
    """

    __slots__ = ("data", "fetch", "four", "head", "heads", "item", "n", "size")

    def __init__(self, data: bytes, *, explicit: bool, big: bool = False, size: int | None = None) -> None:
        self.data, self.n = data, 0
        self.size = len(data) if size is None else size
        self.fetch: Fetch | None = None
        self.heads = HEADS if explicit else _NO_VR
        self.head, self.item, self.four = _STRUCTS[explicit, big]

    def top(self, at: int, wanted: Wanted, stop: int = PIXELS) -> tuple[Dataset, int, int]:
        """The top level from `at`: its wanted elements, the last tag seen, and the position of the first tag >= `stop`.

        Without such a tag the position is the end of the octets.
        """
        found: Dataset = {}
        try:
            last, after = self._elements(found, at, self.size, wanted, 0, stop)
        except struct.error as error:
            raise BrokenError("truncated") from error
        except KeyError as error:  # no VR
            raise BrokenError("bad_encoding") from error
        return found, last, after

    def places(self, at: int, stop: int) -> Iterator[Place]:
        """Where each element lies from `at` to the first tag >= `stop`, of octets that were walked before."""
        data, head, heads = self.data, self.head, self.heads
        while at < self.size:
            group, element, vr, length = head(data, at)
            tag = group << 16 | element
            if tag >= stop:
                break
            width = heads[vr]
            if width == 12:
                length = self.four(data, at + 8)[0]
            value, after = at + width, at + width + length
            if length == UNDEFINED:
                value, after = at, self._items(vr, value, self.size, NOTHING, 1, is_undefined=True)[1]
            yield tag, at, value, after
            at = after

    def rest(self, at: int) -> int:
        """Prove that the element at `at` is whole, without reading it: pixel data, fragments (PS3.5 A.4); its tag."""
        data = self.data
        try:
            group, element, vr, length = self.head(data, at)
            if vr and self.heads[vr] == 12:
                length = self.four(data, at + 8)[0]
            after = at + self.heads[vr] + length
            if length == UNDEFINED:
                self._fragments(at + self.heads[vr])
            elif after > self.size:
                raise BrokenError("truncated")
        except struct.error as error:
            raise BrokenError("truncated") from error
        except KeyError as error:
            raise BrokenError("bad_encoding") from error
        tag: int = group << 16 | element
        return tag

    def _fragments(self, at: int) -> None:
        for _ in range(MAX_FRAGMENTS):
            if self.fetch is None or at + 8 <= len(self.data):
                group, element, length = self.item(self.data, at)
            else:
                group, element, length = self.item(self.fetch(at, 8))
            mark = group << 16 | element
            if mark == SEQUENCE_END:
                return
            if mark != ITEM or length == UNDEFINED:
                raise BrokenError("bad_encoding")
            at += 8 + length
        raise BrokenError("too_many_elements")

    def _elements(  # noqa: PLR0912 - calls cost more than branches here
        self, found: Dataset, at: int, end: int, wanted: Wanted, depth: int, stop: int
    ) -> tuple[int, int]:
        """Wanted elements from `at` into `found`, up to `end` or the first tag >= `stop`; (last tag, position).

        The hot loop. Heads are read without looking at `end`: what begins before it and ends behind it is refused.
        """
        if depth > MAX_DEPTH:
            raise BrokenError("too_deep")
        data, head, four, heads, last = self.data, self.head, self.four, self.heads, -1
        for n in range(MAX_ELEMENTS + 1):  # noqa: B007 - counted behind the loop
            if at >= end:
                break
            group, element, vr, length = head(data, at)
            tag = group << 16 | element
            if tag >= stop:
                break
            if tag <= last and not depth:
                raise BrokenError("unordered_tags")
            last = tag
            width = heads[vr]
            if width == 12:
                length = four(data, at + 8)[0]
            value = at + width
            at = value + length
            if at > end:
                if length != UNDEFINED:
                    raise BrokenError("truncated")
                inner = wanted.get(tag, NOTHING)
                if inner is None:
                    raise BrokenError("bad_encoding")
                items, at = self._items(vr, value, end, inner, depth + 1, is_undefined=True)
                if inner:
                    found[tag] = items
            elif tag in wanted:
                inner = wanted[tag]
                if inner is not None:
                    found[tag] = self._items(vr, value, at, inner, depth + 1, is_undefined=False)[0]
                elif length > MAX_VALUE:
                    raise BrokenError("value_too_large")
                elif at > len(data):
                    raise BrokenError("truncated")
                else:
                    found[tag] = data[value:at]
        else:
            raise BrokenError("too_many_elements")
        self.n += n
        if self.n > MAX_ELEMENTS:
            raise BrokenError("too_many_elements")
        return last, at

    def _items(
        self, vr: bytes, at: int, end: int, wanted: Wanted, depth: int, *, is_undefined: bool
    ) -> tuple[list[Dataset], int]:
        """Items of a sequence up to its end; those with a length are stepped over where nothing in them is wanted."""
        walker = self
        if vr == b"UN":  # PS3.5 6.2.2 note 2: whatever it is, it is encoded in implicit VR little endian
            walker = Walker(self.data, explicit=False, size=self.size)
            walker.n = self.n
        found: list[Dataset] = []
        while is_undefined or at < end:
            group, element, length = walker.item(walker.data, at)
            tag = group << 16 | element
            at += 8
            walker.n += 1
            if walker.n > MAX_ELEMENTS:
                raise BrokenError("too_many_elements")
            if tag == SEQUENCE_END and is_undefined:
                break
            if tag != ITEM:
                raise BrokenError("bad_encoding")
            item: Dataset = {}
            if length == UNDEFINED:
                _, at = walker._elements(item, at, end, wanted, depth, ITEM_END)
                at = walker._close(at)
            elif at + length > end:
                raise BrokenError("truncated")
            else:
                at += length
                if wanted and walker._elements(item, at - length, at, wanted, depth, ITEM_END)[1] != at:
                    raise BrokenError("bad_encoding")
            found.append(item)
        if at > end:
            raise BrokenError("truncated")
        self.n = walker.n
        return found, at

    def _close(self, at: int) -> int:
        """The position behind the item's end at `at`."""
        group, element, length = self.item(self.data, at)
        if group << 16 | element != ITEM_END or length:
            raise BrokenError("bad_encoding")
        return at + 8


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
