"""How each sending system writes HL7: version, character set, time form, delimiters. One row a system.

`Dialect.recorded` is the instant that a careful reader can get back from what `Dialect.time` writes: a minute where the
sender writes minutes, and the first of the two repeated autumn hours where it writes no offset.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zlib import crc32

from sample_data.network import Network, offset_text


@dataclass(frozen=True, slots=True)
class Dialect:
    """One sending system. `order` is MSH-9 of its orders; `is_251`: imaging facts in IPC and TQ1, else OBR and ZDS."""

    app: str
    sending: str
    facility: str
    version: str
    order: str
    charset: str = ""  # MSH-18
    codec: str = "ascii"
    has_offset: bool = False  # MSH-7 carries the offset that all its fields are written in
    writes_seconds: bool = True
    filler_namespace: str = ""
    pv1_facility: str = ""
    delimiters: str = "|^~\\&"

    @property
    def is_251(self) -> bool:
        """Version 2.5.1 with IPC and TQ1."""
        return self.version == "2.5.1"


_RIS = (
    Dialect(
        "RISB", "NORTH", "NORTH", "2.5.1", "OMI^O23^OMI_O23", "UNICODE UTF-8", "utf-8", True, True, "RISN", "NORTH"
    ),
    Dialect("RISA", "EASTFIELD", "EAST", "2.3.1", "ORM^O01", "", "ascii", False, False, "RISA", ""),
    Dialect("RISB", "WEST", "WEST", "2.5.1", "OMI^O23^OMI_O23", "8859/1", "latin-1", False, True, "RISW", "WLIC"),
)
RIS = {d.facility: d for d in _RIS}
#: The dictation system of EAST writes its own delimiters.
DICTATION = Dialect(
    "DICTA", "EASTFIELD", "EAST", "2.3.1", "", writes_seconds=False, filler_namespace="RISA", delimiters="#*~\\&"
)
#: One billing office serves all facilities, also the one that otherwise speaks FHIR.
BILLING = {
    f: Dialect("BILLNET", f, f, "2.5.1", "", filler_namespace=n, pv1_facility=f)
    for f, n in (("NORTH", "RISN"), ("EAST", "RISA"), ("WEST", "RISW"), ("SOUTH", "RISS"))
}
ADMISSION = {
    "NORTH": Dialect("HIS", "NORTH", "NORTH", "2.5.1", "", "UNICODE UTF-8", "utf-8", True, True, "RISN", "NORTH"),
    "EAST": Dialect("HIS", "EASTFIELD", "EAST", "2.3.1", "", writes_seconds=False, filler_namespace="RISA"),
    "WEST": Dialect(
        "HIS", "WEST", "WEST", "2.5.1", "", "8859/1", "latin-1", filler_namespace="RISW", pv1_facility="WLIC"
    ),
}
LABORATORY = Dialect("LAB", "NORTH", "NORTH", "2.5.1", "", filler_namespace="LAB", pv1_facility="NORTH")


def first_occurrence(network: Network, facility: str, at: datetime) -> datetime:
    """The instant that a wall clock without offset means to a reader: a repeated hour is its first occurrence."""
    wall = network.local(facility, at).replace(tzinfo=network.zones[facility], fold=0)
    return wall.astimezone(UTC).replace(tzinfo=None)


def is_near_change(at: datetime) -> bool:
    """Only November nights can be ambiguous in the zones used here; saves the exact work for all other times."""
    return at.month == 11 and at.day < 8


class Writer:
    """Writes the times of one message: the offset of a message is that of its MSH-7."""

    def __init__(self, network: Network, dialect: Dialect, sent_at: datetime) -> None:
        self.network, self.dialect, self.sent_at = network, dialect, sent_at
        offset = network.offset(dialect.facility, sent_at)
        self.offset: timedelta | None = offset if dialect.has_offset else None
        wall = network.local(dialect.facility, sent_at)
        self.header_time = wall.strftime("%Y%m%d%H%M%S") + (offset_text(offset) if dialect.has_offset else "")

    def time(self, at: datetime | None) -> str:
        """A time field; '' for None."""
        if at is None:
            return ""
        wall = at + self.offset if self.offset is not None else self.network.local(self.dialect.facility, at)
        text = f"{wall.year:04d}{wall.month:02d}{wall.day:02d}{wall.hour:02d}{wall.minute:02d}"
        return f"{text}{wall.second:02d}" if self.dialect.writes_seconds else text

    def text(self, value: str) -> str:
        """A value with the delimiters escaped (2.7.1)."""
        for mark, letter in (("\\", "E"), ("|", "F"), ("^", "S"), ("~", "R"), ("&", "T")):
            if mark in value:
                value = value.replace(mark, f"\\{letter}\\")
        return value

    def finish(self, segments: list[str]) -> bytes:
        """Bytes of the message in the sender's delimiters and character set; segments end with CR."""
        text = "\r".join(segments) + "\r"
        if self.dialect.delimiters != "|^~\\&":
            text = text.translate(str.maketrans("|^~\\&", self.dialect.delimiters))
        if self.dialect.codec == "ascii":
            text = unicodedata.normalize("NFKD", text)
            return text.encode("ascii", "ignore")
        return text.encode(self.dialect.codec)


def recorded(network: Network, dialect: Dialect, at: datetime | None, *, is_header: bool = False) -> datetime | None:
    """`at` as it can be read back from a field of the dialect, or from MSH-7 (`is_header`, always with seconds)."""
    if at is None:
        return None
    if not dialect.writes_seconds and not is_header:
        at = at.replace(second=0)
    if dialect.has_offset or not is_near_change(at):
        return at
    return first_occurrence(network, dialect.facility, at)


def chance(key: str, one_in: int) -> bool:
    """True for one key in so many, always the same ones."""
    return crc32(key.encode()) % one_in == 0


def delay(key: str, least: int, most: int) -> timedelta:
    """Seconds in [least, most) that belong to a key, always the same."""
    return timedelta(seconds=least + crc32(f"delay{key}".encode()) % (most - least))


def typed_at(exam_placer: str, status: str, at: datetime | None) -> datetime | None:
    """When the status of an exam was really entered in the RIS: some minutes late for start and end."""
    if at is None or status not in ("exam_started", "exam_ended"):
        return at
    return at + delay(f"{exam_placer}{status}", 10, 240)
