"""Texts of the section on what a change would do."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "q.workload.whatif": "What if",
    "q.workload.whatif.note": "The period replayed as it happened, with one change. Only what is counted follows the "
    "filters: the queues are shared by all facilities.",
    "whatif.choose": "Choose a change. It takes some seconds the first time.",
    "whatif.narrow": "A scanner more is offered for facilities that are chosen above.",
    "whatif.measure": "Measure",
    "whatif.target_misses": "Reports past target",
    "whatif.report_final_p50": "Exam end to final report, median",
    "whatif.report_final_p90": "Exam end to final report, 90 % within",
    "whatif.wait_p50": "Arrival to exam start, median",
    "whatif.wait_p90": "Arrival to exam start, 90 % within",
    "whatif.observed": "As it was",
    "whatif.baseline": "Replayed",
    "whatif.baseline.hint": "The simulation without the change; it must come close to what happened",
    "whatif.changed": "With the change",
    "whatif.delta": "Difference",
    "whatif.valid": "Trusted",
    "whatif.valid.hint": "The replay without the change lies within its tolerance of what happened",
    "whatif.yes": "yes",
    "whatif.no": "no",
    "whatif.right": "The replay without the change comes close to what happened.",
    "whatif.wrong": "Do not trust: the replay without the change is too far from what happened in {names}.",
    "whatif.made": "Mean of {runs} runs that share their chance with and without the change; the 95 % interval is of "
    "days and runs. {n} exams, {left} without a final report left out. Readers come and take what they took as before.",
}
