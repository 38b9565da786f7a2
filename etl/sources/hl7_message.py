"""One HL7 v2 message as segments of fields, with what every reader needs: delimiters, sender, zone, times, defects.

Segments are split into fields only if some table wants them; fields are split into components only when read.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from etl.records import Defect
from etl.site import Site
from etl.sources.hl7_text import MAX_FIELDS, MAX_SEGMENTS, Unusable, decode, delimiters, unescaper
from etl.timestamps import BadTime, Stamp, Zone, offset_zone, parse_dtm

#: Segments that some table reads; the rest are known by name only.
WANTED = frozenset(
    "MSH EVN PID PV1 MRG ORC OBR OBX TQ1 IPC ZDS TXA SCH RGS AIS AIG AIL FT1".split()  # noqa: SIM905
)
#: Fields a segment is padded to, so that a table may read any address without looking at the length.
WIDTH = 56
PAD = ("",) * WIDTH
#: Parts that a field or component is split into, and repetitions that are looked at; no data type has as many.
MAX_PARTS = 32
MAX_REPETITIONS = 1_000
NO_SEGMENT: list[str] = list(PAD)

_OFFSET = re.compile(r"[+-]\d{4}\Z", re.ASCII)
Segment = list[str]


class Message:
    """A tokenized message. `segments` keeps file order: (name, fields), where fields[n] is field n of the standard."""

    __slots__ = (
        "common", "controls", "defects", "delimiters", "header", "kind", "position", "segments", "sender", "site",
        "stamps", "trigger", "unescape", "zone",
    )  # fmt: skip

    def __init__(self, data: bytes, position: int, site: Site) -> None:
        """Tokenize the bytes of one message. Raises Unusable."""
        text, codec, charset_defect = decode(data)
        self.delimiters = delimiters(text)
        self.unescape = unescaper(self.delimiters, codec)
        self.position, self.site = position, site
        self.defects: list[Defect] = []
        self.stamps: dict[str, Stamp | None] = {}
        self.segments = self._split(text)
        self.header = self.segments[0][1]
        if charset_defect:
            self.defect("MSH-18", charset_defect)
        self._identify()

    def _split(self, text: str) -> list[tuple[str, Segment]]:
        mark = self.delimiters.field
        lines = (text.replace("\n", "\r") if "\n" in text else text).split("\r", MAX_SEGMENTS + 1)
        if len(lines) > MAX_SEGMENTS:
            raise Unusable("too_many_segments")
        first = lines[0].split(mark, MAX_FIELDS)
        first.insert(1, mark)
        if len(first) < 10 or not first[9]:
            raise Unusable("truncated_msh" if len(first) < 10 else "no_message_type")
        first += PAD[len(first) :]
        segments = [("MSH", first)]
        for name, line in _joined(lines, mark):
            if name in WANTED:
                fields = line.split(mark, MAX_FIELDS)
                fields += PAD[len(fields) :]
                segments.append((name, fields))
            elif name:
                segments.append((name, NO_SEGMENT))
            else:
                self.defect("segment", "line_without_segment")
        if len(segments) == 1:
            raise Unusable("no_segments")
        return segments

    def _identify(self) -> None:
        header = self.header
        kind = self.components(header[9])
        self.kind = self.text(kind[0])
        self.trigger = self.text(kind[1]) if len(kind) > 1 else ""
        if not self.trigger:  # version 2.1 names the trigger in EVN-1 only
            self.trigger = self.text(self.first("EVN")[1])
        application, facility = self._name(header[3]), self._name(header[4])
        alias = self.site.alias_of(self.part(self.first("PV1")[3], 4) or None, facility or None)
        self.sender = self.site.sender_of(application, facility)
        offset = _OFFSET.search(header[7].strip())
        self.zone = self._zone(offset[0] if offset else "", alias)
        message_at = self.instant(header[7], "MSH-7")
        self.common: dict[str, Any] = {
            "standard": "hl7",
            "source": f"{application}@{facility}",
            "message_id": self.text(header[10]) or None,
            "message_at": message_at,
            "facility_alias": alias,
        }
        if not header[10].strip():
            self.defect("MSH-10", "missing")

    def _name(self, field: str) -> str:
        """HD: namespace id, else universal id (2A.3.36)."""
        return self.part(field, 1) or self.part(field, 2)

    def envelope(self) -> dict[str, Any]:
        """Who sent it to whom (MSH-3 to MSH-6), of what kind (MSH-9)."""
        application, facility = self._name(self.header[5]), self._name(self.header[6])
        return {
            **{name: self.common[name] for name in ("standard", "source", "message_at", "facility_alias")},
            "receiver": f"{application}@{facility}" if application or facility else None,
            "kind": f"{self.kind}^{self.trigger}" if self.trigger else self.kind,
        }

    def _zone(self, offset: str, alias: str | None) -> Zone:
        if offset:
            try:
                return Zone(offset_zone(offset), "message")
            except BadTime:
                self.defect("MSH-7", "offset out of range")
        return self.site.zone_of(alias)

    def defect(self, field: str, reason: str) -> None:
        """Count a field that could not be used."""
        self.defects.append(Defect(self.position, field, reason))

    def first(self, name: str) -> Segment:
        """The first segment of that name, or one with empty fields."""
        return next((fields for found, fields in self.segments if found == name), NO_SEGMENT)

    def components(self, field: str) -> list[str]:
        """Components of the first repetition that is not empty."""
        marks = self.delimiters
        if marks.repetition and marks.repetition in field:
            field = field.lstrip(marks.repetition).split(marks.repetition, 1)[0]
        return field.split(marks.component, MAX_PARTS)

    def repetitions(self, field: str) -> list[str]:
        """Repetitions that are not empty, of the first so many."""
        mark = self.delimiters.repetition
        found = field.split(mark, MAX_REPETITIONS)[:MAX_REPETITIONS] if mark else [field]
        return [part for part in found if part]

    def part(self, field: str, component: int, subcomponent: int = 1) -> str:
        """Text of one component (first repetition); '' if absent or deleted."""
        if not field:
            return ""
        marks = self.delimiters
        if component == 1 and marks.component not in field and marks.repetition not in field:
            return self.text(field, subcomponent)
        parts = self.components(field)
        return self.text(parts[component - 1], subcomponent) if len(parts) >= component else ""

    def text(self, component: str, subcomponent: int = 1) -> str:
        """Text of one sub-component, escapes resolved and blanks stripped; HL7 `""` (delete) is ''."""
        marks = self.delimiters
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

    def stamp(self, field: str, address: str) -> Stamp | None:
        """The time in the first component; None, with a defect, if it is not one. TS.2 (precision) is dropped."""
        if field in self.stamps:
            return self.stamps[field]
        text = self.part(field, 1)
        stamp = None
        if text:
            try:
                stamp = parse_dtm(text, self.zone)
            except BadTime as error:
                self.defect(address, str(error))
        self.stamps[field] = stamp
        return stamp

    def instant(self, field: str, address: str) -> datetime | None:
        """UTC instant, None where the value is a date or coarser."""
        stamp = self.stamp(field, address) if field else None
        return stamp.at if stamp else None


def _joined(lines: list[str], mark: str) -> list[tuple[str, str]]:
    """(segment name, line) with lines that open no segment joined to the one before; name '' where there is none."""
    found: list[tuple[str, list[str]]] = []
    for line in lines[1:]:
        name = line[:3]
        if line[3:4] != mark or not name.isupper():
            stripped = line.strip(" \t\x0b\x1c\x00")
            if not stripped:
                continue
            name = stripped[:3] if stripped[3:4] in (mark, "") and stripped[:3].isupper() else ""
            if name:
                line = stripped  # noqa: PLW2901
            elif found:
                found[-1][1].append(line)
                continue
        found.append((name, [line]))
    return [(name, parts[0] if len(parts) == 1 else "\n".join(parts)) for name, parts in found]
