"""Rows of a bundle, and how they are folded into its sets of groups: where there are several, in fine groups first.

The engine hands each row to each set of groups, which takes longer than all else; of a few thousand fine groups it is
nothing. Weekday, hour and shift of a row are told of one number, the moment of the week, by fine group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sql.bundle import Bundle, slice_sql
from sql.bundle_folds import Folds
from sql.catalog import CLOCK_GROUPS, Metric
from sql.copied import Apart, apart, folded_again, taken_back
from sql.elsewhere import needed
from sql.fine import HOUR, MINUTE, MINUTES_OF_HOUR, MOMENTS, Moment, Set, fine_sets, moment
from sql.narrowed import narrowed
from sql.shape import Ask, group_raw_sql, period_sql
from sql.windows import windowed

#: Fine groups whose sums are held, about.
MOST_FINE = 10_000
#: Aggregates of the times of rows, where the dates are open.
DAYS = {"first_at": "min", "last_at": "max"}
#: As `sql.shape.SHIFT_JOIN`, of one part of a time instead of three.
_SHIFT_JOIN = f"""
LEFT JOIN dim_shift s ON s.minute_of_week = {MINUTE.sql}"""


def grouped(bundle: Bundle, ask: Ask, params: Mapping[str, Any], folds: Folds) -> str:
    """The bundle's rows as `picked` and what is folded of them as `grouped`: slice, part, the columns of groups and
    periods, first_at and last_at where dates are open, and what `folds` tells."""
    parts = dict(folds.parts)
    if bundle.is_open:
        parts |= {name: (f"{of}(p.at)", of) for name, of in DAYS.items()}
    days = "".join(f"{{{name}}} AS {name}, " for name in DAYS) if bundle.is_open else ""
    both = _apart(bundle, ask, folds, [sql for sql, _ in parts.values()])
    if len(bundle.sets) == 1 and "shift" not in bundle.keys and both is None:
        told = (days + folds.told).format(**{name: sql for name, (sql, _) in parts.items()})
        return f"""{picked(bundle, ask, params, folds.values)}, grouped AS (
{_set_sql(bundle, range(len(bundle.sets)), told)}
)"""
    part_of_week = moment(bundle.step) if "shift" in bundle.keys else HOUR
    sets = fine_sets([_momentary(part, part_of_week) for part in bundle.sets], bundle.days, MOST_FINE)
    fine = replace(bundle, sets=tuple(part for part, _ in sets))
    told = (days + folds.told).format(**{name: f"{of}(p.{name})" for name, (_, of) in parts.items()})
    rows = [f" WHERE p.fine = {number}" for number in range(len(sets))] if len(sets) > 1 else [""]
    union = "\nUNION ALL ".join(
        _set_sql(bundle, numbers, told, f"named p{where}") for (_, numbers), where in zip(sets, rows, strict=True)
    )
    first = {name: sql for name, (sql, _) in parts.items()}
    if both is None:
        read, made = picked(fine, ask, params, folds.values), _fine_sql(fine, "picked", first)
    else:
        again = {name: folded_again(sql) or sql for name, sql in first.items()}
        bodies = {"picked": (both.rows, first), "flagged": (both.flagged, again)}
        if both.lacking:
            bodies["lacking"] = both.lacking, {name: taken_back(sql) for name, sql in first.items()}
        read = "WITH " + ", ".join(
            f"{name} AS (\n{_picked_sql(fine, ask, folds.values, body)}\n)" for name, (body, _) in bodies.items()
        )
        made = "\nUNION ALL ".join(_fine_sql(fine, name, folded) for name, (_, folded) in bodies.items())
    return f"""{read}, fine AS (
{made}
), named AS ({_named_sql(bundle, fine, part_of_week, parts)}
), grouped AS (
{union}
)"""


def _apart(bundle: Bundle, ask: Ask, folds: Folds, aggregates: Iterable[str]) -> Apart | None:
    """The metric's rows and those that hold flags, where these are counted by themselves."""
    if None in map(folded_again, aggregates):
        return None
    texts = [ask.where, slice_sql(bundle), *folds.values.values(), *map(_key_sql, bundle.keys)]
    used = {name for text in texts for name in re.findall(r"\bb\.(\w+)", text)}
    return apart(bundle.metric, frozenset({"period_local", *used}))


def _fine_sql(fine: Bundle, rows: str, parts: Mapping[str, str]) -> str:
    """The fine groups of some rows, with aggregates of them by name."""
    return f"""SELECT {keys_sql(fine, fine.sets)}, {part_sql(fine, fine.sets, range(len(fine.sets)))} AS fine,
{", ".join(f"{sql} AS {name}" for name, sql in parts.items())}
FROM {rows} p
GROUP BY {sets_sql(fine, fine.sets)}"""


def _momentary(part: Set, of_week: Moment) -> Set:
    """A set of groups with the moment of the week in place of what is told of it."""
    names, grain = part
    return tuple(dict.fromkeys(of_week.name if name in CLOCK_GROUPS else name for name in names)), grain


def _named_sql(bundle: Bundle, fine: Bundle, of_week: Moment, parts: Mapping[str, object]) -> str:
    """Fine groups `fine` with the columns of the bundle's groups and periods."""
    at = f"f.{fine.keys[of_week.name]}" if of_week.name in fine.keys else "NULL"
    clock = {"weekday": f"{at} // {24 * of_week.per_hour} + 1", "hour": f"{at} // {of_week.per_hour} % 24",
             "shift": "s.shift"}  # fmt: skip
    groups = {name: clock[group] if group in clock else f"f.{fine.keys[group]}" for group, name in bundle.keys.items()}
    starts = {name: f"f.{fine.starts[grain]}" for grain, name in bundle.starts.items()}
    columns = "".join(f", {sql} AS {name}" for name, sql in {**starts, **groups}.items())
    minute = f"{at} * {MINUTES_OF_HOUR // of_week.per_hour}"
    join = f"\nLEFT JOIN dim_shift s ON s.minute_of_week = {minute}" if "shift" in bundle.keys else ""
    return f"""SELECT f.slice, f.fine{columns}, {", ".join(f"f.{name}" for name in parts)} FROM fine f{join}"""


def _set_sql(bundle: Bundle, numbers: Sequence[int], told: str, rows: str = "picked p") -> str:
    """What is told of rows `p` by some of the bundle's sets."""
    sets = [bundle.sets[number] for number in numbers]
    return f"""SELECT {keys_sql(bundle, sets)}, {part_sql(bundle, sets, numbers)} AS part,
{told}
FROM {rows}
GROUP BY {sets_sql(bundle, sets)}"""


def picked(bundle: Bundle, ask: Ask, params: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """Rows of the body with slice, keys as they lie, first days of periods and what is folded, as `picked`."""
    body, until = narrowed(bundle.metric, bundle.statistics), "$until" if "until" in params else "NULL"
    uses = needed(bundle.metric.id, bundle.slices[0])
    return f"""WITH picked AS (
{_picked_sql(bundle, ask, values, windowed(body, bundle.metric.windows, ask.since, until, uses))}
)"""


def _picked_sql(bundle: Bundle, ask: Ask, values: Mapping[str, str], body: str) -> str:
    """Rows of a body as `picked` tells them."""
    parts = [
        f"{slice_sql(bundle)} AS slice",
        *(["b.period_local AS at"] if bundle.is_open else []),
        *(f"{_start_sql(grain)} AS {name}" for grain, name in bundle.starts.items()),
        *(f"{_key_sql(group)} AS {name}" for group, name in bundle.keys.items()),
        *(f"{sql} AS {name}" for name, sql in values.items()),
    ]
    return f"""SELECT {", ".join(parts)}
FROM (
{body}
) b{_SHIFT_JOIN if "shift" in bundle.keys else ""}
WHERE {_where_sql(bundle.metric, ask)}"""


def _where_sql(metric: Metric, ask: Ask) -> str:
    """As `sql.shape.where_sql`, without the end of the period: a row of it lies before that by its date."""
    return ask.where if metric.kind != "last" else f"{ask.where} AND b.period_local < b.latest_end_local"


def _start_sql(grain: str) -> str:
    """As `sql.shape.period_sql`, of a day in half the time."""
    return "CAST(b.period_local AS DATE)" if grain == "day" else period_sql(grain)


def _key_sql(group: str) -> str:
    return MOMENTS[group].sql if group in MOMENTS else group_raw_sql(group)


def keys_sql(bundle: Bundle, sets: Sequence[Set]) -> str:
    """The slice and the columns of grouped rows, NULL where no set has them."""
    slice_ = "p.slice" if _is_by_slice(bundle, sets) else "0 AS slice"
    used = _used(bundle, sets)
    names = [*bundle.starts.values(), *bundle.keys.values()]
    return ", ".join([slice_, *(f"p.{name}" if name in used else f"NULL AS {name}" for name in names)])


def _used(bundle: Bundle, sets: Sequence[Set]) -> list[str]:
    """The columns that some sets are grouped by."""
    return list(dict.fromkeys(name for part in sets for name in bundle.columns(part)))


def _is_by_slice(bundle: Bundle, sets: Sequence[Set]) -> bool:
    """Whether rows are grouped by their slice: one alone costs time, but keeps a whole of no rows from being a row."""
    return len(bundle.slices) > 1 or not all(bundle.columns(part) for part in sets)


def sets_sql(bundle: Bundle, sets: Sequence[Set]) -> str:
    """What rows are grouped by: the slice and the columns of each set."""
    slice_ = ["slice"] if _is_by_slice(bundle, sets) else []
    told = [", ".join(f"p.{name}" for name in [*slice_, *bundle.columns(part)]) for part in sets]
    return told[0] if len(told) == 1 else f"GROUPING SETS ({', '.join(f'({names})' for names in told)})"


def part_sql(bundle: Bundle, sets: Sequence[Set], numbers: Sequence[int]) -> str:
    """The number of a row's set: which of the columns it is not grouped by."""
    if len(sets) == 1:
        return str(numbers[0])
    columns, told = _used(bundle, sets), []
    for number, part in zip(numbers, sets, strict=True):
        mine = bundle.columns(part)
        mask = sum(1 << place for place, name in enumerate(reversed(columns)) if name not in mine)
        told.append((mask, str(number)))
    return f"CASE GROUPING({', '.join(f'p.{name}' for name in columns)}){cases(told)} END"


def cases(told: Sequence[tuple[int, str]]) -> str:
    """The cases of a CASE over numbers."""
    return "".join(f" WHEN {number} THEN {sql}" for number, sql in told)
