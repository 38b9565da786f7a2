"""Parts of a change equal their recomputation from the truth, and add up to the change of the published number."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import pytest

from sql.attribution import attribution, can_be_parted
from sql.counterfactual import EXACT
from sql.filters import NO_VALUE, Filters
from sql.query import compare
from tests.truth import recompute
from tests.truth.department import Row
from tests.truth.recompute_parts import Parts, kitagawa, percentile_parts
from tests.truth.statistics import PROBABILITIES, counted
from tests.truth.test_metrics_truth import APART, METRICS, ROWS, is_same
from tests.truth.world import DAYS, World

BY = (("facility",), ("modality",), ("shift",), ("priority", "patient_class"))
ASKED = [m.id for m in METRICS.values() if can_be_parted(m) and m.id not in APART]


def halves(world: World) -> Filters:
    """The second half of the days against the first."""
    until = world.snapshot.data_through.date()
    return Filters(since=until - timedelta(days=DAYS // 2), until=until, compare="previous")


@cache
def facts(world: World, metric_id: str) -> list[Row]:
    return list(ROWS[metric_id](world.department))


def sides(world: World, metric_id: str, by: tuple[str, ...]) -> list[dict[str, list[Row]]]:
    """Rows of the earlier and the present half by group."""
    now = halves(world)
    found: list[dict[str, list[Row]]] = []
    for asked in (now.before(), now):
        days = [datetime(day.year, day.month, day.day) for day in (asked.since, asked.until)]
        groups: dict[str, list[Row]] = {}
        for row in facts(world, metric_id):
            if days[0] <= row["local"] < days[1]:
                values = [NO_VALUE if row[g] is None else str(row[g]) for g in by]
                groups.setdefault(" | ".join(values), []).append(row)
        found.append(groups)
    return found


def true_parts(world: World, metric_id: str, by: tuple[str, ...], statistic: str) -> Parts:
    """Mix and rate by group; a count's whole part stands as its rate."""
    then, now = sides(world, metric_id, by)
    if METRICS[metric_id].kind == "percentile":
        values = [{g: [r["value"] for r in rows if r["value"] is not None] for g, rows in s.items()} for s in
                  (then, now)]  # fmt: skip
        then_values, now_values = ({g: v for g, v in side.items() if v} for side in values)
        if not then_values or not now_values:
            return {}
        if statistic in PROBABILITIES:
            return percentile_parts(then_values, now_values, PROBABILITIES[statistic])
        means = [{g: (len(v), sum(v) / len(v)) for g, v in side.items()} for side in (then_values, now_values)]
        return kitagawa(means[0], means[1])
    sums = [{g: [sum(p[i] for p in counted(rows, statistic)) for i in (0, 1)] for g, rows in side.items()
             if counted(rows, statistic)} for side in (then, now)]  # fmt: skip
    if METRICS[metric_id].kind == "sum":
        both = sums[0].keys() | sums[1].keys() if all(sums) else ()
        return {g: (0.0, sums[1].get(g, [0.0])[0] - sums[0].get(g, [0.0])[0]) for g in both}
    rates = [{g: (below, above / below) for g, (above, below) in side.items() if below} for side in sums]
    return kitagawa(rates[0], rates[1]) if all(rates) else {}


@pytest.mark.parametrize("metric_id", [m for m in ASKED if m in ROWS and METRICS[m].kind != "last"])
def test_parts_equal_truth(world: World, metric_id: str) -> None:
    asked = METRICS[metric_id]
    others = ("mean", "p90") if asked.kind == "percentile" else ()
    wrong = {}
    for by in (by for by in BY if set(by) <= set(asked.groups)):
        for statistic in (asked.statistic, *others):
            frame = attribution(world.snapshot, metric_id, by=by, filters=halves(world), statistic=statistic)
            if frame.height > EXACT and statistic != "mean":
                continue  # the orders that are asked then are the product's own choice
            told = {row["group_value"]: (row["mix"] or 0.0, row["part"] if row["rate"] is None else row["rate"])
                    for row in frame.iter_rows(named=True)}  # fmt: skip
            true = true_parts(world, metric_id, by, statistic)
            if told.keys() != true.keys():
                wrong[by, statistic] = sorted(told.keys() ^ true.keys())
            elif not all(is_same(a, b) for g in told for a, b in zip(told[g], true[g], strict=True)):
                wrong[by, statistic] = [(told[g], true[g]) for g in told]
    assert wrong == {}


@pytest.mark.parametrize("metric_id", ASKED)
def test_parts_add_up(world: World, metric_id: str) -> None:
    """By every group the usual statistic and the mean; the other percentiles, which are parted alike, by some."""
    asked, filters = METRICS[metric_id], halves(world)
    for number, statistic in enumerate(asked.statistics):
        whole = compare(world.snapshot, metric_id, filters=filters, statistic=statistic)
        change = whole["delta"][0] if whole.height else None
        is_alike = statistic in PROBABILITIES and statistic != asked.statistic
        for group in asked.groups[number % len(asked.groups) :: 4] if is_alike else asked.groups[:: world.every]:
            parts = attribution(world.snapshot, metric_id, by=(group,), filters=filters, statistic=statistic)
            if change is None:
                assert parts.rows() == []
            else:
                assert parts["part"].sum() == pytest.approx(change, abs=1e-9, rel=1e-12), (group, statistic)


def test_the_truth_has_what_is_asked() -> None:
    """Every kind of number is compared."""
    assert {METRICS[m].kind for m in ASKED} == {"percentile", "ratio", "rate", "sum", "last"}
    assert recompute.ROWS.keys() <= ROWS.keys()
