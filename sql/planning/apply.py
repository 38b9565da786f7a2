"""A change made to a learned department: what is replayed differently, and what becomes of each exam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import fmean

from sql.planning.cases import Case
from sql.planning.change import Change, ChangeError
from sql.planning.learn import Window
from sql.planning.model import Model, home
from sql.planning.reading import read
from sql.planning.scanning import Span, Visit, starts


@dataclass(frozen=True, slots=True)
class Effect:
    """Finals of one run as it was and with the change; exams that end later; (wait as it was, with the change)."""

    base: list[float | None]
    changed: list[float | None]
    later: dict[int, float]
    waits: dict[int, tuple[float, float]]


def applied(made: Model, change: Change, seed: int) -> Effect:
    """One run with and without the change, under the same chance. Raises ChangeError."""
    draw, base = made.run(seed)
    cases, extra = _APPLY[change.kind][0](made, change)
    later, waits = _scanned(made, change)
    changed = base if not (extra or later) and cases is made.cases else read(
        cases, made.room, draw, extra=extra, later=later)  # fmt: skip
    return Effect(base, changed, later, waits)


def spans(made: Model, change: Change, facility: str) -> list[Span]:
    """The hours of a change on every day of the replay, by the facility's wall clock."""
    zone = made.period.zones.get(facility) or next(iter(made.period.zones.values()))
    first, last = made.period.origin, made.period.origin + timedelta(minutes=made.cases[-1].final)
    found = []
    for number in range((last - first).days + 2):
        day = datetime(first.year, first.month, first.day, tzinfo=zone) + timedelta(days=number - 1)
        if day.isoweekday() in change.weekdays:
            ends = [(day + timedelta(minutes=m)).astimezone(UTC).replace(tzinfo=None) for m in
                    (change.from_min, change.until_min)]  # fmt: skip
            begin, end = ((at - first).total_seconds() / 60 for at in ends)
            found.append((max(begin, 0.0), end))
    return [span for span in found if span[0] < span[1]]


Altered = tuple[Sequence[Case], list[Window]]


def _same(made: Model, change: Change) -> Altered:
    return made.cases, []


def _with_reader(made: Model, change: Change) -> Altered:
    if change.facility and change.facility not in made.period.zones:
        raise ChangeError(f"no facility {change.facility}")
    if not made.room.windows:
        raise ChangeError("nobody read in this period")
    extra = [
        made.room.like(begin, end, change.facility)
        for begin, end in spans(made, change, change.facility or home(made.cases))
    ]
    return made.cases, [window for window in extra if window.sees]


def _routed(made: Model, change: Change) -> Altered:
    if change.to not in made.period.zones:
        raise ChangeError(f"no facility {change.to}")
    is_moved = [_is_meant(case, change) for case in made.cases]
    if not any(is_moved):
        raise ChangeError("no such studies in this period")
    return [replace(c, facility=change.to) if m else c for c, m in zip(made.cases, is_moved, strict=True)], []


def _is_meant(case: Case, change: Change) -> bool:
    wanted = ((change.facility, case.facility), (change.modality, case.modality), (change.service_line,
              case.service_line), (change.region, case.region))  # fmt: skip
    return all(not asked or asked == has for asked, has in wanted)


def _scanned(made: Model, change: Change) -> tuple[dict[int, float], dict[int, tuple[float, float]]]:
    """Minutes by which exams end later, and waits, after the scanner queues with the change."""
    begun = {device: dict(found) for device, found in made.begun.items()}
    queues, second = _APPLY[change.kind][1](made, change)
    for device, queue in queues.items():
        begun[device] = starts(queue, second)
    now = {visit.members: at for found in begun.values() for visit, at in found.items()}
    later, waits = {}, {}
    for found in made.begun.values():
        for visit, at in found.items():
            changed = now[visit.members]
            for number in visit.members:
                waits[number] = (at - visit.arrived, changed - visit.arrived)
                if abs(changed - at) > 1e-6:
                    later[number] = changed - at
    return later, waits


Queues = tuple[dict[str, list[Visit]], list[Span]]


def _no_queue(made: Model, change: Change) -> Queues:
    return {}, []


def _devices(made: Model, facility: str, modality: str) -> list[str]:
    """Devices of a modality at a facility, the one with the longest waits first. Raises ChangeError."""
    waits = {
        device: fmean(v.started - v.arrived for v in queue)
        for device, queue in made.queues.items()
        if queue[0].facility == facility and queue[0].modality == modality
    }
    if not waits:
        raise ChangeError(f"no {modality} at {facility} in this period")
    return sorted(waits, key=lambda device: -waits[device])


def _with_device(made: Model, change: Change) -> Queues:
    device = _devices(made, change.facility, change.modality)[0]
    return {device: made.queues[device]}, spans(made, change, change.facility)


def _sent(made: Model, change: Change) -> Queues:
    """Patients examined elsewhere: they join the queue of the device there that has the shortest waits."""
    target = _devices(made, change.to, change.modality)[-1]
    queues = {target: list(made.queues[target])}
    for device in _devices(made, change.facility, change.modality):
        moved = [visit for visit in made.queues[device] if visit.weekday in change.weekdays]
        queues[device] = [visit for visit in made.queues[device] if visit.weekday not in change.weekdays]
        queues[target] += moved
    return queues, []


#: Kind of change -> what it does to the reading queue, and to the scanner queues.
_APPLY: dict[str, tuple[Callable[[Model, Change], Altered], Callable[[Model, Change], Queues]]] = {
    "add_reader": (_with_reader, _no_queue),
    "add_device": (_same, _with_device),
    "route": (_routed, _no_queue),
    "send": (_same, _sent),
}
