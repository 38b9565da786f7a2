"""DICOM data sets as bytes: little endian, explicit or implicit VR, and the Part 10 frame (PS3.5 chapter 7, PS3.10).

Data sets are mappings of keyword to value. `encode` gives each element's bytes by tag, so that what stays the same for
a device or an exam is encoded once and joined with the rest by `join`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

EXPLICIT_LE, IMPLICIT_LE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
IMPLEMENTATION_UID, IMPLEMENTATION = "2.25.190463077260516327149", "RADOPSSIM_1"
#: VRs with two reserved octets and a 32-bit length (PS3.5 table 7.1-1), of those used here.
_LONG = frozenset({"OB", "SQ", "UT"})
_NUMBERS = {"US": Struct("<H"), "UL": Struct("<I"), "FD": Struct("<d"), "FL": Struct("<f")}
#: VRs whose text follows Specific Character Set (PS3.5 6.1.2.2).
_LOCAL_TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UT"})
_SHORT_HEAD, _LONG_HEAD, _IMPLICIT_HEAD = Struct("<HH2sH"), Struct("<HH2sxxI"), Struct("<HHI")
_ITEM, _ITEM_END, _SEQUENCE_END = (
    _IMPLICIT_HEAD.pack(0xFFFE, element, size) for element, size in ((0xE000, 0xFFFFFFFF), (0xE00D, 0), (0xE0DD, 0))
)

Fields = Mapping[str, Any]
Encoded = dict[int, bytes]


@lru_cache(maxsize=1024)
def _entry(keyword: str) -> tuple[int, str]:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag, dictionary_VR(tag)


def join(*parts: Encoded) -> bytes:
    """A data set of elements in tag order; a later part replaces elements of an earlier one."""
    merged: Encoded = {}
    for part in parts:
        merged.update(part)
    return b"".join([merged[tag] for tag in sorted(merged)])


@dataclass(frozen=True, slots=True)
class Encoder:
    """One way to encode. `codec` is Python's name of the character set; `is_open` writes lengths as undefined."""

    is_implicit: bool = False
    codec: str = "ascii"
    is_open: bool = False

    @property
    def transfer_syntax(self) -> str:
        """Its UID."""
        return IMPLICIT_LE if self.is_implicit else EXPLICIT_LE

    def encode(self, fields: Fields) -> Encoded:
        """Elements by tag. None: no element; '': an empty one; a tuple: several values; a list of mappings: items."""
        return dict(self._element(keyword, value) for keyword, value in fields.items() if value is not None)

    def dataset(self, fields: Fields) -> bytes:
        """A whole data set."""
        return join(self.encode(fields))

    def _element(self, keyword: str, value: Any) -> tuple[int, bytes]:
        tag, vr = _entry(keyword)
        data = self._value(vr, value)
        group, element, is_open = tag >> 16, tag & 0xFFFF, vr == "SQ" and self.is_open
        size = 0xFFFFFFFF if is_open else len(data)
        if self.is_implicit:
            head = _IMPLICIT_HEAD.pack(group, element, size)
        elif vr in _LONG:
            head = _LONG_HEAD.pack(group, element, vr.encode(), size)
        else:
            head = _SHORT_HEAD.pack(group, element, vr.encode(), size)
        return tag, head + data + (_SEQUENCE_END if is_open else b"")

    def _value(self, vr: str, value: Any) -> bytes:
        if vr == "SQ":
            return b"".join(self._item(self.dataset(item)) for item in value)
        if isinstance(value, bytes):
            return value
        if vr in _NUMBERS:
            return _NUMBERS[vr].pack(value)
        text = "\\".join(map(str, value)) if isinstance(value, tuple) else str(value)
        data = text.encode(self.codec if vr in _LOCAL_TEXT else "ascii")
        return data + (b"\0" if vr == "UI" else b" ") if len(data) % 2 else data

    def _item(self, data: bytes) -> bytes:
        if self.is_open:
            return _ITEM + data + _ITEM_END
        return _IMPLICIT_HEAD.pack(0xFFFE, 0xE000, len(data)) + data


_META = Encoder()


@lru_cache(maxsize=4096)
def _meta_parts(sop_class: str, transfer_syntax: str, source_ae: str) -> tuple[bytes, bytes]:
    before = _META.dataset({"FileMetaInformationVersion": b"\0\1", "MediaStorageSOPClassUID": sop_class})
    after = _META.dataset({
        "TransferSyntaxUID": transfer_syntax, "ImplementationClassUID": IMPLEMENTATION_UID,
        "ImplementationVersionName": IMPLEMENTATION, "SourceApplicationEntityTitle": source_ae,
    })  # fmt: skip
    return before, after


def part10(sop_class: str, sop_uid: str, transfer_syntax: str, source_ae: str, dataset: bytes) -> bytes:
    """A file: preamble, prefix, file meta information (PS3.10 7.1) and the data set."""
    before, after = _meta_parts(sop_class, transfer_syntax, source_ae)
    meta = before + _META.dataset({"MediaStorageSOPInstanceUID": sop_uid}) + after
    length = _META.dataset({"FileMetaInformationGroupLength": len(meta)})
    return b"\0" * 128 + b"DICM" + length + meta + dataset
