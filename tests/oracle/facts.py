"""What each message states, one fact a statement: events, descriptions, report versions, bookings, patient links."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, make_dataclass, replace
from datetime import date, datetime, timezone
from typing import Any

from tests.oracle.clock import Stamp, offset_of, stamp
from tests.oracle.er7 import Message, Segment, messages

Node = tuple[str, str, str]  # kind, scope, value
Person = tuple[str, str]  # authority, value
NOBODY: Person = ("", "")


@dataclass(frozen=True)
class Site:
    """The place in plain words. `facilities`: id -> (zone, aliases); codes: as sent -> event or report status."""

    facilities: dict[str, tuple[str, tuple[str, ...]]]
    default_zone: str = "UTC"
    statuses: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    devices: dict[tuple[str, str], str] = field(default_factory=dict)  # facility, station or AE title -> device
    procedures: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # facility, code -> attributes
    targets: tuple[tuple[dict[str, str], float, date, date], ...] = ()  # condition, minutes, first day, day after last
    shifts: tuple[tuple[str, str, int, int, bool], ...] = ()  # name, ISO weekdays, minutes from and to, is after hours

    def facility(self, alias: str) -> str | None:
        names = {a.casefold(): f for f, (_, aliases) in self.facilities.items() for a in (f, *aliases)}
        return names.get(alias.strip().casefold())

    def zone(self, facility: str | None) -> str:
        return self.facilities[facility][0] if facility in self.facilities else self.default_zone

    def target(self, exam: Mapping[str, Any], day: date) -> float | None:
        """Of the targets that hold on a day the one with most conditions, of these the newest, then the least."""
        fit = [(len(words), since, -limit) for words, limit, since, until in self.targets
               if since <= day < until and all(exam[k] == v for k, v in words.items())]  # fmt: skip
        return -max(fit)[2] if fit else None

    def shift(self, wall: datetime) -> tuple[bool, int, str | None]:
        """(after hours?, -, shift): a regular one if any works, of several the one that began first."""
        now = (wall.isoweekday() - 1) * 1440 + wall.hour * 60 + wall.minute
        on = [(after, -since, name) for name, days, begin, end, after in self.shifts for day in days
              if (since := (now - (int(day) - 1) * 1440 - begin) % 10080) < (end - begin - 1) % 1440 + 1]  # fmt: skip
        return min(on, default=(True, 0, None))


#: `kind`: event, order, report, booking or link. `said` is what the message tells of that kind; `at` may be None.
FACT = "kind source message sent_at at facility scope nodes person visit code origin said"
Fact = make_dataclass("Fact", FACT.split(), frozen=True)


#: ORC-1, table 0119. All others (holds, releases, refusals, acknowledgments) move no milestone.
ORDERS, CHANGES = {"NW", "SN", "NA", "PA", "CH", "RO"}, {"XO", "XX", "XR"}
CANCELS = {"CA", "OC", "DC", "CR", "OD", "DR", "RP", "RU", "RQ"}
ORC_STATUS = {"SC": "scheduled", "A": "exam_started", "IP": "exam_started", "CM": "exam_ended", "CA": "cancelled",
              "DC": "discontinued", "RP": "cancelled"}  # fmt: skip
OBR_STATUS = {"S": "scheduled", "I": "exam_started", "N": "exam_ended", "X": "cancelled"}
RESULTS = {"P": "preliminary", "R": "preliminary", "M": "preliminary", "F": "final", "C": "corrected", "A": "partial",
           "X": "cancelled"}  # fmt: skip
MARKS = {"C": "corrected", "A": "addendum", "F": "final", "U": "final", "P": "preliminary"}  # OBX-11, strongest first
REPORTED = {"preliminary": "preliminary_report", "final": "final_report", "corrected": "corrected_report",
            "addendum": "addendum"}  # fmt: skip
TRIGGERS = {"S12": "scheduled", "S13": "rescheduled", "S15": "cancelled", "S16": "cancelled", "S17": "cancelled",
            "S26": "no_show", "S27": "scheduled"}  # fmt: skip
SLOT_STATUS = {"noshow": "no_show", "arrived": "arrived", "cancelled": "cancelled", "canceled": "cancelled",
               "deleted": "cancelled", "blocked": "", "pending": "", "started": "", "complete": ""}  # fmt: skip
ATTRIBUTES = {
    "procedure_local": ("OBR-4", "AIS-3"), "sex": ("PID-8",), "modality": ("OBR-24",), "location": ("PV1-3",),
    "priority": ("TQ1-9", "ORC-7.6", "OBR-27.6", "OBR-5"), "patient_class": ("PV1-2",), "repeats": ("OBR-48",),
}  # fmt: skip
MERGES = {"A18", "A30", "A34", "A36", "A39", "A40", "A47"}


class Group:
    """Segments of one message that speak of one exam, its sender's facility and clock. Addresses are `OBR-32.1.9`."""

    def __init__(self, message: Message, site: Site, segments: Mapping[str, Segment], seen: list[Segment]) -> None:
        self.m, self.site, self.segments, self.observations = message, site, segments, seen
        names = [n for n in (self.get("PV1-3.4"), self.get("MSH-4")) if n]
        alias = next((n for n in names if site.facility(n)), names[0] if names else "")
        self.facility = site.facility(alias)
        self.scope = self.facility or f"unmapped:{alias}"
        self.zone: str | timezone = offset_of(self.get("MSH-7")) or site.zone(self.facility)
        person = next(iter(self.persons("PID-3")), NOBODY)
        self.fact = Fact("", f"{self.get('MSH-3')}@{self.get('MSH-4')}", self.get("MSH-10"), self.instant("MSH-7"),
                         self.instant("MSH-7"), self.facility, self.scope, self._nodes(),
                         person, self._named("PV1-19", authority=4), "", "", {})  # fmt: skip

    def _place(self, address: str) -> tuple[Segment, int, int, int]:
        name, _, rest = address.partition("-")
        number, component, sub = [*(int(part) for part in rest.split(".")), 1, 1][:3]
        return self.segments.get(name, []), number, component, sub

    def get(self, *addresses: str) -> str:
        return next((text for a in addresses if (text := self.m.get(*self._place(a)))), "")

    def word(self, *addresses: str) -> str | None:
        return next((w for a in addresses if (w := self.m.word(*self._place(a)[:3])) is not None), None)

    def time(self, *addresses: str) -> Stamp | None:
        """The first of the places that holds a time, known to the day or better."""
        return next((t for a in addresses if (t := stamp(self.get(a), self.zone)) is not None), None)

    def instant(self, *addresses: str) -> datetime | None:
        """The first of the places that holds an instant."""
        return next((t.at for a in addresses if (t := self.time(a)) is not None and t.at is not None), None)

    def at(self, *addresses: str) -> datetime | None:
        """When it happened by the first place that holds a time, else when the message was made; None if a date."""
        found = self.time(*addresses, "MSH-7")
        return found.at if found else None

    def _named(self, *addresses: str, authority: int = 2) -> str:
        """An identifier with its namespace, the sending application where none is given."""
        return next((f"{self.get(a)}^{self.get(f'{a}.{authority}', 'MSH-3')}" for a in addresses if self.get(a)), "")

    def reader(self, address: str) -> tuple[str, str, str] | None:
        found = (self.get(f"{address}.1.9"), self.get(address), self.get(f"{address}.1.2"))
        return found if any(found[1:]) else None

    def persons(self, address: str) -> list[Person]:
        own = f"facility:{self.facility}" if self.facility else self.scope.replace("unmapped", "unknown")
        parts = self.m.repetitions(*self._place(address)[:2])
        return [(self.m.part(p, 4) or own, self.m.part(p, 1)) for p in parts if self.m.part(p, 1)]

    def _nodes(self) -> frozenset[Node]:
        found = {
            ("accession", self.scope): self.get("OBR-18"), ("procedure", self.scope): self.get("OBR-19"),
            ("filler", self.scope): self._named("ORC-3", "OBR-3", "SCH-27"),
            ("placer", self.scope): self._named("ORC-2", "OBR-2", "SCH-26"),
            ("appointment", self.get("MSH-3") + self.get("MSH-4")): self._named("SCH-2", "SCH-1"),
            ("study", ""): self.get("ZDS-1"),
        }  # fmt: skip
        return frozenset((*key, value) for key, value in found.items() if value and not _is_placeholder(value))

    def says(self, *names: str) -> dict[str, Any]:
        """The attributes that this kind of message may speak of."""
        return {name: self.word(*ATTRIBUTES[name]) for name in ("procedure_local", "sex", "modality", *names)}


def _is_placeholder(value: str) -> bool:
    bare = "".join(c for c in value.partition("^")[0].upper() if c.isalnum())
    return bare in ("", "NA", "NONE", "NULL", "UNKNOWN", "TBD") or set(bare) == {"0"}


def groups(message: Message, site: Site) -> Iterator[Group]:
    """An ORC opens a group, and so does an OBR after an OBR; in orders that one keeps its ORC without numbers."""
    common = {segment[0]: segment for segment in reversed(message.segments) if segment[0] not in ("ORC", "OBR", "ZDS")}
    is_result = message.get(common["MSH"], 9) == "ORU"
    opened: list[tuple[dict[str, Segment], list[Segment]]] = []
    for segment in message.segments:
        name = segment[0]
        if name == "ORC" or (name == "OBR" and not (opened and "OBR" not in opened[-1][0])):
            own = opened[-1][0].get("ORC", []) if opened and name == "OBR" and not is_result else []
            opened.append(({"ORC": [*own[:2], "", "", *own[4:]]} if own else {}, []))
        if opened:
            opened[-1][0].setdefault(name, segment)
            opened[-1][1].extend([segment] if name == "OBX" else [])
    for segments, seen in opened or [({}, [])]:
        yield Group(message, site, {**common, **segments}, seen)


def _orders(g: Group) -> Iterator[Fact]:
    control, status, result = g.get("ORC-1"), g.get("ORC-5"), g.get("OBR-25")
    fact = replace(g.fact, at=g.at("ORC-9"), origin="order")
    wanted, station = g.instant("TQ1-7", "ORC-7.4", "OBR-27.4", "OBR-36"), g.get("IPC-9")
    said = g.says("priority", "patient_class", "location", "repeats")
    yield replace(fact, kind="order", said={**said, "station": station})
    slot = wanted if wanted != fact.at else None
    event = replace(fact, kind="event", said={"slot": slot, "station": station, "is_new": control == "RO"})
    if control in ORDERS:
        yield replace(event, code="ordered")
    if slot is not None and control in ORDERS | CHANGES:
        yield replace(event, code="scheduled" if control in ORDERS else "rescheduled")
    if control in CANCELS:
        yield replace(event, code="cancelled")
    site = g.site.statuses
    code = site.get(status) or ORC_STATUS.get(status) or site.get(result) or OBR_STATUS.get(result)
    if control == "SC" and code:
        yield replace(event, code=code, origin="ris", said={"slot": wanted, "station": station})


def _status(g: Group) -> str:
    code, marks = g.get("OBR-25"), {g.m.get(obx, 11) for obx in g.observations}
    status = g.site.results.get(code) or RESULTS.get(code, "")
    status = status if code else next((word for mark, word in MARKS.items() if mark in marks), "")
    if "U" in marks and status in ("preliminary", "partial", ""):
        status = "final"
    if status == "final" and marks & {"C", "W"}:
        status = "corrected"
    elif status == "final" and marks & {"A", "B"}:
        status = "addendum"
    added = any("ADT" in (g.m.get(obx, 3), g.m.get(obx, 3, 1, 2)) for obx in g.observations)
    return "addendum" if added and status in ("final", "corrected") else status


def _results(g: Group) -> Iterator[Fact]:
    status = _status(g)
    progress = OBR_STATUS.get(g.get("OBR-25"), "") if not status else ""
    fact = replace(g.fact, at=g.at("OBR-22"), origin="report")
    if status:
        said = {"status": status, "reader": g.reader("OBR-32"), "assistant": g.reader("OBR-33")}
        yield replace(fact, kind="report", said={**g.says("priority", "patient_class"), **said})
    if (code := REPORTED.get(status, progress)) or status == "cancelled":
        yield replace(fact, kind="event", code=code or "cancelled", origin="ris" if progress else "report")
    if status not in ("", "cancelled") or progress in ("exam_started", "exam_ended"):
        for code, place in (("exam_started", "OBR-7"), ("exam_ended", "OBR-8"), ("read_started", "OBR-32.2")):
            if g.time(place):
                yield replace(fact, kind="event", code=code, at=g.at(place))


def _bookings(g: Group) -> Iterator[Fact]:
    stated, trigger = "".join(c for c in g.get("SCH-25").lower() if c.isalpha()), g.get("MSH-9.2")
    code = SLOT_STATUS.get(stated, TRIGGERS.get(trigger, ""))
    fact, slot = replace(g.fact, origin="schedule"), g.instant("AIS-4", "TQ1-7", "SCH-11.4")
    state = stated if stated in ("complete", "deleted") else "deleted" if (stated, trigger) == ("", "S17") else code
    booked = {"slot_at": slot, "state": state or "booked", "length": float(g.get("AIS-7") or 0)}
    yield replace(fact, kind="booking", said={**g.says(), **booked, "station": g.get("AIL-3")})
    if code:
        yield replace(fact, kind="event", code=code, said={"slot": slot if "sched" in code else None})


def _patients(g: Group) -> Iterator[Fact]:
    trigger = g.get("MSH-9.2")
    if trigger in ("A01", "A04", "A10"):  # a tracking move (A10) comes long after PV1-44
        came = g.at("EVN-6", *(["PV1-44"] if trigger != "A10" else []), "EVN-2")
        yield replace(g.fact, kind="event", code="arrived", origin="adt", at=came)
    link = replace(g.fact, kind="link", at=g.at("EVN-6", "EVN-2"))
    if trigger in MERGES:
        surviving = g.persons("PID-3")
        for prior in g.persons("MRG-1"):
            target = next((p for p in surviving if p[0] == prior[0]), surviving[0])
            yield replace(link, code="merge", said={"pair": (target, prior)})
    if trigger in ("A24", "A37"):
        other = Group(g.m, g.site, {**g.segments, "PID": [s for s in g.m.segments if s[0] == "PID"][1]}, [])
        said = {"pair": (g.persons("PID-3")[0], other.persons("PID-3")[0])}
        yield replace(link, code="link" if trigger == "A24" else "unlink", said=said)


HANDLERS = {"ORM": _orders, "OMG": _orders, "OMI": _orders, "ORU": _results, "SIU": _bookings, "ADT": _patients}


def read(data: bytes, site: Site) -> Iterator[Fact]:
    """Every fact of a file, in order of arrival."""
    for message in messages(data):
        for group in groups(message, site):
            same = group.persons("PID-3")
            for other in same[1:]:
                yield replace(group.fact, kind="link", code="same", said={"pair": (same[0], other)})
            yield from HANDLERS[group.get("MSH-9")](group)
