"""Filters: one table of them, one value that gives the SQL, the URL and the sentence.

A page, an export and an e-mailed link agree because all three are made from one `Filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode

from sql.clock_filters import KNOWN, clock_sql, is_known, length_sql, order, said_value
from sql.words import said
from sql.words.dates import day as _words

#: How a missing group value is written; as a filter value it asks for rows without one.
NO_VALUE = "(none)"
#: Days of the default period: whole weeks, so that a comparison meets the same weekdays.
DEFAULT_DAYS = 28
COMPARE = {"none": "", "previous": "compared with the period before", "year": "compared with a year earlier"}


class FilterError(ValueError):
    """A filter value that cannot be understood; names the key, and is safe to show."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter on values: URL key, label, column it needs, sentence form."""

    key: str
    label: str
    column: str
    sentence: str


#: Filters on values, in the order of the bar, the URL and the sentence.
FILTERS: tuple[Filter, ...] = (
    Filter("facility", "Facility", "facility", "at {values}"),
    Filter("modality", "Modality", "modality", "modality {values}"),
    Filter("priority", "Priority", "priority", "priority {values}"),
    Filter("patient_class", "Patient class", "patient_class", "patient class {values}"),
    Filter("service_line", "Service line", "service_line", "service line {values}"),
    Filter("device", "Device", "device", "device {values}"),
    Filter("radiologist", "Radiologist", "radiologist", "radiologist {values}"),
    Filter("procedure", "Procedure", "procedure", "procedure {values}"),
    Filter("weekday", "Weekday", "weekday", "on a {values}"),
    Filter("hour", "Hour", "hour", "in the hour from {values}"),
    Filter("length", "Length", "length", "with {values}"),
)
KEYS = tuple(f.key for f in FILTERS)
#: Those that ask for when and how long: of them columns tell whether a target takes them (`sql.clock_filters`).
CLOCKS = ("weekday", "hour")
LENGTH = "length"
#: How a table without a facility is kept to the facilities a person may see: its column, found through a table.
SCOPE_THROUGH = {"exam_key": "fct_exam", "device": "dim_device", "radiologist": "fct_read"}
#: Tables that everyone may see: they tell of no patient and no reader, or, as targets, hold for any facility.
SHARED_TABLES = frozenset(
    {
        "dim_procedure",
        "dim_calendar",
        "dim_shift",
        "dim_target",
        "meta_snapshot",
        "meta_metric",
        "meta_setting",
        "meta_column",
        "meta_definition",
    }
)


class Clause(NamedTuple):
    """A condition with its named parameters, and the filters that the target has no column for."""

    sql: str
    params: dict[str, Any]
    unapplied: tuple[str, ...] = ()


def _as_it_is(_: str, value: str) -> str:
    return value


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for: half-open dates, values a key (empty = all), comparison, and the facilities one may see.

    `scope` comes from the session through `within`, never from a URL; None means every facility.
    """

    since: date | None = None
    until: date | None = None
    facility: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    patient_class: tuple[str, ...] = ()
    service_line: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    radiologist: tuple[str, ...] = ()
    procedure: tuple[str, ...] = ()
    weekday: tuple[str, ...] = ()
    hour: tuple[str, ...] = ()
    length: tuple[str, ...] = ()
    compare: str = "none"
    scope: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise FilterError(said("since must lie before until"))
        if self.compare not in COMPARE:
            raise FilterError(said("compare is one of {names}", names=", ".join(COMPARE)))
        for key in KEYS:
            if not (values := getattr(self, key)):
                continue
            is_clock = key in KNOWN
            if is_clock and not all(is_known(key, value) for value in values):
                raise FilterError(said(KNOWN[key]))
            object.__setattr__(self, key, tuple(sorted(set(values), key=order if is_clock else None)))

    @classmethod
    def default(cls, data_through: datetime) -> Self:
        """The last `DEFAULT_DAYS` days up to and including the day of the data cut-off, against the days before."""
        until = data_through.date() + timedelta(days=1)
        return cls(since=until - timedelta(days=DEFAULT_DAYS), until=until, compare="previous")

    @classmethod
    def from_query(cls, query: str) -> Self:
        """Filters of a URL query string; keys that are no filters are left to the page. Raises FilterError."""
        values: dict[str, list[str]] = {}
        for key, value in parse_qsl(query.removeprefix("?")):
            values.setdefault(key, []).append(value)
        dates = {key: _date(key, values[key][-1]) for key in ("since", "until") if key in values}
        chosen = {key: tuple(values[key]) for key in KEYS if key in values}
        return cls(**dates, **chosen, compare=values.get("compare", ["none"])[-1])  # type: ignore[arg-type]

    def pairs(self) -> list[tuple[str, str]]:
        """Keys and values of the URL in the order of the table; `from_query` gives the same filters back, without
        scope."""
        dates = [(key, day.isoformat()) for key in ("since", "until") if (day := getattr(self, key)) is not None]
        chosen = [(key, value) for key in KEYS for value in getattr(self, key)]
        return [*dates, *chosen, *([("compare", self.compare)] if self.compare != "none" else [])]

    def to_query(self) -> str:
        """URL query string of these pairs."""
        return urlencode(self.pairs())

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; these filters themselves where all are so already."""
        is_so = all(getattr(self, key) == value for key, value in changes.items())
        return self if is_so else replace(self, **changes)

    def within(self, allowed_facilities: Iterable[str] | None) -> Self:
        """These filters kept to facilities that a person may see; None allows all. A scope only ever narrows."""
        if allowed_facilities is None:
            return self
        allowed = set(allowed_facilities)
        return replace(self, scope=tuple(sorted(allowed if self.scope is None else allowed & set(self.scope))))

    def where(self, columns: Collection[str], *, anchor: str = "", alias: str = "", table: str = "") -> Clause:
        """Condition on a target that has `columns`; `anchor` is its wall-clock column for the dates.

        Weekday and hour are those of the anchor, where `columns` names them; a length needs the key of an exam. Filters
        without a column are not applied but named in `unapplied`. A scope always applies: a target that cannot
        be tied to a facility gives nothing, unless it is one of `SHARED_TABLES`.
        """
        prefix = f"{alias}." if alias else ""
        parts: list[str] = []
        params: dict[str, Any] = {}
        unapplied: list[str] = []
        for key, operator in (("since", ">="), ("until", "<")):
            if (day := getattr(self, key)) is None:
                continue
            if anchor:
                parts.append(f"{prefix}{anchor} {operator} ${key}")
                params[key] = datetime(day.year, day.month, day.day)
            else:
                unapplied.append(key)
        for item in FILTERS:
            values = getattr(self, item.key)
            if values and not _is_held(item, columns, anchor):
                unapplied.append(item.key)
            elif values and item.key in CLOCKS:
                parts.append(clock_sql(item.key, f"{prefix}{anchor}", values, params))
            elif values and item.key == LENGTH:
                parts.append(length_sql(f"{prefix}exam_key", values, params))
            elif values:
                parts.append(_one_of(f"{prefix}{item.column}", item.key, values, params))
        if self.scope is not None and table not in SHARED_TABLES:
            parts.append(self._scoped(columns, prefix, params))
        return Clause(" AND ".join(parts) or "TRUE", params, tuple(unapplied))

    def _scoped(self, columns: Collection[str], prefix: str, params: dict[str, Any]) -> str:
        if not self.scope:
            return "FALSE"
        if "facility" in columns:
            return _one_of(f"{prefix}facility", "scope", self.scope, params)
        for column, through in SCOPE_THROUGH.items():
            if column in columns:
                seen = _one_of("t.facility", "scope", self.scope, params)
                return f"{prefix}{column} IN (SELECT t.{column} FROM {through} t WHERE {seen})"
        return "FALSE"

    def before(self) -> Self | None:
        """The filters of the comparison, None where nothing is compared or a date is open.

        `previous`: whole months step by as many months, other periods by their days. `year`: a year back.
        """
        if self.compare == "none" or self.since is None or self.until is None:
            return None
        if self.compare == "year":
            return replace(self, since=_months_back(self.since, 12), until=_months_back(self.until, 12))
        if self.since.day == 1 and self.until.day == 1:
            months = (self.until.year - self.since.year) * 12 + self.until.month - self.since.month
            return replace(self, since=_months_back(self.since, months), until=self.since)
        return replace(self, since=self.since - (self.until - self.since), until=self.since)

    def sentence(self, unapplied: Collection[str] = (), named: Callable[[str, str], str] = _as_it_is) -> str:
        """The filters in words; `unapplied` keys are left out, for a target that lacks their columns.

        `named` gives what people call a value of a key.
        """
        parts = [] if {"since", "until"} <= set(unapplied) else [_period_words(self.since, self.until)]
        for item in FILTERS:
            words = said_value if item.key in KNOWN else named
            values = tuple(words(item.key, value) for value in getattr(self, item.key))
            if values and item.key not in unapplied:
                parts.append(said(item.sentence, values=_list_words(values)))
        if self.scope is not None:
            names = tuple(named("facility", value) for value in self.scope)
            parts.append(said("within {values}", values=_list_words(names) or said("no facility")))
        if COMPARE[self.compare]:
            parts.append(said(COMPARE[self.compare]))
        text = ", ".join(parts) or said("all data")
        return text[0].upper() + text[1:] + "."


def _is_held(item: Filter, columns: Collection[str], anchor: str) -> bool:
    """Whether a target has what a filter needs."""
    if item.key == LENGTH:
        return "exam_key" in columns
    return item.column in columns and (item.key not in CLOCKS or bool(anchor))


def _one_of(column: str, key: str, values: tuple[str, ...], params: dict[str, Any]) -> str:
    """`column IN (...)` with bound values; NO_VALUE asks for NULL."""
    names = []
    for number, value in enumerate(v for v in values if v != NO_VALUE):
        params[f"{key}_{number}"] = value
        names.append(f"${key}_{number}")
    parts = [f"{column} IN ({', '.join(names)})"] if names else []
    if NO_VALUE in values:
        parts.append(f"{column} IS NULL")
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"


def _date(key: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FilterError(said("{key} is not a date (YYYY-MM-DD)", key=key)) from None


def _months_back(day: date, months: int) -> date:
    """The same day some months earlier, the month's last day where it has fewer."""
    index = day.year * 12 + day.month - 1 - months
    first = date(index // 12, index % 12 + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _period_words(since: date | None, until: date | None) -> str:
    last = None if until is None else until - timedelta(days=1)
    if since is None:
        return said("all days") if last is None else said("up to {last}", last=_words(last))
    if last is None:
        return said("from {first}", first=_words(since))
    if since == last:
        return said("on {day}", day=_words(since))
    return said("from {first} to {last}", first=_words(since), last=_words(last))


def _list_words(values: tuple[str, ...]) -> str:
    if len(values) < 2:
        return "".join(values)
    return said("{values} or {last}", values=", ".join(values[:-1]), last=values[-1])
