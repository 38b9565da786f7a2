"""Who orders what and when: exactly the asked number of exams, spread over days by weekday and hour."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from sample_data.catalog import STAND_IN
from sample_data.network import Network, Room
from sample_data.outside import REPEATED, declare
from sample_data.population import Population
from sample_data.run import Run
from sample_data.story import Exam, OutsidePrior, Person
from sample_data.volume import volumes

#: How much less outpatients order at weekends and on holidays.
OUTPATIENT_WEEKEND = 0.12
#: Two procedures that are often ordered and done together.
COMPANIONS = {
    "CT_HEAD_WO": "CT_CSPINE_WO", "CT_CHEST_W": "CT_ABDPELV_W", "CTA_HEAD_W": "CTA_NECK_W",
    "MR_CSPINE_WO": "MR_LSPINE_WO", "XR_KNEE_L": "XR_KNEE_R",
}  # fmt: skip
COMPANION_SHARE = 0.18
#: Priority letters and their shares by patient class.
PRIORITIES = {"E": (("S", "A", "R"), (45, 20, 35)), "I": (("S", "A", "R"), (10, 15, 75)), "O": (("A", "R"), (3, 97))}
REASONS = ("PAIN", "TRAUMA", "FEVER", "DYSPNEA", "STAGING", "PREOP", "SCREEN", "OTHER")
#: Share of repeated exams, and of orders that repeat nothing that is known here, whose order declares a repeat.
DECLARED, DECLARED_ALONE = 0.35, 0.004
DUPLICATE_REASONS = ("CHANGE", "QUALITY", "NOIMAGES")
ONE_SEX = {"MG": "F", "BREAST": "F", "UTERUS": "F", "MR_PROSTATE_WWO": "M"}


@dataclass(order=True, slots=True)
class Request:
    """One order (or two done together) that somebody will place at `at`."""

    at: datetime
    number: int
    room: Room = field(compare=False)
    patient_class: str = field(compare=False)
    procedures: tuple[str, ...] = field(compare=False)
    person: Person = field(compare=False)
    priority: str = field(compare=False)
    reason: str = field(compare=False)
    is_returning: bool = field(compare=False, default=False)
    outside: OutsidePrior | None = field(compare=False, default=None)
    duplicate_reason: str = field(compare=False, default="")


class Known(NamedTuple):
    """A patient who has been here, and the reason code of the new order ('': any)."""

    person: Person
    reason: str = ""


class Demand:
    """Requests of one day after the other. `plan` puts a later order of a known patient on the list."""

    def __init__(self, network: Network, rng: Random, run: Run, start: datetime) -> None:
        self.network, self.rng, self.start = network, rng, start
        self.population = Population(network, run.seed)
        self.planned: list[Request] = []
        self.number = 0
        self.placed = 0
        self.volumes = volumes(run.start, run.days, list(network.facilities), run.seed)
        total, so_far = sum(day.drawn for day in self.volumes), 0.0
        self.due: list[int] = []  # exams ordered by the end of each day
        for volume in self.volumes:
            so_far += volume.drawn
            self.due.append(round(run.exams * so_far / total))
        self.choices = self._choices()
        self.menu = {(d, c): self._menu(network.rooms[d], c) for d, c, _ in self.choices}

    def _choices(self) -> list[tuple[str, str, float]]:
        rooms = self.network.rooms.items()
        return [(d, c, room.daily * share) for d, room in rooms for c, share in room.mix.items() if share]

    def _menu(self, room: Room, patient_class: str) -> tuple[list[str], list[float]]:
        network, device = self.network, room.device
        ids = [
            p.id
            for p in network.procedures.values()
            if device.modality in (p.modality, STAND_IN.get(p.modality)) and (device.facility, p.id) in network.names
        ]
        return ids, [network.demand.get(i, {"E": 0.4, "I": 0.4, "O": 0.6})[patient_class] for i in ids]

    def plan(self, request: Request) -> None:
        """Put an order of a known patient on the list of its day."""
        heapq.heappush(self.planned, request)

    def left(self) -> int:
        """Exams of the run that nobody has ordered yet."""
        return self.due[-1] - self.placed

    def day(self, day: int) -> list[Request]:
        """All requests of a day in time order; their procedures add up to what is due."""
        begin, end = self.start + timedelta(days=day), self.start + timedelta(days=day + 1)
        volume = self.volumes[day]
        is_quiet = volume.day.weekday() >= 5 or volume.is_holiday
        weights = [
            w * volume.facilities[self.network.rooms[d].device.facility]
            * (OUTPATIENT_WEEKEND if is_quiet and c == "O" else 1.0)
            for d, c, w in self.choices
        ]  # fmt: skip
        requests: list[Request] = []
        while self.placed < self.due[day]:
            is_due = self.planned and self.planned[0].at < end
            request = heapq.heappop(self.planned) if is_due else self._fresh(begin, weights)
            requests.append(request)
            self.placed += len(request.procedures)
        return sorted(requests)

    def _fresh(self, begin: datetime, weights: list[float]) -> Request:
        rng = self.rng
        device, patient_class, _ = rng.choices(self.choices, weights)[0]
        room = self.network.rooms[device]
        procedure = rng.choices(*self.menu[device, patient_class])[0]
        companion = COMPANIONS.get(procedure)
        is_offered = companion in self.menu[device, patient_class][0] and self.left() > 1
        is_pair = is_offered and rng.random() < COMPANION_SHARE
        request = self.request(
            self._moment(begin, room, patient_class),
            room,
            patient_class,
            (procedure, companion) if companion and is_pair else (procedure,),
        )
        if rng.random() < DECLARED_ALONE:
            request.duplicate_reason = rng.choice(DUPLICATE_REASONS)
        return request

    def request(
        self,
        at: datetime,
        room: Room,
        patient_class: str,
        procedures: tuple[str, ...],
        known: Known | None = None,
    ) -> Request:
        """A request with everything that chance decides; for a known patient if one is given."""
        rng, facility = self.rng, room.device.facility
        what = self.network.procedures[procedures[0]]
        self.number += 1
        letters, shares = PRIORITIES[patient_class]
        priority = rng.choices(letters, shares)[0]
        reason = (known.reason if known else "") or rng.choice(REASONS)
        outside = declare(rng, self.network, (facility, patient_class), what, at) if known is None else None
        is_returning = False
        if known is not None:
            person = known.person
        elif outside is not None:
            person = self.population.newcomer()
        else:
            before = self.population.count
            person = self.population.somebody(rng, facility, sex=self._sex(what.id, what.modality, what.region))
            is_returning = self.population.count == before
        return Request(
            at, self.number, room, patient_class, procedures, person, priority, reason, is_returning, outside
        )

    @staticmethod
    def _sex(*facts: str) -> str:
        return next((ONE_SEX[fact] for fact in facts if fact in ONE_SEX), "")

    def _moment(self, begin: datetime, room: Room, patient_class: str) -> datetime:
        hour = self.rng.choices(range(24), self.network.hours[patient_class])[0]
        day = self.network.local(room.device.facility, begin + timedelta(hours=12))
        at = self.network.utc(room.device.facility, day, hour * 60 + self.rng.random() * 60)
        return max(at, begin)


#: Orders that follow an exam: share of exams, mean days until then, earliest days, reason code.
FOLLOWERS: dict[str, tuple[float, float, float, str]] = {
    "repeat": (0.030, 5.0, 0.3, ""),
    "duplicate": (0.022, 6.0, 0.5, ""),
    "follow_up": (0.025, 18.0, 5.0, "FU"),
}
LONGEST_FOLLOW_DAYS = 80.0


def plan_followers(demand: Demand, room: Room, procedure: str, exam: Exam, at: datetime) -> None:
    """Plan the later orders that chance lets follow an exam that ended at `at`."""
    rng = demand.rng
    is_control = exam.outside is not None and exam.outside.status == "none"
    for kind, (usual, mean, earliest, reason) in FOLLOWERS.items():
        share = REPEATED["none"] if is_control and kind == "repeat" else usual
        if rng.random() >= share:
            continue
        where = elsewhere(demand.network, rng, room, procedure) if kind == "duplicate" else room
        if where is None:
            continue
        days = min(LONGEST_FOLLOW_DAYS, earliest + rng.expovariate(1 / mean))
        letter = "I" if exam.patient_class == "I" and kind == "repeat" else "O"
        when, known = at + timedelta(seconds=int(days * 86400)), Known(exam.person, reason)
        request = demand.request(when, where, letter if where.mix[letter] else "O", (procedure,), known)
        if kind != "follow_up" and rng.random() < DECLARED:
            request.duplicate_reason = rng.choice(DUPLICATE_REASONS)
        demand.plan(request)


def elsewhere(network: Network, rng: Random, room: Room, procedure: str) -> Room | None:
    """A device of the same modality at another facility that offers the procedure."""
    others = [
        r
        for r in network.rooms.values()
        if r.device.modality == room.device.modality
        and r.device.facility != room.device.facility
        and (r.device.facility, procedure) in network.names
    ]
    return rng.choice(others) if others else None
