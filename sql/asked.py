"""What a metric is asked, as literals of a statement, with its parameters; and what it can be asked at all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from sql.catalog import Metric
from sql.filters import KEYS, LENGTH, Clause, Filters
from sql.shape import PERIODS, Ask, group_sql, order_sql, period_end_sql, period_sql


class QueryError(ValueError):
    """A question that the catalog does not allow; says what would be."""


class Wanted(NamedTuple):
    """One question: the arguments of `sql.query.metric`."""

    metric: str
    groups: tuple[str, ...]
    period: str
    statistic: str
    filters: Filters


def answer_key(
    metric_id: str, groups: Sequence[str], period: str, statistic: str, filters: Filters
) -> tuple[Hashable, ...]:
    """Under what a snapshot keeps the answer of `metric` where it was asked together with others."""
    return "metric", metric_id, tuple(groups), period, statistic, filters.replace(compare="none")


def ask_of(
    asked: Metric, groups: tuple[str, ...], period: str, filters: Filters, statistic: str
) -> tuple[Ask, dict[str, Any]]:
    """The ask in literals, and its parameters. Raises QueryError."""
    must_have(asked, groups, period, statistic)
    clause = clause_of(asked, filters)
    numbers = range(len(groups))
    since, until = dates_of(clause)
    ask = Ask(
        keys=tuple(map(group_sql, groups)),
        group_name=f"'{' | '.join(groups) or 'all'}'",
        group_value=" || ' | ' || ".join(f"f.g{n}" for n in numbers) or "'all'",
        period_start=period_sql(period),
        period_end=period_end_sql(period),
        since=since,
        until=until,
        statistic=f"'{statistic}'",
        where=clause.sql,
        has_shift="shift" in groups,
        order=", ".join(["f.period_start", *(order_sql(group, n) for n, group in enumerate(groups))]),
    )
    return ask, clause.params


def must_have(asked: Metric, groups: Sequence[str], period: str, statistic: str) -> None:
    """Raises QueryError where the metric has not what is asked."""
    for what, given, known in (("group", groups, asked.groups), ("period", (period,), ("all", *PERIODS)),
                               ("statistic", (statistic,), asked.statistics)):  # fmt: skip
        if wrong := [value for value in given if value not in known]:
            raise QueryError(f"{asked.id} has no {what} {', '.join(wrong)}; it has {', '.join(known)}")
    if len(set(groups)) != len(groups):
        raise QueryError(f"{asked.id}: a group is named twice")


def clause_of(asked: Metric, filters: Filters) -> Clause:
    """Condition of the filters that apply, over a row `b` of the metric's statement."""
    columns = [key for key in (*KEYS, "facility") if key in asked.filters]
    columns += ["exam_key"] if LENGTH in asked.filters else []
    return filters.where(columns, anchor="period_local" if asked.has_dates else "", alias="b", table=asked.table)


def dates_of(clause: Clause) -> tuple[str, str]:
    """SQL of the first day and of the day behind the last, as the condition binds them; NULL where it is open."""
    return tuple(f"${key}" if key in clause.params else "NULL" for key in ("since", "until"))  # type: ignore[return-value]
