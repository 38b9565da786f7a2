"""The only parser of times. A value keeps its precision; a date alone never becomes midnight.

HL7 v2 DTM (chapter 2A), DICOM DA/TM/DT (PS3.5 section 6.2) and FHIR dateTime become a `Stamp`. An offset in the value
wins; else the message's default offset; else the facility's zone. The repeated autumn hour is read as its
first occurrence, the skipped spring hour with the offset before the change; both are flagged in `zone_source`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Precision = Literal["year", "month", "day", "hour", "minute", "second", "fraction"]
ZoneSource = Literal["offset", "message", "facility", "facility_fold", "facility_gap", "assumed"]


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a value without an offset was written: `source` says why this zone is used."""

    tz: tzinfo
    source: Literal["message", "facility", "assumed"]
    #: Wall clock hours (YYYYMMDDHH) that have one offset from end to end -> the offset and why; None where they have
    #: not. Filled by `parse_dtm`.
    hours: dict[str, tuple[timedelta, ZoneSource] | None] = field(default_factory=dict, compare=False, repr=False)


class Stamp(NamedTuple):
    """A parsed time. `at` is the UTC instant without tzinfo, None where precision is day or coarser."""

    at: datetime | None
    precision: Precision
    zone_source: ZoneSource
    local: datetime


class BadTime(ValueError):
    """The text is not a time of its type. Carries no value."""


_DTM = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6})\d*)?)?)?)?)?)?([+-]\d{4})?\Z",
    re.ASCII,
)
_TM = re.compile(r"(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?)?([+-]\d{4})?\Z", re.ASCII)
_FHIR = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?)?)?)?(Z|[+-]\d\d:\d\d)?\Z",
    re.ASCII,
)
_PRECISIONS: tuple[Precision, ...] = ("year", "month", "day", "hour", "minute", "second", "fraction")


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """The rules of an IANA zone as the pinned tzdata package has them. Raises ZoneInfoNotFoundError.

    Those of the machine may be years older than the engine's, and then Python and SQL would not agree.
    """
    path = files("tzdata.zoneinfo").joinpath(*name.split("/"))
    if not name or not {*name.split("/")}.isdisjoint({"", ".", ".."}) or not path.is_file():
        raise ZoneInfoNotFoundError(name)
    with path.open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def utc_zone(name: str, source: Literal["message", "facility", "assumed"]) -> Zone:
    """Zone of an IANA name."""
    return Zone(zone_info(name), source)


@lru_cache(maxsize=256)
def offset_zone(text: str) -> tzinfo:
    """tzinfo of `+HHMM`, `+HH:MM` or `Z`; raises BadTime beyond 14 hours."""
    if text == "Z":
        return UTC
    digits = text.replace(":", "")
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    if int(digits[3:5]) > 59 or minutes > 14 * 60:
        raise BadTime("offset out of range")
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


@lru_cache(maxsize=256)
def _ahead(offset: str) -> timedelta:
    """How far an offset is ahead of UTC; raises BadTime beyond 14 hours."""
    ahead = offset_zone(offset).utcoffset(None)
    assert ahead is not None  # noqa: S101 - an offset always answers
    return ahead


def _stamp(parts: tuple[str | None, ...], offset: str | None, zone: Zone) -> Stamp:
    year, month, day, hour, minute, second, fraction = parts
    if second is not None and int(second) > 60:
        raise BadTime("second out of range")
    try:
        local = datetime(
            int(year or 0), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
            min(int(second or 0), 59), int((fraction or "0").ljust(6, "0")),
        )  # fmt: skip
    except ValueError as error:
        raise BadTime("not a date") from error
    return _placed(local, sum(part is not None for part in parts), offset, zone)


def _placed(local: datetime, depth: int, offset: str | None, zone: Zone) -> Stamp:
    precision = _PRECISIONS[depth - 1]
    if offset is not None:
        source: ZoneSource = "offset"
        ahead = offset_zone(offset).utcoffset(None)
    else:
        source, ahead = _in_zone(local, zone)
    if depth < 4:
        return Stamp(None, precision, source, local)
    assert ahead is not None  # noqa: S101 - zones of IANA and of offsets always answer
    try:
        return Stamp(local - ahead, precision, source, local)
    except OverflowError as error:
        raise BadTime("not a date") from error


def _in_zone(local: datetime, zone: Zone) -> tuple[ZoneSource, timedelta | None]:
    """Why the zone is used, and how far it is ahead of UTC at `local`, of two answers the first."""
    before = zone.tz.utcoffset(local)
    if zone.source == "message":
        return "message", before
    after = zone.tz.utcoffset(local.replace(fold=1))
    if before == after:
        return zone.source, before
    assert before is not None  # noqa: S101 - ZoneInfo always answers
    assert after is not None  # noqa: S101
    return ("facility_fold" if before > after else "facility_gap"), before


#: Hours that a zone remembers.
MAX_HOURS = 4096


def _hour(text: str, zone: Zone) -> tuple[timedelta, ZoneSource] | None:
    """Offset and source of every time in the wall clock hour YYYYMMDDHH; None where they are not the same. ValueError.

    No zone changes twice within an hour, so its ends tell.
    """
    starts = datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    ends = starts + timedelta(minutes=59, seconds=59)
    source, ahead = _in_zone(starts, zone)
    is_whole = (source, ahead) == _in_zone(ends, zone) and source in ("message", zone.source)
    if len(zone.hours) >= MAX_HOURS:
        zone.hours.clear()
    found = zone.hours[text] = (ahead, source) if is_whole and ahead is not None else None
    return found


def _plain(text: str, zone: Zone) -> Stamp | None:
    """A time of 14 or 12 digits, nearly every one of HL7, read without the pattern; None where that is not enough."""
    try:
        local = datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
        return _at_hour(local, text[:10], 6 if len(text) == 14 else 5, zone)
    except (ValueError, OverflowError):
        return None  # second 60, or not a date: the pattern tells which


def _at_hour(local: datetime, hour: str, depth: int, zone: Zone) -> Stamp:
    """A time without offset in the wall clock hour YYYYMMDDHH. ValueError, OverflowError."""
    known = zone.hours[hour] if hour in zone.hours else _hour(hour, zone)
    if known is None:
        return _placed(local, depth, None, zone)
    return Stamp(local - known[0], _PRECISIONS[depth - 1], known[1], local)


def parse_dtm(text: str, zone: Zone) -> Stamp:
    """HL7 DTM/TS or DICOM DT: YYYY[MM[DD[HH[MM[SS[.F]]]]]][+ZZZZ]. Raises BadTime."""
    text = text.strip()
    if len(text) in (14, 12) and text.isascii() and text.isdigit():
        stamp = _plain(text, zone)
        if stamp is not None:
            return stamp
    elif len(text) == 19 and text[14] in "+-" and text.isascii() and text[:14].isdigit() and text[15:].isdigit():
        try:
            local = datetime.fromisoformat(f"{text[:8]}T{text[8:14]}")
            return Stamp(local - _ahead(text[14:]), "second", "offset", local)
        except OverflowError as error:
            raise BadTime("not a date") from error
        except ValueError:
            pass  # second 60, or not a date: the pattern tells which
    match = _DTM.match(text)
    if match is None:
        raise BadTime("not a time")
    return _stamp(match.groups()[:7], match.group(8), zone)


#: Octets of HHMMSS, HHMMSS.FFF and HHMMSS.FFFFFF -> parts of the time that they state.
_PLAIN_TM = {6: 6, 10: 7, 13: 7}


def _is_fraction(text: str) -> bool:
    return text[0] == "." and text[1:].isdigit()


def parse_da_tm(date: str, time: str, zone: Zone) -> Stamp:
    """DICOM DA with TM (old forms YYYY.MM.DD and HH:MM:SS tolerated). An empty TM leaves a date. Raises BadTime."""
    depth = _PLAIN_TM.get(len(time))
    if depth and len(date) == 8 and date.isdigit() and time[:6].isdigit() and (depth == 6 or _is_fraction(time[6:])):
        try:  # nearly every time: read without the pattern
            return _at_hour(datetime.fromisoformat(f"{date}T{time}"), date + time[:2], depth, zone)
        except (ValueError, OverflowError):
            pass  # second 60, or not a date: the pattern tells which
    day = date.strip().replace(".", "") if "." in date else date.strip()
    if not re.fullmatch(r"\d{8}", day, re.ASCII):
        raise BadTime("not a date")
    ymd = (day[:4], day[4:6], day[6:8])
    clock = time.strip().replace(":", "")
    if not clock:
        return _stamp((*ymd, None, None, None, None), None, zone)
    match = _TM.match(clock)
    if match is None:
        raise BadTime("not a time of day")
    return _stamp((*ymd, *match.groups()[:4]), match.group(5), zone)


def parse_fhir(text: str, zone: Zone) -> Stamp:
    """FHIR date, dateTime or instant (R4 2.24.0.1). Raises BadTime."""
    match = _FHIR.match(text.strip())
    if match is None:
        raise BadTime("not a time")
    return _stamp(match.groups()[:7], match.group(8), zone)
