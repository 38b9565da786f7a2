"""What chance adds to an exam once it is over: critical results, corrections, charges; and the horizon's cut."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sample_data.catalog import CONTRAST_SUPPLY, Procedure
from sample_data.grading import grade
from sample_data.network import Network
from sample_data.story import Addendum, Exam

CRITICAL = {"E": 0.045, "I": 0.035, "O": 0.008}
#: Critical category: its share, and median minutes until somebody was told.
CATEGORIES = {"1": (0.3, 19.0), "2": (0.5, 95.0), "3": (0.2, 900.0)}
ADDENDUM, CORRECTION, RESIGNED, CREDITED = 0.02, 0.01, 0.01, 0.012
#: Stamps that are chosen ahead of time and so may lie beyond the horizon.
AHEAD = ("protocoled_at", "images_available_at", "resigned_at", "merged_at", "critical_communicated_at", "rescored_at")


def settle(rng: Random, network: Network, exam: Exam, horizon: datetime) -> None:
    """Complete a story in place."""
    if exam.protocoled_at and exam.protocoled_at > (exam.cancelled_at or horizon):
        exam.protocoled_at = None
    if exam.final_at is not None:
        _criticals(rng, exam)
        _versions(rng, exam, exam.final_at)
        _charges(rng, network, exam)
        grade(exam)
    for name in AHEAD:
        at = getattr(exam, name)
        if at is not None and at > horizon:
            setattr(exam, name, None)
    exam.addenda = [a for a in exam.addenda if a.at <= horizon]


def _criticals(rng: Random, exam: Exam) -> None:
    if exam.final_at is None or exam.read_started_at is None or rng.random() >= CRITICAL[exam.patient_class]:
        return
    exam.critical_category = rng.choices(list(CATEGORIES), [share for share, _ in CATEGORIES.values()])[0]
    seen = exam.prelim_at or exam.final_at
    exam.critical_found_at = exam.read_started_at + (seen - exam.read_started_at) * 2 // 3
    exam.critical_found_at = exam.critical_found_at.replace(microsecond=0)
    minutes = CATEGORIES[exam.critical_category][1] * rng.lognormvariate(0, 0.7)
    if rng.random() < 0.95:  # the rest was never documented
        exam.critical_communicated_at = exam.critical_found_at + timedelta(seconds=round(minutes * 60))


def _versions(rng: Random, exam: Exam, final_at: datetime) -> None:
    draws = rng.random(), rng.random(), rng.random()
    later = [final_at + timedelta(seconds=round(3600 * rng.lognormvariate(2.5, 1.0))) for _ in range(3)]
    author = exam.interpreter
    if author is None:
        return
    if draws[0] < ADDENDUM:
        exam.addenda.append(Addendum("addendum", later[0], author))
    if draws[1] < CORRECTION:
        exam.addenda.append(Addendum("corrected", later[1], author))
    if draws[2] < RESIGNED and exam.facility != "SOUTH":
        exam.resigned_at = later[2]
    exam.addenda.sort(key=lambda a: a.at)


def _charges(rng: Random, network: Network, exam: Exam) -> None:
    procedure: Procedure | None = network.procedures.get(exam.procedure or "")
    if procedure is None:
        return
    exam.charges.append((procedure.charge, 1.0, procedure.wrvu))
    if procedure.contrast in ("W", "WWO"):
        exam.charges.append((CONTRAST_SUPPLY, 1.0, 0.0))
    if rng.random() < CREDITED:  # charged twice by mistake, then taken back
        exam.charges += [(procedure.charge, 1.0, procedure.wrvu), (procedure.charge, -1.0, procedure.wrvu)]
