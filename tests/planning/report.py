"""`python -m tests.planning.report [SEEDS [FOLDER]]`: what was predicted beside what the altered department really did.

The warehouse sees the department as it was, from its files; the truth is the same department run again with the change,
over `TRUTH_SEEDS`, because of one seed it is mostly chance.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sql.filters import Filters
from sql.query import what_if
from tests.planning.department import DAYS, EXAMS, TRIALS, Trial, expected
from tests.truth.world import World, make_world

TRUTH_SEEDS = tuple(range(7, 15))


class Prediction(NamedTuple):
    """A predicted difference, its interval, and whether the replay without the change was near what happened."""

    delta: float
    lower: float
    upper: float
    is_valid: bool


def period(world: World, trial: Trial) -> tuple[Filters, date]:
    """The last 28 days of a world's data and the exams that a trial compares; their end."""
    asked = Filters.default(world.snapshot.data_through)
    assert asked.until is not None
    return asked.replace(facility=(trial.facility,) * bool(trial.facility), modality=(trial.modality,) *
                         bool(trial.modality)), asked.until  # fmt: skip


def predicted(world: World, trial: Trial, runs: int = 10) -> dict[str, Prediction]:
    """What the warehouse of a world says of a change, by measure."""
    found = what_if(world.snapshot, trial.change, period(world, trial)[0], runs=runs)
    return {
        row["measure"]: Prediction(row["delta"], row["lower"], row["upper"], row["is_valid"])
        for row in found.iter_rows(named=True)
    }


def main(seeds: list[int], folder: Path) -> None:
    """Print one line a change and measure."""
    folder.mkdir(parents=True, exist_ok=True)
    worlds = [make_world(folder, seed, exams=EXAMS, days=DAYS, messages_only=True) for seed in seeds]
    print(f"predicted from {len(seeds)} warehouses of {EXAMS} exams in {DAYS} days, means; differences over 28 days;")
    print(f"truth and its standard error from {len(TRUTH_SEEDS)} runs of the department")
    print(f"{'change':58} {'measure':17} {'predicted':>9} {'interval':>15} {'truth':>7} {'error':>6} valid")
    for trial in TRIALS:
        truth = expected(trial, TRUTH_SEEDS, period(worlds[0], trial)[1])
        found = [predicted(world, trial) for world in worlds]
        for measure in found[0]:
            delta, low, high, valid = (fmean(answers[measure][part] for answers in found) for part in range(4))
            mean, error = truth[measure]
            numbers = f"{delta:9.1f} {low:7.1f} {high:7.1f} {mean:7.1f} {error:6.1f}"
            print(f"{trial.change!s:58} {measure:17} {numbers} {valid:5.0%}", flush=True)


if __name__ == "__main__":
    chosen = [int(seed) for seed in (sys.argv[1] if len(sys.argv) > 1 else "7,8,9").split(",")]
    if len(sys.argv) > 2:
        main(chosen, Path(sys.argv[2]))
    else:
        with TemporaryDirectory() as made:
            main(chosen, Path(made))
