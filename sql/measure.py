"""Metrics asked of a snapshot: the value in the standard shape, and the statement behind it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sql.catalog import Catalog, Metric
from sql.definitions import definition, is_current, own_statement
from sql.filters import KEYS, LENGTH, Clause, Filters
from sql.noted import noted
from sql.shape import (
    PERIODS,
    SHAPE,
    Ask,
    group_sql,
    order_sql,
    period_end_sql,
    period_sql,
    statement,
)
from sql.snapshot import Snapshot

__all__ = ["SHAPE", "Explained", "QueryError", "explain", "metric"]


class QueryError(ValueError):
    """A question that the catalog does not allow; says what would be."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement as it runs, its parameters, and the same with the parameters written in."""

    sql: str
    params: Mapping[str, Any]
    text: str


@noted
def metric(
    snapshot: Snapshot,
    metric_id: str,
    *,
    groups: Sequence[str] = (),
    period: str = "all",
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """A metric in the standard shape, a row a period and group; periods and groups without rows are absent.

    `value`, `lower` and `upper` are in the metric's unit (95 % interval; NULL where none is defined). Groups below the
    metric's `min_n` are returned: whoever shows them greys them out. Raises CatalogError or QueryError.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    known = snapshot.kept(answer_key(asked.id, groups, period, statistic or asked.statistic, filters))
    if known is not None:
        return known
    return answer(snapshot, asked, "metrics", lambda ask: statement(asked, ask), groups=groups, period=period,
                  filters=filters, statistic=statistic)  # fmt: skip


def answer_key(
    metric_id: str, groups: Sequence[str], period: str, statistic: str, filters: Filters
) -> tuple[Hashable, ...]:
    """Under what a snapshot keeps the answer of `metric` where it was asked together with others."""
    return "metric", metric_id, tuple(groups), period, statistic, filters.replace(compare="none")


def explain(
    metric_id: str,
    *,
    groups: Sequence[str] = (),
    period: str = "all",
    filters: Filters | None = None,
    statistic: str | None = None,
) -> Explained:
    """The statement behind `metric` with the same arguments, for "show the SQL"; it runs in any DuckDB client."""
    asked = Catalog.load().metric(metric_id)
    ask, params = ask_of(asked, tuple(groups), period, filters or Filters(), statistic or asked.statistic)
    text = sql = statement(asked, ask)
    for name in sorted(params, key=len, reverse=True):
        text = text.replace(f"${name}", _literal(params[name]))
    return Explained(sql, params, text)


def unapplied(metric: Metric, filters: Filters) -> tuple[str, ...]:
    """Keys of set filters that this metric cannot apply, to be said beside the number."""
    return clause_of(metric, filters).unapplied


def answer(  # noqa: PLR0913 - one question with named parts
    snapshot: Snapshot,
    asked: Metric,
    schema: str,
    made: Callable[[Ask], str],
    *,
    groups: Sequence[str] = (),
    period: str = "all",
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """What `made` asks of a metric; under other definitions the snapshot's own macro of a schema. Raises QueryError."""
    filters, chosen = filters or Filters(), statistic or asked.statistic
    ask, params = ask_of(asked, tuple(groups), period, filters, chosen)
    if is_current(snapshot):
        return snapshot.execute(made(ask), params)
    return snapshot.execute(*own_statement(asked, schema, tuple(groups), period, filters, chosen))


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


def _literal(value: Any) -> str:
    escaped = str(value).replace("'", "''")
    return f"'{escaped}'" if isinstance(value, str) else f"TIMESTAMP '{escaped}'"
