"""What a bundle folds of a row, and how: of whole numbers without decimals, each column once, and counts as counts.

The sums are those of `sql.shape`, which a test holds beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sql.catalog import Choice, Metric
from sql.shape import KINDS, Ask, exact_sql, is_last_sql, values_sql
from sql.whole import whole_columns

#: Kinds that are folded by sums of numerators and denominators.
_SUMMED = frozenset({"ratio", "rate", "sum", "last"})


def folded(metric: Metric, ask: Ask, statistics: Sequence[str]) -> tuple[dict[str, str], str]:
    """What is folded of a row `b` by name, and the aggregates over `p`: numerator, denominator and n, of several
    statistics each with its number behind (`numerator_0`)."""
    if metric.kind not in _SUMMED:
        return values_sql(metric, ask), KINDS[metric.kind][0]
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
    return values, ",\n".join(told)


class _Sums:
    """The aggregates of choices, and the columns that they need."""

    def __init__(self, metric: Metric) -> None:
        self._metric, self._whole = metric, whole_columns(metric)
        self.columns: dict[str, str] = {}

    def of(self, choice: Choice) -> dict[str, str]:
        """numerator, denominator and n of a choice. Rows without a numerator are no trials."""
        numerator = self._value(choice.numerator)
        known = f"FILTER (WHERE {numerator} IS NOT NULL)"
        below = self._value(choice.denominator) if choice.denominator else self._one()
        trials = f"count({numerator})" if below == "1" else f"sum({below}) {known}"
        if below == numerator:
            trials = f"sum({numerator})"
        if self._metric.kind == "ratio":
            exact = below == "1" or choice.denominator in self._whole
            n = trials if exact else f"sum(CAST({below} AS DOUBLE)) {known}"
        else:
            weight = self._value("n") if "n" in self._metric.columns else self._one()
            n = f"count({numerator})" if weight == "1" else f"sum({weight}) {known}"
            n = n if weight == "1" or "n" in self._whole else f"sum(CAST({weight} AS DOUBLE)) {known}"
        return {
            "numerator": f"CAST(sum({numerator}) AS DOUBLE)", "denominator": f"CAST({trials} AS DOUBLE)",
            "n": f"CAST(coalesce({n}, 0) AS BIGINT)",
        }  # fmt: skip

    def _value(self, column: str) -> str:
        """A column of the body over `p`, exact; of a count at an instant 0 in rows of other hours."""
        sql = f"b.{column}" if column in self._whole or column == "n" else exact_sql(f"b.{column}")
        name = self.columns.setdefault(sql, f"x{len(self.columns)}")
        return f"CASE WHEN p.is_last THEN p.{name} ELSE 0 END" if self._metric.kind == "last" else f"p.{name}"

    def _one(self) -> str:
        return "CASE WHEN p.is_last THEN 1 ELSE 0 END" if self._metric.kind == "last" else "1"
