"""The learned minutes of reading: equal to their recomputation, and near the minutes that readers really spent."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

import pytest

from sql.query import rows
from tests.truth.recompute_weight import Weight, weights
from tests.truth.world import World

COLUMNS = ("modality", "procedure", "minutes", "low_min", "high_min", "n", "learned_from", "learned_by")
#: The median of the simulator's reading times lies a tenth below their mean; the rest is chance of so many reads.
NEAR, ENOUGH = 0.3, 30


def test_weights_equal_truth(world: World) -> None:
    told = {row[:2]: Weight(*row[2:]) for row in rows(world.snapshot, "dim_procedure_weight", columns=COLUMNS).rows()}
    truth = weights(world.department)
    assert told.keys() == truth.keys()
    assert {w.learned_from for w in told.values()} >= {"procedure", "modality"}
    for kind, weight in truth.items():
        assert told[kind][:4] == pytest.approx(weight[:4]), kind
        assert told[kind][4:] == weight[4:], kind


def test_weights_are_near_the_minutes_really_spent(world: World) -> None:
    spent: dict[str, list[float]] = defaultdict(list)
    for read in world.department.truth("read"):
        exam = world.department.exam_of[read["facility"], read["accession"]]
        if read["role"] == "final" and read["true_min"] is not None:
            spent[exam["modality"]].append(read["true_min"])
    told = rows(world.snapshot, "dim_procedure_weight", columns=COLUMNS).rows()
    apart = [row[2] / fmean(spent[row[0]]) - 1 for row in told if row[5] >= ENOUGH and len(spent[row[0]]) >= ENOUGH]
    assert apart
    assert max(map(abs, apart)) < NEAR
