"""Kaplan and Meier's estimate of a length of which some have not ended, as one statement in the standard shape; and the
steps of it, of which `sql.curve` tells several percentiles in a fraction of the time."""

from __future__ import annotations

from sql.catalog import Metric
from sql.shape import SHIFT_JOIN, Ask, Z, probability_sql
from sql.windows import windowed

#: Slack of a product of fractions that should be exactly 1 - p.
SLACK = 1e-9
_LOG_LOG = "ln(-ln(c.survival))"
_REACH = f"{Z} * sqrt(c.variance) / abs(ln(c.survival))"
_NOW = "(SELECT coalesce(m.data_through, m.built_at) FROM meta_snapshot m)"


def is_censorable(metric: Metric) -> bool:
    """Whether a metric is a length that may not have ended: a percentile between two stamps."""
    return metric.kind == "percentile" and {"start_at", "stop_at"} <= metric.columns


def steps_statement(asked: Metric, ask: Ask) -> str:
    """The steps of the curve over all rows of an ask, in order: lasted_s (seconds), n, n_finished, and the first and
    the last day of their rows. `sql.curve` tells the percentiles of them."""
    return f"""WITH picked AS (
SELECT {_lasted_sql()} AS lasted_s, b.stop_at, b.period_local
FROM (
{windowed(asked.body, asked.windows, ask.since, ask.until)}
) b
WHERE {ask.where}
)
SELECT lasted_s, count(*) AS n, count(stop_at) AS n_finished,
       CAST(min(period_local) AS DATE) AS first_day, CAST(max(period_local) AS DATE) AS last_day
FROM picked
WHERE lasted_s >= 0
GROUP BY lasted_s
ORDER BY lasted_s"""


def _lasted_sql() -> str:
    return f"date_diff('second', b.start_at, coalesce(b.stop_at, CAST({_NOW} AS TIMESTAMP)))"


def censored_statement(asked: Metric, ask: Ask) -> str:
    """The whole statement over an ask."""
    keys = "".join(f", {key} AS g{number}" for number, key in enumerate(ask.keys))
    names = "".join(f", g{number}" for number in range(len(ask.keys)))
    group = f"PARTITION BY period_start{names}"
    until_now = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    return f"""WITH body AS (
{windowed(asked.body, asked.windows, ask.since, ask.until)}
), picked AS (
SELECT {ask.period_start} AS period_start, CAST(b.period_local AS DATE) AS on_day{keys},
       b.stop_at IS NOT NULL AS is_finished,
       {_lasted_sql()} / 60.0 AS lasted_min
FROM body b{SHIFT_JOIN if ask.has_shift else ""}
WHERE {ask.where}
), step AS (
SELECT period_start{names}, lasted_min, count(*) AS n, count(*) FILTER (WHERE is_finished) AS n_finished,
       min(on_day) AS first_day, max(on_day) AS last_day
FROM picked
WHERE lasted_min >= 0
GROUP BY period_start{names}, lasted_min
), risk AS (
SELECT *, sum(n) OVER ({group} ORDER BY lasted_min ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS n_at_risk
FROM step
), curve AS (
SELECT *, product(1 - n_finished / n_at_risk) OVER ({group} ORDER BY lasted_min {until_now}) AS survival,
       sum(CASE WHEN n_at_risk > n_finished THEN n_finished / (n_at_risk * (n_at_risk - n_finished)) END)
           OVER ({group} ORDER BY lasted_min {until_now}) AS variance
FROM risk
), bounded AS (
SELECT c.*, CASE WHEN c.survival > 0 AND c.survival < 1 THEN exp(-exp({_LOG_LOG} + {_REACH})) END AS low,
       CASE WHEN c.survival > 0 AND c.survival < 1 THEN exp(-exp({_LOG_LOG} - {_REACH})) END AS high
FROM curve c
), folded AS (
SELECT c.period_start{names}, min(c.first_day) AS first_day, max(c.last_day) AS last_day, CAST(sum(c.n) AS BIGINT) AS n,
       CAST(sum(c.n_finished) AS DOUBLE) AS numerator,
       [{{'statistic': '', {_reached_sql(asked, ask)}}}] AS reached
FROM bounded c
GROUP BY c.period_start{names}
)
SELECT coalesce(f.period_start, CAST({ask.since} AS DATE), min(f.first_day) OVER ()) AS period_start,
       coalesce({ask.period_end.format(start="f.period_start")}, CAST({ask.until} AS DATE),
                CAST(max(f.last_day) OVER () + 1 AS DATE)) AS period_end,
       {ask.group_name} AS group_name, {ask.group_value} AS group_value, f.n, f.numerator,
       CAST(f.n AS DOUBLE) AS denominator, r.reached.value, r.reached.lower,
       r.reached.upper
FROM folded f, unnest(f.reached) r(reached)
ORDER BY {ask.order}"""


def _reached_sql(asked: Metric, ask: Ask) -> str:
    """Fields of the first lengths at which the curve and its bounds are down to what the percentile leaves."""
    probability = f"coalesce({probability_sql(asked, ask)}, error('{asked.id}: only percentiles of what still waits'))"
    return ", ".join(
        f"'{name}': CAST(min(c.lasted_min) FILTER (WHERE c.{column} <= 1 - {probability} + {SLACK!r}) AS DOUBLE)"
        for name, column in (("value", "survival"), ("lower", "low"), ("upper", "high"))
    )
