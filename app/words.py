"""Numbers and times in words for people: one place, so that a value reads the same in a sentence, a table and a tip."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from app.texts import text
from sql.catalog import PERCENTILES

NO_VALUE = "–"
THIN = "\u202f"  # narrow no-break space between a number and its unit
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def minutes(value: float) -> str:
    """A length in minutes, in the two units that matter: 42 min, 3 h 05, 2 d 4 h."""
    sign, whole = ("−" if value < -0.5 else ""), round(abs(value))
    if whole < 90:
        return f"{sign}{whole}{THIN}min"
    if whole < 48 * 60:
        return f"{sign}{whole // 60}{THIN}h{THIN}{whole % 60:02d}"
    days, hours = divmod(round(whole / 60), 24)
    return f"{sign}{days}{THIN}d" + (f"{THIN}{hours}{THIN}h" if hours else "")


def share(value: float) -> str:
    """A share of one as per cent."""
    return f"{value * 100:.1f}{THIN}%".replace("-", "−")


def count(value: float) -> str:
    """A whole number with thousands apart."""
    return f"{value:,.0f}".replace("-", "−")


def decimal(value: float) -> str:
    """A number with two decimals below ten, one below a hundred, none from there on."""
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f}".replace("-", "−")


def hours(value: float) -> str:
    """A length in hours."""
    return minutes(value * 60)


def days(value: int | None) -> str:
    """A length in whole days; a dash where there is none."""
    return NO_VALUE if value is None else f"{value}{THIN}d"


def day_lengths(value: float) -> str:
    """A length given in days, in the units that matter."""
    return minutes(value * 1440)


#: Unit of a metric -> its writer. What is not listed is a decimal with its unit.
_UNITS: dict[str, Callable[[float], str]] = {
    "min": minutes, "share": share, "exams": count, "reads": count, "h": hours, "d": day_lengths, "images": count,
}  # fmt: skip


def value(number: float | None, unit: str) -> str:
    """A metric's value with its unit; a dash where there is none."""
    if number is None:
        return NO_VALUE
    return _UNITS[unit](number) if unit in _UNITS else f"{decimal(number)}{THIN}{unit}"


def plain(number: float | None) -> str:
    """A number whose unit stands in the heading; a dash where there is none."""
    return NO_VALUE if number is None else decimal(number)


def delta(number: float | None, unit: str) -> str:
    """A change with its sign, which what rounds to nothing does not have; shares in points."""
    if number is None:
        return NO_VALUE
    told, nothing = (f"{n * 100:.1f}{THIN}pt" if unit == "share" else value(n, unit) for n in (abs(number), 0.0))
    sign = "" if told == nothing else "+" if number > 0 else "−"
    return sign + told


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
