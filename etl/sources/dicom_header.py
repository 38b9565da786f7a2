"""One object's header as every reader needs it: text in its character set, numbers, times, sender, zone, defects."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import Any

from etl.records import Defect
from etl.site import Site
from etl.sources import dicom_kernel
from etl.sources.dicom_walk import Dataset
from etl.timestamps import BadTime, Stamp, Zone, offset_zone, parse_da_tm, parse_dtm

CHARSET, OFFSET = 0x00080005, 0x00080201
#: Defined terms of (0008,0005) that name one single-byte or Unicode set (PS3.3 C.12.1.1.2) -> Python codec.
CODECS: dict[str, str] = {
    "": "latin-1", "ISO_IR 6": "latin-1", "ISO_IR 100": "latin-1", "ISO_IR 101": "iso8859-2", "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4", "ISO_IR 144": "iso8859-5", "ISO_IR 127": "iso8859-6", "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8", "ISO_IR 148": "iso8859-9", "ISO_IR 203": "iso8859-15", "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "iso8859-11", "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk",
}  # fmt: skip
ESCAPE = b"\x1b"


def place(tag: int) -> str:
    """`0008,0032` of a tag, as defects name it."""
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"


class Header:
    """A data set with what its sender says of it. Defects are collected in `defects`, without values."""

    __slots__ = (
        "charset",
        "codec",
        "common",
        "dataset",
        "defects",
        "double",
        "is_big",
        "is_plain",
        "meta",
        "moments",
        "position",
        "short",
        "site",
        "zone",
    )

    def __init__(self, meta: Dataset, dataset: Dataset, site: Site, position: int, *, big: bool = False) -> None:
        self.meta, self.dataset, self.site, self.position = meta, dataset, site, position
        self.is_big = big
        self.short, self.double = _STRUCTS[big]
        self.defects: list[Defect] = []
        self.charset, self.is_plain, self.codec = _decoder(dataset.get(CHARSET))
        self.zone: Zone = site.zone_of(None)
        self.moments: Moments = {}
        self.common: dict[str, Any] = {}

    def settle(self, source: str | None, message_id: str | None, candidates: tuple[str | None, ...]) -> None:
        """Name the sender: its facility among `candidates`, and with it the zone of times without offset."""
        alias = self.site.alias_of(*candidates)
        self.zone = self._zone(alias)
        self.moments = _moments_of(self.zone)
        self.common = {
            "standard": "dicom", "source": source or alias, "message_id": message_id, "facility_alias": alias,
        }  # fmt: skip

    def _zone(self, alias: str | None) -> Zone:
        """(0008,0201) holds for every time of the object without an offset of its own (PS3.3 C.12.1.1.8)."""
        raw = self.dataset.get(OFFSET)
        text = self.text(raw) if raw else ""
        if text:
            try:
                return Zone(_offset(text), "message")
            except BadTime:
                self.defect(OFFSET, "not an offset")
        return self.site.zone_of(alias)

    def defect(self, tag: int, reason: str) -> None:
        """Count an element that could not be used."""
        self.defects.append(Defect(self.position, place(tag), reason))

    def text(self, raw: Any) -> str:
        """The whole value as text, outer blanks and padding stripped; '' for a sequence."""
        try:
            if self.is_plain:
                return str(raw, "ascii").strip(" \0")
        except UnicodeDecodeError:
            pass
        except TypeError:  # a sequence
            return ""
        text, is_good = self.charset(raw)
        if not is_good:
            self.defect(CHARSET, "text not in the character set")
        return text

    def value(self, tag: int) -> str:
        """Text of an element of the top level; '' where absent."""
        raw = self.dataset.get(tag)
        return self.text(raw) if raw else ""

    def values(self, tags: tuple[int, ...]) -> list[str]:
        """`value` of each tag."""
        if (kernel := dicom_kernel.compiled) is not None:
            told: list[str] | None = kernel.texts(self.dataset, tags, self.codec)
            if told is not None:
                return told
        return [self.value(tag) for tag in tags]

    def meta_text(self, tag: int) -> str:
        """Text of a file meta element; '' where absent."""
        raw = self.meta.get(tag)
        return str(raw, "latin-1").strip(" \0") if isinstance(raw, bytes) else ""

    def stamp(self, raw: bytes, tag: int) -> Stamp | None:
        """A DT element's value."""
        if (kernel := dicom_kernel.compiled) is not None and self.is_plain:
            plain: Stamp | None = kernel.moment(raw[:8], raw[8:], self.zone.hours, Stamp)
            if plain is not None:
                return plain
        return self.instant(self.text(raw), tag)

    def instant(self, raw: str, tag: int) -> Stamp | None:
        """A DT value."""
        stamp = self.moments.get(raw)
        if stamp is None:
            try:
                stamp = parse_dtm(raw, self.zone)
            except BadTime as error:
                self.defect(tag, str(error))
                return None
            _remember(self.moments, raw, stamp)
        return stamp

    def moment(self, dataset: Dataset, date: int, time: int) -> Stamp | None:
        """A DA and a TM element of `dataset` together; None where there is no date."""
        day, clock = dataset.get(date), dataset.get(time)
        if not day:
            return None
        is_plain = self.is_plain and isinstance(day, bytes) and (clock is None or isinstance(clock, bytes))
        stamp = self.moments.get((day, clock)) if is_plain else None
        if stamp is None and is_plain and clock and (kernel := dicom_kernel.compiled) is not None:
            stamp = kernel.moment(day, clock, self.zone.hours, Stamp)
            if stamp is not None:
                _remember(self.moments, (day, clock), stamp)
        if stamp is None:
            n_defects = len(self.defects)
            try:
                stamp = parse_da_tm(self.text(day), self.text(clock) if clock else "", self.zone)
            except BadTime as error:
                self.defect(date, str(error))
                return None
            if is_plain and n_defects == len(self.defects):
                _remember(self.moments, (day, clock), stamp)
        return stamp

    def at(self, dataset: Dataset, date: int, time: int) -> datetime | None:
        """The UTC instant of a DA and a TM element; None where they name no instant."""
        stamp = self.moment(dataset, date, time)
        return stamp.at if stamp else None

    def instants(self, dataset: Dataset, pairs: tuple[tuple[int, int], ...]) -> list[datetime | None]:
        """`at` of each pair of tags."""
        if (kernel := dicom_kernel.compiled) is not None and self.is_plain:
            told: list[datetime | None] | None = kernel.instants(dataset, pairs, self.zone.hours)
            if told is not None:
                return told
        return [self.at(dataset, *pair) for pair in pairs]

    def within(self, item: Dataset) -> Header:
        """The header for reading `item`, which may have a character set of its own."""
        own = item.get(CHARSET)
        if own is None:
            return self
        inner = Header(self.meta, self.dataset, self.site, self.position, big=self.is_big)
        inner.defects, inner.zone, inner.common, inner.moments = self.defects, self.zone, self.common, self.moments
        inner.charset, inner.is_plain, inner.codec = _decoder(own)
        return inner


def hashed(uid: str) -> str:
    """SOP instances are stored by hash: the first 32 hex digits of SHA-256."""
    return sha256(uid.encode()).hexdigest()[:32]


def items(dataset: Dataset, tag: int) -> list[Dataset]:
    """Items of a sequence, none where it is absent."""
    found = dataset.get(tag)
    return found if isinstance(found, list) else []


_STRUCTS = {False: (Struct("<H").unpack, Struct("<d").unpack), True: (Struct(">H").unpack, Struct(">d").unpack)}
#: Backslash, caret and equals sign: where code extensions fall back to the first set (PS3.5 6.1.2.5.3).
_DELIMITERS = {0x5C, 0x5E, 0x3D}
Decoder = Callable[[bytes], tuple[str, bool]]


#: Images of a series share most of their times. A time that was read without a defect is the same in the same zone,
#: whatever single character set its file names: only ASCII octets give one.
Moments = dict[Any, Stamp]
MOST_MOMENTS = 4096


@lru_cache(maxsize=64)
def _moments_of(_zone: Zone) -> Moments:
    """Times read before in a zone: text of a DT, or octets of a DA and a TM -> stamp."""
    return {}


def _remember(moments: Moments, key: Any, stamp: Stamp) -> None:
    if len(moments) >= MOST_MOMENTS:
        moments.clear()
    moments[key] = stamp


def _offset(text: str) -> Any:
    if len(text) != 5 or text[0] not in "+-" or not (text.isascii() and text[1:].isdigit()):
        raise BadTime("not an offset")
    return offset_zone(text)


def _decoder(stated: Any) -> tuple[Decoder, bool, int]:
    return _decoder_of(stated if isinstance(stated, bytes) else b"")


@lru_cache(maxsize=256)
def _decoder_of(stated: bytes) -> tuple[Decoder, bool, int]:
    """bytes -> (text, was it in the character set?) for a value of (0008,0005); and whether ASCII octets are ASCII.

    Last, what the compiled twin may decode itself: 0 nothing, 1 ASCII, 2 Latin-1, 3 UTF-8.
    """
    terms = [term.strip(" \0") for term in stated.decode("latin-1").split("\\")]
    codec = CODECS.get(terms[0]) if len(terms) == 1 else None
    if codec is None:
        return _extended(terms), False, 0

    def decode(raw: bytes) -> tuple[str, bool]:
        try:
            return str(raw, codec).strip(" \0"), True
        except UnicodeDecodeError:
            return str(raw, "latin-1").strip(" \0"), False

    return decode, True, {"latin-1": 2, "utf-8": 3}.get(codec, 1)


def _extended(terms: list[str]) -> Decoder:
    """Code extensions by ISO 2022 (PS3.5 6.1.2.5), as pydicom reads them; unknown terms decode as Latin-1, flagged."""

    def decode(raw: Any) -> tuple[str, bool]:
        if not isinstance(raw, bytes):  # a sequence
            return "", True
        if raw.isascii() and ESCAPE not in raw:
            return str(raw, "ascii").strip(" \0"), True
        from pydicom.charset import convert_encodings, decode_bytes  # noqa: PLC0415 - seldom needed, slow to import

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                encodings = convert_encodings(terms)
                return decode_bytes(raw, encodings, _DELIMITERS).strip(" \0"), True
            except (LookupError, UnicodeError, UserWarning, ValueError):
                return str(raw, "latin-1").strip(" \0"), False

    return decode
