"""Turnaround with the exams that still wait: Kaplan-Meier beside the percentiles of what is finished.

A percentile of finished exams improves while the slow ones pile up unread. Here an exam that waits is censored: it is
known to take longer than from its start to the data cut-off, and counts among those at risk until then.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.catalog import PERCENTILES, Metric
from sql.definitions import definition
from sql.filters import KEYS, Filters
from sql.measure import QueryError
from sql.shape import PERIODS, SHIFT_JOIN, Z, group_sql, order_sql, period_end_sql, period_sql
from sql.snapshot import Snapshot

#: Slack of a product of fractions that should be exactly 1 - p.
_SLACK = 1e-9
_LOG_LOG = "ln(-ln(c.survival))"
_REACH = f"{Z} * sqrt(c.variance) / abs(ln(c.survival))"


def censored(
    snapshot: Snapshot,
    metric_id: str,
    *,
    groups: Sequence[str] = (),
    period: str = "all",
    filters: Filters | None = None,
    statistic: str = "p50",
) -> pl.DataFrame:
    """A percentile metric with waiting exams as censored, in the standard shape.

    `value` is the first length at which the estimated share that still waits (Kaplan and Meier 1958) is at most 1 - p,
    NULL where so many wait that it is not reached; `lower` and `upper` are where the 95 % bounds of that share reach it
    (Brookmeyer and Crowley 1982, Greenwood's variance on the log-log scale). n counts exams whose clock started and did
    not run backwards, numerator those of them that are finished, denominator equals n. Raises QueryError.
    """
    asked = definition(snapshot, metric_id)
    p = PERCENTILES.get(statistic)
    _check(asked, tuple(groups), period, statistic, p)
    filters = filters or Filters()
    columns = [key for key in KEYS if key in asked.filters]
    clause = filters.where(columns, anchor="period_local", alias="b", table=asked.table)
    dates = [f"${name}" if name in clause.params else "NULL" for name in ("since", "until")]
    params = {**clause.params, "through": snapshot.data_through}
    return snapshot.execute(_statement(asked, tuple(groups), period, clause.sql, dates, 1 - (p or 0)), params)


def _check(asked: Metric, groups: tuple[str, ...], period: str, statistic: str, p: float | None) -> None:
    if asked.kind != "percentile" or not {"start_at", "stop_at"} <= asked.columns:
        raise QueryError(f"{asked.id} cannot be censored: it has no start and stop")
    if p is None:
        raise QueryError(f"{asked.id}: no {statistic} of what still waits; only percentiles")
    for what, given, known in (("group", groups, asked.groups), ("period", (period,), ("all", *PERIODS))):
        if wrong := [value for value in given if value not in known]:
            raise QueryError(f"{asked.id} has no {what} {', '.join(wrong)}; it has {', '.join(known)}")


def _statement(
    asked: Metric, groups: tuple[str, ...], period: str, where: str, dates: Sequence[str], share: float
) -> str:
    numbers = range(len(groups))
    keys = "".join(f", {group_sql(group)} AS g{n}" for n, group in enumerate(groups))
    names = "".join(f", g{n}" for n in numbers)
    group = f"PARTITION BY period_start{names}"
    until_now = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    value = " || ' | ' || ".join(f"f.g{n}" for n in numbers) or "'all'"
    reached = {name: f"min(c.length) FILTER (WHERE c.{column} <= {share + _SLACK!r})" for name, column in (
        ("value", "survival"), ("lower", "low"), ("upper", "high"))}  # fmt: skip
    return f"""WITH body AS (
{asked.body}
), picked AS (
SELECT {period_sql(period)} AS period_start, CAST(b.period_local AS DATE) AS on_day{keys},
       b.stop_at IS NOT NULL AS is_finished,
       date_diff('second', b.start_at, coalesce(b.stop_at, CAST($through AS TIMESTAMP))) / 60.0 AS length
FROM body b{SHIFT_JOIN if "shift" in groups else ""}
WHERE {where}
), step AS (
SELECT period_start{names}, length, count(*) AS n, count(*) FILTER (WHERE is_finished) AS n_finished,
       min(on_day) AS first_day, max(on_day) AS last_day
FROM picked
WHERE length >= 0
GROUP BY period_start{names}, length
), risk AS (
SELECT *, sum(n) OVER ({group} ORDER BY length ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS n_at_risk FROM step
), curve AS (
SELECT *, product(1 - n_finished / n_at_risk) OVER ({group} ORDER BY length {until_now}) AS survival,
       sum(CASE WHEN n_at_risk > n_finished THEN n_finished / (n_at_risk * (n_at_risk - n_finished)) END)
           OVER ({group} ORDER BY length {until_now}) AS variance
FROM risk
), bounded AS (
SELECT c.*, CASE WHEN c.survival > 0 AND c.survival < 1 THEN exp(-exp({_LOG_LOG} + {_REACH})) END AS low,
       CASE WHEN c.survival > 0 AND c.survival < 1 THEN exp(-exp({_LOG_LOG} - {_REACH})) END AS high
FROM curve c
), folded AS (
SELECT c.period_start{names}, min(c.first_day) AS first_day, max(c.last_day) AS last_day, CAST(sum(c.n) AS BIGINT) AS n,
       CAST(sum(c.n_finished) AS DOUBLE) AS numerator,
       {", ".join(f"CAST({sql} AS DOUBLE) AS {name}" for name, sql in reached.items())}
FROM bounded c
GROUP BY c.period_start{names}
)
SELECT coalesce(f.period_start, CAST({dates[0]} AS DATE), min(f.first_day) OVER ()) AS period_start,
       coalesce({period_end_sql(period).format(start="f.period_start")}, CAST({dates[1]} AS DATE),
                CAST(max(f.last_day) OVER () + 1 AS DATE)) AS period_end,
       '{" | ".join(groups) or "all"}' AS group_name, {value} AS group_value, f.n, f.numerator,
       CAST(f.n AS DOUBLE) AS denominator, f.value, f.lower, f.upper
FROM folded f
ORDER BY {", ".join(["f.period_start", *(order_sql(group, n) for n, group in enumerate(groups))])}"""
