"""The catalog: headers of the SQL files as data. Pages, exports, the dictionary and the tests are made from it.

A file opens with `-- key: value` lines; a missing or unknown key is an error that names the file and the key, so a
model or metric without its meaning does not load.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from sql.clock_filters import usable
from sql.headers import SQL, CatalogError, read_header
from sql.windows import Window, read_window

__all__ = [
    "BETTER", "CHECK_KEYS", "CHECK_OPTIONAL", "CLOCK_GROUPS", "INTERVALS", "KINDS", "METRIC_KEYS", "METRIC_OPTIONAL",
    "MODEL_KEYS", "MODEL_OPTIONAL", "PERCENTILES", "Catalog", "CatalogError", "Check", "Choice", "Column", "Metric",
    "Model", "Version", "read_check", "read_choices", "read_metric", "read_model", "signature",
]  # fmt: skip

MODEL_KEYS = {"name", "grain", "key", "purpose"}
MODEL_OPTIONAL = {"materialize", "scope", "sorted_by", "column", "latest", "least", "again"}
CHECK_KEYS = {"name", "purpose"}
CHECK_OPTIONAL = {"grain", "key"}
METRIC_KEYS = {
    "id", "title", "question", "unit", "better", "kind", "statistic", "clock_start", "clock_stop", "includes",
    "excludes", "nulls", "min_n", "table", "anchor", "groups", "filters", "target", "reference", "version", "since",
}  # fmt: skip
METRIC_OPTIONAL = {"choices", "numerator", "denominator", "goal", "history", "floor", "window"}
#: Share of values that must be known for a number to be relied on, where a metric says nothing else.
FLOOR = 0.5
#: Statistics of a percentile metric: name -> probability; the mean has none.
PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "mean": None}
#: Statistics of a forecast: name -> probability of its interval.
INTERVALS = {"within_95": 0.95, "within_80": 0.8}
#: Kinds whose rows carry values; the others carry numerators and denominators.
_VALUED = ("percentile", "max", "forecast")
#: Kind of a metric -> columns that its body gives beside `period_local`, the groups and the columns of its choices.
KINDS: dict[str, frozenset[str]] = {
    "percentile": frozenset({"value"}),
    "ratio": frozenset(),
    "rate": frozenset(),
    "sum": frozenset(),
    "last": frozenset({"latest_local", "latest_end_local"}),
    "max": frozenset({"value"}),
    "forecast": frozenset({"value", "n", "drawn"}),
}
BETTER = ("lower", "higher", "neither")
#: Groups that come from the anchor's wall clock, not from a column of the body.
CLOCK_GROUPS = ("shift", "weekday", "hour")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a model: `unit` is `-` where there is none."""

    name: str
    type: str
    unit: str
    note: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model at a declared grain; `materialize` is view, table or work (work is never published)."""

    name: str
    number: int
    grain: str
    key: str
    purpose: str
    materialize: str
    columns: tuple[Column, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the marts: its statement gives the rows that break it."""

    name: str
    number: int
    purpose: str
    body: str


class Choice(NamedTuple):
    """One value of a metric that divides or sums: its name and the body's columns; '' as denominator counts rows."""

    name: str
    numerator: str
    denominator: str


class Version(NamedTuple):
    """One version of a definition: from which day on, the digest of what it computed, and what changed in words."""

    version: str
    changed: date
    digest: str
    what: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; the fields are the header's keys, `columns` what the body gives a row.

    `choices` are the values that `statistic` may take, none for percentiles; `goal` is the target as a number;
    `floor` is the share of values (0-1) that must be known, below which it is greyed out; `history` are its versions,
    the newest last; `windows` say which rows of a table a period needs.
    """

    id: str
    number: int
    title: str
    question: str
    unit: str
    better: str
    kind: str
    statistic: str
    choices: tuple[Choice, ...]
    numerator: str
    denominator: str
    clock_start: str
    clock_stop: str
    includes: str
    excludes: str
    nulls: str
    min_n: int
    table: str
    anchor: str
    groups: tuple[str, ...]
    filters: tuple[str, ...]
    target: str
    goal: float | None
    floor: float
    reference: str
    version: str
    since: str
    history: tuple[Version, ...]
    body: str
    columns: frozenset[str]
    windows: tuple[Window, ...] = field(default=(), compare=False)

    @property
    def changed(self) -> date | None:
        """Day from which the definition is as it is; None before it was recorded."""
        return self.history[-1].changed if self.history else None

    def version_on(self, day: date) -> str:
        """Version that held on a day; of days before all versions the first."""
        told = [item.version for item in self.history if item.changed <= day]
        return told[-1] if told else self.history[0].version if self.history else self.version

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names that `statistic` may take; a metric of one value has only `value`."""
        known: dict[str, Iterable[str]] = {"percentile": PERCENTILES, "forecast": INTERVALS}
        names = known.get(self.kind, [choice.name for choice in self.choices])
        return tuple(names) or ("value",)

    @property
    def has_dates(self) -> bool:
        """Whether the date filters apply; they do not where the value is about the data cut-off."""
        return "since" in self.filters


def read_model(path: Path) -> Model:
    """The model of one file. Raises CatalogError, also for a published table without column lines."""
    header = read_header(path, MODEL_KEYS, MODEL_OPTIONAL)
    columns = tuple(_column(path, line) for line in header.values.get("column", []))
    if not columns:
        raise CatalogError(f"{path.name}: header lacks column lines")
    return Model(
        header.one("name"), header.number, header.one("grain"), header.one("key"), header.one("purpose"),
        header.one("materialize", "table"), columns, header.body,
    )  # fmt: skip


def _column(path: Path, line: str) -> Column:
    left, separator, note = line.partition("|")
    parts = left.split()
    if not separator or len(parts) != 3 or not note.strip():
        raise CatalogError(f"{path.name}: column is not `name TYPE unit | note`: {line.strip()}")
    name, kind, unit = parts
    return Column(name, kind, unit, note.strip())


def read_check(path: Path) -> Check:
    """The check of one file. Raises CatalogError."""
    header = read_header(path, CHECK_KEYS, CHECK_OPTIONAL)
    return Check(header.one("name"), header.number, header.one("purpose"), header.body)


def read_metric(path: Path) -> Metric:
    """The metric of one file; its words are checked against the lists above. Raises CatalogError."""
    header = read_header(path, METRIC_KEYS, METRIC_OPTIONAL)
    goal = header.one("goal")
    parsed = sqlglot.parse_one(header.body, read="duckdb")
    columns = frozenset(parsed.named_selects) if isinstance(parsed, exp.Query) else frozenset[str]()
    metric = Metric(
        **{key: header.one(key) for key in METRIC_KEYS - {"min_n", "groups", "filters"}},
        number=header.number, choices=read_choices(header.one("choices"), header.one("kind"), columns),
        numerator=header.one("numerator"), denominator=header.one("denominator"),
        history=tuple(_version(path, line) for line in header.values.get("history", [])),
        windows=tuple(read_window(path, line) for line in header.values.get("window", [])),
        min_n=int(header.one("min_n")), groups=header.words("groups"), columns=columns, body=header.body,
        filters=(*header.words("filters"), *usable(header.words("groups"), columns)),
        goal=float(goal) if goal else None, floor=float(header.one("floor", str(FLOOR))),
    )  # fmt: skip
    _check_metric(path, metric)
    return metric


def _version(path: Path, line: str) -> Version:
    parts = [part.strip() for part in line.split("|", 3)]
    try:
        version, day, digest, what = parts
        return Version(version, date.fromisoformat(day), digest, what)
    except ValueError as error:
        raise CatalogError(f"{path.name}: history is not `version | day | digest | what changed`") from error


def read_choices(told: str, kind: str, columns: frozenset[str]) -> tuple[Choice, ...]:
    """`name=numerator` or `name=numerator/denominator`, by comma; without any, `value` of the body's columns."""
    usual = "denominator" if "denominator" in columns else ""
    found = []
    for pair in filter(None, map(str.strip, told.split(","))):
        name, _, ratio = pair.partition("=")
        numerator, _, denominator = ratio.partition("/")
        found.append(Choice(name.strip(), numerator.strip(), denominator.strip() or usual))
    is_single = not found and kind not in _VALUED
    return (Choice("value", "numerator", usual),) if is_single else tuple(found)


def _check_metric(path: Path, metric: Metric) -> None:
    for key, known in (("kind", KINDS), ("better", BETTER), ("statistic", metric.statistics)):
        if getattr(metric, key) not in known:
            raise CatalogError(f"{path.name}: {key} is one of {', '.join(known)}")
    chosen = {column for choice in metric.choices for column in (choice.numerator, choice.denominator) if column}
    named = {"period_local", *metric.groups, *metric.filters} - {*CLOCK_GROUPS, "since", "until", "length"}
    wanted = KINDS[metric.kind] | chosen | named
    if lacking := wanted - metric.columns:
        raise CatalogError(f"{path.name}: the body lacks {', '.join(sorted(lacking))}")
    if metric.kind not in _VALUED and not (metric.numerator and metric.denominator):
        raise CatalogError(f"{path.name}: header lacks numerator or denominator, in words")
    told = [item.version for item in metric.history] or ["1"]
    if told != [str(number) for number in range(1, len(told) + 1)] or told[-1] != metric.version:
        raise CatalogError(f"{path.name}: history tells versions {', '.join(told)}, the version is {metric.version}")


@dataclass(frozen=True)
class Catalog:
    """Everything that the SQL files say of themselves, in number order. `models` holds staging and marts."""

    models: dict[str, Model]
    metrics: dict[str, Metric]
    checks: dict[str, Check]

    @classmethod
    @lru_cache(maxsize=1)
    def load(cls) -> Catalog:
        """The catalog of the installed files. Raises CatalogError naming the file and the key."""
        return cls(
            {m.name: m for folder in ("staging", "marts") for m in map(read_model, _files(folder))},
            {m.id: m for m in map(read_metric, _files("metrics"))},
            {c.name: c for c in map(read_check, _files("checks"))},
        )

    def metric(self, metric_id: str) -> Metric:
        """The metric of an id. Raises CatalogError naming the known ones."""
        if metric_id not in self.metrics:
            raise CatalogError(f"no metric {metric_id!r}; known: {', '.join(self.metrics)}")
        return self.metrics[metric_id]

    @property
    def tables(self) -> dict[str, Model]:
        """Published tables: marts that are neither work nor view."""
        return {name: m for name, m in self.models.items() if m.number >= 200 and m.materialize == "table"}


def _files(folder: str) -> Iterable[Path]:
    return sorted((SQL / folder).glob("*.sql"))


def signature() -> str:
    """SHA-256 over every metric's file, as hex: changes with any definition."""
    digest = hashlib.sha256()
    for path in _files("metrics"):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
