"""Element tables: one row an element with its columns, path, type and release; and the loop that reads them.

A path is relative to the resource, whose page of the release defines it; `R4` also holds for R5 unless a row of R5
names the element otherwise. Rows of the same columns are alternatives (R4 and R5 names, choices of a type): the
first that has a value wins. A type of several columns (a person, a time) is taken from one place as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from etl.plain_values import decimal
from etl.sources.fhir_people import codings_of, person_of, procedure_of, side_of
from etl.sources.fhir_resource import Reference, Resource, text_of

Reader = Callable[[Resource, str], tuple[Any, ...] | None]


@dataclass(frozen=True, slots=True)
class Element:
    """One row of a table."""

    columns: tuple[str, ...]
    path: str
    type: str
    release: str


def _text(resource: Resource, path: str) -> tuple[Any, ...] | None:
    text = resource.text(path)
    return (text,) if text else None


def _coded(resource: Resource, path: str) -> tuple[Any, ...] | None:
    """CodeableConcept or CodeableReference: the first code. Its text may speak of a patient and is not taken."""
    found = next((code for code, _, _ in codings_of(resource.nodes(path)) if code), "")
    return (found,) if found else None


def _private(resource: Resource, path: str) -> tuple[Any, ...] | None:
    """As `coded`, else the text: for columns that are never published."""
    text = next((text for _, text, _ in codings_of(resource.nodes(path)) if text), "")
    return _coded(resource, path) or ((text,) if text else None)


def _instant(resource: Resource, path: str) -> tuple[Any, ...] | None:
    at = resource.instant(path)
    return (at,) if at else None


def _when(resource: Resource, path: str) -> tuple[Any, ...] | None:
    stamp = resource.stamp(path)
    return (stamp.at, stamp.precision, stamp.zone_source) if stamp else None


def _person(resource: Resource, path: str) -> tuple[Any, ...] | None:
    """Reference to a practitioner: id, authority, name. Organizations, devices and patients are none."""
    for actor in resource.references(path):
        if actor.type in ("Practitioner", "PractitionerRole", ""):
            found = person_of(resource, actor)
            return (found["id"], found["authority"], found["name"])
    return None


def _place(resource: Resource, path: str) -> tuple[Any, ...] | None:
    """Reference to a location or device: its number, else its name as displayed, else its id."""
    return _named(resource, path, ("Location", "Device"))


def _device(resource: Resource, path: str) -> tuple[Any, ...] | None:
    return _named(resource, path, ("Device",))


def _named(resource: Resource, path: str, types: tuple[str, ...]) -> tuple[Any, ...] | None:
    for place in resource.references(path):
        if place.type in types or (not place.type and path == "location.location"):
            return (place_name(place),)
    return None


def place_name(place: Reference) -> str | None:
    """The number of a location or device, else its name as displayed, else its id."""
    near = (text_of(place.target, name) for name in ("identifier.value", "name", "deviceName.name"))
    stated = text_of(place.identifier, "value") or place.display
    return stated or next((name for name in near if name), "") or place.id or None


def _number(resource: Resource, path: str) -> tuple[Any, ...] | None:
    text = resource.text(path)
    if not text:
        return None
    value = decimal(text)
    if value is None:
        resource.defect(path, "not a number")
        return None
    return (value,)


def _procedure(resource: Resource, path: str) -> tuple[Any, ...] | None:
    found = procedure_of(resource.nodes(path))
    return tuple(found.get(name) for name in PROCEDURE_COLUMNS) if found else None


def _side(resource: Resource, path: str) -> tuple[Any, ...] | None:
    side = side_of(resource.nodes(path))
    return (side,) if side else None


PROCEDURE_COLUMNS = (
    "procedure_code", "procedure_text", "procedure_system", "alternate_code", "alternate_text", "alternate_system",
)  # fmt: skip
READERS: dict[str, Reader] = {
    "text": _text, "coded": _coded, "private": _private, "instant": _instant, "when": _when,
    "person": _person, "place": _place, "device": _device, "number": _number, "procedure": _procedure, "side": _side,
}  # fmt: skip
#: Columns of a type that stand for one word in a table.
WIDE = {"WHEN": ("at", "at_precision", "at_zone_source"), "PROCEDURE": PROCEDURE_COLUMNS}


def table(text: str) -> tuple[Element, ...]:
    """Rows of `columns path type release`, columns joined by commas."""
    rows = []
    for line in text.strip().splitlines():
        columns, path, kind, release = line.split()
        rows.append(Element(WIDE.get(columns, tuple(columns.split(","))), path, kind, release))
    return tuple(rows)


def read(resource: Resource, rows: tuple[Element, ...]) -> dict[str, Any]:
    """The values that `rows` find, by column. Absent elements are left out."""
    found: dict[str, Any] = {}
    for row in rows:
        if row.columns[0] in found:
            continue
        values = READERS[row.type](resource, row.path)
        if values is not None:
            found.update(zip(row.columns, values, strict=True))
    return found


#: Columns that an event takes over from the row that tells it.
_SHARED = (
    "standard", "source", "message_id", "message_at", "facility_alias", "accession", "filler_id", "placer_id",
    "requested_procedure_id", "study_uid", "step_uid", "appointment_id", "order_ref", "patient_id",
    "patient_authority", "visit_id", "at", "at_precision", "at_zone_source",
)  # fmt: skip


def event(row: dict[str, Any], code: str, origin: str, **more: Any) -> dict[str, Any]:
    """An event row with the identifiers and, unless `more` says another, the time of `row`."""
    shared = {name: row[name] for name in _SHARED if name in row}
    return {**shared, "code": code, "origin": origin, "is_inferred": False, **more}
