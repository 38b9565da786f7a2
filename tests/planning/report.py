"""`python -m tests.planning.report [SEEDS]`: what was predicted beside what the altered department really did.

The warehouse sees the department as it was, from its files; the truth is the same department run again with the change.
Chance falls differently in the second run, so the truth of one seed is noisy: its spread over the seeds is printed too.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory

from sql.filters import Filters
from sql.query import what_if
from tests.planning.department import DAYS, EXAMS, TRIALS, Trial, outcome
from tests.truth.world import World, make_world


def compared(
    world: World, seed: int, trial: Trial, runs: int = 10
) -> dict[str, tuple[float, float, float, float, bool]]:
    """By measure: predicted difference, its interval, the difference in truth, and whether the replay was valid."""
    asked = Filters.default(world.snapshot.data_through)
    assert asked.until is not None
    asked = asked.replace(facility=(trial.facility,) * bool(trial.facility), modality=(trial.modality,) *
                          bool(trial.modality))  # fmt: skip
    before, after = (outcome(seed, trial, is_changed=changed, until=asked.until) for changed in (False, True))
    found = what_if(world.snapshot, trial.change, asked, runs=runs)
    return {
        row["measure"]: (row["delta"], row["lower"], row["upper"], after[row["measure"]] - before[row["measure"]],
                         row["is_valid"])
        for row in found.iter_rows(named=True)
    }  # fmt: skip


def main(seeds: list[int], folder: Path) -> None:
    """Print one line a change and measure."""
    folder.mkdir(parents=True, exist_ok=True)
    worlds = {seed: make_world(folder, seed, exams=EXAMS, days=DAYS, messages_only=True) for seed in seeds}
    print(f"{len(seeds)} seeds of {EXAMS} exams in {DAYS} days; differences over 28 days, means over the seeds")
    print(f"{'change':58} {'measure':17} {'predicted':>9} {'interval':>15} {'truth':>7} {'spread':>7} valid")
    for trial in TRIALS:
        found = [compared(world, seed, trial) for seed, world in worlds.items()]
        for measure in found[0]:
            rows = [answers[measure] for answers in found]
            predicted, low, high, truth, valid = (fmean(row[part] for row in rows) for part in range(5))
            spread = stdev(row[3] for row in rows) if len(rows) > 1 else float("nan")
            numbers = f"{predicted:9.1f} {low:7.1f} {high:7.1f} {truth:7.1f} {spread:7.1f}"
            print(f"{trial.change!s:58} {measure:17} {numbers} {valid:5.0%}", flush=True)


if __name__ == "__main__":
    chosen = [int(seed) for seed in (sys.argv[1] if len(sys.argv) > 1 else "7,8,9").split(",")]
    if len(sys.argv) > 2:
        main(chosen, Path(sys.argv[2]))
    else:
        with TemporaryDirectory() as made:
            main(chosen, Path(made))
