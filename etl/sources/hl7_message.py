"""One HL7 v2 message as segments of fields, with what every reader needs: delimiters, sender, zone, times, defects.

Segments are split into fields only if some table wants them; fields are split into components only when read.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from etl.records import Defect
from etl.site import Sender, Site
from etl.sources import hl7_twin
from etl.sources.hl7_dialect import (
    DECLARED,
    MAX_REMEMBERED_CHARS,
    NO_SEGMENT,
    PAD,
    Dialect,
    Segment,
    Tools,
    plain_tools,
    tools,
)
from etl.sources.hl7_text import MAX_FIELDS, MAX_SEGMENTS, Unusable, decode
from etl.timestamps import BadTime, Stamp, Zone, offset_zone, parse_dtm

__all__ = ["NO_SEGMENT", "PAD", "Message", "Segment"]

_SIGNS = frozenset("+-")
_OFFSET = re.compile(r"[+-]\d{4}\Z", re.ASCII)


def tokenize(data: bytes) -> tuple[Tools, list[tuple[str, Segment]], list[tuple[str, str]]]:
    """How the message is read, its segments in file order, and (field, reason) of what is wrong. Raises Unusable."""
    kernel = hl7_twin.KERNEL
    if kernel is not None and (plain := plain_tools(data[DECLARED], kernel)) is not None:
        whole = plain.dialect.message(data)
        if whole is not None:
            return plain, whole, []
    text, codec, charset_defect = decode(data)
    found = tools(text, codec)
    mark = found.marks.field
    if "\n" in text:
        text = text.replace("\n", "\r")
    if text.count("\r") >= MAX_SEGMENTS:
        raise Unusable("too_many_segments")
    end = text.find("\r")
    end = len(text) if end < 0 else end
    first = text[:end].split(mark, MAX_FIELDS)
    first.insert(1, mark)
    if len(first) < 10 or not first[9]:
        raise Unusable("truncated_msh" if len(first) < 10 else "no_message_type")
    first += PAD[len(first) :]
    segments, strays = found.dialect.split(text, end)
    if not segments:
        raise Unusable("no_segments")
    flaws = [("segment", "line_without_segment")] * strays
    if charset_defect:
        flaws.append(("MSH-18", charset_defect))
    return found, [("MSH", first), *segments], flaws


class Message:
    """A tokenized message. `segments` keeps file order: (name, fields), where fields[n] is field n of the standard."""

    __slots__ = (
        "common", "components", "defects", "delimiters", "dialect", "header", "identified", "kind", "part",
        "position", "repetitions", "segments", "sender", "sending", "site", "stamps", "text", "texts", "trigger",
        "unescape", "zone",
    )  # fmt: skip

    def __init__(self, data: bytes, position: int, site: Site) -> None:
        """Tokenize the bytes of one message. Raises Unusable."""
        found, self.segments, flaws = tokenize(data)
        self.delimiters, self.dialect, self.unescape = found.marks, found.dialect, found.unescape
        self.text, self.part, self.texts = found.text, found.part, found.texts
        self.components, self.repetitions = found.components, found.repetitions
        self.position, self.site = position, site
        self.defects = [Defect(position, field, reason) for field, reason in flaws]
        self.stamps: dict[str, Stamp | None] = {}
        self.identified: dict[str, list[tuple[str, str]]] = {}
        self.header = self.segments[0][1]
        self._identify()

    def _identify(self) -> None:
        header = self.header
        kind = self.texts(header[9])
        self.kind = kind[0]
        self.trigger = kind[1] if len(kind) > 1 else ""
        if not self.trigger:  # version 2.1 names the trigger in EVN-1 only
            self.trigger = self.text(self.first("EVN")[1])
        place = self.part(self.first("PV1")[3], 4)
        named = _named if len(header[3]) + len(header[4]) + len(place) <= MAX_REMEMBERED_CHARS else _named.__wrapped__
        self.sending, source, alias, self.sender = named(self.dialect, self.site, header[3], header[4], place)
        sent = header[7]
        offset = sent.strip()[-5:]
        self.zone = self._zone(offset if offset[:1] in _SIGNS and _OFFSET.match(offset) else "", alias)
        self.common: dict[str, Any] = {
            "standard": "hl7",
            "source": source,
            "message_id": self.text(header[10]) or None,
            "message_at": self.instant(sent, "MSH-7"),
            "facility_alias": alias,
        }
        if not header[10].strip():
            self.defect("MSH-10", "missing")

    def envelope(self) -> dict[str, Any]:
        """Who sent it to whom (MSH-3 to MSH-6), of what kind (MSH-9)."""
        common, application, facility = self.common, self.header[5], self.header[6]
        receiver = _receiver if len(application) + len(facility) <= MAX_REMEMBERED_CHARS else _receiver.__wrapped__
        return {
            "standard": common["standard"],
            "source": common["source"],
            "message_at": common["message_at"],
            "facility_alias": common["facility_alias"],
            "receiver": receiver(self.dialect, application, facility),
            "kind": f"{self.kind}^{self.trigger}" if self.trigger else self.kind,
        }

    def _zone(self, offset: str, alias: str | None) -> Zone:
        if offset:
            try:
                return _message_zone(offset)
            except BadTime:
                self.defect("MSH-7", "offset out of range")
        return self.site.zone_of(alias)

    def defect(self, field: str, reason: str) -> None:
        """Count a field that could not be used."""
        self.defects.append(Defect(self.position, field, reason))

    def first(self, name: str) -> Segment:
        """The first segment of that name, or one with empty fields."""
        for found, fields in self.segments:
            if found == name:
                return fields
        return NO_SEGMENT

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


def _name(dialect: Dialect, field: str) -> str:
    """HD: namespace id, else universal id (2A.3.36)."""
    return dialect.part(field, 1) or dialect.part(field, 2)


@lru_cache(maxsize=1024)
def _named(
    dialect: Dialect, site: Site, sending: str, facility: str, location: str
) -> tuple[str, str, str | None, Sender]:
    """Of MSH-3, MSH-4 and the facility of PV1-3: application, source, facility alias and habits."""
    named, application, place = dialect.part(sending, 1), _name(dialect, sending), _name(dialect, facility)
    alias = site.alias_of(location or None, place or None)
    return named, f"{application}@{place}", alias, site.sender_of(application, place)


@lru_cache(maxsize=1024)
def _receiver(dialect: Dialect, application: str, facility: str) -> str | None:
    """Of MSH-5 and MSH-6."""
    named, place = _name(dialect, application), _name(dialect, facility)
    return f"{named}@{place}" if named or place else None


@lru_cache(maxsize=256)
def _message_zone(offset: str) -> Zone:
    """Kept, so that it remembers its hours. Raises BadTime."""
    return Zone(offset_zone(offset), "message")
