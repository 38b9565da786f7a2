"""The censored view equals a plain Kaplan-Meier over the simulator's truth, cut where exams still wait."""

from __future__ import annotations

from collections import defaultdict
from math import exp, log, sqrt

import pytest

from sql.censored import censored
from sql.filters import NO_VALUE
from sql.shape import PERIODS
from tests.truth.department import minutes
from tests.truth.statistics import Z, period_of
from tests.truth.test_metrics_truth import Key, differences
from tests.truth.world import World

Lengths = list[tuple[float, bool]]


def kaplan_meier(lengths: Lengths, p: float) -> tuple[float | None, float | None, float | None]:
    """Time at which the share that waits, and its log-log bounds, are at most 1 - p."""
    left, variance = 1.0, 0.0
    found: list[float | None] = [None, None, None]
    for at in sorted({length for length, _ in lengths}):
        at_risk = sum(length >= at for length, _ in lengths)
        ends = sum(length == at and is_end for length, is_end in lengths)
        left = 0.0 if ends == at_risk else left * (at_risk - ends) / at_risk
        shares: list[float | None] = [left, None, None]
        if 0 < left < 1:
            variance += ends / (at_risk * (at_risk - ends))
            reach = Z * sqrt(variance) / abs(log(left))
            shares[1:] = [exp(-exp(log(-log(left)) + sign * reach)) for sign in (1, -1)]
        for n, share in enumerate(shares):
            if found[n] is None and share is not None and share <= 1 - p + 1e-9:
                found[n] = at
    return found[0], found[1], found[2]


def expected(world: World, groups: tuple[str, ...], period: str, p: float) -> dict[Key, tuple[float | None, ...]]:
    d = world.department
    of: dict[Key, Lengths] = defaultdict(list)
    for exam in d.countable:
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        name = " | ".join(NO_VALUE if words[g] is None else str(words[g]) for g in groups) or "all"
        length = minutes(exam["exam_ended_at"], exam["first_final_at"] or d.data_through)
        if length >= 0:
            of[period_of(period, words["local"]), name].append((length, exam["first_final_at"] is not None))
    return {
        key: (len(lengths), float(sum(end for _, end in lengths)), float(len(lengths)), *kaplan_meier(lengths, p))
        for key, lengths in of.items()
    }


@pytest.mark.parametrize(("statistic", "p"), [("p50", 0.5), ("p90", 0.9)])
@pytest.mark.parametrize("groups", [(), ("facility",), ("shift",), ("hour",), ("priority", "patient_class")])
def test_censored_equals_truth(world: World, groups: tuple[str, ...], statistic: str, p: float) -> None:
    for period in ("all", *PERIODS):
        frame = censored(world.snapshot, "report_final", groups=groups, period=period, statistic=statistic)
        told = {(None if period == "all" else (row[0], row[1]), row[3]): row[4:] for row in frame.iter_rows()}
        truth = expected(world, groups, period, p)
        assert differences(told, truth) == []
        assert any(row[0] > row[1] for row in truth.values())  # some wait
