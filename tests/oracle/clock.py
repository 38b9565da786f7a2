"""Times: HL7 DTM to UTC instants, and back to the wall clock. A date alone is known to the day and is no instant."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

DTM = re.compile(r"(\d{4}(?:\d\d){0,5})(?:\.\d*)?([+-]\d{4})?")


@dataclass(frozen=True)
class Stamp:
    """`at` is None where the value is a date or less; `flag` is fold or gap where the wall clock was not unique."""

    at: datetime | None
    flag: str = ""


@cache
def rules(zone: str) -> ZoneInfo:
    """Of the newest rules at hand, the tzdata package; a machine's own may be older."""
    with files("tzdata.zoneinfo").joinpath(zone).open("rb") as file:
        return ZoneInfo.from_file(file)


def to_utc(wall: datetime, zone: str) -> Stamp:
    """A wall clock reading in an IANA zone. The offsets of the day before and the day after are all there can be."""
    near = [(wall + timedelta(hours=hours)).replace(tzinfo=UTC).astimezone(rules(zone)) for hours in (-36, 36)]
    offsets = [at.replace(tzinfo=None) - at.astimezone(UTC).replace(tzinfo=None) for at in near]
    fitting = sorted({wall - offset for offset in offsets if to_wall(wall - offset, zone) == wall})
    if not fitting:  # skipped: read with the offset before the change
        return Stamp(wall - offsets[0], "gap")
    return Stamp(fitting[0], "fold" if len(fitting) > 1 else "")  # repeated: the first occurrence


def to_wall(at: datetime, zone: str) -> datetime:
    return at.replace(tzinfo=UTC).astimezone(rules(zone)).replace(tzinfo=None, fold=0)


def offset_of(text: str) -> timezone | None:
    """The offset at the end of a DTM, if there is one."""
    found = DTM.fullmatch(text)
    return datetime.strptime(found[2], "%z").tzinfo if found and found[2] else None


def stamp(text: str, zone: str | timezone) -> Stamp | None:
    """A DTM without an offset is read in `zone`; None where there is no value or it is no time."""
    found = DTM.fullmatch(text)
    try:
        wall = datetime.strptime(found[1], "%Y%m%d%H%M%S"[: len(found[1]) - 2]) if found else None
    except ValueError:
        wall = None
    if not found or not wall or len(found[1]) <= 8:
        return Stamp(None) if wall else None
    place = offset_of(text) or zone
    if isinstance(place, str):
        return to_utc(wall, place)
    return Stamp(wall.replace(tzinfo=place).astimezone(UTC).replace(tzinfo=None))


def minutes(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else (until - since).total_seconds() / 60
