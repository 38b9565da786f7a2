"""Metrics asked of a snapshot: the value in the standard shape, and the evidence beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sql.catalog import Catalog, Metric
from sql.definitions import definition, is_current, own_statement
from sql.filters import KEYS, Clause, Filters
from sql.shape import (
    PERIODS,
    SHAPE,
    Ask,
    group_sql,
    order_sql,
    period_end_sql,
    period_sql,
    statement,
    weight_sql,
)
from sql.snapshot import Snapshot

__all__ = ["SHAPE", "Explained", "QueryError", "clocks", "completeness", "explain", "metric"]

#: Milestones whose winning source fct_exam keeps.
CLOCKED = ("ordered", "arrived", "exam_started", "exam_ended", "images_available", "first_prelim", "first_final")
#: Wall clock of an exam that may never have been performed, for counting what was excluded.
_ANY_CLOCK = "coalesce(e.exam_ended_local, e.exam_started_local, e.scheduled_local, e.ordered_local)"


class QueryError(ValueError):
    """A question that the catalog does not allow; says what would be."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement as it runs, its parameters, and the same with the parameters written in."""

    sql: str
    params: Mapping[str, Any]
    text: str


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
    asked = definition(snapshot, metric_id)
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
    return _clause(metric, filters).unapplied


def completeness(snapshot: Snapshot, metric_id: str, filters: Filters | None = None) -> pl.DataFrame:
    """What became of every row that a metric could have used: columns kind, reason, n, share of all (0-1).

    kind is used, missing (an end of the interval, named by its milestone), negative (it runs backwards) or excluded
    (exams that do not count, with the reason; only for metrics of fct_exam).
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    clause = _clause(asked, filters)
    parts = [f"SELECT {_fate(asked)} AS fate, {weight_sql(asked)} AS n FROM ({asked.body}) b WHERE {clause.sql}"]
    if asked.table == "fct_exam":
        ours = filters.where(_exam_columns(), anchor="any_local", alias="x", table="fct_exam")
        parts.append(f"""SELECT 'excluded|' || x.exclusion_reason, 1
        FROM (SELECT e.*, {_ANY_CLOCK} AS any_local FROM fct_exam e WHERE NOT e.is_countable) x WHERE {ours.sql}""")
        clause = Clause(clause.sql, clause.params | ours.params)
    return snapshot.execute(
        f"""SELECT split_part(u.fate, '|', 1) AS kind, split_part(u.fate, '|', 2) AS reason,
        CAST(sum(u.n) AS BIGINT) AS n, sum(u.n) / sum(sum(u.n)) OVER () AS share
        FROM ({" UNION ALL ".join(parts)}) u
        GROUP BY u.fate
        HAVING sum(u.n) > 0
        ORDER BY list_position(['used', 'missing', 'negative', 'excluded'], kind), n DESC, reason""",
        clause.params,
    )


def clocks(snapshot: Snapshot, metric_id: str, filters: Filters | None = None) -> pl.DataFrame:
    """Which source each end of an interval came from: columns milestone, source, n, share of the milestone (0-1).

    Empty for a metric whose ends are not milestones of fct_exam.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    clause = filters.where(_exam_columns(), anchor="exam_ended_local", alias="e", table="fct_exam")
    ends = [m for m in (asked.clock_start, asked.clock_stop) if m in CLOCKED and asked.table == "fct_exam"]
    parts = [
        f"""SELECT '{milestone}' AS milestone, {number} AS number, coalesce(e.{milestone}_source, 'none') AS source
        FROM fct_exam e WHERE e.is_countable AND {clause.sql}"""
        for number, milestone in enumerate(ends)
    ] or ["SELECT '' AS milestone, 0 AS number, '' AS source WHERE FALSE"]
    return snapshot.execute(
        f"""SELECT u.milestone, u.source, count(*) AS n,
        count(*) / sum(count(*)) OVER (PARTITION BY u.milestone) AS share
        FROM ({" UNION ALL ".join(parts)}) u
        GROUP BY u.milestone, u.number, u.source ORDER BY u.number, n DESC, source""",
        clause.params if ends else {},
    )


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
    for what, given, known in (("group", groups, asked.groups), ("period", (period,), ("all", *PERIODS)),
                               ("statistic", (statistic,), asked.statistics)):  # fmt: skip
        if wrong := [value for value in given if value not in known]:
            raise QueryError(f"{asked.id} has no {what} {', '.join(wrong)}; it has {', '.join(known)}")
    if len(set(groups)) != len(groups):
        raise QueryError(f"{asked.id}: a group is named twice")
    clause = _clause(asked, filters)
    numbers = range(len(groups))
    ask = Ask(
        keys=tuple(map(group_sql, groups)),
        group_name=f"'{' | '.join(groups) or 'all'}'",
        group_value=" || ' | ' || ".join(f"f.g{n}" for n in numbers) or "'all'",
        period_start=period_sql(period),
        period_end=period_end_sql(period),
        since="$since" if "since" in clause.params else "NULL",
        until="$until" if "until" in clause.params else "NULL",
        statistic=f"'{statistic}'",
        where=clause.sql,
        has_shift="shift" in groups,
        order=", ".join(["f.period_start", *(order_sql(group, n) for n, group in enumerate(groups))]),
    )
    return ask, clause.params


def _clause(asked: Metric, filters: Filters) -> Clause:
    columns = [key for key in (*KEYS, "facility") if key in asked.filters]
    return filters.where(columns, anchor="period_local" if asked.has_dates else "", alias="b", table=asked.table)


def _fate(asked: Metric) -> str:
    """Expression over a body's row: kind|reason."""
    numerators = {choice.name: choice.numerator for choice in asked.choices}
    column = numerators.get(asked.statistic, "value")
    ends = "".join(
        f" WHEN b.{column} IS NULL AND b.{end} IS NULL THEN 'missing|{milestone}'"
        for end, milestone in (("start_at", asked.clock_start), ("stop_at", asked.clock_stop))
        if end in asked.columns
    )
    negative = f" WHEN b.{column} < 0 THEN 'negative|runs backwards'" if asked.kind == "percentile" else ""
    return f"CASE WHEN FALSE THEN ''{ends}{negative} WHEN b.{column} IS NULL THEN 'missing|no value' ELSE 'used|' END"


def _exam_columns() -> tuple[str, ...]:
    return tuple(column.name for column in Catalog.load().models["fct_exam"].columns)


def _literal(value: Any) -> str:
    escaped = str(value).replace("'", "''")
    return f"'{escaped}'" if isinstance(value, str) else f"TIMESTAMP '{escaped}'"
