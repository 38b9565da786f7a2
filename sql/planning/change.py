"""One change of a department as a small record, written `kind:key=value,key=value` in addresses and commands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sql.filters import FilterError
from sql.words import said

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
DAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_HOURS = re.compile(r"(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?")


class ChangeError(FilterError):
    """A change that cannot be understood; names the part, and is safe to show."""


class Kind(NamedTuple):
    """A kind of change: what it needs, what it may have, and its sentence over the words of the keys."""

    needs: tuple[str, ...]
    takes: tuple[str, ...]
    sentence: str


#: Every kind of change. `hours` are wall clock (17-22, 22:30-8 runs into the next day), `weekdays` ISO digits.
KINDS: dict[str, Kind] = {
    "add_reader": Kind(("hours",), ("weekdays", "facility"), "One more radiologist {hours} h{weekdays}{facility}"),
    "add_device": Kind(("modality", "facility", "hours"), ("weekdays",),
                       "A second {modality} at {facility} {hours} h{weekdays}"),
    "route": Kind(("facility", "to"), ("modality", "region", "service_line"),
                  "{what} of {facility} read by the readers of {to}"),
    "send": Kind(("facility", "to", "modality"), ("weekdays",),
                 "{modality} patients of {facility} examined at {to}{weekdays}"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One change; minutes are after local midnight, `until_min` may pass 1440. Empty text means any."""

    kind: str
    facility: str = ""
    to: str = ""
    modality: str = ""
    region: str = ""
    service_line: str = ""
    weekdays: tuple[int, ...] = EVERY_DAY
    from_min: int = 0
    until_min: int = 1440

    @classmethod
    def parse(cls, text: str) -> Change:
        """The change that `str` writes. Raises ChangeError."""
        kind, _, rest = text.strip().partition(":")
        pairs = [part.partition("=") for part in rest.split(",") if part.strip()]
        values = {key.strip(): value.strip() for key, _, value in pairs}
        known = KINDS.get(kind)
        if known is None:
            raise ChangeError(f"a change is one of {', '.join(KINDS)}")
        if wrong := [key for key in values if key not in (*known.needs, *known.takes)]:
            raise ChangeError(f"{kind} has no {', '.join(wrong)}")
        if missing := [key for key in known.needs if not values.get(key)]:
            raise ChangeError(f"{kind} needs {', '.join(missing)}")
        texts = {key: value for key, value in values.items() if key not in ("hours", "weekdays")}
        begin, end = _hours(values.get("hours", "0-24"))
        change = cls(kind, **texts, weekdays=_weekdays(values.get("weekdays", "")), from_min=begin, until_min=end)
        if change.to and change.to == change.facility:
            raise ChangeError(f"{kind} needs two facilities")
        return change

    def __str__(self) -> str:
        known = KINDS[self.kind]
        written = {"hours": f"{_clock(self.from_min)}-{_clock(self.until_min)}",
                   "weekdays": "" if self.weekdays == EVERY_DAY else "".join(map(str, self.weekdays))}  # fmt: skip
        values = {key: written[key] if key in written else getattr(self, key) for key in (*known.needs, *known.takes)}
        return f"{self.kind}:" + ",".join(f"{key}={value}" for key, value in values.items() if value)

    def sentence(self, names: Mapping[str, str] | None = None) -> str:
        """The change in words; `names` are those of facilities by their ids."""
        named = {key: (names or {}).get(getattr(self, key), getattr(self, key)) for key in ("facility", "to")}
        what = " ".join(part for part in (self.modality, self.region, self.service_line) if part) or said("all studies")
        days = "" if self.weekdays == EVERY_DAY else said(" on {days}", days=_day_words(self.weekdays))
        place, hours = named["facility"], {"first": _clock(self.from_min), "last": _clock(self.until_min)}
        if self.kind == "add_reader" and self.facility:
            place = said(" for {facility}", facility=place)
        return said(
            KINDS[self.kind].sentence, hours=said("{first} to {last}", **hours), weekdays=days, modality=self.modality,
            facility=place, to=named["to"], what=what,
        )  # fmt: skip


def _hours(text: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ChangeError("hours are written as 17-22 or 7:30-17")
    begin, end = (int(found[n]) * 60 + int(found[n + 1] or 0) for n in (1, 3))
    if begin >= 1440 or end > 1440 or begin == end:
        raise ChangeError("hours are written as 17-22 or 7:30-17")
    return begin, end if end > begin else end + 1440


def _weekdays(text: str) -> tuple[int, ...]:
    if not re.fullmatch("[1-7]*", text):
        raise ChangeError("weekdays are digits, 1 (Monday) to 7")
    return tuple(sorted({int(digit) for digit in text})) or EVERY_DAY


def _clock(minutes: int) -> str:
    hour, minute = divmod(minutes - 1440 if minutes > 1440 else minutes, 60)
    return f"{hour}:{minute:02d}" if minute else str(hour)


def _day_words(days: tuple[int, ...]) -> str:
    return said("weekdays") if days == (1, 2, 3, 4, 5) else ", ".join(said(DAY_NAMES[day - 1]) for day in days)
