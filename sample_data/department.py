"""The simulated department: orders become visits, visits wait for devices, exams wait for readers.

`Department.exams()` yields finished stories day by day; what is unfinished at the horizon comes last, as far as it got.
Memory holds only what is under way. The same arguments always give the same stories.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import simpy

from sample_data import rooms
from sample_data.afterwards import settle
from sample_data.alteration import ExtraDevice, ExtraReader, Sent
from sample_data.booking import Book
from sample_data.clockwork import Clockwork
from sample_data.demand import Demand, Known, Request, plan_followers
from sample_data.imaging import expose
from sample_data.network import Network, Room
from sample_data.reading import ReadingRoom
from sample_data.registration import Registration
from sample_data.run import Run
from sample_data.story import Exam

Steps = Generator[Any, Any, Any]
#: Minutes (median) from order to arrival in radiology, by patient class and priority.
TRANSPORT_MIN = {
    ("E", "S"): 9, ("E", "A"): 16, ("E", "R"): 28, ("I", "S"): 22, ("I", "A"): 75, ("I", "R"): 230,
}  # fmt: skip
RANK = {"S": 0, "A": 2, "R": 3}
#: Scans that wait for staffed hours unless they are stat.
DAYTIME_ONLY = frozenset({"MR", "US", "NM", "PT", "XA"})
CANCELLED_EARLY, CANCELLED_BOOKED, NO_SHOW, RESCHEDULED = 0.025, 0.05, 0.06, 0.04
REPLACED, DISCONTINUED, LATE_PATIENT = 0.007, 0.008, 0.11
DISCONTINUED_REASONS = ("110501", "110504", "110505", "110510", "110515", "113568")
#: A planted story: this scanner is down for two working days in the middle of the run.
OUTAGE_DEVICE, OUTAGE_DAYS, LAST_OUTAGE_WEEKDAY = "N-MR1", 2, 3
BREAKDOWN_EVERY_DAYS, BREAKDOWN_HOURS = 45.0, 3.0
#: A patient moves to the facility's other scanner when the own one is down for longer, or has so many waiting.
PATIENCE_S, QUEUE = 1200, 1


class Department:
    """One run of the network."""

    def __init__(self, network: Network, run: Run) -> None:
        self.network, start, seed, days = network, run.start, run.seed, run.days
        midnight = network.utc("NORTH", datetime(start.year, start.month, start.day), 0)
        self.clock = Clockwork(midnight, midnight + timedelta(days=days))
        self.env, self.days = self.clock.env, days
        self.rng = Random(seed)  # noqa: S311 - a simulation
        self.demand = Demand(network, Random(seed + 1), run, midnight)  # noqa: S311
        self.book = Book(network, Random(seed + 2))  # noqa: S311
        self.registration = Registration(network, Random(seed + 3))  # noqa: S311
        self.alteration = run.alteration
        extra = self.alteration if isinstance(self.alteration, ExtraReader) else None
        self.readers = ReadingRoom(self.clock, network, Random(seed + 4), self._finish, extra)  # noqa: S311
        self.after = Random(seed + 5)  # noqa: S311
        self.devices = {d: simpy.PriorityResource(self.env, 1) for d in network.rooms}
        self.second = simpy.PriorityResource(self.env, 1)  # of an alteration
        self.down_until: dict[str, float] = dict.fromkeys(network.rooms, 0)
        middle = midnight + timedelta(days=days // 2)
        if middle.weekday() > LAST_OUTAGE_WEEKDAY:
            middle += timedelta(days=7 - middle.weekday())
        self.outage = (middle, middle + timedelta(days=OUTAGE_DAYS))
        self.under_way: dict[str, Exam] = {}
        self.finished: list[Exam] = []

    def exams(self) -> Iterator[Exam]:
        """All stories: finished ones as they finish, then the unfinished in order of their number."""
        for room in self.network.rooms.values():
            self.env.process(self._breakdowns(room))
        for day in range(self.days):
            for request in self.demand.day(day):
                self.env.process(self._visit(request))
            self.env.run(until=(day + 1) * 86400)
            self.book.forget((self.clock.now() - timedelta(days=2)).date())
            yield from self.finished
            self.finished.clear()
        for exam in self.under_way.values():
            settle(self.after, self.network, exam, self.clock.horizon)
        yield from self.under_way.values()

    def _finish(self, exam: Exam) -> None:
        settle(self.after, self.network, exam, self.clock.horizon)
        del self.under_way[exam.placer]
        self.finished.append(exam)

    def _breakdowns(self, room: Room) -> Steps:
        device = room.device.id
        if device == OUTAGE_DEVICE:
            yield self.env.timeout(max(1, self.clock.seconds(self.outage[0])))
            self.down_until[device] = self.clock.seconds(self.outage[1])
        while True:
            yield self.env.timeout(math.ceil(self.rng.expovariate(1 / BREAKDOWN_EVERY_DAYS) * 86400))
            hours = self.rng.expovariate(1 / BREAKDOWN_HOURS) / self.network.speed
            self.down_until[device] = max(self.down_until[device], self.env.now + round(hours * 3600))

    def _visit(self, request: Request, replaced: Exam | None = None) -> Steps:
        yield self.env.timeout(max(0, self.clock.seconds(request.at) - self.env.now))
        exams = self.registration.register(request, self.clock.now(), replaced)
        self.under_way.update((exam.placer, exam) for exam in exams)
        arrives = self._book(request, exams) if request.patient_class == "O" else self._transport(request, exams)
        if (yield from arrives):
            yield from self._examine(request, exams)
        else:
            for exam in exams:
                self._finish(exam)

    def _transport(self, request: Request, exams: list[Exam]) -> Steps:
        median = TRANSPORT_MIN[request.patient_class, request.priority]
        minutes = median * self.rng.lognormvariate(0, 0.45)
        is_lost, is_replaced = self.rng.random() < CANCELLED_EARLY, self.rng.random() < REPLACED
        yield self.env.timeout(round(minutes * 60 * (0.7 if is_lost or is_replaced else 1.0)))
        if is_lost or (is_replaced and len(exams) == 1):
            self._cancel(request, exams, is_replaced=is_replaced and not is_lost)
            return False
        yield from self._until_staffed(request)
        self._arrive(exams)
        return True

    def _until_staffed(self, request: Request) -> Steps:
        room = request.room
        if room.device.modality not in DAYTIME_ONLY or request.priority == "S":
            return
        facility = room.device.facility
        for ahead in range(8):
            now = self.clock.now()
            day = self.network.local(facility, now) + timedelta(days=ahead)
            opens, closes = (self.network.utc(facility, day, m) for m in (room.opens_min, room.closes_min))
            if day.isoweekday() in room.weekdays and now < closes:
                wait = self.clock.seconds(opens) - self.env.now
                if wait > 0:
                    yield self.env.timeout(wait + self.rng.randrange(300, 7200))
                return

    def _cancel(self, request: Request, exams: list[Exam], *, is_replaced: bool) -> None:
        for exam in exams:
            exam.cancelled_at = self.clock.now()
        if is_replaced and self.demand.left():
            other = self.rng.choice(self.demand.menu[request.room.device.id, request.patient_class][0])
            again = self.demand.request(
                self.clock.now(),
                request.room,
                request.patient_class,
                (other,),
                Known(request.person, request.reason),
            )
            self.demand.placed += 1
            exams[0].replaced_by = self.registration.placer_of(again)
            self.env.process(self._visit(again, exams[0]))

    def _book(self, request: Request, exams: list[Exam]) -> Steps:
        room, now = request.room, self.clock.now()
        lag_days = min(self.rng.gammavariate(1.6, 2.2), 1 + self.env.now / 86400)  # the book is empty at first
        delay_s = 60 * self.rng.randrange(2, 45)
        closed = self.outage if room.device.id == OUTAGE_DEVICE and now > self.outage[0] else None
        slot = self.book.slot(room, now + timedelta(hours=2, days=lag_days), closed)
        yield self.env.timeout(delay_s)
        length = room.slot_min * len(exams)
        for exam in exams:
            exam.booked_at, exam.slot_at, exam.slot_min = self.clock.now(), slot, max(1, round(length))
            exam.appointment = f"A{exam.placer[1:]}"
        if self.rng.random() < RESCHEDULED:
            slot = yield from self._reschedule(room, exams, slot)
        wait_s = self.clock.seconds(slot) - self.env.now
        if self.rng.random() < CANCELLED_BOOKED:
            yield self.env.timeout(max(0, round(wait_s * self.rng.random())))
            self._cancel(request, exams, is_replaced=self.rng.random() < REPLACED * 4 and len(exams) == 1)
            return False
        if self.rng.random() < NO_SHOW:
            yield self.env.timeout(max(0, wait_s + 60 * self.rng.randrange(20, 60)))
            for exam in exams:
                exam.no_show_at = self.clock.now()
            return False
        is_late = self.rng.random() < LATE_PATIENT
        early_min = -self.rng.expovariate(1 / 14) if is_late else max(-4.0, self.rng.gauss(12, 7))
        yield self.env.timeout(max(0, wait_s - round(early_min * 60)))
        self._arrive(exams)
        return True

    def _reschedule(self, room: Room, exams: list[Exam], slot: datetime) -> Steps:
        wait_s = self.clock.seconds(slot) - self.env.now
        yield self.env.timeout(max(60, round(wait_s * self.rng.random() * 0.6)))
        moved = self.book.slot(room, max(slot, self.clock.now()) + timedelta(hours=20), None)
        for exam in exams:
            exam.rescheduled_from, exam.slot_at, exam.rescheduled_at = slot, moved, self.clock.now()
        return moved

    def _arrive(self, exams: list[Exam]) -> None:
        for exam in exams:
            exam.arrived_at = self.clock.now()

    def _examine(self, request: Request, exams: list[Exam]) -> Steps:
        room = self._where(request, exams)
        if isinstance(self.alteration, Sent):
            room = self.alteration.room(self.network, room)
        device = room.device
        server = self._server(room)
        with server.request(RANK[request.priority]) as turn:
            yield turn
            if self.down_until[device.id] > self.env.now and server is not self.second:
                yield self.env.timeout(self.down_until[device.id] - self.env.now)
            for exam in exams:
                exam.room_entered_at = self.clock.now()
            yield self.env.timeout(round(self.rng.randrange(30, 300) / self.network.speed))
            technologist = self.rng.choice(self.network.of_role("technologist", device.facility))
            for exam in exams:
                exam.technologist = technologist
                yield from self._scan(room, exam)
            turnover_s = round(room.turnover_min * self.rng.lognormvariate(0, 0.4) * 60 / self.network.speed)
            rooms.leave(exams, self.clock.now(), turnover_s, self.clock.horizon)
            yield self.env.timeout(turnover_s)

    def _where(self, request: Request, exams: list[Exam]) -> Room:
        """The room of the exam: as planned, else the twin that is up and free."""
        room, twin = request.room, self.network.twin(request.room)
        if twin is None or request.patient_class == "E":
            return room
        own, other = self.devices[room.device.id], self.devices[twin.device.id]
        is_wanted = self.down_until[room.device.id] - self.env.now > PATIENCE_S or len(own.queue) >= QUEUE
        is_free = self.down_until[twin.device.id] <= self.env.now and len(other.queue) < QUEUE
        if not (is_wanted and is_free):
            return room
        for exam in exams:
            exam.moved_from, exam.device = exam.device, twin.device
        return twin

    def _server(self, room: Room) -> simpy.PriorityResource:
        """The device, or the second one of an alteration where it is open and fewer wait for it."""
        own, change = self.devices[room.device.id], self.alteration
        if not isinstance(change, ExtraDevice) or change.device != room.device.id:
            return own
        wall = self.network.local(room.device.facility, self.clock.now())
        is_open = change.is_open(wall.isoweekday(), wall.hour * 60 + wall.minute)
        return self.second if is_open and _load(self.second) < _load(own) else own

    def _scan(self, room: Room, exam: Exam) -> Steps:
        rng, clock = self.rng, self.clock
        seconds = max(8, round(room.exam_min * rng.lognormvariate(-0.04, 0.3) * 60 / self.network.speed))
        exam.exam_started_at = clock.now()
        if exam.device.has_mpps and rng.random() < DISCONTINUED:
            yield self.env.timeout(max(1, seconds // 3))
            exam.discontinued_at, exam.discontinued_reason = clock.now(), rng.choice(DISCONTINUED_REASONS)
            exam.is_hl7_missing = False
            self._finish(exam)
            return
        yield self.env.timeout(seconds)
        exam.exam_ended_at = clock.now()
        procedure = self.registration.true_procedure(exam)
        expose(rng, exam, self.network.procedures[procedure])
        plan_followers(self.demand, room, procedure, exam, clock.now())
        self.env.process(self._archive(exam))

    def _archive(self, exam: Exam) -> Steps:
        yield self.env.timeout(self.rng.randrange(60, 540))
        exam.images_available_at = self.clock.now()
        self.readers.add(exam)


def _load(server: simpy.PriorityResource) -> int:
    return len(server.users) + len(server.queue)
