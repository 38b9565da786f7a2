"""How the fields of a message are cut up, for one set of delimiters and one character set; the twin of `_hl7.c`.

The kernel in C is used where it could be built (`hl7_twin`); everything works without it, and tests hold both to the
same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from etl.sources import hl7_twin
from etl.sources.hl7_text import MAX_FIELDS, Delimiters, Unusable, delimiters, unescaper
from etl.timestamps import Stamp

#: Segments that some table reads; the rest are known by name only.
WANTED = frozenset(
    "MSH EVN PID PV1 MRG ORC OBR OBX TQ1 IPC ZDS TXA SCH RGS AIS AIG AIL FT1".split()  # noqa: SIM905
)
#: Fields a segment is padded to, so that a table may read any address without looking at the length.
WIDTH = 56
PAD = ("",) * WIDTH
_PADS = [PAD[n:] for n in range(MAX_FIELDS + 2)]
#: Parts that a field or component is split into, and repetitions that are looked at; no data type has as many.
MAX_PARTS = 32
MAX_REPETITIONS = 1_000
#: Fields that are remembered, and the longest of them in characters: names of people, rooms and codes come again.
MAX_REMEMBERED = 2_048
MAX_REMEMBERED_CHARS = 128
#: What the kernel calls text: a type that is its component as sent.
TEXT = 1


class Segment(Protocol):
    """Fields by number. The kernel cuts a field out when it is asked for; a list has them all."""

    def __getitem__(self, number: int, /) -> str: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...


NO_SEGMENT: Segment = list(PAD)
#: What `hl7_fields.Table` holds for each row: column, all columns, segment, field, component, sub-component, code of
#: the type in the kernel, reader, the row itself.
Plan = tuple[tuple[Any, ...], ...]


class Dialect(Protocol):
    """What both twins do. `read` gets the message for what is not text alone: times, numbers, defects."""

    def __hash__(self) -> int: ...
    def text(self, component: str, subcomponent: int = 1, /) -> str: ...
    def part(self, field: str, component: int, subcomponent: int = 1, /) -> str: ...
    def texts(self, field: str, /) -> tuple[str, ...]: ...
    def components(self, field: str, /) -> list[str]: ...
    def repetitions(self, field: str, /) -> list[str]: ...
    def lines(self, observations: list[Segment], most: int, /) -> list[str] | None: ...
    def message(self, data: bytes, /) -> list[tuple[str, Segment]] | None: ...
    def split(self, text: str, start: int, /) -> tuple[list[tuple[str, Segment]], int]: ...
    def read(self, message: Any, segments: Mapping[str, Segment], plan: Plan, /) -> dict[str, Any]: ...


class Plain:
    """The twin in Python."""

    def __init__(self, marks: Delimiters, unescape: Callable[[str], str]) -> None:
        self.marks, self.unescape = marks, unescape
        self._within = [mark for mark in (marks.escape, marks.subcomponent) if mark]
        self._heads = {name + marks.field: name for name in WANTED}
        self._remembered: dict[str, tuple[str, ...]] = {}

    def text(self, component: str, subcomponent: int = 1) -> str:
        """Text of one sub-component, escapes resolved and blanks stripped; HL7 `""` (delete) is ''."""
        marks = self.marks
        if marks.subcomponent and marks.subcomponent in component:
            parts = component.split(marks.subcomponent, MAX_PARTS)
            component = parts[subcomponent - 1] if len(parts) >= subcomponent else ""
        elif subcomponent > 1:
            return ""
        if component == '""':
            return ""
        if marks.escape and marks.escape in component:
            component = self.unescape(component)
        return component.strip()

    def part(self, field: str, component: int, subcomponent: int = 1) -> str:
        """Text of one component (first repetition); '' if absent or deleted."""
        if subcomponent == 1:
            if field.isalnum():
                return field if component == 1 else ""
            texts = self.texts(field)
            return texts[component - 1] if len(texts) >= component else ""
        parts = self.components(field)
        return self.text(parts[component - 1], subcomponent) if len(parts) >= component else ""

    def texts(self, field: str) -> tuple[str, ...]:
        """Texts of all components of the first repetition that is not empty."""
        known = self._remembered.get(field)
        if known is None:
            known = self._texts(field)
            if len(field) <= MAX_REMEMBERED_CHARS:
                if len(self._remembered) >= MAX_REMEMBERED:
                    self._remembered.clear()
                self._remembered[field] = known
        return known

    def _texts(self, field: str) -> tuple[str, ...]:
        parts = self.components(field)
        if '"' not in field and not any(mark in field for mark in self._within):
            return tuple([part.strip() for part in parts])
        return tuple([self.text(part) for part in parts])

    def components(self, field: str) -> list[str]:
        """Components of the first repetition that is not empty."""
        marks = self.marks
        if marks.repetition and marks.repetition in field:
            field = field.lstrip(marks.repetition).split(marks.repetition, 1)[0]
        return field.split(marks.component, MAX_PARTS)

    def repetitions(self, field: str) -> list[str]:
        """Repetitions that are not empty, of the first so many."""
        mark = self.marks.repetition
        if not mark or mark not in field:
            return [field] if field else []
        return [part for part in field.split(mark, MAX_REPETITIONS)[:MAX_REPETITIONS] if part]

    def lines(self, observations: list[Segment], most: int) -> list[str] | None:
        """Lines of report text; None where `report_text` must look. The kernel takes what is plain."""
        return None

    def message(self, data: bytes) -> list[tuple[str, Segment]] | None:
        """Segments of a whole message, MSH first; None where `tokenize` must look. The kernel takes what is plain."""
        return None

    def split(self, text: str, start: int) -> tuple[list[tuple[str, Segment]], int]:
        """Segments of the lines after `start`, the wanted ones as fields; and how many lines open no segment.

        `text` has CR line ends; `start` is the end of the MSH line.
        """
        mark, known = self.marks.field, self._heads.get
        lines = text[start:].split("\r")
        segments: list[tuple[str, Segment]] = []
        for line in lines:
            name = known(line[:4])
            if name is not None:
                fields = line.split(mark, MAX_FIELDS)
                fields += _PADS[len(fields)]
                segments.append((name, fields))
            elif line[3:4] == mark and line[:3].isupper():
                segments.append((line[:3], NO_SEGMENT))
            elif line:
                found = _joined(lines, mark)
                return [_segment(name, line, mark) for name, line in found if name], sum(not name for name, _ in found)
        return segments, 0

    def read(self, message: Any, segments: Mapping[str, Segment], plan: Plan) -> dict[str, Any]:
        """The values that the rows of `plan` find in `segments` (name -> fields), by column."""
        found: dict[str, Any] = {}
        value: Any
        get, is_whole, remembered = segments.get, not self.marks.truncation, self._remembered
        for column, columns, segment, number, component, subcomponent, code, reader, row in plan:
            fields = get(segment)
            if fields is None:
                continue
            raw = fields[number]
            if not raw or column in found:
                continue
            if code == TEXT and is_whole:  # as `part`, which is called for few
                if subcomponent > 1:
                    value = self.part(raw, component, subcomponent)
                elif raw.isalnum():
                    value = raw if component == 1 else ""
                else:
                    texts = remembered.get(raw) or self.texts(raw)
                    value = texts[component - 1] if len(texts) >= component else ""
                value = value or ("" if raw == '""' else None)
            else:
                value = reader(message, raw, row)
            if value is None:
                continue
            if len(columns) == 1:
                found[column] = value
            else:
                found.update(zip(columns, value, strict=True))
        return found


def _segment(name: str, line: str, mark: str) -> tuple[str, Segment]:
    if name not in WANTED:
        return name, NO_SEGMENT
    fields = line.split(mark, MAX_FIELDS)
    fields += _PADS[len(fields)]
    return name, fields


def _joined(lines: list[str], mark: str) -> list[tuple[str, str]]:
    """(segment name, line) with lines that open no segment joined to the one before; name '' where there is none."""
    found: list[tuple[str, str]] = []
    more: dict[int, list[str]] = {}
    for line in lines:
        name = line[:3]
        if line[3:4] != mark or not name.isupper():
            stripped = line.strip(" \t\x0b\x1c\x00")
            if not stripped:
                continue
            name = stripped[:3] if stripped[3:4] in (mark, "") and stripped[:3].isupper() else ""
            if name:
                line = stripped  # noqa: PLW2901
            elif found:
                more.setdefault(len(found) - 1, []).append(line)
                continue
        found.append((name, line))
    for number, lines_of in more.items():
        name, line = found[number]
        found[number] = (name, "\n".join([line, *lines_of]))
    return found


class Tools(NamedTuple):
    """A dialect with its functions at hand."""

    marks: Delimiters
    dialect: Dialect
    unescape: Callable[[str], str]
    text: Callable[..., str]
    part: Callable[..., str]
    texts: Callable[[str], tuple[str, ...]]
    components: Callable[[str], list[str]]
    repetitions: Callable[[str], list[str]]


def tools(text: str, codec: str) -> Tools:
    """The dialect of a message that begins with `text`. Raises Unusable."""
    return _tools_of(text, codec, hl7_twin.KERNEL)


def _tools_of(text: str, codec: str, kernel: ModuleType | None) -> Tools:
    mark = text[3:4]
    end = text.find(mark, 4, 10)
    return _tools(text[3 : end if end > 0 else 10], codec, kernel)


#: Octets of a message that tell its delimiters, from MSH-1 on.
DECLARED = slice(3, 10)


@lru_cache(maxsize=256)
def plain_tools(declared: bytes, kernel: ModuleType) -> Tools | None:
    """The dialect of the kernel for a message in ASCII; None where its delimiters cannot be used."""
    try:
        return _tools_of(f"MSH{declared.decode('ascii')}", "ascii", kernel)
    except (Unusable, UnicodeDecodeError):
        return None


@lru_cache(maxsize=16)
def _tools(declared: str, codec: str, kernel: ModuleType | None) -> Tools:
    marks = delimiters(f"MSH{declared}")
    unescape = unescaper(marks, codec)
    plain = Plain(marks, unescape)
    made: Dialect = plain
    if kernel is not None:  # it leaves lines that are no plain segment to the twin
        made = kernel.Kernel(marks, unescape, plain.split, sorted(WANTED), NO_SEGMENT, Stamp)
    return Tools(marks, made, unescape, made.text, made.part, made.texts, made.components, made.repetitions)
