"""One statement for several questions about a metric: sets of groups, statistics and one or two periods of its rows.

The engine groups by the columns as they lie; their text, the days of open periods and everything else that can be told
of a few folded rows is told there, not of each row. Percentiles are folded by `sql.ordered`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sql.bundle import Bundle, asked, of_slice
from sql.bundle_folds import folded
from sql.fine import Set
from sql.grouped import cases, grouped
from sql.shape import KINDS, is_told_sql, order_sql, period_end_sql, text_sql

#: Columns that tell rows of several questions apart, with what a bundle has several of. The engine takes as long to
#: plan a small question as to answer it, so nothing is written that says nothing.
_NUMBERED = {"slice": "slices", "part": "sets", "statistic": "statistics"}


def bundle_statement(bundle: Bundle) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters. Its rows have slice and part (numbers of a slice and a set), statistic, and the
    columns of `SHAPE`; those of one question come in the order in which `sql.shape.statement` gives them.
    """
    metric, sets, keys, starts = bundle.metric, bundle.sets, bundle.keys, bundle.starts
    ask, params = asked(bundle)
    per_part = _per_part(sets)
    start = per_part(lambda part: f"f.{starts[part[1]]}" if part[1] != "all" else "CAST(NULL AS DATE)")
    end = per_part(
        lambda part: period_end_sql(part[1]).format(start=f"f.{starts[part[1]]}" if part[1] != "all" else "")
    )
    starting, ending = (f"{start}, ", f"{end}, ") if starts else ("", "")
    value = per_part(lambda part: " || ' | ' || ".join(f"f.{keys[group]}" for group in part[0]) or "'all'")
    of_part = "OVER (PARTITION BY f.slice, f.part)"
    first, last = (
        f", CAST({each} AS DATE)" if bundle.is_open else ""
        for each in (f"min(f.first_at) {of_part}", f"max(f.last_at) {of_part} + INTERVAL 1 DAY")
    )
    since, until = (of_slice("f", bundle.dates(key)) for key in ("since", "until"))
    order = [f"f.{name}" for name, many in _NUMBERED.items() if len(getattr(bundle, many)) > 1]
    order += [*([start] if starts else []), *_order_sql(sets, keys)]
    rows = grouped(bundle, ask, params, folded(metric, ask, bundle.statistics))
    statement = f"""{rows}, finished AS MATERIALIZED (
{_finished_sql(bundle)}
)
SELECT f.slice, f.part, f.statistic,
coalesce({starting}CAST({since} AS DATE){first}) AS period_start,
coalesce({ending}CAST({until} AS DATE){last}) AS period_end,
{per_part(lambda part: f"'{' | '.join(part[0]) or 'all'}'")} AS group_name, {value} AS group_value,
{KINDS[metric.kind][1]}
FROM finished f
WHERE {is_told_sql(metric)}"""
    return statement + (f"\nORDER BY {', '.join(order)}" if order else ""), params


def _has_choices(bundle: Bundle) -> bool:
    return bool(bundle.metric.choices) and len(bundle.statistics) > 1


def _finished_sql(bundle: Bundle) -> str:
    """The folded rows with the text of their groups, once a statistic."""
    texts = [f"{text_sql(f'f.{name}')} AS {name}" for name in bundle.keys.values()]
    if not _has_choices(bundle):
        replaced = f" REPLACE ({', '.join(texts)})" if texts else ""
        return f"SELECT f.*{replaced}, '{bundle.statistics[0]}' AS statistic FROM grouped f"
    days = ["first_at", "last_at"] if bundle.is_open else []
    names = ", ".join([*(f"f.{name}" for name in ["slice", "part", *bundle.starts.values(), *days]), *texts])
    return " UNION ALL ".join(
        f"SELECT {names}, '{name}' AS statistic, f.numerator_{k} AS numerator, "
        f"f.denominator_{k} AS denominator, f.n_{k} AS n FROM grouped f"
        for k, name in enumerate(bundle.statistics)
    )


def _per_part(sets: tuple[Set, ...]) -> Callable[[Callable[[Set], str]], str]:
    """An expression over `f` that differs by its part."""

    def made(of: Callable[[Set], str]) -> str:
        told = [of(part) for part in sets]
        if len(set(told)) == 1:
            return told[0]
        return f"CASE f.part{cases(list(enumerate(told)))} END"

    return made


def _order_sql(sets: tuple[Set, ...], keys: dict[str, str]) -> list[str]:
    """The order of groups within a part, by place."""
    told: list[str] = []
    for place in range(max(len(names) for names, _ in sets)):
        by_part = [(n, order_sql(names[place], 0).replace("f.g0", f"f.{keys[names[place]]}").split(", "))
                 for n, (names, _) in enumerate(sets) if place < len(names)]  # fmt: skip
        numbers, texts = [(n, by[0]) for n, by in by_part if len(by) > 1], [(n, by[-1]) for n, by in by_part]
        told += [kept[0][1] if len(sets) == 1 else f"CASE f.part{cases(kept)} END"
                 for kept in (numbers, texts) if kept]  # fmt: skip
    return told
