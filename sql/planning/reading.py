"""The reading queue: cases become ready, readers at work take the most urgent one that they see."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from random import Random
from statistics import NormalDist
from typing import Any

import simpy

from sql.planning.cases import Case
from sql.planning.learn import List, Room, Window, group, listed

Steps = Generator[Any, Any, None]
_NORMAL = NormalDist()


class Draw:
    """Chance of one run, the same for the department as it was and with the change (common random numbers)."""

    def __init__(self, cases: Sequence[Case], room: Room, seed: int) -> None:
        chance = Random(seed)  # noqa: S311 - a simulation
        self.ready, self.pause = [], []
        for case in cases:
            self.ready.append(_ready(case, room, chance.random()))
            self.pause.append(-math.log(1 - chance.random()))


def _ready(case: Case, room: Room, chance: float) -> float:
    """A moment at which the case may have become ready, within its bounds."""
    if case.begun - case.lowest < 0.1:
        return case.begun
    centre, spread = room.delays[group(case)]
    low, high = (
        _NORMAL.cdf((math.log(max(at - case.entered, 0.1)) - centre) / spread) for at in (case.lowest, case.begun)
    )
    place = low + (high - low) * chance
    if high - low < 1e-9 or not 0 < place < 1:
        return case.lowest + (case.begun - case.lowest) * chance
    return case.entered + math.exp(centre + spread * _NORMAL.inv_cdf(place))


def read(
    cases: Sequence[Case],
    room: Room,
    draw: Draw,
    *,
    extra: Sequence[Window] = (),
    later: Mapping[int, float] | None = None,
) -> list[float | None]:
    """Minute of the final report of each case, None where nobody came to read it.

    `later` moves cases (by number) whose exam ended later or earlier than it did, minutes.
    """
    return _Reading(cases, room, draw, later or {}).run([*room.windows, *extra])


class _Reading:
    def __init__(self, cases: Sequence[Case], room: Room, draw: Draw, later: Mapping[int, float]) -> None:
        self.env = simpy.Environment()
        self.cases, self.room, self.draw = cases, room, draw
        self.ready = [at + later.get(number, 0.0) for number, at in enumerate(draw.ready)]
        self.lists: dict[List, list[tuple[int, float, int]]] = defaultdict(list)
        self.final: list[float | None] = [None] * len(cases)
        self.news = self.env.event()

    def run(self, windows: Sequence[Window]) -> list[float | None]:
        self.env.process(self._arrivals())
        for window in windows:
            self.env.process(self._reader(window))
        self.env.run()
        return self.final

    def _arrivals(self) -> Steps:
        for number in sorted(range(len(self.cases)), key=lambda n: self.ready[n]):
            if self.ready[number] > self.env.now:
                yield self.env.timeout(self.ready[number] - self.env.now)
            case = self.cases[number]
            rank = self.room.ranks.get((case.patient_class, case.priority), 0)
            heapq.heappush(self.lists[listed(case)], (rank, self.ready[number], number))
            if self.news.callbacks:
                self.news.succeed()
                self.news = self.env.event()

    def _reader(self, window: Window) -> Steps:
        yield self.env.timeout(max(0.0, window.begin - self.env.now))
        end = self.env.timeout(max(0.0, window.end - self.env.now))
        while self.env.now < window.end:
            number = self._next(window.sees)
            if number is None:
                yield self.news | end
                continue
            case = self.cases[number]
            yield self.env.timeout(case.service)
            self.final[number] = self.env.now + case.after
            hurry = window.hurry if self._is_urgent(window.sees) else 1.0
            yield self.env.timeout(self.draw.pause[number] * window.pause * hurry)

    def _is_urgent(self, sees: frozenset[List]) -> bool:
        return any(waiting[0][0] == 0 for name in sees if (waiting := self.lists.get(name)))

    def _next(self, sees: frozenset[List]) -> int | None:
        best = min(((waiting[0], name) for name in sees if (waiting := self.lists.get(name))), default=None)
        return None if best is None else heapq.heappop(self.lists[best[1]])[2]
