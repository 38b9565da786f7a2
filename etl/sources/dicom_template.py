"""Headers that are octet by octet alike but for the values of some elements: what follows from it without a walk.

A walk sees the same elements in the same order where all octets but values are the same, whatever these values and
their lengths are: so of such a header only they need be looked at. A template is made of one header: values that nobody
reads and values that are read again of each file are stepped over by their lengths, all else must be the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from etl.sources import dicom_kernel
from etl.sources.dicom_file import META, META_END, File
from etl.sources.dicom_kernel import plan_of, rest
from etl.sources.dicom_walk import NOTHING, PIXELS, BrokenError, Dataset, Fetch, Walker, Wanted

#: Where the prefix of a Part 10 file and where its file meta begins; the preamble before says nothing.
MAGIC, FIRST = 128, 132
SERIES_UID = 0x0020000E
#: Octets around its place in the template within which the series is looked for: what lies before may be longer.
NEAR = 512


class Step(NamedTuple):
    """Octets up to the length of a value that may differ, octets of the length, its order; of the value here: its tag,
    whether it is read, the value itself."""

    fixed: bytes
    n_octets: int
    is_big: bool
    tag: int
    is_read: bool
    value: bytes


#: Octets of the header up to a value that differs from file to file: all of them, and in steps over what nobody reads;
#: then the step over that value, if it is not the end.
Part = tuple[bytes, list[Step], bytes, Step | None]
#: Tags that nobody reads and that were seen to differ: only a guess at what will, so that most octets are compared at
#: once. The compiled twin needs none.
_VARYING: set[int] = set()


class Template:
    """What headers like that of `file` have in common, which `head` begins with; `again` are tags read of each.

    `rows` is what the compiled twin makes rows of their values with, if it may.
    """

    __slots__ = ("again", "compiled", "file", "head", "parts", "series_at", "wanted")

    def __init__(self, head: bytes, file: File, wanted: Wanted, again: Wanted, rows: object = None) -> None:
        self.head, self.file, self.wanted, self.again = head[: file.stop], file, wanted, again
        self.parts: list[Part] | None = None
        self.series_at = -1
        self.compiled: Any = None
        if (kernel := dicom_kernel.compiled) is not None:
            plans = plan_of(META), plan_of(wanted), plan_of(again)
            self.compiled = kernel.template(self.head, file.at, file.is_explicit, file.is_big_endian, *plans, rows)

    def match(self, data: bytes, size: int, fetch: Fetch | None) -> tuple[Dataset, int] | None:
        """The values that are read again of the file of `size` octets that begins with `data`, and its header's end.

        None where the file is not like the template, or where nothing proves that it is whole: the walk tells why.
        """
        told = self._follow(data)
        if told is None or told[1] >= size:
            return None
        try:
            last = rest(data, size, told[1], (self.file.is_explicit, self.file.is_big_endian), fetch)
        except BrokenError:
            return None
        return told if last >= PIXELS else None

    def _follow(self, data: bytes) -> tuple[Dataset, int] | None:
        series: Any = self.file.dataset[SERIES_UID]
        if self.series_at < 0:
            self.series_at = self.head.find(series)
        if series not in data[max(self.series_at - NEAR, 0) : self.series_at + NEAR]:  # most often that
            return None
        if self.parts is None:
            self.parts = _parts_of(self.head, _steps(self.head, self.file, self.wanted, self.again))
        varied: list[int] = []
        told = _follow(data, self.parts, varied)
        if told and varied:
            _VARYING.update(varied)
            self.parts = None
        return told


One = TypeVar("One", bound=Template)


class Templates(list[One]):
    """Few templates, the one that was made or met last first."""

    def __init__(self) -> None:
        super().__init__()
        self.compiled: list[Any] = []

    def hold(self, template: One, most: int) -> None:
        """Put it before the others, of which at most as many stay."""
        self.insert(0, template)
        self.compiled.insert(0, template.compiled)
        del self[most:], self.compiled[most:]

    def clear(self) -> None:
        super().clear()
        self.compiled.clear()

    def match(self, data: bytes, size: int, fetch: Fetch | None) -> tuple[Any, ...] | None:
        """A number, the header's end and rows and envelopes, or the values that are read again, as `Template.match`.

        The template that the file is like is the first now.
        """
        told: tuple[Any, ...] | None
        if (kernel := dicom_kernel.compiled) is not None:
            told = kernel.match(data, size, self.compiled, fetch)
        else:
            matches = ((n, found) for n, template in enumerate(self) if (found := template.match(data, size, fetch)))
            told = next(((n, end, values) for n, (values, end) in matches), None)
        if told and told[0]:
            self.insert(0, self.pop(told[0]))
            self.compiled.insert(0, self.compiled.pop(told[0]))
        return told


def forget() -> None:
    """As if nothing had been seen to differ."""
    _VARYING.clear()


def _parts_of(head: bytes, steps: list[Step]) -> list[Part]:
    parts: list[Part] = []
    inner: list[Step] = []
    begin = start = MAGIC
    for step in steps:
        behind = start + len(step.fixed)
        if step.is_read or step.tag in _VARYING:
            parts.append((head[begin:behind], inner, step.fixed, step))
            inner, begin = [], behind + step.n_octets + len(step.value)
        else:
            inner.append(step)
        start = behind + step.n_octets + len(step.value)
    return [*parts, (head[begin:], inner, head[start:], None)]


def _steps(head: bytes, file: File, wanted: Wanted, again: Wanted) -> list[Step]:
    """A step for each value that may differ."""
    found: list[Step] = []
    start = MAGIC
    stretches = [(Walker(head, explicit=True), FIRST, META_END, META, NOTHING, True, False)] if file.at > FIRST else []
    encoding = file.is_explicit, file.is_big_endian
    body = Walker(head, explicit=file.is_explicit, big=file.is_big_endian)
    for walker, begin, stop, needed, read, is_explicit, is_big in (
        *stretches, (body, file.at, PIXELS, wanted, again, *encoding)
    ):  # fmt: skip
        for tag, at, value, after in walker.places(begin, stop):
            # An undefined length says nothing of its value; the first element tells the encoding.
            if value == at or (tag in needed and tag not in read) or at == file.at:
                continue
            n_octets = 2 if is_explicit and value - at == 8 else 4
            found.append(Step(head[start : value - n_octets], n_octets, is_big, tag, tag in read, head[value:after]))
            start = after
    return found


def _follow(data: bytes, parts: list[Part], varied: list[int]) -> tuple[Dataset, int] | None:
    found: Dataset = {}
    at = MAGIC
    for whole, inner, fixed, step in parts:
        if data.startswith(whole, at):
            at += len(whole)
        else:
            for piece, n, is_big, tag, _, value in inner:
                if not data.startswith(piece, at):
                    return None
                at += len(piece) + n
                behind = at + int.from_bytes(data[at - n : at], "big" if is_big else "little")
                if data[at:behind] != value:
                    varied.append(tag)
                at = behind
            if not data.startswith(fixed, at):  # never, where a value ends behind `data`
                return None
            at += len(fixed)
        if step is not None:
            _, n, is_big, tag, is_read, _ = step
            begin = at + n
            at = begin + int.from_bytes(data[at:begin], "big" if is_big else "little")
            if is_read:
                found[tag] = data[begin:at]
    return found, at
