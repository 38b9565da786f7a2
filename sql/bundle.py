"""One statement for several questions about a metric: sets of groups, statistics and one or two periods of its rows.

The engine groups by the columns as they lie; their text, the days of open periods and everything else that can be told
of a few folded rows is told there, not of each row. Percentiles are folded by `sql.ordered`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sql.asked import ask_of
from sql.bundle_folds import folded
from sql.catalog import Metric
from sql.filters import Filters
from sql.shape import (
    KINDS,
    SHIFT_JOIN,
    Ask,
    group_raw_sql,
    is_told_sql,
    order_sql,
    period_end_sql,
    period_sql,
    text_sql,
    where_sql,
)
from sql.windows import windowed

#: Groups and the grain of the period.
Set = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Bundle:
    """Questions that one statement answers: every set of groups with every statistic in every slice (filters that
    differ by their dates, which do not overlap).
    """

    metric: Metric
    sets: tuple[Set, ...]
    statistics: tuple[str, ...]
    slices: tuple[Filters, ...]

    @cached_property
    def keys(self) -> dict[str, str]:
        """The column of each group."""
        groups = dict.fromkeys(group for names, _ in self.sets for group in names)
        return {group: f"g{number}" for number, group in enumerate(groups)}

    @cached_property
    def starts(self) -> dict[str, str]:
        """The column of each grain's first day."""
        grains = dict.fromkeys(grain for _, grain in self.sets if grain != "all")
        return {grain: f"d{number}" for number, grain in enumerate(grains)}

    @cached_property
    def is_open(self) -> bool:
        """Whether the days of some period are those of its rows."""
        return not self.metric.has_dates or any(None in (each.since, each.until) for each in self.slices)

    def columns(self, part: Set) -> list[str]:
        """The columns that a set is grouped by."""
        names, grain = part
        return [*([self.starts[grain]] if grain != "all" else []), *(self.keys[name] for name in names)]

    def dates(self, key: str) -> list[str]:
        """SQL of a slice's first day (`since`) or of the day behind its last, NULL where it is open."""
        return [f"${key}_{number}" if getattr(each, key) and self.metric.has_dates else "NULL"
                for number, each in enumerate(self.slices)]  # fmt: skip


def bundle_statement(bundle: Bundle) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters. Its rows have slice and part (numbers of a slice and a set), statistic, and the
    columns of `SHAPE`; those of one question come in the order in which `sql.shape.statement` gives them.
    """
    metric, sets, keys, starts = bundle.metric, bundle.sets, bundle.keys, bundle.starts
    ask, params = asked(bundle)
    columns = [*starts.values(), *keys.values()]
    per_part = _per_part(sets)
    values, folds = folded(metric, ask, bundle.statistics)
    start = per_part(lambda part: f"f.{starts[part[1]]}" if part[1] != "all" else "CAST(NULL AS DATE)")
    end = per_part(
        lambda part: period_end_sql(part[1]).format(start=f"f.{starts[part[1]]}" if part[1] != "all" else "")
    )
    value = per_part(lambda part: " || ' | ' || ".join(f"f.{keys[group]}" for group in part[0]) or "'all'")
    of_part = "OVER (PARTITION BY f.slice, f.part)"
    first, last = (
        f", CAST({each} AS DATE)" if bundle.is_open else ""
        for each in (f"min(f.first_at) {of_part}", f"max(f.last_at) {of_part} + INTERVAL 1 DAY")
    )
    since, until = (of_slice("f", bundle.dates(key)) for key in ("since", "until"))
    texts = "".join(f", {text_sql(f'g.{name}')} AS {name}" for name in keys.values())
    statement = f"""{picked(bundle, ask, params, values)}, grouped AS (
SELECT {keys_sql(bundle, sets)}, {part_sql(bundle, sets)} AS part,
{DAYS_SQL if bundle.is_open else ""}{folds}
FROM picked p
GROUP BY {sets_sql(bundle, sets)}
), folded AS (SELECT g.*{f" REPLACE ({texts[2:]})" if texts else ""} FROM grouped g
), finished AS (
{_finished_sql(bundle, columns)}
)
SELECT f.slice, f.part, f.statistic,
coalesce({start}, CAST({since} AS DATE){first}) AS period_start,
coalesce({end}, CAST({until} AS DATE){last}) AS period_end,
{per_part(lambda part: f"'{' | '.join(part[0]) or 'all'}'")} AS group_name, {value} AS group_value,
{KINDS[metric.kind][1]}
FROM finished f
WHERE {is_told_sql(metric)}
ORDER BY f.slice, f.part, f.statistic, {start}{_order_sql(sets, keys)}"""
    return statement, params


#: Aggregates of the times of rows, where the dates are open.
DAYS_SQL = "min(p.at) AS first_at, max(p.at) AS last_at, "


def picked(bundle: Bundle, ask: Ask, params: dict[str, Any], values: dict[str, str]) -> str:
    """Rows of the body with slice, keys as they lie, first days of periods and what is folded, as `picked`."""
    metric = bundle.metric
    parts = [
        f"{_slice_sql(bundle)} AS slice",
        *(["b.period_local AS at"] if bundle.is_open else []),
        *(f"{period_sql(grain)} AS {name}" for grain, name in bundle.starts.items()),
        *(f"{group_raw_sql(group)} AS {name}" for group, name in bundle.keys.items()),
        *(f"{sql} AS {name}" for name, sql in values.items()),
    ]
    return f"""WITH body AS (
{windowed(metric.body, metric.windows, ask.since, "$until" if "until" in params else "NULL")}
), picked AS (
SELECT {", ".join(parts)}
FROM body b{SHIFT_JOIN if "shift" in bundle.keys else ""}
WHERE {where_sql(metric, ask)}
)"""


def asked(bundle: Bundle) -> tuple[Ask, dict[str, Any]]:
    """What the rows of all slices are asked, with its parameters; the end of the dates is that of a row's slice."""
    metric, slices = bundle.metric, bundle.slices
    dates = [(each.since, each.until) for each in slices]
    whole = slices[0]
    if len(slices) > 1:  # dates that do not overlap are known on either side
        whole = whole.replace(since=min(since for since, _ in dates if since), until=max(u for _, u in dates if u))
    _, grain = bundle.sets[0]
    ask, params = ask_of(metric, (), grain if metric.kind == "last" else "all", whole, bundle.statistics[0])
    if len(slices) == 1 or not metric.has_dates:
        return ask, params | {f"{key}_0": params[key] for key in ("since", "until") if key in params}
    for number, (since, until) in enumerate(dates):
        params[f"since_{number}"], params[f"until_{number}"] = (
            datetime(day.year, day.month, day.day) for day in (since, until) if day is not None
        )
    until_of = f"CASE WHEN {_in_slice(0)} THEN $until_0 ELSE $until_1 END"
    meet = dates[0][0] == dates[1][1] or dates[0][1] == dates[1][0]
    apart = "" if meet else f" AND ({_in_slice(0)} OR {_in_slice(1)})"
    return replace(ask, where=f"{ask.where}{apart}", until=until_of), params


def _has_choices(bundle: Bundle) -> bool:
    return bool(bundle.metric.choices) and len(bundle.statistics) > 1


def _finished_sql(bundle: Bundle, columns: list[str]) -> str:
    """The folded rows, once a statistic."""
    if not _has_choices(bundle):
        return f"SELECT f.*, '{bundle.statistics[0]}' AS statistic FROM folded f"
    days = ["first_at", "last_at"] if bundle.is_open else []
    names = "".join(f", f.{name}" for name in ["part", *columns, *days])
    return " UNION ALL ".join(
        f"SELECT f.slice{names}, '{name}' AS statistic, f.numerator_{k} AS numerator, "
        f"f.denominator_{k} AS denominator, f.n_{k} AS n FROM folded f"
        for k, name in enumerate(bundle.statistics)
    )


def _in_slice(number: int) -> str:
    return f"b.period_local >= $since_{number} AND b.period_local < $until_{number}"


def _slice_sql(bundle: Bundle) -> str:
    return "0" if len(bundle.slices) == 1 else f"CASE WHEN {_in_slice(0)} THEN 0 ELSE 1 END"


def of_slice(row: str, values: list[str]) -> str:
    """SQL of what a row has by its slice, of one value or two."""
    return values[0] if len(values) == 1 else f"CASE {row}.slice WHEN 0 THEN {values[0]} ELSE {values[1]} END"


def _per_part(sets: tuple[Set, ...]) -> Callable[[Callable[[Set], str]], str]:
    """An expression over `f` that differs by its part."""

    def made(of: Callable[[Set], str]) -> str:
        told = [of(part) for part in sets]
        if len(set(told)) == 1:
            return told[0]
        return f"CASE f.part{_cases(list(enumerate(told)))} END"

    return made


def keys_sql(bundle: Bundle, sets: Sequence[Set]) -> str:
    """The slice and the columns of grouped rows."""
    slice_ = "p.slice" if _is_by_slice(bundle, sets) else "0 AS slice"
    return ", ".join([slice_, *(f"p.{name}" for name in [*bundle.starts.values(), *bundle.keys.values()])])


def _is_by_slice(bundle: Bundle, sets: Sequence[Set]) -> bool:
    """Whether rows are grouped by their slice: one alone costs time, but keeps a whole of no rows from being a row."""
    return len(bundle.slices) > 1 or not all(bundle.columns(part) for part in sets)


def sets_sql(bundle: Bundle, sets: Sequence[Set]) -> str:
    """What rows are grouped by: the slice and the columns of each set."""
    slice_ = ["slice"] if _is_by_slice(bundle, sets) else []
    told = [", ".join(f"p.{name}" for name in [*slice_, *bundle.columns(part)]) for part in sets]
    return told[0] if len(told) == 1 else f"GROUPING SETS ({', '.join(f'({names})' for names in told)})"


def part_sql(bundle: Bundle, sets: Sequence[Set]) -> str:
    """The number of a row's set: which of the columns it is not grouped by."""
    columns = [*bundle.starts.values(), *bundle.keys.values()]
    if len(sets) == 1:
        return "0"
    cases = []
    for number, part in enumerate(sets):
        mine = bundle.columns(part)
        mask = sum(1 << place for place, name in enumerate(reversed(columns)) if name not in mine)
        cases.append((mask, str(number)))
    return f"CASE GROUPING({', '.join(f'p.{name}' for name in columns)}){_cases(cases)} END"


def _order_sql(sets: tuple[Set, ...], keys: dict[str, str]) -> str:
    """The order of groups within a part, by place."""
    told = []
    for place in range(max(len(names) for names, _ in sets)):
        cases = [(n, order_sql(names[place], 0).replace("f.g0", f"f.{keys[names[place]]}").split(", "))
                 for n, (names, _) in enumerate(sets) if place < len(names)]  # fmt: skip
        numbers, texts = [(n, by[0]) for n, by in cases if len(by) > 1], [(n, by[-1]) for n, by in cases]
        told += [f", CASE f.part{_cases(kept)} END" for kept in (numbers, texts) if kept]
    return "".join(told)


def _cases(told: list[tuple[int, str]]) -> str:
    return "".join(f" WHEN {number} THEN {sql}" for number, sql in told)
