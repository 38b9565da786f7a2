"""The reading room: exams wait by urgency, radiologists and trainees read them in shifts and sign.

Emergency and inpatient exams go to whoever is on; outpatients are read by day. Trainees read first for NORTH. What they
read at night is signed in the morning, and the one radiologist of the night falls behind: a planted story.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Generator, Iterator
from datetime import timedelta
from random import Random
from typing import Any

from sample_data.alteration import ExtraReader
from sample_data.clockwork import Clockwork
from sample_data.network import Network, Shift
from sample_data.story import Exam, Staff

READ_MIN = {"CT": 12, "MR": 15, "DX": 3, "CR": 3, "US": 6, "MG": 5, "NM": 9, "PT": 18, "XA": 10}
SIGN_MIN = 4.0  # a senior's look at what a trainee read
#: Minutes (median) until an exam is on the list for reading, by patient class and priority.
LISTED_MIN = {
    ("E", "S"): 4, ("E", "A"): 9, ("E", "R"): 16, ("I", "S"): 6, ("I", "A"): 45, ("I", "R"): 130, ("O", "A"): 120,
    ("O", "R"): 560,
}  # fmt: skip
RANK = {
    ("E", "S"): 0,
    ("I", "S"): 1,
    ("E", "A"): 2,
    ("E", "R"): 3,
    ("I", "A"): 4,
    ("I", "R"): 5,
    ("O", "A"): 6,
    ("O", "R"): 7,
}
TRAINEE_SHARE, TRAINEE_LIST = 0.75, 6
DRAFT_SHARE = 0.30  # EAST: dictated reports that are seen as preliminary before they are signed
MORNING_MIN = 7 * 60 + 30
LISTS = ("acute", "elective", "trainee")
SEES = {"day": ("acute", "elective"), "evening": ("acute",), "night": ("acute",), "weekend": ("acute", "elective")}

Item = tuple[int, float, int, Exam]
Steps = Generator[Any, Any, None]


class ReadingRoom:
    """`add` takes an exam whose images are ready; `on_final` is called once it is signed."""

    def __init__(
        self,
        clock: Clockwork,
        network: Network,
        rng: Random,
        on_final: Callable[[Exam], None],
        extra: ExtraReader | None = None,
    ) -> None:
        self.extra = extra
        self.clock, self.network, self.rng, self.on_final = clock, network, rng, on_final
        self.env = clock.env
        self.lists: dict[str, list[Item]] = {name: [] for name in LISTS}
        self.news = self.env.event()
        self.number = 0
        self.trainees_on = 0
        self.env.process(self._roster())

    def add(self, exam: Exam) -> None:
        """Put an exam on the list after the usual delay of its class and priority."""
        median = LISTED_MIN[exam.patient_class, exam.priority]
        self._later(median * self.rng.lognormvariate(0, 0.6), exam)

    def _later(self, minutes: float, exam: Exam) -> None:
        def wait() -> Steps:
            yield self.env.timeout(round(minutes * 60))
            self._push(exam)

        self.env.process(wait())

    def _push(self, exam: Exam) -> None:
        is_trainee_case = exam.facility == "NORTH" and exam.patient_class != "O" and exam.prelim_at is None
        has_room = self.trainees_on and len(self.lists["trainee"]) < TRAINEE_LIST
        if is_trainee_case and has_room and self.rng.random() < TRAINEE_SHARE:
            name = "trainee"
        else:
            name = "elective" if exam.patient_class == "O" else "acute"
        self.number += 1
        rank = RANK[exam.patient_class, exam.priority]
        heapq.heappush(self.lists[name], (rank, self.env.now, self.number, exam))
        self.news.succeed()
        self.news = self.env.event()

    def _roster(self) -> Steps:
        crews = {
            (role, name): [s for s, shift in self.network.staff if s.role == role and shift == name]
            for role in ("radiologist", "trainee")
            for name in self.network.shifts
        }
        for day in range(10**6):
            for person, shift, starts, ends in self._crew_of(day, crews):
                self.env.process(self._shift(person, shift, starts, ends))
            yield self.env.timeout(max(1, (day + 1) * 86400 - self.env.now))

    def _crew_of(self, day: int, crews: dict[tuple[str, str], list[Staff]]) -> Iterator[tuple[Staff, Shift, int, int]]:
        local = self.network.local("NORTH", self.clock.at(day * 86400 + 43200))
        if self.extra is not None and local.isoweekday() in self.extra.weekdays:
            person, shift = self.extra.shift(self.network)
            begins = self.clock.seconds(self.network.utc("NORTH", local, shift.starts_min))
            yield person, shift, begins, begins + (shift.ends_min - shift.starts_min) % 1440 * 60
        for (role, name), crew in crews.items():
            shift = self.network.shifts[name]
            if not crew or local.isoweekday() not in shift.weekdays:
                continue
            count = min(len(crew), shift.per_day if role == "radiologist" else 2)
            length = (shift.ends_min - shift.starts_min) % 1440
            begins = self.clock.seconds(self.network.utc("NORTH", local, shift.starts_min))
            for n in range(count):
                person = crew[(day * count + n) % len(crew)]
                yield person, shift, begins, begins + length * 60

    def _shift(self, person: Staff, shift: Shift, starts: int, ends: int) -> Steps:
        yield self.env.timeout(max(0, starts - self.env.now))
        is_trainee = person.role == "trainee"
        self.trainees_on += is_trainee
        while self.env.now < ends:
            exam = self._next(("trainee",) if is_trainee else SEES[shift.name])
            if exam is None:
                yield self.news | self.env.timeout(ends - self.env.now)
                continue
            yield from (self._read_first(person, exam) if is_trainee else self._read(person, exam))
            yield self.env.timeout(self._pause(shift))
        self.trainees_on -= is_trainee
        if is_trainee and not self.trainees_on:
            self._hand_over()

    def _pause(self, shift: Shift) -> int:
        has_stat = bool(self.lists["acute"]) and self.lists["acute"][0][0] == 0
        mean = shift.pause_min * (0.4 if has_stat else 1.0) / self.network.speed
        return round(self.rng.expovariate(1 / mean) * 60)

    def _next(self, names: tuple[str, ...]) -> Exam | None:
        for name in names:
            if self.lists[name]:
                return heapq.heappop(self.lists[name])[3]
        return None

    def _hand_over(self) -> None:
        for item in self.lists["trainee"]:
            heapq.heappush(self.lists["acute"], item)
        self.lists["trainee"].clear()

    def _minutes(self, exam: Exam) -> int:
        return max(1, round(READ_MIN[exam.modality] * self.rng.lognormvariate(-0.1, 0.45) * 60 / self.network.speed))

    def _read_first(self, trainee: Staff, exam: Exam) -> Steps:
        exam.read_started_at = self.clock.now()
        yield self.env.timeout(round(self._minutes(exam) * 1.3))
        exam.assistant = trainee
        exam.dictated_at = exam.prelim_at = exam.last_prelim_at = self.clock.now()
        wall = self.network.local("NORTH", self.clock.now())
        minute = wall.hour * 60 + wall.minute
        until_morning = (MORNING_MIN - minute) % 1440
        is_night = until_morning < 9 * 60
        self._later((until_morning if is_night else 8) + 25 * self.rng.expovariate(1), exam)

    def _read(self, radiologist: Staff, exam: Exam) -> Steps:
        exam.interpreter = radiologist
        if exam.assistant is not None:
            yield self.env.timeout(max(1, round(SIGN_MIN * 60 * self.rng.lognormvariate(0, 0.4) / self.network.speed)))
            self._sign(exam)
            return
        exam.read_started_at = self.clock.now()
        yield self.env.timeout(self._minutes(exam))
        exam.dictated_at = self.clock.now()
        if exam.facility == "EAST" and self.rng.random() < DRAFT_SHARE:
            exam.prelim_at = exam.last_prelim_at = self.clock.now()
            self.env.process(self._sign_later(exam))
        else:
            self._sign(exam)

    def _sign_later(self, exam: Exam) -> Steps:
        yield self.env.timeout(round(math.exp(self.rng.gauss(math.log(45), 0.7)) * 60))
        self._sign(exam)

    def _sign(self, exam: Exam) -> None:
        exam.final_at = self.clock.now()
        if exam.prelim_at and self.rng.random() < 0.06:  # the preliminary report was changed once before it was signed
            spent = int((exam.final_at - exam.prelim_at).total_seconds())
            exam.last_prelim_at = exam.prelim_at + timedelta(seconds=int(spent * 0.6))
        self.on_final(exam)
