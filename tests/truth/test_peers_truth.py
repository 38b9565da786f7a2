"""Facilities beside their peers equal a recomputation from the truth."""

from __future__ import annotations

import pytest

from sql.benchmark import MOST_UNCOVERED, STRATA, benchmark, can_be_benchmarked
from sql.filters import NO_VALUE
from sql.strata import FLOOR
from tests.truth.recompute_peers import Case, at_the_network_s_mix, compared
from tests.truth.statistics import PROBABILITIES, counted, quantile
from tests.truth.test_metrics_truth import METRICS, ROWS, is_same
from tests.truth.world import World

ASKED = [m.id for m in METRICS.values() if can_be_benchmarked(m) and m.id in ROWS]


def cases(world: World, metric_id: str, statistic: str) -> list[tuple[Case, float]]:
    """Cases with what is summed and what it is divided by; and the value of a length."""
    asked, found = METRICS[metric_id], []
    keys = [key for key in STRATA if key in asked.groups]
    for row in ROWS[metric_id](world.department):
        words = tuple(NO_VALUE if row[key] is None else str(row[key]) for key in keys)
        where = (row["facility"], words, row["local"].date())
        if asked.kind == "percentile":
            if row["value"] is not None:
                found.append(((*where, row["value"], 1.0, 1.0), row["value"]))
            continue
        for above, below, n in counted([row], statistic):
            found.append(((*where, above, below, below if asked.kind == "ratio" else float(n)), 0.0))
    return found


@pytest.mark.parametrize("metric_id", ASKED)
def test_peers_equal_truth(world: World, metric_id: str) -> None:
    asked = METRICS[metric_id]
    wrong = {}
    for statistic in {asked.statistic, *(("mean", "p90") if asked.kind == "percentile" else ())}:
        told = {row["group_value"]: row for row in benchmark(world.snapshot, metric_id, statistic=statistic).to_dicts()}
        found = cases(world, metric_id, statistic)
        p = PROBABILITIES.get(statistic) if asked.kind == "percentile" else None
        summed = [case for case, _ in found]
        if p is not None and found:
            network = quantile([value for _, value in found], p)
            summed = [(*case[:3], float(value > network), 1.0, 1.0) for case, value in found]
        true = compared(summed, asked.kind == "ratio" or p is not None, FLOOR) if found else {}
        if not told:
            assert len({f for f, row in true.items() if row}) < 2
            continue
        weighted = at_the_network_s_mix(found, p, FLOOR) if p is not None else {}
        names = ("observed", "expected", "share_alone", "share_pooled") + (
            ("z", "dispersion") if asked.kind != "rate" else ())  # fmt: skip
        for facility, row in told.items():
            expected = {name: true[facility].get(name) for name in names}
            if p is not None:
                value, uncovered = weighted[facility]
                expected |= {"share_uncovered": uncovered,
                             "standardized": value if uncovered <= MOST_UNCOVERED else None}  # fmt: skip
            bad = {name: (row[name], number) for name, number in expected.items() if not is_same(row[name], number)}
            if bad:
                wrong[statistic, facility] = bad
    assert wrong == {}
