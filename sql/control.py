"""Control charts over a metric's course: which points are more than its own noise. One statement, in any client.

Each group is a chart of its own. By what the value is:

* `share` (ratios): Laney's p' chart (2002): 3 binomial sigma of each point's denominator, widened by what points vary
  beyond chance, never narrowed. Plain p limits cry wolf where denominators are large.
* `quantile` (percentiles): limits are quantiles of the chart's own values, where 3 sigma of the rank of a sample of n
  reaches, widened in the same way. Times to report have several humps (read now, read tomorrow): their percentiles jump
  from one to the other, and individuals charts call that a signal.
* `individuals` (means, sums, rates and the rest): mean, and 3 sigma by the moving range over 1.128.

By day each weekday has its own center, so that Sundays are compared with Sundays. A point with fewer than `EXPECTED`
trials on either side of its share or percentile is not judged, nor is a course of fewer than `MIN_POINTS` points, nor
an unfinished period. Signals: `outside` the limits, else the eighth or later point of a `run` on one side of center.
"""

from __future__ import annotations

from typing import NamedTuple

from sql.catalog import Metric
from sql.shape import Ask, probability_sql, statement, values_statement
from sql.unfinished import partial_sql

#: Two points in a row on average differ by 1.128 standard deviations (d2 of Shewhart's tables, n = 2).
D2 = 1.128
#: Points in a row on one side of the center that are no chance (Western Electric counts 8).
RUN = 8
#: Fewest points of a chart, and of one weekday where it is by day.
MIN_POINTS, MIN_WEEKDAYS = 8, 3
#: Fewest trials expected on either side for a normal limit.
EXPECTED = 5
_BY_GROUP = "PARTITION BY group_value ORDER BY period_start"
_BY_STRATUM = "PARTITION BY group_value, stratum"


class Chart(NamedTuple):
    """One kind of chart as SQL over a point: its name, what it needs, noise `z`, center, low and high."""

    name: str
    enough: str
    z: str
    center: str
    low: str
    high: str
    widened: str


#: Trials of a share on either side; sigma of a share.
_SIGMA = "sqrt(share * (1 - share) / denominator)"
_SHARE = Chart(
    "share", f"denominator * least(share, 1 - share) >= {EXPECTED}",
    f"coalesce((value - share) / nullif({_SIGMA}, 0), 0)",
    "share", f"share - 3 * wide * {_SIGMA}", f"share + 3 * wide * {_SIGMA}", "wide",
)  # fmt: skip
_INDIVIDUALS = Chart(
    "individuals", "TRUE", "value - mean", "mean", "mean - 3 * sigma", "mean + 3 * sigma", "CAST(1 AS DOUBLE)"
)
#: Where the percentile of a sample of n stands on average among all values (order statistics are Beta), and its reach.
_RANK = "(((n - 1) * probability + 1) / (n + 1))"
_REACH = f"(3 * wide * sqrt({_RANK} * (1 - {_RANK}) / (n + 2)))"


def _at(share: str, values: str = "held", n: str = "n_pool") -> str:
    """The value of a pool of n at a share, interpolated as the percentile metrics are; NULL outside 0-1."""
    place = f"({n} - 1) * ({share})"
    low, high = (f"{values}[{each}]" for each in _places(share, n))
    return f"CASE WHEN {share} > 0 AND {share} < 1 THEN {low} + ({high} - {low}) * ({place} - floor({place})) END"


def _places(share: str, n: str = "n_pool") -> tuple[str, str]:
    """The places in a sorted pool of n on either side of a share, from 1."""
    below = f"CAST(floor(({n} - 1) * ({share})) AS BIGINT)"
    return f"{below} + 1", f"least({below} + 2, {n})"


_SHARES = (_RANK, f"{_RANK} - {_REACH}", f"{_RANK} + {_REACH}")
_QUANTILE = Chart(
    "quantile", f"n * least(probability, 1 - probability) >= {EXPECTED}",
    "(below - probability) / sqrt(probability * (1 - probability) / n)",
    _at(_SHARES[0]), _at(_SHARES[1]), _at(_SHARES[2]), "wide",
)  # fmt: skip


def _chart(metric: Metric) -> Chart:
    """The chart of a metric; of percentiles by the statistic, which may be a parameter."""
    if metric.kind != "percentile":
        return _SHARE if metric.kind == "ratio" else _INDIVIDUALS
    pairs = zip(_INDIVIDUALS[1:], _QUANTILE[1:], strict=True)
    either = [f"CASE WHEN probability IS NULL THEN {mean} ELSE {other} END" for mean, other in pairs]
    return Chart("CASE WHEN t.probability IS NULL THEN 'individuals' ELSE 'quantile' END", *either)


def chart_statement(metric: Metric, ask: Ask, period: str) -> str:
    """The whole statement over an ask; `period` is an expression."""
    chart, has_pool = _chart(metric), metric.kind == "percentile"
    share = f"sum(numerator) OVER ({_BY_STRATUM}) / nullif(sum(denominator) OVER ({_BY_STRATUM}), 0) AS share"
    floor = "CASE WHEN min(value) OVER (PARTITION BY group_value) >= 0 THEN 0 END"
    name = chart.name if has_pool else f"'{chart.name}'"
    return f"""WITH course AS (
SELECT c.*, {probability_sql(metric, ask)} AS probability FROM ({statement(metric, ask)}) c
), told AS (
SELECT *, CASE {period} WHEN 'day' THEN isodow(period_start) ELSE 0 END AS stratum
FROM ({partial_sql(metric, ask.since, ask.until)})
), large AS (
SELECT * EXCLUDE (share) FROM (SELECT *, {share} FROM told WHERE value IS NOT NULL AND NOT is_partial)
WHERE {chart.enough}
QUALIFY count(*) OVER ({_BY_STRATUM}) >= CASE WHEN stratum > 0 THEN {MIN_WEEKDAYS} ELSE 1 END
), used AS (
SELECT *, avg(value) OVER ({_BY_STRATUM}) AS mean, {share}
FROM large QUALIFY count(*) OVER (PARTITION BY group_value) >= {MIN_POINTS}
), {_pooled(metric, ask) if has_pool else ""}ranged AS (
SELECT *, {chart.z} AS z, abs(z - lag(z) OVER ({_BY_GROUP})) AS step FROM {"pooled" if has_pool else "used"}
), spread AS (
SELECT *, avg(step) OVER (PARTITION BY group_value) / {D2} AS sigma, greatest(1, sigma) AS wide, {floor} AS least_known
FROM ranged
), {_KNOWN if has_pool else ""}limited AS (
SELECT *, {chart.center} AS center, {chart.low} AS lowest, {chart.high} AS highest, {chart.widened} AS widened,
       CASE WHEN lowest IS NOT NULL THEN greatest(lowest, least_known) END AS low,
       {"least(highest, 1)" if chart is _SHARE else "highest"} AS high
FROM spread{" LEFT JOIN known USING (group_value, stratum)" if has_pool else ""}
), sided AS (
SELECT *{" EXCLUDE (held)" if has_pool else ""}, CAST(sign(value - center) AS INTEGER) AS side,
       CAST(side = 0 OR side IS DISTINCT FROM lag(side) OVER ({_BY_GROUP}) AS INTEGER) AS is_new
FROM limited
), runs AS (
SELECT *, sum(is_new) OVER ({_BY_GROUP} ROWS UNBOUNDED PRECEDING) AS run FROM sided
), judged AS (
SELECT *, row_number() OVER (PARTITION BY group_value, run ORDER BY period_start) >= {RUN} AND side <> 0 AS is_run,
       min(period_start) OVER (PARTITION BY group_value, run) AS began
FROM runs
)
SELECT t.* EXCLUDE (stratum, probability), {name} AS chart, j.center, j.low, j.high, j.widened,
       CASE WHEN j.value < j.low OR j.value > j.high THEN 'outside' WHEN j.is_run THEN 'run' END AS signal,
       CASE WHEN j.is_run THEN j.began END AS run_since
FROM told t
LEFT JOIN judged j USING (group_value, period_start)
ORDER BY t.period_start, t.group_value"""


def _pooled(metric: Metric, ask: Ask) -> str:
    """The points with how many values all points of their chart and weekday have, and the share of their own below."""
    return f"""behind AS (
SELECT u.group_value, u.stratum, u.period_start, u.probability, v.value
FROM used u JOIN ({values_statement(metric, ask)}) v USING (group_value, period_start)
), pool AS (
SELECT group_value, stratum, any_value(probability) AS probability, list_sort(list(value)) AS pool FROM behind
GROUP BY group_value, stratum
), middle AS (
SELECT group_value, stratum, len(pool) AS n_pool, {_at("probability", "pool", "len(pool)")} AS middle FROM pool
), beneath AS (
SELECT b.group_value, b.period_start,
       avg(CASE WHEN b.value < m.middle THEN 1.0 WHEN b.value = m.middle THEN 0.5 ELSE 0 END) AS below
FROM behind b JOIN middle m USING (group_value, stratum)
GROUP BY b.group_value, b.period_start
), pooled AS (
SELECT u.*, m.n_pool, b.below
FROM used u JOIN middle m USING (group_value, stratum) JOIN beneath b USING (group_value, period_start)
), """


#: The few values of each pool that its points ask for, by place: a pool is as large as all rows, and is not carried.
_KNOWN = f"""known AS (
SELECT p.group_value, p.stratum, map(w.places, list_select(p.pool, w.places)) AS held
FROM pool p
JOIN (SELECT group_value, stratum, list(DISTINCT place) AS places
      FROM (SELECT group_value, stratum, unnest([{
    ", ".join(
        f"CASE WHEN {share} > 0 AND {share} < 1 THEN {place} END" for share in _SHARES for place in _places(share)
    )
}]) AS place FROM spread)
      WHERE place IS NOT NULL GROUP BY group_value, stratum) w USING (group_value, stratum)
), """
