"""What a metric folds, by group: the rows behind its value, for questions that need more than the value."""

from __future__ import annotations

from typing import Any

from sql.asked import ask_of, must_have
from sql.bundle import Bundle
from sql.bundle_folds import folded
from sql.catalog import Metric
from sql.filters import Filters
from sql.fine import Set
from sql.grouped import picked
from sql.ordered import lists_statement
from sql.shape import text_sql

#: What is folded of each kind.
_VALUE, _SUMS = ("v",), ("numerator", "denominator", "n")


def columns_of(asked: Metric) -> tuple[str, ...]:
    """What is told of each unit beside its day."""
    return _VALUE if asked.kind == "percentile" else _SUMS


def units_bundle(asked: Metric, groups: tuple[str, ...], filters: Filters, statistic: str, *sets: Set) -> Bundle:
    """The question for units by group, before others by some of these groups. Raises QueryError."""
    must_have(asked, groups, "day", statistic)
    return Bundle(asked, ((groups, "all"), *sets), (statistic,), (filters.replace(compare="none"),))


def units_statement(bundle: Bundle) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters: a row a group with g0, g1, ... (the groups of the bundle's first set), and of
    its units lists in the same order.

    Of a percentile these are day and v, one of each row, -1 where nothing is known, and there is all that
    `sql.ordered.lists_statement` tells; of what is summed day, numerator, denominator and n, one a day: exact sums of
    the rows that are trials. Groups and units come in any order.
    """
    asked, filters, (statistic,) = bundle.metric, bundle.slices[0], bundle.statistics
    if columns_of(asked) == _VALUE:
        return lists_statement(bundle, {"day": "CAST(b.period_local AS DATE)"})
    by_day = Bundle(asked, ((bundle.sets[0][0], "day"),), (statistic,), (filters,))
    ask, params = ask_of(asked, (), "all", filters, statistic)
    keys, day = by_day.keys.values(), by_day.starts["day"]
    names = "".join(f"p.{name}, " for name in keys)
    folds = folded(asked, ask, by_day.statistics)
    sums = folds.told.format(**{name: sql for name, (sql, _) in folds.parts.items()})
    told = "".join(f"{text_sql(f'u.{name}')} AS {name}, " for name in keys)
    lists = ", ".join(["list(u.day) AS day", *(f"list(coalesce(u.{column}, 0)) AS {column}" for column in _SUMS)])
    return (
        f"""{picked(by_day, ask, params, folds.values)}, units AS (
SELECT {names}p.{day} AS day, {sums} FROM picked p GROUP BY {names}p.{day} HAVING numerator IS NOT NULL
)
SELECT {told}{lists} FROM units u GROUP BY {", ".join(f"u.{name}" for name in keys)}""",
        params,
    )
