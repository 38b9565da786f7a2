"""The filter bar: controls from the table of filters, and the two ways between their values and the URL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import html

from app import words
from app.guard import Person
from app.naming import names
from app.state import State
from app.texts import text
from sql import query
from sql.clock_filters import length_range, range_of
from sql.filters import CLOCKS, COMPARE, FILTERS, LENGTH, NO_VALUE, Filters
from sql.ranges import EDGES
from sql.snapshot import Snapshot
from sql.words import language, said
from sql.words.dates import FIELD_DAY

#: Filter key -> its choices as (value, label).
Options = dict[str, list[dict[str, str]]]
#: Filters of the bar, in order; procedures are filtered by drilling.
#: Those that a mark of a chart sets stand there once they are set.
MARKED = (*CLOCKS, LENGTH)
SHOWN = ("facility", "modality", "priority", "patient_class", "service_line", "device", "radiologist", *MARKED)
#: Period of the bar -> days up to the data cut-off; None is every day.
PERIODS: dict[str, int | None] = {"7": 7, "28": 28, "91": 91, "365": 365, "all": None}
CUSTOM = "custom"
#: Controls in the order of the callback's values.
CONTROLS = ("filter-period", "filter-dates", "filter-compare", *(f"filter-{key}" for key in SHOWN))


def options(snapshot: Snapshot | None, person: Person) -> Options:
    """Values that a person may choose, named; without a snapshot none."""
    if snapshot is None:
        return {}
    scope = Filters().within(person.facilities)
    found: Options = {key: [{"value": value, "label": _short(key, value)} for value in values]
                      for key, values in _marked().items()}  # fmt: skip
    for key in SHOWN:
        if key in MARKED:
            continue
        if key == "radiologist" and not person.sees_readers:
            continue
        known = names(snapshot, key)
        seen = query.counts(snapshot, "fct_exam", by=(key,), filters=scope)[key].to_list()
        values = sorted((value or NO_VALUE for value in seen), key=lambda value: (value == NO_VALUE, value))
        found[key] = [{"value": value, "label": words.named(key, value, known)} for value in values]
    return found


def _marked() -> dict[str, list[str]]:
    """What marks can set: days of the week, hours, and the ranges in which the times to report are shown."""
    ends = zip(EDGES, [*EDGES[1:], None], strict=True)
    return {
        "weekday": [str(day) for day in range(1, 8)], "hour": [str(hour) for hour in range(24)],
        "length": [length_range("report_final_min", low, high) for low, high in ends],
    }  # fmt: skip


def _short(key: str, value: str) -> str:
    """A value as it stands in the bar: of a range its ends, since the name would not fit."""
    if key != "length":
        return words.group(key, value)
    _, low, high = range_of(value)
    ends = {"low": words.minutes(low), "high": "" if high is None else words.minutes(high)}
    return text("figure.range.open" if high is None else "figure.range", **ends)


def bar(found: Options, all_facilities: str) -> list[Any]:
    """The controls; those of no use to the person are there but hidden, so that the callback is always whole.

    `all_facilities` says over the choice of facilities which they are.
    """
    labels = {item.key: said(item.label) for item in FILTERS}
    fixed = [
        dmc.Select(
            id="filter-period", label=text("bar.period"), value=CUSTOM, allowDeselect=False, w=122,
            checkIconPosition="right", className="of-dates",
            data=[{"value": key, "label": text(f"period.{key}")} for key in (*PERIODS, CUSTOM)],
        ),
        dmc.DatePickerInput(id="filter-dates", label=text("bar.dates"), type="range", value=[None, None],
                            valueFormat=FIELD_DAY[language()], w=194, className="of-dates",
                            allowSingleDateInRange=True, numberOfColumns=1),
        dmc.Select(
            id="filter-compare", label=text("bar.compare"), value="none", allowDeselect=False, w=128,
            checkIconPosition="right", className="of-dates",
            data=[{"value": key, "label": text(f"compare.{key}")} for key in COMPARE],
        ),
    ]  # fmt: skip
    chosen = [
        html.Div(
            dmc.MultiSelect(
                id=f"filter-{key}", label=labels[key], data=found.get(key, []), value=[], placeholder=text("bar.all"),
                clearable=True, searchable=True, hidePickedOptions=False, className="multi",
                nothingFoundMessage=text("bar.none"), comboboxProps={"width": 230, "position": "bottom-start"},
            ),
            title=all_facilities if key == "facility" else None,
            className=" ".join(["multi-box", *(["gone"] if key not in found else ["marked"] if key in MARKED else [])]),
        )
        for key in SHOWN
    ]  # fmt: skip
    clear = html.Button(text("bar.clear"), id="filter-clear", className="plain clear")
    return [html.Div([*fixed, *chosen, clear], className="bar-row")]


def values(state: State, data_through: datetime) -> list[Any]:
    """Values of the controls that show a state."""
    filters = state.filters
    last = None if filters.until is None else filters.until - timedelta(days=1)
    dates = [day.isoformat() if day else None for day in (filters.since, last)]
    return [period(filters, data_through), dates, filters.compare, *(list(getattr(filters, key)) for key in SHOWN)]


def period(filters: Filters, data_through: datetime) -> str:
    """Name of the period of some filters in the bar."""
    for key, days in PERIODS.items():
        if (filters.since, filters.until) == _dates(days, data_through):
            return key
    return CUSTOM


def _dates(days: int | None, data_through: datetime) -> tuple[date | None, date | None]:
    until = data_through.date() + timedelta(days=1)
    return (None, None) if days is None else (until - timedelta(days=days), until)


def after(chosen: Mapping[str, Any], state: State, data_through: datetime) -> State:
    """The state after a person used some controls; `chosen` are their values by id. Raises ValueError for no value."""
    for control, value in chosen.items():
        state = _changed(control, value, state, data_through)
    return state


def _changed(control: str, value: Any, state: State, data_through: datetime) -> State:
    if control == "filter-clear":
        return State.read("", data_through)
    if control == "filter-period" and value in PERIODS:
        since, until = _dates(PERIODS[value], data_through)
        return state.having(since=since, until=until, page=None)
    if control == "filter-dates":
        first, last = (date.fromisoformat(day[:10]) if day else None for day in value or (None, None))
        return state if first is None or last is None else state.having(since=first, until=last + timedelta(days=1))
    if control == "filter-compare" and value in COMPARE:
        return state.having(compare=value)
    key = control.removeprefix("filter-")
    return state.having(**{key: tuple(map(str, value or ()))}, page=None) if key in SHOWN else state
