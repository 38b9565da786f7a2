"""Times: HL7 DTM to UTC instants, and back to the wall clock. A date alone is known to the day and is no instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

LENGTHS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


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
    tz = rules(zone)
    offsets = []
    for hours in (-36, 36):
        moment = (wall + timedelta(hours=hours)).replace(tzinfo=UTC)
        offsets.append(moment.astimezone(tz).utcoffset() or timedelta(0))
    fitting = sorted({wall - offset for offset in offsets if to_wall(wall - offset, zone) == wall})
    if not fitting:  # skipped: read with the offset before the change
        return Stamp(wall - offsets[0], "gap")
    return Stamp(fitting[0], "fold" if len(fitting) > 1 else "")  # repeated: the first occurrence


def to_wall(at: datetime, zone: str) -> datetime:
    return at.replace(tzinfo=UTC).astimezone(rules(zone)).replace(tzinfo=None, fold=0)


def offset_of(text: str) -> timezone | None:
    """The offset at the end of a DTM, if there is one."""
    if len(text) < 5 or text[-5] not in "+-":
        return None
    minutes = int(text[-4:-2]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[-5] == "-" else minutes))


def stamp(text: str, zone: str | timezone) -> Stamp | None:
    """A DTM without an offset is read in `zone`; None where there is no value or it is no time."""
    offset = offset_of(text)
    digits = (text[:-5] if offset else text).partition(".")[0]
    if len(digits) not in LENGTHS or not digits.isdigit():
        return None
    try:
        wall = datetime.strptime(digits, LENGTHS[len(digits)])
    except ValueError:
        return None
    if len(digits) <= 8:
        return Stamp(None)
    place = offset or zone
    if isinstance(place, str):
        return to_utc(wall, place)
    return Stamp(wall.replace(tzinfo=place).astimezone(UTC).replace(tzinfo=None))


def minutes(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else (until - since).total_seconds() / 60
