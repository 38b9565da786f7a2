"""From a metric's body to the standard shape: one wrapper a kind, used by queries and by the snapshot's macros.

Ratios are divided after summing; percentiles are computed from the rows of each group, never averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sql.catalog import CLOCK_GROUPS, INTERVALS, PERCENTILES, Choice, Metric
from sql.filters import NO_VALUE
from sql.windows import windowed

#: Columns of every metric's answer.
SHAPE = ("period_start", "period_end", "group_name", "group_value", "n", "numerator", "denominator", "value", "lower",
         "upper")  # fmt: skip
#: Grain of periods -> its length. `all` is one period.
PERIODS = {"day": "1 DAY", "week": "7 DAY", "month": "1 MONTH", "quarter": "3 MONTH", "year": "1 YEAR"}
#: Normal quantile of the two-sided 95 % intervals.
Z = 1.959963984540054
#: Type of what is summed: the sum does not depend on the order of the rows.
_EXACT = "DECIMAL(18, 9)"
_NO_DAY = "CAST(NULL AS DATE)"
#: Expression of a group that comes from the anchor's wall clock.
CLOCK_SQL = {"shift": "s.shift", "weekday": "isodow(b.period_local)", "hour": "hour(b.period_local)"}
SHIFT_JOIN = """
LEFT JOIN dim_shift s
    ON s.minute_of_week = (isodow(b.period_local) - 1) * 1440 + hour(b.period_local) * 60 + minute(b.period_local)"""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a metric, as SQL expressions over its row `b`: literals in a query, parameters in a macro."""

    keys: tuple[str, ...]  # group keys
    group_name: str
    group_value: str  # over the keys as f.g0, f.g1, ...
    period_start: str  # NULL for one period
    period_end: str  # with {start} for the period's start; NULL for one period
    since: str  # DATE or NULL
    until: str
    statistic: str  # VARCHAR expression
    where: str
    has_shift: bool
    order: str  # of the groups within a period, over the keys


def group_sql(group: str) -> str:
    """A group's value on a row, as text, with a word where there is none."""
    return text_sql(group_raw_sql(group))


def group_raw_sql(group: str) -> str:
    """A group's value on a row as it lies."""
    return CLOCK_SQL[group] if group in CLOCK_GROUPS else f"b.{group}"


def text_sql(column: str) -> str:
    """A group's value as text, with a word where there is none."""
    return f"coalesce(CAST({column} AS VARCHAR), '{NO_VALUE}')"


def period_sql(period: str) -> str:
    """First day of the period in which a row lies; NULL for `all`."""
    return _NO_DAY if period == "all" else f"CAST(date_trunc('{period}', b.period_local) AS DATE)"


def period_end_sql(period: str) -> str:
    """The day after the period's last, over {start}."""
    return _NO_DAY if period == "all" else f"CAST({{start}} + INTERVAL {PERIODS[period]} AS DATE)"


def order_sql(group: str, number: int) -> str:
    """Order of a group's values: hours and weekdays by number."""
    return f"try_cast(f.g{number} AS INTEGER), f.g{number}" if group in ("hour", "weekday") else f"f.g{number}"


def statement(metric: Metric, ask: Ask) -> str:
    """The whole statement; its rows have the columns of `SHAPE`, its parameters are those of `ask`."""
    names = "".join(f", p.g{number}" for number in range(len(ask.keys)))
    fold, finish = KINDS[metric.kind]
    return f"""{picked(metric, ask)}, folded AS (
SELECT p.period_start{names}, min(p.on_day) AS first_day, max(p.on_day) AS last_day,
{fold}
FROM picked p
GROUP BY p.period_start{names}
), finished AS (
SELECT f.*, {probability_sql(metric, ask)} AS probability{_SORTED.get(metric.kind, "")} FROM folded f
)
SELECT coalesce(f.period_start, CAST({ask.since} AS DATE), min(f.first_day) OVER ()) AS period_start,
coalesce({ask.period_end.format(start="f.period_start")}, CAST({ask.until} AS DATE),
         CAST(max(f.last_day) OVER () + 1 AS DATE)) AS period_end,
{ask.group_name} AS group_name, {ask.group_value} AS group_value,
{finish}
FROM finished f
WHERE {is_told_sql(metric)}
ORDER BY {ask.order}"""


def is_told_sql(metric: Metric) -> str:
    """Which groups `f` have a row in the answer: those with rows to divide by; of a count at an instant, all."""
    return f"f.denominator {'>=' if metric.kind == 'last' else '>'} 0"


def values_statement(metric: Metric, ask: Ask) -> str:
    """The values behind a percentile: a row each, with period_start and group_value."""
    return f"""{picked(metric, ask)}
SELECT f.period_start, {ask.group_value} AS group_value, f.value FROM picked f WHERE f.value >= 0"""


def picked(metric: Metric, ask: Ask) -> str:
    """Rows of the body with period, keys and what is folded, as `picked`."""
    keys = "".join(f", {key} AS g{number}" for number, key in enumerate(ask.keys))
    values = "".join(f", {sql} AS {name}" for name, sql in values_sql(metric, ask).items())
    joins = SHIFT_JOIN if ask.has_shift else ""
    return f"""WITH body AS (
{windowed(metric.body, metric.windows, ask.since, ask.until)}
), picked AS (
SELECT {ask.period_start} AS period_start, CAST(b.period_local AS DATE) AS on_day{keys}{values}
FROM body b{joins}
WHERE {where_sql(metric, ask)}
)"""


def where_sql(metric: Metric, ask: Ask) -> str:
    """The filters; of a count at an instant, nothing behind the last full hour of the data."""
    return ask.where if metric.kind != "last" else f"{ask.where} AND b.period_local < {_last_hour(ask)[1]}"


def _last_hour(ask: Ask) -> tuple[str, str]:
    return last_hour_sql(ask.period_end.format(start=ask.period_start), ask.until)


def last_hour_sql(period_end: str, until: str) -> tuple[str, str]:
    """Begin and end of the last full hour that lies in the period and in the data."""
    ends = [f"CAST({end} AS TIMESTAMP)" for end in (period_end, until) if end not in ("NULL", _NO_DAY)]
    begins = [f"{end} - INTERVAL 1 HOUR" for end in ends]
    begin, end = (", ".join([*bounds, f"b.{column}"])
                  for bounds, column in ((begins, "latest_local"), (ends, "latest_end_local")))  # fmt: skip
    return (f"least({begin})", f"least({end})") if ends else (begin, end)


def is_last_sql(ask: Ask) -> str:
    """Whether a row `b` of a count at an instant is of the last full hour."""
    return f"b.period_local >= {_last_hour(ask)[0]}"


def values_sql(metric: Metric, ask: Ask) -> dict[str, str]:
    """The columns that a kind folds, over `b`."""
    if metric.kind in ("percentile", "max"):
        return {"value": "CAST(b.value AS DOUBLE)"}
    if metric.kind == "forecast":
        return {"value": exact_sql("b.value"), "n": "b.n", "drawn": "b.drawn"}
    values = {
        "numerator": _chosen(metric, ask, {c.name: exact_sql(f"b.{c.numerator}") for c in metric.choices}),
        "denominator": _chosen(metric, ask, {c.name: _denominator(c) for c in metric.choices}),
        "n": "b.n" if "n" in metric.columns else "1",
    }
    if metric.kind != "last":
        return values
    return {part: f"CASE WHEN {is_last_sql(ask)} THEN {sql} ELSE 0 END" for part, sql in values.items()}


def exact_sql(value: str) -> str:
    """A value as it is summed."""
    return f"CAST({value} AS {_EXACT})"


def weight_sql(metric: Metric, statistic: str) -> str:
    """How much a row of `b` adds to n: its trials for a ratio."""
    trials = {choice.name: choice.denominator for choice in metric.choices}.get(statistic)
    if metric.kind == "ratio" and trials:
        return f"b.{trials}"
    return "b.n" if "n" in metric.columns else "1"


def _denominator(choice: Choice) -> str:
    return exact_sql(f"b.{choice.denominator}" if choice.denominator else "1")


def probability_sql(metric: Metric, ask: Ask) -> str:
    """The probability of the percentile or interval asked for, NULL for the mean and for other kinds."""
    by_kind: dict[str, Mapping[str, float | None]] = {"percentile": PERCENTILES, "forecast": INTERVALS}
    known = by_kind.get(metric.kind)
    if known is None:
        return "NULL"
    return _chosen(metric, ask, {name: "NULL" if p is None else str(p) for name, p in known.items()})


def _chosen(metric: Metric, ask: Ask, by_statistic: Mapping[str, str]) -> str:
    """What the statistic asked for stands for: itself where it is a literal, else by cases."""
    literal = ask.statistic.removeprefix("'").removesuffix("'")
    if literal != ask.statistic and literal in by_statistic:
        return by_statistic[literal]
    cases = "".join(f" WHEN '{name}' THEN {sql}" for name, sql in by_statistic.items())
    unknown = f"error('{metric.id}: statistic is one of {', '.join(metric.statistics)}')"
    return f"CASE {ask.statistic}{cases} ELSE {unknown} END"


#: Sorted values once: interpolated quantile (Hyndman and Fan type 7), order statistics at the normal approximation of
#: the binomial ranks (Conover 1999, 3.2); a bound whose rank lies outside the values is not known. The mean takes its
#: standard error.
_FOLD_PERCENTILE = """coalesce(list_sort(list(p.value) FILTER (WHERE p.value >= 0)), []) AS v,
count(p.value) FILTER (WHERE p.value >= 0) AS n, count(*) AS denominator"""
_POSITION = "(f.n - 1) * f.probability"
_LOW = f"f.v[CAST(floor({_POSITION}) AS BIGINT) + 1]"
_HIGH = f"f.v[least(CAST(floor({_POSITION}) AS BIGINT) + 2, f.n)]"
_SPREAD = f"{Z} * sqrt(f.n * f.probability * (1 - f.probability))"
_FROM_RANK = f"CAST(floor(f.n * f.probability - {_SPREAD}) AS BIGINT)"
_TO_RANK = f"CAST(ceil(f.n * f.probability + {_SPREAD}) AS BIGINT)"
_FINISH_PERCENTILE = f"""f.n, CAST(f.n AS DOUBLE) AS numerator, CAST(f.denominator AS DOUBLE) AS denominator,
CASE WHEN f.probability IS NULL THEN list_avg(f.v)
     ELSE {_LOW} + ({_HIGH} - {_LOW}) * ({_POSITION} - floor({_POSITION})) END AS value,
CASE WHEN f.probability IS NULL THEN list_avg(f.v) - {Z} * list_stddev_samp(f.v) / sqrt(f.n)
     WHEN {_FROM_RANK} >= 1 THEN f.v[{_FROM_RANK}] END AS lower,
CASE WHEN f.probability IS NULL THEN list_avg(f.v) + {Z} * list_stddev_samp(f.v) / sqrt(f.n)
     WHEN {_TO_RANK} <= f.n THEN f.v[{_TO_RANK}] END AS upper"""
#: Rows without a numerator are no trials. The interval is Wilson's (1927), of `n` trials. They are summed as DOUBLE:
#: of it the engine knows no bounds that could be wrong (`sql.engine`), and macros run in clients without our settings.
_FOLD_RATIO = """CAST(sum(p.numerator) AS DOUBLE) AS numerator,
CAST(sum(p.denominator) FILTER (WHERE p.numerator IS NOT NULL) AS DOUBLE) AS denominator,
CAST(coalesce(sum(CAST(p.{n} AS DOUBLE)) FILTER (WHERE p.numerator IS NOT NULL), 0) AS BIGINT) AS n"""
_FINISH_RATIO = "f.n, f.numerator, f.denominator, f.numerator / f.denominator AS value"
_SHARE = "f.numerator / f.denominator"
_CENTRE = f"({_SHARE} + {Z * Z / 2} / f.denominator)"
_MARGIN = f"{Z} * sqrt({_SHARE} * (1 - {_SHARE}) / f.denominator + {Z * Z / 4} / (f.denominator * f.denominator))"
_WILSON = f"""greatest(({_CENTRE} - {_MARGIN}) / (1 + {Z * Z} / f.denominator), 0) AS lower,
least(({_CENTRE} + {_MARGIN}) / (1 + {Z * Z} / f.denominator), 1) AS upper"""
#: What was counted is everything that happened, not a sample of it: no interval.
_NO_INTERVAL = "CAST(NULL AS DOUBLE) AS lower, CAST(NULL AS DOUBLE) AS upper"
_FOLD_SUM = _FOLD_RATIO.format(n="n")
_FINISH_SUM = f"f.n, f.numerator, f.denominator, f.numerator AS value, {_NO_INTERVAL}"
_FOLD_MAX = "max(p.value) AS value, count(p.value) AS n, count(*) AS denominator"
_FINISH_MAX = f"""f.n, CAST(f.n AS DOUBLE) AS numerator, CAST(f.denominator AS DOUBLE) AS denominator, f.value,
{_NO_INTERVAL}"""
#: Draws are added place by place over the rows; the interval lies between two interpolated quantiles of the sums.
_FOLD_FORECAST = """CAST(sum(p.value) AS DOUBLE) AS value, CAST(sum(CAST(p.n AS DOUBLE)) AS BIGINT) AS n,
count(*) AS denominator,
list(p.drawn) AS drawn"""
_SORTED = {
    "forecast": """, list_sort(list_transform(range(1, 1 + len(f.drawn[1])),
lambda place: list_sum(list_transform(f.drawn, lambda row: row[place])))) AS v"""
}


def _drawn(probability: str) -> str:
    """Interpolated quantile (type 7) of the sorted sums `v`."""
    position = f"(len(f.v) - 1) * ({probability})"
    low = f"f.v[CAST(floor({position}) AS BIGINT) + 1]"
    high = f"f.v[least(CAST(floor({position}) AS BIGINT) + 2, len(f.v))]"
    return f"CAST({low} + ({high} - {low}) * ({position} - floor({position})) AS DOUBLE)"


_FINISH_FORECAST = f"""f.n, f.value AS numerator, CAST(f.denominator AS DOUBLE) AS denominator, f.value,
{_drawn("(1 - f.probability) / 2")} AS lower, {_drawn("(1 + f.probability) / 2")} AS upper"""
#: Kind -> (aggregates over `p`, columns over `f`, which has `probability`).
KINDS: dict[str, tuple[str, str]] = {
    "percentile": (_FOLD_PERCENTILE, _FINISH_PERCENTILE),
    "ratio": (
        _FOLD_RATIO.format(n="denominator"),
        f"{_FINISH_RATIO}, {_WILSON}",
    ),
    "rate": (
        _FOLD_RATIO.format(n="n"),
        f"{_FINISH_RATIO}, {_NO_INTERVAL}",
    ),
    "sum": (_FOLD_SUM, _FINISH_SUM),
    "last": (_FOLD_SUM, _FINISH_SUM),
    "max": (_FOLD_MAX, _FINISH_MAX),
    "forecast": (_FOLD_FORECAST, _FINISH_FORECAST),
}
