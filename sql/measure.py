"""Metrics asked of a snapshot: the value in the standard shape, and the statement behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sql.asked import QueryError, answer_key, ask_of, clause_of, must_have
from sql.bundle import Bundle
from sql.bundled import answers
from sql.catalog import Catalog, Metric
from sql.definitions import definition, is_current, own_statement
from sql.filters import Filters
from sql.noted import noted
from sql.shape import SHAPE, Ask, statement
from sql.snapshot import Snapshot

__all__ = ["SHAPE", "Explained", "QueryError", "explain", "metric"]


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
    statistic = statistic or asked.statistic
    key = answer_key(asked.id, groups, period, statistic, filters)
    known = snapshot.kept(key)
    if known is not None:
        return known
    if is_current(snapshot):
        must_have(asked, groups, period, statistic)
        one = Bundle(asked, ((tuple(groups), period),), (statistic,), (filters.replace(compare="none"),))
        return answers(snapshot, one)[key]
    return answer(snapshot, asked, "metrics", lambda ask: statement(asked, ask), groups=groups, period=period,
                  filters=filters, statistic=statistic)  # fmt: skip


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


def _literal(value: Any) -> str:
    escaped = str(value).replace("'", "''")
    return f"'{escaped}'" if isinstance(value, str) else f"TIMESTAMP '{escaped}'"
