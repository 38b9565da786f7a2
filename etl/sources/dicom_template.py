"""Headers that are octet by octet alike but for the values of a few elements: what follows from it without a walk.

A walk sees the same elements in the same order where all octets but values are the same, whatever these values and
their lengths are: so of such a header only they need be looked at. A template is made of two headers; elements that
differ between them are left out of the comparison if nobody reads them, or if they are read again of each file.
"""

from __future__ import annotations

from typing import NamedTuple

from etl.sources import dicom_kernel
from etl.sources.dicom_file import META, META_END, File
from etl.sources.dicom_kernel import Stream
from etl.sources.dicom_walk import PIXELS, BrokenError, Dataset, Fetch, Place, Walker, Wanted

#: Where the prefix of a Part 10 file and where its file meta begins; the preamble before says nothing.
MAGIC, FIRST = 128, 132
#: Octets up to the length of a value that may differ, octets of the length, whether it is big endian, the tag if read.
Step = tuple[bytes, int, bool, int | None]


class Template(NamedTuple):
    """What headers have in common; `last` stands behind the value of the last step."""

    steps: tuple[Step, ...]
    last: bytes
    is_explicit: bool
    is_big: bool

    def match(self, data: bytes, size: int, fetch: Fetch | None) -> tuple[Dataset, int] | None:
        """The values that are read again of the file of `size` octets that begins with `data`, and its header's end.

        None where the file is not like the template, or where nothing proves that it is whole: the walk tells why.
        """
        told = _follow(data, self.steps, self.last)
        if told is None or told[1] >= size:
            return None
        if (kernel := dicom_kernel.compiled) is not None:  # nearly always: as `rest`, without what is for fragments
            last = kernel.rest(data, size, told[1], self.is_explicit, self.is_big)
            if not isinstance(last, str):
                return told if last >= PIXELS else None
        try:
            last = Stream(data, size, explicit=self.is_explicit, big=self.is_big).rest(told[1], fetch)
        except BrokenError:
            return None
        return told if last >= PIXELS else None


def _follow(data: bytes, steps: tuple[Step, ...], last: bytes) -> tuple[Dataset, int] | None:
    """Values of the steps by tag, and the position behind; None where the octets are others."""
    if (kernel := dicom_kernel.compiled) is not None:
        told: tuple[Dataset, int] | None = kernel.follow(data, steps, last, MAGIC)
        return told
    found: Dataset = {}
    at = MAGIC
    for fixed, n_octets, is_big, tag in steps:
        if not data.startswith(fixed, at):
            return None
        value = at + len(fixed) + n_octets
        at = value + int.from_bytes(data[value - n_octets : value], "big" if is_big else "little")
        if tag is not None:
            found[tag] = data[value:at]
    return (found, at + len(last)) if data.startswith(last, at) else None  # never, where a value ends behind `data`


class Sample:
    """The header of one image, to which others are compared."""

    __slots__ = ("file", "head")

    def __init__(self, data: bytes, file: File) -> None:
        self.file, self.head = file, data[: file.end]

    def template(
        self, data: bytes, file: File, varying: set[int], again: frozenset[int], wanted: Wanted
    ) -> Template | None:
        """What is the same in another header, but for the values of `varying`; None where they differ in what must be.

        Elements of `wanted` must be the same, but for those of `again`, which are read again. What is seen to differ
        is added to `varying`.
        """
        own = self.file
        if (file.is_explicit, file.is_big_endian) != (own.is_explicit, own.is_big_endian):
            return None
        kept = frozenset(varying)
        meta = _differing(Stretch(self.head, FIRST, True, False, META_END), data, FIRST, kept)
        if meta is None or meta[1:] != (own.at, file.at) or any(place[0] in META for place in meta[0]):
            return None
        rest = Stretch(self.head, own.at, own.is_explicit, own.is_big_endian, PIXELS)
        body = _differing(rest, data, file.at, kept)
        # The first element tells the encoding.
        if body is None or body[1:] != (own.end, file.end) or (body[0] and body[0][0][1] == own.at):
            return None
        tags = {place[0] for place in body[0]}
        if any(tag in wanted for tag in tags - again):
            return None
        varying |= tags
        varying.update([place[0] for place in meta[0]])
        steps, start = _steps(self.head, MAGIC, meta[0], (True, False), again)
        more, start = _steps(self.head, start, body[0], (own.is_explicit, own.is_big_endian), again)
        return Template(steps + more, self.head[start:], own.is_explicit, own.is_big_endian)


def _steps(
    head: bytes, start: int, places: list[Place], encoding: tuple[bool, bool], again: frozenset[int]
) -> tuple[tuple[Step, ...], int]:
    """Steps from `start` on, and where the octets behind them begin."""
    is_explicit, is_big = encoding
    steps: list[Step] = []
    for tag, at, value, after in places:
        n_octets = 2 if is_explicit and value - at == 8 else 4
        steps.append((head[start : value - n_octets], n_octets, is_big, tag if tag in again else None))
        start = after
    return tuple(steps), start


class Stretch(NamedTuple):
    """Elements in one encoding, from `at` to the first tag >= `stop`; they were walked before."""

    data: bytes
    at: int
    is_explicit: bool
    is_big: bool
    stop: int


def _differing(one: Stretch, other: bytes, there: int, kept: frozenset[int]) -> tuple[list[Place], int, int] | None:
    """Places of the elements that have another value in `other` or are in `kept`, and both ends.

    None where the elements there, from `there` on, are others.
    """
    data, at, is_explicit, is_big, stop = one
    if (kernel := dicom_kernel.compiled) is not None:
        told: tuple[list[Place], int, int] | None
        told = kernel.differing(data, at, other, there, is_explicit, is_big, stop, kept)
        return told
    walker = Walker(data, explicit=is_explicit, big=is_big)
    found: list[Place] = []
    for place in walker.places(at, stop):
        tag, at, value, after = place
        end = there + after - at
        is_same = other.startswith(data[at:after], there)
        if not is_same:
            n_octets = 2 if is_explicit and value - at == 8 else 4
            if value == at or not other.startswith(data[at : value - n_octets], there):
                return None
            behind = there + value - at
            end = behind + int.from_bytes(other[behind - n_octets : behind], "big" if is_big else "little")
            if end > len(other):
                return None
        if not is_same or (tag in kept and value != at):
            found.append(place)
        at, there = after, end
    return found, at, there
