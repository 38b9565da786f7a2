"""The simulated department run with and without a change: what really becomes of misses, report times and waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import sqrt
from statistics import fmean, quantiles, stdev

from sample_data.alteration import Alteration, ExtraDevice, ExtraReader, Sent
from sample_data.department import Department
from sample_data.network import Network
from sample_data.run import Run
from sample_data.simulate import USUAL_END
from sample_data.story import Exam
from sql.planning.change import Change

EXAMS, DAYS = 4200, 42
#: Minutes to the final report by class and priority, as the simulated site's targets.csv says.
EMERGENCY_MIN = {"S": 60, "A": 90, "R": 180}
CLASS_MIN = {"I": 1440, "O": 2880}


@dataclass(frozen=True, slots=True)
class Trial:
    """A change as it is asked of the warehouse, and as it is made to the department."""

    change: Change
    alteration: Alteration
    facility: str = ""  # of the exams compared, any
    modality: str = ""


#: East's scanner gets a second one, or sends its patients away; the evening and the night get a reader.
TRIALS = (
    Trial(Change.parse("add_reader:hours=17-22"), ExtraReader("evening", 1020, 1320)),
    Trial(Change.parse("add_reader:hours=0-6"), ExtraReader("night", 0, 360)),
    Trial(Change.parse("add_device:modality=CT,facility=EAST,hours=9-17,weekdays=6"),
          ExtraDevice("E-CT1", 540, 1020, frozenset({6})), "EAST", "CT"),
    Trial(Change.parse("add_device:modality=CT,facility=EAST,hours=8-20"), ExtraDevice("E-CT1", 480, 1200),
          "EAST", "CT"),
    Trial(Change.parse("send:facility=SOUTH,to=WEST,modality=MR"), Sent("S-MR1", "W-MR1"), "SOUTH", "MR"),
)  # fmt: skip


def outcome(seed: int, trial: Trial, *, is_changed: bool, until: date) -> dict[str, float]:
    """Measures, named as those of `what_if`, over the 28 days before `until` (local to the network's first zone)."""
    network = Network(EXAMS, DAYS)
    since = until - timedelta(days=28)
    exams = [
        e for e in (_exams(seed, trial.alteration) if is_changed else _usual_exams(seed))
        if e.exam_ended_at and e.final_at and not e.cancelled_at and not e.discontinued_at
        and since <= network.local(e.facility, e.exam_ended_at).date() < until
        and trial.facility in ("", e.facility) and trial.modality in ("", e.modality)
    ]  # fmt: skip
    report = [_minutes(e.exam_ended_at, e.final_at) for e in exams]
    waits = [_minutes(e.arrived_at, e.exam_started_at) for e in exams]
    return {
        "target_misses": sum(spent > _target(e) for spent, e in zip(report, exams, strict=True)),
        "report_final_p50": _percentile(report, 50), "report_final_p90": _percentile(report, 90),
        "wait_p50": _percentile(waits, 50), "wait_p90": _percentile(waits, 90),
    }  # fmt: skip


def _exams(seed: int, alteration: Alteration | None) -> list[Exam]:
    run = Run(EXAMS, DAYS, seed, USUAL_END - timedelta(days=DAYS), alteration)
    return list(Department(Network(EXAMS, DAYS), run).exams())


@cache
def _usual_exams(seed: int) -> list[Exam]:
    """Those without a change, which all trials are compared with."""
    return _exams(seed, None)


def expected(trial: Trial, seeds: Sequence[int], until: date) -> dict[str, tuple[float, float]]:
    """Mean difference that the change makes over some seeds, and its standard error, by measure.

    Chance falls differently once anything is changed, so that the truth of one seed says little."""
    pairs = [[outcome(seed, trial, is_changed=changed, until=until) for changed in (False, True)] for seed in seeds]
    found = {name: [after[name] - before[name] for before, after in pairs] for name in pairs[0][0]}
    return {name: (fmean(values), stdev(values) / sqrt(len(values))) for name, values in found.items()}


def _target(exam: Exam) -> float:
    return CLASS_MIN.get(exam.patient_class) or EMERGENCY_MIN[exam.priority]


def _minutes(start: object, stop: object) -> float:
    return (stop - start).total_seconds() / 60  # type: ignore[operator,no-any-return]


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
