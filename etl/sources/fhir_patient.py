"""Who: Patient -> patient_link; Encounter -> arrival, class for its orders, and stays in rooms."""

from __future__ import annotations

from typing import Any

from etl.records import Parsed
from etl.sources.fhir_fields import event, place_name, read, table
from etl.sources.fhir_file import Body
from etl.sources.fhir_imaging import is_imaging
from etl.sources.fhir_people import (
    Identifier,
    authority_of,
    by_reference,
    class_of,
    codings_of,
    orders_of,
    pair_of,
    person_identifiers,
    subject_of,
)
from etl.sources.fhir_resource import Resource, nodes, text_of

LINKED_AT = table("WHEN meta.lastUpdated when R4")
#: Patient.link.type (link-type) -> kind, and whether this record is the one that stays.
LINKS: dict[str, tuple[str, bool]] = {
    "replaced-by": ("merge", False), "replaces": ("merge", True), "refer": ("link", True), "seealso": ("link", True),
}  # fmt: skip

ARRIVED_AT = table("""
WHEN                                            period.start                when        R4
WHEN                                            actualPeriod.start          when        R5
""")
VISIT = table("""
location                                        location.location           place       R4
service                                         serviceType                 coded       R4
""")
VOID = frozenset({"entered-in-error", "cancelled"})
#: Encounter.status in which the patient has come.
CAME = frozenset({"arrived", "triaged", "in-progress", "onleave", "on-hold", "discharged", "finished", "completed"})
#: Encounter.location.physicalType (R4) or form (R5), else that of the Location: a room.
ROOM = "ro"
FORMS = ("physicalType", "form")
#: Encounter.location.status of a place where the patient was not yet.
NOT_YET = frozenset({"planned", "reserved"})
#: Move of a patient -> end of Encounter.location.period.
MOVES = {"entered": "period.start", "left": "period.end"}


def add_patient(resource: Resource, parsed: Parsed) -> None:
    """The record numbers of one person are `same` as the record's id on its server; links to other records."""
    own = by_reference(resource.itself)
    known = person_identifiers(resource, resource.body)
    if resource.is_deleted or not (own or known):
        return
    first = own or known[0]
    for other in known:
        if other != first:
            _add_link(resource, parsed, "same", first, other)
    when = read(resource, LINKED_AT)
    for link in resource.nodes("link"):
        kind, stays = LINKS.get(text_of(link, "type"), ("", True))
        others = [resource.reference(node) for node in nodes(link, "other")]
        if not kind:
            resource.defect("link.type", "unknown_code")
            continue
        for named in others:
            pair = by_reference(named) or (pair_of(resource, named.identifier) if named.identifier else None)
            if pair is None or pair == first or named.type not in ("Patient", ""):
                continue
            surviving, prior = (first, pair) if stays else (pair, first)
            _add_link(resource, parsed, kind, surviving, prior, **when)


def _add_link(
    resource: Resource, parsed: Parsed, kind: str, surviving: Identifier, prior: Identifier, **when: Any
) -> None:
    row = {
        **resource.common, **when, "kind": kind,
        "patient_id": surviving[0], "patient_authority": surviving[1],
        "prior_id": prior[0], "prior_authority": prior[1],
    }  # fmt: skip
    parsed.add("patient_link", resource.position, row)


def add_encounter(resource: Resource, parsed: Parsed) -> None:
    """Arrival at the door, under each name that orders may know the visit by; class and place for its orders; rooms."""
    if resource.is_deleted or resource.text("status") in VOID:
        _add_move(resource, parsed, {"kind": "void"})
    if resource.is_deleted:
        return
    patient = subject_of(resource, "subject")
    _add_rooms(resource, parsed, patient)
    _add_class(resource, parsed, patient)
    when = read(resource, ARRIVED_AT)
    if not patient:
        resource.defect("subject", "missing")
    if not patient or not when or resource.text("status") not in CAME:
        return
    row = {**resource.common, **patient, **when}
    for visit in visit_names(resource):
        facts = {"status_code": resource.text("status"), "detail": class_of(resource.body) or None}
        parsed.add("event", resource.position, event({**row, "visit_id": visit}, "arrived", "adt", **facts))


def visit_names(resource: Resource) -> list[str | None]:
    """The encounter by reference and by each of its numbers; [None] where it has no name."""
    names = ["^".join(by_reference(resource.itself) or ())]
    names += [
        f"{text_of(each, 'value')}^{authority_of(resource, each)}"
        for each in resource.nodes("identifier")
        if text_of(each, "value")
    ]
    return [name for name in names if name] or [None]


def _add_class(resource: Resource, parsed: Parsed, patient: dict[str, Any]) -> None:
    """What an encounter says of the imaging orders that it is for (Encounter.basedOn)."""
    orders = [order for order in orders_of(resource, "basedOn") if order]
    if resource.text("status") in VOID or not orders or not is_imaging(resource):
        return
    row = {
        **resource.common, **patient, **read(resource, LINKED_AT), "visit_id": visit_names(resource)[0],
        "patient_class": class_of(resource.body) or None, **read(resource, VISIT),
    }  # fmt: skip
    for order in orders:
        parsed.add("order", resource.position, {**row, **order})


def _add_rooms(resource: Resource, parsed: Parsed, patient: dict[str, Any]) -> None:
    """Arrival in each room and departure from it. Each version of an encounter tells all of its stays anew."""
    if not patient or resource.text("status") in VOID:
        return
    for number, entry in enumerate(resource.nodes("location")):
        place = resource.reference(next(iter(nodes(entry, "location")), {}))
        room, forms = place_name(place), _forms(entry) or _forms(place.target)
        if not room or (forms and ROOM not in forms) or text_of(entry, "status") in NOT_YET:
            continue
        for kind, path in MOVES.items():
            stamp = resource.stamp_of(text_of(entry, path), f"location.{path}")
            if stamp is None:
                continue
            when = {"at": stamp.at, "at_precision": stamp.precision, "at_zone_source": stamp.zone_source}
            row = {**patient, **when, "visit_id": visit_names(resource)[0], "room": room, "stay_number": number}
            if stamp.at is None:
                resource.defect(f"location.{path}", "no_instant")
            else:
                _add_move(resource, parsed, {**row, "kind": kind})


def _add_move(resource: Resource, parsed: Parsed, row: dict[str, Any]) -> None:
    named = by_reference(resource.itself)
    if named:
        parsed.add("room_move", resource.position, {**resource.common, **row, "stay_ref": "^".join(named)})


def _forms(place: Body) -> set[str]:
    return {code for name in FORMS for code, _, _ in codings_of(nodes(place, name)) if code}
