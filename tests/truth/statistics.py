"""The answer of a metric from row-level facts, in plain Python: percentiles, shares, sums and their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import ceil, floor, sqrt
from statistics import NormalDist, fmean, stdev

from tests.truth.department import Row

Z = NormalDist().inv_cdf(0.975)
PROBABILITIES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95}
Answer = tuple[int, float, float, float | None, float | None, float | None]
Part = tuple[float, float, int]  # numerator, denominator, n


def quantile(values: Sequence[float], p: float) -> float:
    """Linear interpolation between order statistics (Hyndman and Fan type 7)."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * p
    low = floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def percentile_answer(rows: Sequence[Row], statistic: str) -> Answer:
    """n, numerator, denominator, value, lower and upper; an order statistic beyond the values is not known."""
    values = sorted(row["value"] for row in rows if row["value"] is not None)
    n = len(values)
    head = (n, float(n), float(len(rows)))
    if not values:
        return (*head, None, None, None)
    if statistic == "mean":
        mean = fmean(values)
        half = Z * stdev(values) / sqrt(n) if n > 1 else None
        return (*head, mean, None if half is None else mean - half, None if half is None else mean + half)
    p = PROBABILITIES[statistic]
    spread = Z * sqrt(n * p * (1 - p))
    low, high = floor(n * p - spread), ceil(n * p + spread)
    lower = values[low - 1] if low >= 1 else None
    upper = values[high - 1] if high <= n else None
    return (*head, quantile(values, p), lower, upper)


def _part(value: object, statistic: str) -> float | None:
    return value.get(statistic) if isinstance(value, dict) else value  # type: ignore[return-value]


def added(row: Row, statistic: str) -> Part | None:
    """What a row adds to a share, a rate or a sum; None where it has no numerator."""
    numerator = _part(row["numerator"], statistic)
    return None if numerator is None else (numerator, _part(row["denominator"], statistic) or 0.0, row.get("n", 1))


def counted(rows: Sequence[Row], statistic: str) -> list[Part]:
    """What the rows add that have a numerator."""
    return [part for row in rows if (part := added(row, statistic)) is not None]


def _sums(parts: Sequence[Part]) -> Part:
    above, below, ns = zip(*parts, strict=True) if parts else ((), (), ())
    return sum(above), sum(below), sum(ns)


def ratio_of(parts: Sequence[Part]) -> Answer | None:
    """Divided after summing, with Wilson's score interval; None without trials."""
    successes, trials, _ = _sums(parts)
    if not trials:
        return None
    share = successes / trials
    centre = (share + Z * Z / (2 * trials)) / (1 + Z * Z / trials)
    half = Z * sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials)) / (1 + Z * Z / trials)
    return (int(trials), successes, trials, share, max(centre - half, 0.0), min(centre + half, 1.0))


def rate_of(parts: Sequence[Part]) -> Answer | None:
    """Divided after summing, without an interval."""
    above, below, n = _sums(parts)
    return (n, above, below, above / below, None, None) if below else None


def sum_of(parts: Sequence[Part]) -> Answer | None:
    """A sum; its denominator is what was counted."""
    total, below, n = _sums(parts)
    return (n, total, below, total, None, None) if parts else None


def max_answer(rows: Sequence[Row], _statistic: str) -> Answer:
    """The largest value."""
    values = [row["value"] for row in rows]
    return (len(values), float(len(values)), float(len(rows)), max(values), None, None)


#: Kind of a metric -> its answer from the rows.
OF_ROWS = {"max": max_answer, "percentile": percentile_answer}
#: Kind of a metric -> its answer from what the rows add, for rows that add something.
OF_PARTS = {"ratio": ratio_of, "rate": rate_of, "sum": sum_of, "last": sum_of}


def period_of(period: str, local: datetime) -> tuple[date, date] | None:
    """First day and day after the last of the period in which a wall clock lies; None for `all`."""
    day = local.date()
    if period == "all":
        return None
    if period == "day":
        return day, day + timedelta(days=1)
    if period == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    first = day.replace(day=1, month=(day.month - 1) // months * months + 1)
    index = first.year * 12 + first.month - 1 + months
    return first, date(index // 12, index % 12 + 1, 1)
