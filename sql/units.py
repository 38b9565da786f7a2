"""What a metric folds, by group: the rows behind its value, for questions that need more than the value."""

from __future__ import annotations

from typing import Any

from sql.asked import ask_of, must_have
from sql.bundle import Bundle
from sql.bundle_folds import folded
from sql.catalog import Metric
from sql.filters import Filters
from sql.grouped import picked
from sql.shape import text_sql, values_sql

#: What is folded of each kind.
_VALUE, _SUMS = ("value",), ("numerator", "denominator", "n")


def columns_of(asked: Metric) -> tuple[str, ...]:
    """What is told of each unit beside its day."""
    return _VALUE if asked.kind == "percentile" else _SUMS


def units_statement(
    asked: Metric, groups: tuple[str, ...], filters: Filters, statistic: str
) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters: a row a group with g0, g1, ... (the groups) and units, a list of structs.

    Of a percentile they have day and value, one of each row that counts; of what is summed day, numerator, denominator
    and n, one a day: exact sums of the rows that are trials. Groups and units come in any order. Raises QueryError.
    """
    must_have(asked, groups, "day", statistic)
    ask, params = ask_of(asked, (), "all", filters, statistic)
    bundle = Bundle(asked, ((groups, "day"),), (statistic,), (filters.replace(compare="none"),))
    keys, day = bundle.keys.values(), bundle.starts["day"]
    names = "".join(f"p.{name}, " for name in keys)
    if columns_of(asked) == _VALUE:
        values = values_sql(asked, ask)
        days = f"SELECT {names}p.{day} AS day, p.value FROM picked p WHERE p.value >= 0"
        unit = "day := u.day, value := u.value"
    else:
        folds = folded(asked, ask, bundle.statistics)
        values = folds.values
        sums = folds.told.format(**{name: sql for name, (sql, _) in folds.parts.items()})
        days = (
            f"SELECT {names}p.{day} AS day, {sums} FROM picked p GROUP BY {names}p.{day} HAVING numerator IS NOT NULL"
        )
        unit = ", ".join(["day := u.day", *(f"{column} := coalesce(u.{column}, 0)" for column in _SUMS)])
    told = "".join(f"{text_sql(f'u.{name}')} AS {name}, " for name in keys)
    by = ", ".join(f"u.{name}" for name in keys)
    return (
        f"""{picked(bundle, ask, params, values)}, units AS (
{days}
)
SELECT {told}list(struct_pack({unit})) AS units FROM units u GROUP BY {by}""",
        params,
    )
