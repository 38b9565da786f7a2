"""Exams to sessions, repeats and the values of metrics, from the definitions in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from statistics import fmean, quantiles

from tests.oracle.clock import to_wall
from tests.oracle.exams import Exam, Sets
from tests.oracle.facts import Site

Found = tuple[datetime | None, Exam, float | None]  # wall clock of the anchor, exam, value (None: not known)
DAY = timedelta(days=1)
#: Metric -> duration, anchors (the first that is known), which of the exams that count.
INTERVALS: dict[str, tuple[str, tuple[str, ...], Callable[[Exam], bool]]] = {
    "order_to_exam": ("order_to_exam_min", ("exam_started_local", "exam_ended_local"),
                      lambda e: e["patient_class"] != "outpatient" or e["scheduled_at"] is None),
    "wait": ("wait_min", ("exam_started_local", "exam_ended_local"), lambda _: True),
    "exam_duration": ("exam_duration_min", ("exam_ended_local",), lambda _: True),
    "report_final": ("report_final_min", ("exam_ended_local",), lambda _: True),
    "first_read": ("first_read_min", ("exam_ended_local",), lambda _: True),
}  # fmt: skip


def sessions(exams: list[Exam]) -> list[tuple[str, datetime, datetime, int]]:
    """(device, begin, end, exams): one patient's exams on a device that touch or overlap. Over a day: clock fault."""
    timed = [e for e in exams if e["device"] and e["exam_started_at"] and e["exam_ended_at"]
             and timedelta(0) < e["exam_ended_at"] - e["exam_started_at"] <= DAY]  # fmt: skip
    joined = Sets()
    for n, a in enumerate(timed):
        for m, b in enumerate(timed[: n + 1]):
            same = a["device"] == b["device"] and a["patient"] == b["patient"] and (a["patient"] or n == m)
            if same and a["exam_started_at"] <= b["exam_ended_at"] and b["exam_started_at"] <= a["exam_ended_at"]:
                joined.join((n, m))
    members: dict[int, list[Exam]] = defaultdict(list)
    for n, exam in enumerate(timed):
        members[joined.root(n)].append(exam)
    return [(one[0]["device"], min(e["exam_started_at"] for e in one), max(e["exam_ended_at"] for e in one), len(one))
            for one in members.values()]  # fmt: skip


def repeats(exams: list[Exam]) -> Iterator[tuple[Exam, list[Exam], float]]:
    """(exam, priors, days): exams that count, within 90 days after the latest earlier one of the same kind."""
    kinds: dict[tuple[object, ...], list[Exam]] = defaultdict(list)
    for exam in exams:
        if exam["is_countable"] and exam["exam_started_at"] and exam["region"] and exam["patient"]:
            kinds[tuple(exam[k] for k in ("patient", "modality", "region", "laterality", "contrast"))].append(exam)
    for same in kinds.values():
        for exam in same:
            earlier = [e["exam_started_at"] for e in same if e["exam_started_at"] < exam["exam_started_at"]]
            if earlier and exam["exam_started_at"] - max(earlier) <= 90 * DAY:
                priors = [e for e in same if e["exam_started_at"] == max(earlier)]
                yield exam, priors, (exam["exam_started_at"] - max(earlier)) / DAY


def found(metric: str, exams: list[Exam], site: Site) -> Iterator[Found]:
    """What a metric takes into account, one by one."""
    if metric == "reads":
        for e in exams:
            if e["radiologist"] and e["first_final_at"]:
                yield to_wall(e["first_final_at"], site.zone(e["facility"])), e, 1.0
        return
    again = {id(e) for e, _, days in repeats(exams) if days <= 30} if metric == "repeat_exam_rate" else set()
    for e in (e for e in exams if e["is_countable"]):
        name, anchors, holds = INTERVALS.get(metric, ("", ("exam_started_local", "exam_ended_local"), lambda _: True))
        value = e[name] if name else None
        if metric == "repeat_exam_rate" and e["exam_started_at"] and e["region"] and e["patient"]:
            value = float(id(e) in again)
        if holds(e):
            local = next((e[a] for a in anchors if e[a]), None)
            yield local, e, value if value is not None and value >= 0 else None


def answer(metric: str, values: list[float | None]) -> dict[str, float] | None:
    """The statistics of one group: a sum, a share, or or percentiles between order statistics."""
    known = sorted(v for v in values if v is not None)
    if metric == "reads":
        return {"final": sum(known)}
    if metric == "repeat_exam_rate":
        return {"30d": fmean(known), "n": float(len(known))} if known else None
    if not known:
        return {"n": 0.0, "of": float(len(values))}
    cuts = quantiles(known, n=20, method="inclusive") if len(known) > 1 else known * 19
    return {"p50": cuts[9], "p75": cuts[14], "p90": cuts[17], "p95": cuts[18], "mean": fmean(known),
            "n": float(len(known)), "of": float(len(values))}  # fmt: skip
