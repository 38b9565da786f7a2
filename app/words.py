"""Numbers and times in words for people: one place, so that a value reads the same in a sentence, a table and a tip."""

from __future__ import annotations

from datetime import date, datetime

from app.texts import text
from sql.catalog import PERCENTILES
from sql.written import NO_VALUE, THIN, count, day_lengths, decimal, delta, hours, minutes, share, value

__all__ = [
    "NO_VALUE", "THIN", "WEEKDAYS", "clock", "count", "day", "day_lengths", "days", "decimal", "delta", "group",
    "hours", "instant", "minutes", "plain", "share", "size", "statistic", "value",
]  # fmt: skip

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def days(value: int | None) -> str:
    """A length in whole days; a dash where there is none."""
    return NO_VALUE if value is None else f"{value}{THIN}d"


def plain(number: float | None) -> str:
    """A number whose unit stands in the heading; a dash where there is none."""
    return NO_VALUE if number is None else decimal(number)


def size(number: float, unit: str) -> str:
    """How large a change is, without its sign; shares in points."""
    return delta(abs(number), unit).removeprefix("+")


def day(on: date) -> str:
    """A day."""
    return f"{on.day} {on:%b %Y}"


def instant(at: datetime) -> str:
    """A UTC instant, to the minute."""
    return f"{at.day} {at:%b %Y %H:%M} UTC"


def clock(at: datetime | None) -> str:
    """A wall-clock time, to the minute."""
    return NO_VALUE if at is None else f"{at.day} {at:%b %H:%M}"


def statistic(name: str) -> str:
    """A statistic; choices of single metrics go by their own names."""
    known = {key: text(f"stat.{key}") for key in ("value", *PERCENTILES, "waiting", "past_target")}
    return known.get(name, name.replace("_", " "))


def group(name: str, text: str) -> str:
    """A group's value as people write it: weekdays by name, hours as clock time."""
    if name == "weekday" and text.isdigit():
        return WEEKDAYS[int(text) - 1]
    if name == "hour" and text.isdigit():
        return f"{int(text):02d}:00"
    return text
