"""Days and months in words, by the language of the request; the clock has 24 hours in all of them."""

from __future__ import annotations

from datetime import date, datetime

from sql.words import language

#: Language -> months, and weekdays from Monday on: whole, and short.
MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Dezember"),
}  # fmt: skip
SHORT_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."),
}
WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
SHORT_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}
#: Language -> day with a short month, day with weekday, whole day, month, day without a year.
_DAY = {"en": "{day} {short} {year}", "de": "{day}. {short} {year}"}
_WEEKDAY_DAY = {"en": "{short_weekday} {day} {short} {year}", "de": "{short_weekday}, {day}. {short} {year}"}
_LONG_DAY = {"en": "{weekday} {day} {month} {year}", "de": "{weekday}, {day}. {month} {year}"}
_MONTH = {"en": "{month} {year}", "de": "{month} {year}"}
_SHORT_DAY = {"en": "{day} {short}", "de": "{day}.{number}."}
#: Language -> a day on an axis and in a field of dates, as plotly.js and dayjs write them.
AXIS_DAY = {"en": "%-d %b", "de": "%-d. %b"}
FIELD_DAY = {"en": "D MMM YYYY", "de": "DD.MM.YYYY"}
#: A month on an axis, in any of them.
AXIS_MONTH = "%b %Y"


def _written(form: dict[str, str], on: date) -> str:
    code = language()
    return form[code].format(
        day=on.day, number=on.month, year=on.year, month=MONTHS[code][on.month - 1],
        short=SHORT_MONTHS[code][on.month - 1],
        weekday=WEEKDAYS[code][on.weekday()], short_weekday=SHORT_WEEKDAYS[code][on.weekday()],
    )  # fmt: skip


def day(on: date) -> str:
    """A day: 3 Oct 2026."""
    return _written(_DAY, on)


def weekday_day(on: date) -> str:
    """A day with its weekday: Sat 3 Oct 2026."""
    return _written(_WEEKDAY_DAY, on)


def long_day(on: date) -> str:
    """A day in full: Saturday 3 October 2026."""
    return _written(_LONG_DAY, on)


def month(on: date) -> str:
    """The month of a day: October 2026."""
    return _written(_MONTH, on)


def day_time(at: datetime) -> str:
    """A day without its year, and the time to the minute: 3 Oct 14:05."""
    return f"{short_day(at)} {at:%H:%M}"


def short_day(on: date) -> str:
    """A day without its year: 3 Oct."""
    return _written(_SHORT_DAY, on)


def weekday(number: int) -> str:
    """The short name of a weekday, 1 (Monday) to 7."""
    return SHORT_WEEKDAYS[language()][number - 1]
