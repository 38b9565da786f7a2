"""Who: PID and PV1 of each patient group, patient links (chapter 3), arrival and moves between rooms from ADT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from etl.records import Parsed
from etl.sources.hl7_fields import Table, read, table
from etl.sources.hl7_message import NO_SEGMENT, Message, Segment

DEMOGRAPHICS = table("""
birth_date                          PID-7       DT      3.4.2.7
sex                                 PID-8       IS      3.4.2.8
visit_id                            PV1-19      CX      3.4.3.19
""")

VISIT = table("""
patient_class                       PV1-2       IS      3.4.3.2
location                            PV1-3       ST      3.4.3.3
service                             PV1-10      IS      3.4.3.10
""")

_WHO = Table((*DEMOGRAPHICS, *VISIT))
_VISIT = [row.column for row in VISIT]

#: Time of an ADT event: when it occurred, else when the patient came, else when it was recorded.
OCCURRED = table("""
at,at_precision,at_zone_source      EVN-6       WHEN    3.4.1.6
at,at_precision,at_zone_source      PV1-44      WHEN    3.4.3.44
at,at_precision,at_zone_source      EVN-2       WHEN    3.4.1.2
at,at_precision,at_zone_source      MSH-7       WHEN    2.14.9.7
""")

#: Time of a link: when it occurred, else when it was recorded.
LINKED = Table(row for row in OCCURRED if row.segment != "PV1")

#: CX.5 types (table 0203) that identify an account or a visit and not the person.
NOT_A_PERSON = frozenset({"AN", "VN", "ANON", "ANC", "AND", "ANT"})

#: Identifiers of one person that are read from one field.
MAX_IDENTIFIERS = 32

#: Triggers at which the patient has come (3.3.1, 3.3.4, 3.3.10); other ADT events say nothing about an exam. A10 with a
#: temporary location (PV1-11) is a move of somebody who came before.
ARRIVALS = frozenset({"A01", "A04", "A10"})

#: Trigger that tracks a patient -> what it says of a room.
MOVES: dict[str, str] = {
    "A09": "left",  # 3.3.9 patient departing - tracking
    "A10": "entered",  # 3.3.10 patient arriving - tracking
    "A32": "not_entered",  # 3.3.32 cancel patient arriving - tracking
    "A33": "not_left",  # 3.3.33 cancel patient departing - tracking
}
#: Move -> its room. Entered: the temporary location, behind which an assigned one stands. Left: the prior temporary
#: location, else the prior one, else where a sender that states one place only says that the patient is.
ROOMS = {
    "entered": table("""
room                                PV1-11      PL      3.4.3.11
room                                PV1-3       PL      3.4.3.3
"""),
    "left": table("""
room                                PV1-43      PL      3.4.3.43
room                                PV1-6       PL      3.4.3.6
room                                PV1-11      PL      3.4.3.11
room                                PV1-3       PL      3.4.3.3
"""),
}

#: What a trigger does to patient identifiers. `merge`: MRG-1 is from now on PID-3. `link`/`unlink`: the first PID with
#: each following one. Not listed, because the patient identifiers stay as they are: A35, A41 and A49 (account numbers),
#: A42, A45, A50 and A51 (visits), A44 (an account moves between two patients who both stay), A48 (alternate id, PID-4).
LINKS: dict[str, str] = {
    "A18": "merge",  # 3.3.18 merge patient information (kept for backward compatibility)
    "A30": "merge",  # 3.3.30 merge person information
    "A34": "merge",  # 3.3.34 merge patient information, patient id only
    "A36": "merge",  # 3.3.36 merge patient information, patient id and account number
    "A39": "merge",  # 3.3.39 merge person, patient id
    "A40": "merge",  # 3.3.40 merge patient, patient identifier list
    "A43": "move",  # 3.3.43 move patient information: all that is filed under MRG-1 moves to the correct target
    "A47": "merge",  # 3.3.47 change patient identifier list: MRG-1 was corrected to PID-3
    "A24": "link",  # 3.3.24 link patient information, no merge
    "A37": "unlink",  # 3.3.37 unlink patient information
}

#: ADT triggers of tables 0003; one that is not here is kept with a defect.
TRIGGERS = frozenset(f"A{number:02d}" for number in range(1, 63))


#: (value, authority) of a patient.
Identifier = tuple[str, str]


@dataclass(slots=True)
class Patient:
    """One PID with the PV1 that follows it, already read."""

    segments: dict[str, Segment]
    identity: dict[str, Any]
    demographics: dict[str, Any]
    visit: dict[str, Any]

    @property
    def visit_id(self) -> dict[str, Any]:
        """`visit_id` alone, for records without demographics."""
        return {"visit_id": self.demographics.get("visit_id")}


def identifiers(message: Message, field: str) -> list[Identifier]:
    """(value, authority) of each CX repetition that identifies a person, in order, without repeats (2A.3.14)."""
    found = message.identified.get(field)
    if found is None:
        found = message.identified[field] = _identifiers(message, field)
    return found


def _identifiers(message: Message, field: str) -> list[Identifier]:
    found: list[Identifier] = []
    for repetition in message.repetitions(field):
        parts = message.texts(repetition)
        value = parts[0]
        if not value or (len(parts) > 4 and parts[4] in NOT_A_PERSON):
            continue
        authority = parts[3] or message.part(repetition, 4, 2) if len(parts) > 3 else ""
        pair = (value, authority or _unnamed_authority(message))
        if pair not in found:
            found.append(pair)
        if len(found) == MAX_IDENTIFIERS:
            break
    return found


def _unnamed_authority(message: Message) -> str:
    """Identifiers without an authority belong to the facility that sends them."""
    alias = message.common["facility_alias"]
    facility = message.site.facility_of(alias)
    return f"facility:{facility.id}" if facility else f"unknown:{alias or ''}"


def patient_of(message: Message, pid: Segment, visit: Segment) -> Patient:
    """Read one PID with its PV1; PID-2 stands in where a 2.1 or 2.2 sender leaves PID-3 empty."""
    segments = {"PID": pid, "PV1": visit}
    known = identifiers(message, pid[3]) or identifiers(message, pid[2])
    identity = {"patient_id": known[0][0], "patient_authority": known[0][1]} if known else {}
    found = read(message, segments, _WHO)
    return Patient(segments, identity, found, {name: found.pop(name) for name in _VISIT if name in found})


def add_same(message: Message, parsed: Parsed, said: set[tuple[Identifier, Identifier]]) -> None:
    """Identifiers of one PID-3 belong to one person: each further one is `same` as the first.

    Nearly every message repeats this and it has no time of its own, so a file states it once: `said` is what it stated.
    """
    for name, fields in message.segments:
        if name == "PID" and fields[3]:
            known = identifiers(message, fields[3])
            for prior in known[1:]:
                if (known[0], prior) not in said:
                    said.add((known[0], prior))
                    _add_link(message, parsed, "same", known[0], prior)


def add_patient_message(message: Message, parsed: Parsed) -> None:
    """ADT: links and merges, then arrival and moves."""
    if message.trigger not in TRIGGERS:
        message.defect("MSH-9.2", "unknown_trigger")
    link = LINKS.get(message.trigger)
    if link:
        _add_links(message, link, parsed)
    if message.trigger in ARRIVALS or message.trigger in MOVES:
        _add_arrival(message, parsed)


def _add_arrival(message: Message, parsed: Parsed) -> None:
    """The arrival of a visit, and the move of a tracked patient. Whether its room is a device's is for the site to say.

    A cancellation names in EVN-6 when that happened which it takes back (3.4.1.6), and no room that could be relied on.
    """
    visit, kind = message.first("PV1"), MOVES.get(message.trigger)
    room = read(message, {"PV1": visit}, ROOMS.get(kind or "", Table())).get("room")
    if kind == "left" and room is None:
        return
    patient = patient_of(message, message.first("PID"), visit)
    if not patient.identity:
        message.defect("PID-3", "missing")
        return
    segments = {"EVN": message.first("EVN"), "MSH": message.header}
    if kind is None:  # tracking moves come long after PV1-44
        segments["PV1"] = visit
    told = {**message.common, **patient.identity, **patient.visit_id, **read(message, segments, OCCURRED)}
    if kind and (room or kind not in ROOMS):
        _add_move(message, parsed, {**told, "kind": kind, "room": room})
    if message.trigger not in ARRIVALS or (kind and visit[11]):
        return
    row = {
        **told, "station": room, "code": "arrived", "origin": "adt", "status_code": message.trigger,
        "is_inferred": False, "detail": patient.visit.get("patient_class"),
    }  # fmt: skip
    parsed.add("event", message.position, row)


def _add_move(message: Message, parsed: Parsed, row: dict[str, Any]) -> None:
    """A move without an instant places nothing and is counted as a defect."""
    if row.get("at") is None:
        message.defect("EVN-6", "no_instant")
    else:
        parsed.add("room_move", message.position, row)


def _add_links(message: Message, kind: str, parsed: Parsed) -> None:
    pids = [fields for name, fields in message.segments if name == "PID"]
    if kind in ("link", "unlink"):
        known = [identifiers(message, pid[3])[:1] for pid in pids]
        for other in known[1:]:
            for first, prior in zip(known[0], other, strict=False):
                _add_link(message, parsed, kind, first, prior)
        return
    pid = NO_SEGMENT
    for name, fields in message.segments:
        if name == "PID":
            pid = fields
        elif name == "MRG":
            _add_merges(message, kind, pid, fields, parsed)


def _add_merges(message: Message, kind: str, pid: Segment, merged: Segment, parsed: Parsed) -> None:
    """Each prior identifier goes to the surviving one of its authority, else to the first."""
    surviving, prior = identifiers(message, pid[3]), identifiers(message, merged[1])
    if not surviving or not prior:
        message.defect("PID-3" if not surviving else "MRG-1", "missing")
        return
    for old in prior:
        target = next((new for new in surviving if new[1] == old[1]), surviving[0])
        if target != old:
            _add_link(message, parsed, "merge", target, old)
        elif kind == "move":
            _add_person_move(message, old, pid, merged, parsed)
        else:
            message.defect("MRG-1", "merged_with_itself")


def _add_person_move(message: Message, moved: Identifier, pid: Segment, merged: Segment, parsed: Parsed) -> None:
    """A43 with PID-3 equal to MRG-1: the identifier leaves the person of MRG-4 for the person of PID-2."""
    sources, targets = identifiers(message, merged[4]), identifiers(message, pid[2])
    if not sources and not targets:
        message.defect("MRG-4", "missing")
    for kind, others in (("unlink", sources[:1]), ("link", targets[:1])):
        for other in others:
            _add_link(message, parsed, kind, other, moved)


def _add_link(message: Message, parsed: Parsed, kind: str, surviving: Identifier, prior: Identifier) -> None:
    when = read(message, {"EVN": message.first("EVN"), "MSH": message.header}, LINKED)
    row = {
        **message.common, **when, "kind": kind,
        "patient_id": surviving[0], "patient_authority": surviving[1],
        "prior_id": prior[0], "prior_authority": prior[1],
    }  # fmt: skip
    parsed.add("patient_link", message.position, row)
