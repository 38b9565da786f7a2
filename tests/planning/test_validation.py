"""A prediction beside the truth of the altered department; `tests.planning.report` prints all changes and measures."""

from __future__ import annotations

import pytest

from tests.planning.department import DAYS, EXAMS, TRIALS, Trial, expected
from tests.planning.report import TRUTH_SEEDS, period, predicted
from tests.sharing import shared_base
from tests.slow import slow
from tests.truth.world import World, make_world

SEED = 7
#: Enough to tell both changes from chance; `tests.planning.report` takes more.
SEEDS = TRUTH_SEEDS[:5]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(shared_base(tmp_path_factory), SEED, exams=EXAMS, days=DAYS, messages_only=True)


@slow
@pytest.mark.parametrize(
    ("trial", "measure"),
    [(TRIALS[0], "target_misses"), (TRIALS[3], "wait_p50")],
    ids=["a reader in the evening: misses", "a second scanner: waits"],
)
def test_the_truth_falls_and_lies_within_what_was_predicted(world: World, trial: Trial, measure: str) -> None:
    told = predicted(world, trial)[measure]
    truth, error = expected(trial, SEEDS, period(world, trial)[1])[measure]
    assert truth + 2 * error < 0
    assert told.is_valid
    assert told.delta < 0
    assert told.lower - 2 * error <= truth <= told.upper + 2 * error
