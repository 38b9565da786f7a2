"""One statement for several questions about a metric: sets of groups, statistics and one or two periods of its rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sql.catalog import Metric
from sql.filters import Filters
from sql.measure import ask_of
from sql.shape import (
    KINDS,
    SHIFT_JOIN,
    Ask,
    group_sql,
    is_told_sql,
    order_sql,
    period_end_sql,
    period_sql,
    probability_sql,
    values_sql,
    where_sql,
)
from sql.windows import windowed

#: Groups and the grain of the period.
Set = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Questions that one statement answers: every set of groups with every statistic in every slice (filters that
    differ by their dates, which do not overlap).
    """

    metric: Metric
    sets: tuple[Set, ...]
    statistics: tuple[str, ...]
    slices: tuple[Filters, ...]


def bundle_statement(bundle: Bundle) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters. Its rows have slice and part (numbers of a slice and a set), statistic, and the
    columns of `SHAPE`; those of one question come in the order in which `sql.shape.statement` gives them.
    """
    metric, sets = bundle.metric, bundle.sets
    groups = tuple(dict.fromkeys(group for names, _ in sets for group in names))
    grains = tuple(dict.fromkeys(grain for _, grain in sets if grain != "all"))
    keys = {group: f"g{number}" for number, group in enumerate(groups)}
    starts = {grain: f"d{number}" for number, grain in enumerate(grains)}
    ask, params = _ask(bundle)
    columns = [*starts.values(), *keys.values()]
    per_part = _per_part(sets)
    slices = range(len(bundle.slices))
    values, folds = _folded(bundle, ask)
    start = per_part(lambda part: f"f.{starts[part[1]]}" if part[1] != "all" else "CAST(NULL AS DATE)")
    end = per_part(
        lambda part: period_end_sql(part[1]).format(start=f"f.{starts[part[1]]}" if part[1] != "all" else "")
    )
    value = per_part(lambda part: " || ' | ' || ".join(f"f.{keys[group]}" for group in part[0]) or "'all'")
    of_part = "OVER (PARTITION BY f.slice, f.part)"
    since, until = (_of_slice([f"${key}_{n}" if getattr(bundle.slices[n], key) and metric.has_dates else "NULL"
                               for n in slices]) for key in ("since", "until"))  # fmt: skip
    statement = f"""WITH body AS (
{windowed(metric.body, metric.windows, ask.since, "$until" if "until" in params else "NULL")}
), picked AS (
SELECT {_slice_sql(bundle)} AS slice, CAST(b.period_local AS DATE) AS on_day{
        "".join(f", {period_sql(grain)} AS {name}" for grain, name in starts.items())
    }{"".join(f", {group_sql(group)} AS {name}" for group, name in keys.items())}{
        "".join(f", {sql} AS {name}" for name, sql in values.items())
    }
FROM body b{SHIFT_JOIN if "shift" in groups else ""}
WHERE {where_sql(metric, ask)}
), folded AS (
SELECT {", ".join(f"p.{name}" for name in ["slice", *columns])}, {_part_sql(sets, starts, keys)} AS part,
min(p.on_day) AS first_day, max(p.on_day) AS last_day,
{folds}
FROM picked p
GROUP BY GROUPING SETS ({", ".join(_set_sql(part, starts, keys) for part in sets)})
), finished AS (
{_finished_sql(bundle, ask, columns)}
)
SELECT f.slice, f.part, f.statistic,
coalesce({start}, CAST({since} AS DATE), min(f.first_day) {of_part}) AS period_start,
coalesce({end}, CAST({until} AS DATE), CAST(max(f.last_day) {of_part} + 1 AS DATE)) AS period_end,
{per_part(lambda part: f"'{' | '.join(part[0]) or 'all'}'")} AS group_name, {value} AS group_value,
{KINDS[metric.kind][1]}
FROM finished f
WHERE {is_told_sql(metric)}
ORDER BY f.slice, f.part, f.statistic, {start}{_order_sql(sets, keys)}"""
    return statement, params


def _ask(bundle: Bundle) -> tuple[Ask, dict[str, Any]]:
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


def _folded(bundle: Bundle, ask: Ask) -> tuple[dict[str, str], str]:
    """What is folded of a row by name, and the aggregates: of several choices, each with the number of its choice."""
    metric, (fold, _) = bundle.metric, KINDS[bundle.metric.kind]
    if not _has_choices(bundle):
        return values_sql(metric, ask), fold
    values: dict[str, str] = {}
    for number, name in enumerate(bundle.statistics):
        chosen = values_sql(metric, replace(ask, statistic=f"'{name}'"))
        values |= {_numbered(column, number): sql for column, sql in chosen.items()}
    return values, ",\n".join(_numbered(fold, number) for number in range(len(bundle.statistics)))


def _has_choices(bundle: Bundle) -> bool:
    return bool(bundle.metric.choices) and len(bundle.statistics) > 1


def _numbered(sql: str, number: int) -> str:
    """The columns of a choice, and the aggregates over them, by its number."""
    return re.sub(r"\b(numerator|denominator|n)\b", rf"\1_{number}", sql)


def _finished_sql(bundle: Bundle, ask: Ask, columns: list[str]) -> str:
    """The folded rows, once a statistic."""
    if not _has_choices(bundle):
        return f"""SELECT f.*, s.statistic, s.probability
FROM folded f
CROSS JOIN (VALUES {_statistics_sql(bundle, ask)}) s(statistic, probability)"""
    names = "".join(f", f.{name}" for name in ["part", *columns, "first_day", "last_day"])
    return " UNION ALL ".join(
        f"SELECT f.slice{names}, '{name}' AS statistic, f.numerator_{k} AS numerator, "
        f"f.denominator_{k} AS denominator, f.n_{k} AS n FROM folded f"
        for k, name in enumerate(bundle.statistics)
    )


def _in_slice(number: int) -> str:
    return f"b.period_local >= $since_{number} AND b.period_local < $until_{number}"


def _slice_sql(bundle: Bundle) -> str:
    return "0" if len(bundle.slices) == 1 else f"CASE WHEN {_in_slice(0)} THEN 0 ELSE 1 END"


def _of_slice(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"CASE f.slice WHEN 0 THEN {values[0]} ELSE {values[1]} END"


def _per_part(sets: tuple[Set, ...]) -> Callable[[Callable[[Set], str]], str]:
    """An expression over `f` that differs by its part."""

    def made(of: Callable[[Set], str]) -> str:
        told = [of(part) for part in sets]
        if len(set(told)) == 1:
            return told[0]
        return f"CASE f.part{_cases(list(enumerate(told)))} END"

    return made


def _columns(part: Set, starts: dict[str, str], keys: dict[str, str]) -> list[str]:
    names, grain = part
    return [*([starts[grain]] if grain != "all" else []), *(keys[name] for name in names)]


def _set_sql(part: Set, starts: dict[str, str], keys: dict[str, str]) -> str:
    return f"({', '.join(f'p.{name}' for name in ['slice', *_columns(part, starts, keys)])})"


def _part_sql(sets: tuple[Set, ...], starts: dict[str, str], keys: dict[str, str]) -> str:
    """The number of a row's set: which of the columns it is not grouped by."""
    columns = [*starts.values(), *keys.values()]
    if len(sets) == 1:
        return "0"
    cases = []
    for number, part in enumerate(sets):
        mine = _columns(part, starts, keys)
        mask = sum(1 << place for place, name in enumerate(reversed(columns)) if name not in mine)
        cases.append((mask, str(number)))
    return f"CASE GROUPING({', '.join(f'p.{name}' for name in columns)}){_cases(cases)} END"


def _statistics_sql(bundle: Bundle, ask: Ask) -> str:
    asks = {name: replace(ask, statistic=f"'{name}'") for name in bundle.statistics}
    return ", ".join(f"('{name}', {probability_sql(bundle.metric, each)})" for name, each in asks.items())


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
