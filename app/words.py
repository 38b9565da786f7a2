"""Numbers and times in words for people: one place, so that a value reads the same in a sentence, a table and a tip."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.texts import TEXTS, text
from sql.clock_filters import KNOWN, is_known, said_value
from sql.filters import NO_VALUE as MISSING
from sql.words import ENGLISH, language, said
from sql.words.dates import day, day_time, long_day, month, short_day, weekday, weekday_day
from sql.written import NO_VALUE, THIN, count, day_lengths, decimal, delta, hours, minutes, share, signs, value

__all__ = [
    "NO_VALUE", "THIN", "clock", "count", "day", "day_lengths", "days", "decimal", "delta", "group", "hours", "instant",
    "long_day", "minutes", "month", "named", "plain", "said", "share", "short", "short_day", "signs", "size",
    "statistic", "told", "unit", "value", "weekday", "weekday_day", "within",
]  # fmt: skip


def days(value: int | None) -> str:
    """A length in whole days; a dash where there is none."""
    return NO_VALUE if value is None else f"{value}{THIN}d"


def short(minutes_left: float) -> str:
    """A length that counts down or up: what rounds to nothing is under a minute, and not none."""
    return minutes(minutes_left) if round(minutes_left) else f"<{THIN}{minutes(1)}"


def plain(number: float | None) -> str:
    """A number whose unit stands in the heading; a dash where there is none."""
    return NO_VALUE if number is None else decimal(number)


def size(number: float, unit: str) -> str:
    """How large a change is, without its sign; shares in points."""
    return delta(abs(number), unit).removeprefix("+")


def instant(at: datetime) -> str:
    """A UTC instant, to the minute."""
    return f"{day(at)} {at:%H:%M} UTC"


def clock(at: datetime | None) -> str:
    """A wall-clock time, to the minute."""
    return NO_VALUE if at is None else day_time(at)


def statistic(name: str) -> str:
    """A statistic; choices of single metrics go by their own names."""
    key = f"stat.{name}"
    return text(key) if key in TEXTS else name.replace("_", " ")


def unit(name: str) -> str:
    """A unit beside a name or an axis."""
    return said(name)


def told(name: str) -> str:
    """A word of the data that names a reason or a part, as people read it."""
    return said(name.replace("_", " "))


def named(name: str, value: str, names: Mapping[str, str]) -> str:
    """A group's value by its own name where it has one, else as people write it."""
    found = names.get(value)
    if found is None:
        return group(name, value)
    if name == "radiologist":  # a word for the role and a pseudonym
        role, blank, key = found.partition(" ")
        return said(role) + blank + key
    return found


def within(name: str) -> str:
    """A name in the middle of a sentence: small in English, as it is in languages with large nouns."""
    return name.lower() if language() == ENGLISH else name


def group(name: str, value: str) -> str:
    """A group's value as people write it: weekdays by name, hours as clock time, priorities in words."""
    if value == MISSING:
        return text("value.none")
    if name == "weekday" and value.isdigit():
        return weekday(int(value))
    if name in KNOWN and is_known(name, value):
        return said_value(name, value)
    key = f"value.{name}.{value}"
    return text(key) if key in TEXTS else value
