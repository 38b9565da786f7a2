"""Filters on when and how long, as marks of charts have them: weekday, hour of the day, range of a length.

Weekday and hour are those of a number's own clock, as its dates are. A range is of one length of the exam, half-open:
`report_final_min:15-30`, and without an end `report_final_min:2880-`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import Any

from sql.words import language, said
from sql.words.dates import WEEKDAYS
from sql.written import minutes

#: Lengths that an exam has, and their names.
LENGTHS = {
    "order_to_exam_min": "order to begin of exam",
    "wait_min": "wait in the department",
    "exam_duration_min": "length of exam",
    "first_read_min": "exam end to first report",
    "report_final_min": "exam end to final report",
}
_ENDS = r"([0-9]{1,7}(?:\.[0-9]{1,3})?)"
_RANGE = re.compile(rf"({'|'.join(LENGTHS)}):{_ENDS}-{_ENDS}?")
_FORMS = {"weekday": re.compile(r"[1-7]"), "hour": re.compile(r"1?[0-9]|2[0-3]"), "length": _RANGE}
#: Key -> what its values are, for whoever gives another.
KNOWN = {
    "weekday": "weekday is 1 (Monday) to 7",
    "hour": "hour is 0 to 23",
    "length": "length is a length of the exam and a range of minutes, as report_final_min:15-30",
}
_PARTS = {"weekday": "isodow", "hour": "hour"}


def is_known(key: str, value: str) -> bool:
    """Whether a value can be asked for."""
    return _FORMS[key].fullmatch(value) is not None


def order(value: str) -> tuple[int, str]:
    """Order of values: hours and weekdays by number."""
    return (int(value), "") if value.isdecimal() else (0, value)


def range_of(value: str) -> tuple[str, float, float | None]:
    """Length, first minute and the minute behind the last of a range; None where it is open."""
    found = _RANGE.fullmatch(value)
    if found is None:
        raise ValueError(KNOWN["length"])
    name, low, high = found.groups()
    return name, float(low), None if high is None else float(high)


def length_range(name: str, low: float, high: float | None) -> str:
    """The value that asks for a range of a length."""
    return f"{name}:{low:g}-" + ("" if high is None else f"{high:g}")


def said_value(key: str, value: str) -> str:
    """A value in words: Monday; 08:00; exam end to final report from 15 min to 30 min."""
    if key == "weekday":
        return WEEKDAYS[language()][int(value) - 1]
    if key == "hour":
        return f"{int(value):02d}:00"
    name, low, high = range_of(value)
    if high is None:
        return said("{name} of {low} and more", name=said(LENGTHS[name]), low=minutes(low))
    return said("{name} of {low} to {high}", name=said(LENGTHS[name]), low=minutes(low), high=minutes(high))


def clock_sql(key: str, anchor: str, values: tuple[str, ...], params: dict[str, Any]) -> str:
    """Condition on the weekday or hour of a wall-clock column, its values bound."""
    for number, value in enumerate(values):
        params[f"{key}_{number}"] = int(value)
    return f"{_PARTS[key]}({anchor}) IN ({', '.join(f'${key}_{number}' for number in range(len(values)))})"


def length_sql(exam_key: str, values: tuple[str, ...], params: dict[str, Any]) -> str:
    """Condition on a column of keys of exams: those within one of the ranges, their ends bound."""
    parts = []
    for number, value in enumerate(values):
        name, low, high = range_of(value)
        params[f"length_{number}_low"] = low
        parts.append(f"x.{name} >= $length_{number}_low")
        if high is not None:
            params[f"length_{number}_high"] = high
            parts[-1] = f"({parts[-1]} AND x.{name} < $length_{number}_high)"
    return f"{exam_key} IN (SELECT x.exam_key FROM fct_exam x WHERE {' OR '.join(parts)})"


def holds(key: str, row: Mapping[str, Any], at: datetime, values: tuple[str, ...]) -> bool:
    """Whether an exam with its lengths, at a wall-clock time, is one of the values."""
    if key != "length":
        return str(at.isoweekday() if key == "weekday" else at.hour) in values
    ranges = map(range_of, values)
    return any((known := row[name]) is not None and low <= known < (inf if high is None else high)
               for name, low, high in ranges)  # fmt: skip


def macro_sql(key: str) -> str:
    """The same over a row `b` of a metric, of a macro's parameter: a list of values, NULL for all."""
    if key in _PARTS:
        return f"({key} IS NULL OR list_contains({key}, CAST({_PARTS[key]}(b.period_local) AS VARCHAR)))"
    cases = " ".join(f"WHEN '{name}' THEN x.{name}" for name in LENGTHS)
    ends = "string_split(split_part(r, ':', 2), '-')"
    held = f"""CASE split_part(r, ':', 1) {cases} END >= CAST({ends}[1] AS DOUBLE)
        AND CASE split_part(r, ':', 1) {cases} END < coalesce(try_cast({ends}[2] AS DOUBLE), 'infinity')"""
    return f"""(length IS NULL OR b.exam_key IN (SELECT x.exam_key FROM fct_exam x
        WHERE list_bool_or(list_transform(length, lambda r: {held}))))"""


def usable(groups: tuple[str, ...], columns: frozenset[str]) -> tuple[str, ...]:
    """Which of these filters a metric takes: clocks that are a group of it, lengths where its rows are exams."""
    return (*(key for key in _PARTS if key in groups), *(["length"] if "exam_key" in columns else []))
