"""The balance of work equals its recomputation from the truth; the formulas are those of the textbook."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from statistics import fmean, stdev

import pytest

from sql.balance import MIN_HOURS, workload_balance
from sql.filters import NO_VALUE
from sql.measure import SHAPE
from sql.shape import PERIODS
from tests.truth.recompute_workload import wrvu_per_hour
from tests.truth.statistics import period_of
from tests.truth.test_metrics_truth import Key, differences
from tests.truth.world import World


def spread(rates: list[float], statistic: str) -> float:
    """Standard deviation, or half the mean difference over all pairs."""
    if statistic == "cv":
        return stdev(rates)
    return sum(abs(a - b) for a, b in product(rates, rates)) / (2 * len(rates) ** 2)


def expected(world: World, groups: tuple[str, ...], period: str, statistic: str) -> dict[Key, tuple[float | None, ...]]:
    work: dict[Key, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
    for row in wrvu_per_hour(world.department):
        name = " | ".join(NO_VALUE if row[g] is None else str(row[g]) for g in groups) or "all"
        sums = work[period_of(period, row["local"]), name][row["radiologist"]]
        sums[0] += row["numerator"]
        sums[1] += row["denominator"]
    found = {}
    for key, readers in work.items():
        rates = [wrvu / hours for wrvu, hours in readers.values() if hours > MIN_HOURS - 1e-6]
        if len(rates) >= 2 and fmean(rates) > 0:
            above, mean = spread(rates, statistic), fmean(rates)
            found[key] = (len(rates), above, mean, above / mean, None, None)
    return found


@pytest.mark.parametrize("statistic", ["cv", "gini"])
@pytest.mark.parametrize("groups", [(), ("shift",), ("facility",), ("weekday",), ("facility", "shift")])
def test_balance_equals_truth(world: World, groups: tuple[str, ...], statistic: str) -> None:
    for period in ("all", *PERIODS):
        frame = workload_balance(world.snapshot, groups=groups, period=period, statistic=statistic)
        assert tuple(frame.columns) == SHAPE
        told = {(None if period == "all" else (row[0], row[1]), row[3]): row[4:] for row in frame.iter_rows()}
        truth = expected(world, groups, period, statistic)
        assert truth or period != "all"
        assert differences(told, truth) == []
