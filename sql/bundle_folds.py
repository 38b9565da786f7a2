"""What a bundle folds of a row, and how: of whole numbers without decimals, each column once, and counts as counts.

The sums are those of `sql.shape`, which a test holds beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sql.catalog import Choice, Metric
from sql.shape import Ask, exact_sql, is_last_sql, values_sql
from sql.whole import whole_columns


class Folds(NamedTuple):
    """What is folded, by name: columns over a row `b`; aggregates of these over `p`, each with what adds up those of
    finer groups; and what is told of a group over the aggregates' names in braces."""

    values: dict[str, str]
    parts: dict[str, tuple[str, str]]
    told: str


#: Of the greatest value: it, how many are known, and how many rows there are.
_GREATEST = {"top": ("max(p.value)", "max"), "known": ("count(p.value)", "sum"), "many": ("count(*)", "sum")}
_GREATEST_TOLD = "{top} AS value, CAST({known} AS BIGINT) AS n, CAST({many} AS BIGINT) AS denominator"


def folded(metric: Metric, ask: Ask, statistics: Sequence[str]) -> Folds:
    """What a metric folds: numerator, denominator and n, of several statistics each with its number behind
    (`numerator_0`); of a greatest value that, n and denominator."""
    if metric.kind == "max":
        return Folds(values_sql(metric, ask), _GREATEST, _GREATEST_TOLD)
    sums = _Sums(metric)
    choices = {choice.name: choice for choice in metric.choices}
    told = []
    for number, name in enumerate(statistics):
        parts = sums.of(choices[name])
        behind = f"_{number}" if len(statistics) > 1 else ""
        told += [f"{sql} AS {part}{behind}" for part, sql in parts.items()]
    values = {name: sql for sql, name in sums.columns.items()}
    if metric.kind == "last":
        values["is_last"] = is_last_sql(ask)
    return Folds(values, {name: (sql, of) for (sql, of), name in sums.parts.items()}, ",\n".join(told))


def weight_of(numerator: str) -> str:
    """The column of what n adds up beside a numerator, where it is not that of all."""
    return f"weight_of_{numerator}"


class _Sums:
    """The aggregates of choices, and the columns that they need."""

    def __init__(self, metric: Metric) -> None:
        self._metric, self._whole = metric, whole_columns(metric)
        self.columns: dict[str, str] = {}
        self.parts: dict[tuple[str, str], str] = {}

    def of(self, choice: Choice) -> dict[str, str]:
        """numerator, denominator and n of a choice. Rows without a numerator are no trials."""
        numerator = self._value(choice.numerator)
        below = self._value(choice.denominator) if choice.denominator else "1"
        trials = self._sum(numerator) if below == numerator else self._sum(below, numerator)
        if self._metric.kind == "ratio":
            is_exact = below == "1" or choice.denominator in self._whole
            n = trials if is_exact else self._sum(f"CAST({below} AS DOUBLE)", numerator)
        else:
            column = next((c for c in (weight_of(choice.numerator), "n") if c in self._metric.columns), "")
            weight = self._value(column) if column else "1"
            is_exact = not column or column in self._whole
            n = self._sum(weight if is_exact else f"CAST({weight} AS DOUBLE)", numerator)
        return {
            "numerator": f"CAST({self._sum(numerator)} AS DOUBLE)", "denominator": f"CAST({trials} AS DOUBLE)",
            "n": f"CAST(coalesce({n}, 0) AS BIGINT)",
        }  # fmt: skip

    def _value(self, column: str) -> str:
        """A column of the body over `p`, exact."""
        sql = f"b.{column}" if column in self._whole or column == "n" else exact_sql(f"b.{column}")
        return f"p.{self.columns.setdefault(sql, f'x{len(self.columns)}')}"

    def _sum(self, value: str, known: str = "") -> str:
        """The sum of a value, of rows in which another one is known; of a count at an instant in rows of the last hour,
        0 where there are others only."""
        rules = [f"{known} IS NOT NULL"] if known else []
        if self._metric.kind == "last":
            rules.append("p.is_last")
        elif value == "1":
            return self._part(f"count({known})", "sum")
        kept = f" FILTER (WHERE {' AND '.join(rules)})" if rules else ""
        told = self._part(f"sum({value}){kept}", "sum")
        if self._metric.kind != "last":
            return told
        return f"coalesce({told}, CASE WHEN NOT {self._part('bool_and(p.is_last)', 'bool_and')} THEN 0 END)"

    def _part(self, sql: str, of: str) -> str:
        return f"{{{self.parts.setdefault((sql, of), f's{len(self.parts)}')}}}"
