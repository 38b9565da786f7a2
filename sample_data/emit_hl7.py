"""The HL7 v2 messages of one exam, as its facility's systems would send them, each with the time of sending.

What `exam.lost` names is left out. `recorded.py` says what a reader of these messages can know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sample_data import hl7_messages as build
from sample_data.envelope import Envelope
from sample_data.hl7_dialect import ADMISSION, BILLING, DICTATION, RIS, Dialect, chance, delay, recorded, typed_at
from sample_data.hl7_faults import faults_of, spoiled
from sample_data.hl7_messages import Sheet
from sample_data.network import Network
from sample_data.rooms import tracked
from sample_data.story import Exam

#: Story attribute, loss key, ORC-5 of the status message.
STATUSES = (
    ("protocoled_at", "", "PR"), ("arrived_at", "arrived", "AR"), ("exam_started_at", "exam_started", "IP"),
    ("exam_ended_at", "exam_ended", "CM"), ("discontinued_at", "", "DC"),
    ("images_available_at", "images_available", "IA"),
)  # fmt: skip
#: Bookings have no time but MSH-7, so they are sent as they happen; everything else some seconds later.
AT_ONCE = frozenset({"S12", "S13", "S14", "S15", "S26"})
ORDER_AFTER_RESULT, LATE, TWICE = 300, 220, 160  # one message in so many
ORDER_ALONE = 5  # one cancelled booking in so many is only told by the order


class Sent(NamedTuple):
    """One message: when it arrives at the receiver, from which facility, its bytes; a copy has no envelope."""

    at: datetime
    facility: str
    data: bytes
    envelope: Envelope | None = None


def kind_of(data: bytes) -> str:
    """Type and trigger of a message, as its MSH-9 writes them."""
    kind = data.split(data[3:4], 9)[8].decode("ascii")
    return "^".join(kind.split(chr(data[4]))[:2])


def status_at(exam: Exam, attribute: str) -> datetime | None:
    """When the RIS status of a milestone was entered; None if it is not sent."""
    loss = next(loss for name, loss, _ in STATUSES if name == attribute)
    if loss in exam.lost or exam.is_hl7_missing:
        return None
    return typed_at(exam.placer, attribute.removesuffix("_at"), getattr(exam, attribute))


def posted_at(exam: Exam) -> datetime | None:
    """When the charges were posted; None where there are none."""
    if exam.final_at is None or not exam.charges or "charge" in exam.lost or exam.is_hl7_missing:
        return None
    return exam.final_at + delay(f"{exam.placer}charge", 3600, 90000)


class Hl7Emitter:
    """Turns stories into messages. Charges beyond the horizon are not posted yet."""

    def __init__(self, network: Network, horizon: datetime) -> None:
        self.network, self.horizon = network, horizon

    def messages(self, exam: Exam) -> Iterator[Sent]:
        """All messages of one exam, in no particular order."""
        if exam.is_hl7_missing:
            return
        steps = [self._charges]
        if exam.facility in RIS:
            steps += [self._admission, self._orders, self._bookings, self._statuses, self._reports, self._moves]
        for number, sent in enumerate(one for step in steps for one in step(exam)):
            yield from self._on_the_way(exam, number, sent)

    def _on_the_way(self, exam: Exam, number: int, sent: Sent) -> Iterator[Sent]:
        key = f"{exam.placer}{number}"
        at = sent.at + delay(f"late{key}", 86400, 432000) if chance(f"late{key}", LATE) else sent.at
        yield sent._replace(at=at)
        if chance(f"twice{key}", TWICE):
            yield sent._replace(at=at + delay(key, 60, 7200), envelope=None)

    def _send(self, exam: Exam, dialect: Dialect, key: str, at: datetime, build_one: Callable[[Sheet], bytes]) -> Sent:
        sent_at = at if key in AT_ONCE else at + delay(f"{exam.placer}{key}", 1, 20)
        sheet = Sheet(self.network, dialect, exam, f"{dialect.app[:4]}{exam.placer[1:]}{key}", sent_at)
        data, faults = build_one(sheet), list(faults_of(exam, dialect, key))
        for fault in faults:
            data = spoiled(data, fault, exam)
        told_at = recorded(self.network, dialect, sent_at, is_header=True)
        is_dated = all(fault.field != "MSH-7" for fault in faults)
        found = tuple((fault.field, fault.reason) for fault in faults)
        sender = f"{dialect.app}@{dialect.sending}"
        kind = kind_of(data)
        envelope = Envelope(exam.facility, sender, "hl7", kind, told_at if is_dated else None, found)
        return Sent(sent_at, exam.facility, data, envelope)

    def _orders(self, exam: Exam) -> Iterator[Sent]:
        ris = RIS[exam.facility]
        sent = self._send(exam, ris, "N", exam.ordered_at, build.order)
        if exam.final_at is not None and chance(f"order{exam.placer}", ORDER_AFTER_RESULT):
            sent = sent._replace(at=exam.final_at + timedelta(hours=1))
        yield sent
        if exam.cancelled_at is not None and not exam.replaced_by:
            yield self._send(exam, ris, "X", exam.cancelled_at, build.cancel)

    def _statuses(self, exam: Exam) -> Iterator[Sent]:
        for name, _, code in STATUSES:
            at = status_at(exam, name)
            if at is not None:
                yield self._send(exam, RIS[exam.facility], code, at, partial(build.status_change, code=code, at=at))

    def _bookings(self, exam: Exam) -> Iterator[Sent]:
        for trigger, at, slot, status in bookings(exam):
            one = partial(build.booking, trigger=trigger, status=status, slot=slot)
            yield self._send(exam, RIS[exam.facility], trigger, at, one)

    def _reports(self, exam: Exam) -> Iterator[Sent]:
        ris = RIS[exam.facility]
        for key, status, at, sent_at in reports(exam):
            with_critical = bool(exam.critical_category) and status != "P"
            one = partial(build.report, status=status, at=at, with_critical=with_critical)
            yield self._send(exam, ris, key, sent_at, one)
        if exam.facility != "EAST":
            return
        if exam.dictated_at is not None and exam.interpreter is not None:
            dictation = partial(build.document, trigger="T02", completion="DI", addendum=None)
            yield self._send(exam, DICTATION, "D", exam.dictated_at, dictation)
        for n, addendum in enumerate(a for a in exam.addenda if a.kind == "addendum" and "final" not in exam.lost):
            amendment = partial(build.document, trigger="T06", completion="LA", addendum=addendum)
            yield self._send(exam, DICTATION, f"A{n}", addendum.at, amendment)

    def _charges(self, exam: Exam) -> Iterator[Sent]:
        at = posted_at(exam)
        if at is not None and at <= self.horizon:
            yield self._send(exam, BILLING[exam.facility], "C", at, partial(build.charge, posted_at=at))

    def _admission(self, exam: Exam) -> Iterator[Sent]:
        his = ADMISSION[exam.facility]
        if exam.door_at is not None:
            yield self._send(exam, his, "P", exam.door_at, build.admit)
        if exam.merged_at is not None:
            yield self._send(exam, his, "M", exam.merged_at, build.merge)

    def _moves(self, exam: Exam) -> Iterator[Sent]:
        for number, move in enumerate(tracked(exam)):
            one = partial(build.track, kind=move.kind, room=move.room, at=move.at)
            yield self._send(exam, ADMISSION[exam.facility], f"T{number}", move.at, one)


def bookings(exam: Exam) -> Iterator[tuple[str, datetime, datetime, str]]:
    """(trigger, time, slot, SCH-25) of each appointment message that is sent."""
    if exam.booked_at is None or exam.slot_at is None or "booking" in exam.lost or exam.is_hl7_missing:
        return
    yield "S12", exam.booked_at, exam.rescheduled_from or exam.slot_at, "Booked"
    if exam.rescheduled_at is not None:
        yield "S13", exam.rescheduled_at, exam.slot_at, "Booked"
    if exam.cancelled_at is not None:
        if exam.replaced_by or not chance(f"alone{exam.placer}", ORDER_ALONE):
            yield "S15", exam.cancelled_at, exam.slot_at, "Cancelled"
    elif exam.no_show_at is not None:
        yield "S26", exam.no_show_at, exam.slot_at, "Noshow"
    elif exam.exam_ended_at is not None:
        yield "S14", exam.exam_ended_at, exam.slot_at, "Complete"


def reports(exam: Exam) -> Iterator[tuple[str, str, datetime, datetime]]:
    """(key, OBR-25 with OBX-11, OBR-22, earliest time of sending) of each ORU that is sent."""
    if exam.is_hl7_missing:
        return
    if exam.prelim_at is not None and "prelim" not in exam.lost:
        yield "R1", "P", exam.prelim_at, exam.prelim_at
        if exam.last_prelim_at is not None and exam.last_prelim_at > exam.prelim_at:
            yield "R2", "P", exam.last_prelim_at, exam.last_prelim_at
    if exam.final_at is None or "final" in exam.lost:
        return
    yield "F1", "F", exam.final_at, exam.final_at
    told_at = exam.critical_communicated_at
    if told_at is not None and told_at > exam.final_at:  # sent again with the note that somebody was told
        yield "F2", "F", exam.final_at, told_at
    if exam.rescored_at is not None:  # sent again with another score
        yield "F4", "F", exam.final_at, exam.rescored_at
    if exam.resigned_at is not None:
        yield "F3", "F", exam.resigned_at, exam.resigned_at
    for n, addendum in enumerate(exam.addenda):
        if addendum.kind == "corrected":
            yield f"C{n}", "C", addendum.at, addendum.at
        elif exam.facility != "EAST":
            yield f"B{n}", "FA", addendum.at, addendum.at
