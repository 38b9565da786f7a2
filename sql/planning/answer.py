"""`what_if`: target misses, report times and waits as they were, as replayed, and as replayed with one change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import polars as pl

from sql.filters import Filters
from sql.planning.apply import Effect, applied
from sql.planning.change import Change
from sql.planning.model import Model, model
from sql.snapshot import Snapshot

RUNS, SEED = 10, 1
#: Resamples of the days for the 95 % interval.
RESAMPLES = 200
#: How far the replay without a change may lie from what happened: share of it, and at least so much in its unit.
TOLERANCE: dict[str, tuple[float, float]] = {
    "target_misses": (0.15, 5.0), "report_final_p50": (0.10, 5.0), "report_final_p90": (0.10, 15.0),
    "wait_p50": (0.10, 2.0), "wait_p90": (0.10, 5.0),
}  # fmt: skip
UNITS = {"target_misses": "exams"}
SCHEMA = {"measure": pl.String, "unit": pl.String, "n": pl.Int64, "observed": pl.Float64, "baseline": pl.Float64,
          "changed": pl.Float64, "delta": pl.Float64, "lower": pl.Float64, "upper": pl.Float64, "error": pl.Float64,
          "tolerance": pl.Float64, "is_valid": pl.Boolean, "n_left_out": pl.Int64}  # fmt: skip
#: (value as it was, replayed, replayed with the change, target) of one exam.
Value = tuple[float, float, float, float]
Days = dict[Hashable, list[Value]]


def what_if(
    snapshot: Snapshot, change: Change, filters: Filters | None = None, *, runs: int = RUNS, seed: int = SEED
) -> pl.DataFrame:
    """One row a measure: n, observed, replayed without (baseline) and with the change, and the difference of the two.

    The difference is the mean over `runs` that share their chance with and without the change; its 95 % interval comes
    from resampling days and runs. `error` is baseline less observed; `is_valid` says whether it lies within the
    tolerance. Where it does not, the answer cannot be trusted. Exams without a final report are left out and counted.
    Raises ChangeError for a facility, modality or device that the period does not have.
    """
    asked = filters or Filters.default(snapshot.data_through)
    key = ("what_if", str(change), asked, runs, seed)
    return snapshot.keep(key, lambda: _answer(model(snapshot, asked), change, runs, seed))


def _answer(made: Model, change: Change, runs: int, seed: int) -> pl.DataFrame:
    if not any(case.is_counted for case in made.cases):
        return pl.DataFrame(schema=SCHEMA)
    effects = [applied(made, change, seed + number) for number in range(runs)]
    reports = [_reports(made, effect) for effect in effects]
    waits = [_waits(made, effect) for effect in effects[:1]]
    measures: list[tuple[str, list[Days], Callable[[Sequence[Value]], list[float]]]] = [
        ("target_misses", reports, _misses),
        ("report_final_p50", reports, lambda values: _quantiles(values, 0.5)),
        ("report_final_p90", reports, lambda values: _quantiles(values, 0.9)),
        ("wait_p50", waits, lambda values: _quantiles(values, 0.5)),
        ("wait_p90", waits, lambda values: _quantiles(values, 0.9)),
    ]
    found = [_row(name, days, statistic, seed) for name, days, statistic in measures if days[0]]
    return pl.DataFrame([row | {"n_left_out": made.period.n_unread} for row in found], schema=SCHEMA)


def misses(made: Model, change: Change, seeds: Sequence[int]) -> list[Days]:
    """Days of a run each, for those who only want the misses."""
    return [_reports(made, applied(made, change, seed)) for seed in seeds]


def _reports(made: Model, effect: Effect) -> Days:
    """Minutes from the exam's end to the final report, by local day of the end; one nobody read waits on."""
    days: Days = defaultdict(list)
    close = made.cases[-1].final + timedelta(days=7) / timedelta(minutes=1)
    for number, case in enumerate(made.cases):
        if case.is_counted:
            base, changed = (close if at is None else at for at in (effect.base[number], effect.changed[number]))
            ended = case.ended + effect.later.get(number, 0.0)
            target = float("inf") if case.target is None else case.target
            days[case.day].append((case.final - case.ended, base - case.ended, changed - ended, target))
    return days


def _waits(made: Model, effect: Effect) -> Days:
    """Minutes from arrival to begin of the exam."""
    days: Days = defaultdict(list)
    for number, (base, changed) in effect.waits.items():
        case = made.cases[number]
        if case.is_counted and case.arrived is not None and case.started is not None:
            days[case.day].append((case.started - case.arrived, base, changed, 0.0))
    return days


def _misses(values: Sequence[Value]) -> list[float]:
    return [float(sum(value[part] > value[3] for value in values)) for part in range(3)]


def _quantiles(values: Sequence[Value], share: float) -> list[float]:
    """Interpolated, as in the metrics, of each of the three."""
    found = []
    for part in range(3):
        ordered = sorted(value[part] for value in values)
        place = (len(ordered) - 1) * share
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        found.append(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
    return found


def _row(name: str, runs: list[Days], statistic: Callable[[Sequence[Value]], list[float]], seed: int) -> dict[str, Any]:
    told = [statistic([value for day in days.values() for value in day]) for days in runs]
    observed, baseline, changed = (sum(run[part] for run in told) / len(told) for part in range(3))
    low, high = interval(runs, statistic, seed)
    share, least = TOLERANCE[name]
    tolerance = max(least, share * observed)
    return {
        "measure": name, "unit": UNITS.get(name, "min"), "n": sum(map(len, runs[0].values())), "observed": observed,
        "baseline": baseline, "changed": changed, "delta": changed - baseline, "lower": low, "upper": high,
        "error": baseline - observed, "tolerance": tolerance, "is_valid": abs(baseline - observed) <= tolerance,
    }  # fmt: skip


def interval(
    runs: list[Days], statistic: Callable[[Sequence[Value]], list[float]], seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """95 % of the differences over resampled days, each time of a run chosen by chance."""
    chance = Random(seed)  # noqa: S311 - a simulation
    found = []
    for _ in range(resamples):
        days = chance.choice(runs)
        picked = chance.choices(list(days.values()), k=len(days))
        _, base, changed = statistic([value for day in picked for value in day])
        found.append(changed - base)
    found.sort()
    return found[int(0.025 * (resamples - 1))], found[round(0.975 * (resamples - 1))]
