"""The scanner queue: patients who arrived wait for their device, most urgent first; each visit keeps what it took.

What the replay cannot explain by the queue (a late patient, preparation, a scanner that was down) stays with its visit.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from sql.planning.cases import Case

RANK = {"stat": 0, "urgent": 1}
#: Minutes between two patients where a device never had one waiting.
TURNOVER_MIN = 5.0
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Visit:
    """One patient on one device: `members` are numbers of cases, `ready_min` what it needed beside the queue."""

    device: str
    facility: str
    modality: str
    weekday: int
    rank: int
    arrived: float
    started: float
    length: float
    turnover: float
    ready_min: float
    members: tuple[int, ...]


def visits(cases: Sequence[Case]) -> list[Visit]:
    """Visits of all devices, by begin; cases without an arrival or in an impossible order make none."""
    parts: dict[tuple[str, str, float], list[int]] = defaultdict(list)
    for number, case in enumerate(cases):
        if not case.device or case.arrived is None or case.started is None:
            continue
        if case.arrived <= case.started <= case.ended:
            parts[case.device, case.patient, case.arrived].append(number)
    by_device: dict[str, list[Visit]] = defaultdict(list)
    for (device, _, arrived), members in parts.items():
        first = cases[members[0]]
        started = min(cases[n].started or 0.0 for n in members)
        length = max(cases[n].ended for n in members) - started
        rank = min(RANK.get(cases[n].priority, len(RANK)) for n in members)
        by_device[device].append(
            Visit(device, first.facility, first.modality, first.day.isoweekday(), rank, arrived, started, length, 0, 0,
                  tuple(members))
        )  # fmt: skip
    return [visit for found in by_device.values() for visit in _explained(sorted(found, key=lambda v: v.started))]


def _explained(found: list[Visit]) -> list[Visit]:
    """Visits of one device with its usual turnover, and what each needed beyond queue and turnover."""
    pairs = list(pairwise(found))
    gaps = [b.started - a.started - a.length for a, b in pairs if b.arrived < a.started + a.length]
    turnover = max(0.0, median(gaps)) if gaps else TURNOVER_MIN
    free, made = 0.0, []
    for visit in found:
        made.append(replace(visit, turnover=turnover, ready_min=max(0.0, visit.started - max(visit.arrived, free))))
        free = max(free, visit.started + visit.length + turnover)
    return made


def starts(queue: Sequence[Visit], second: Sequence[Span] = ()) -> dict[Visit, float]:
    """Begin of each visit of one device's queue, with a second device in the spans in which it is open (in order)."""
    usual = median(visit.ready_min for visit in queue) if queue else 0.0
    coming = sorted(queue, key=lambda visit: visit.arrived)
    waiting: list[tuple[int, float, int, Visit]] = []
    free, begun, number, now = [0.0, 0.0], dict[Visit, float](), 0, 0.0
    while number < len(coming) or waiting:
        soonest = now if waiting else max(now, coming[number].arrived)
        turns = [max(free[0], soonest), _open(second, max(free[1], soonest))]
        server = 0 if turns[0] <= turns[1] else 1
        now = turns[server]
        while number < len(coming) and coming[number].arrived <= now:
            visit = coming[number]
            heapq.heappush(waiting, (visit.rank, visit.arrived, number, visit))
            number += 1
        visit = heapq.heappop(waiting)[3]
        begun[visit] = now + (min(visit.ready_min, usual) if server else visit.ready_min)
        free[server] = begun[visit] + visit.length + visit.turnover
    return begun


def _open(spans: Sequence[Span], at: float) -> float:
    """The first moment from `at` on that lies in a span; infinite where none does."""
    return next((max(at, begin) for begin, end in spans if at < end), float("inf"))
