"""Identifiers, codes and people of FHIR resources as the columns that HL7 v2 fills from CX, EI, CWE and XCN."""

from __future__ import annotations

from datetime import date
from typing import Any

from etl.procedures import is_loinc
from etl.sources.fhir_file import Body
from etl.sources.fhir_resource import Reference, Resource, nodes, text_of, values

#: Types of table 0203 that identify an account or a visit and not the person.
NOT_A_PERSON = frozenset({"AN", "VN", "ANON", "ANC", "AND", "ANT"})
MAX_IDENTIFIERS = 32

#: Identifier.type (table 0203) -> column (ServiceRequest.identifier, DiagnosticReport.identifier).
NUMBERS: dict[str, str] = {"ACSN": "accession", "PLAC": "placer_id", "FILL": "filler_id"}
DICOM_UID = "urn:dicom:uid"

#: Code systems that every site shares; any other is the site's own and comes first.
STANDARD_SYSTEMS = (
    "http://loinc.org", "http://snomed.info/", "http://www.ama-assn.org/", "http://www.radlex.org", "http://radlex.org",
    "http://hl7.org/", "http://terminology.hl7.org/", "http://dicom.nema.org/", "urn:oid:2.16.840.1.113883.6",
)  # fmt: skip

#: Laterality by SNOMED CT (CID 244) or as a letter.
SIDES: dict[str, str] = {
    "24028007": "R", "7771000": "L", "51440002": "B", "66459002": "U", "R": "R", "L": "L", "B": "B", "U": "U",
}  # fmt: skip

#: PractitionerRole.code by table 0443 -> part in a report; without a role the first is the interpreter.
ROLES: dict[str, str] = {"PI": "interpreter", "AI": "assistant", "TN": "technician", "TR": "transcriptionist"}

Identifier = tuple[str, str]


def authority_of(resource: Resource, identifier: Body) -> str:
    """Who assigned it: the system by its name at this site, else the assigner, else the facility that sends it."""
    system = text_of(identifier, "system")
    named = resource.site.authorities.get(system) or system
    if named:
        return named
    assigner = text_of(identifier, "assigner.identifier.value") or text_of(identifier, "assigner.display")
    if assigner:
        return assigner
    facility = resource.site.facility_of(resource.common["facility_alias"])
    return f"facility:{facility.id}" if facility else f"unknown:{resource.common['facility_alias'] or ''}"


def pair_of(resource: Resource, identifier: Body) -> Identifier | None:
    """(value, authority)."""
    value = text_of(identifier, "value")
    return (value, authority_of(resource, identifier)) if value else None


def person_identifiers(resource: Resource, body: Body) -> list[Identifier]:
    """(value, authority) of each identifier of a person that is in use, in order, without repeats."""
    found: list[Identifier] = []
    for identifier in nodes(body, "identifier"):
        codes = {text_of(coding, "code") for coding in nodes(identifier, "type.coding")}
        pair = pair_of(resource, identifier)
        if pair and pair not in found and not codes & NOT_A_PERSON and text_of(identifier, "use") != "old":
            found.append(pair)
    return found[:MAX_IDENTIFIERS]


def by_reference(reference: Reference) -> Identifier | None:
    """`Type/id` as an identifier whose authority is the server."""
    if not reference.id:
        return None
    return f"{reference.type}/{reference.id}", reference.source or "unknown:fhir"


def numbers_of(resource: Resource, identifiers: list[Body]) -> dict[str, Any]:
    """Accession, placer, filler number and Study Instance UID among business identifiers.

    A site may say for a server which type or system holds the accession number; else it is ACSN.
    """
    found: dict[str, Any] = {}
    chosen = resource.sender.accession
    for identifier in identifiers:
        value, system = text_of(identifier, "value"), text_of(identifier, "system")
        if not value:
            continue
        if system == DICOM_UID:
            found.setdefault("study_uid", value.removeprefix("urn:oid:"))
            continue
        codes = [text_of(coding, "code") for coding in nodes(identifier, "type.coding")]
        if chosen in (system, *codes):
            found["accession"] = value
        for code in codes:
            column = NUMBERS.get(code)
            if column == "accession":
                found.setdefault(column, value)
            elif column:
                found.setdefault(column, f"{value}^{authority_of(resource, identifier)}")
    return found


def order_numbers(resource: Resource, order: Reference) -> dict[str, Any]:
    """How an order is recognised from a reference to it: its id on the server, and numbers stated beside."""
    found = numbers_of(resource, [order.identifier]) if order.identifier else {}
    if order.name and order.type:
        found["order_ref"] = order.name
    return found


def orders_of(resource: Resource, *paths: str) -> list[dict[str, Any]]:
    """Identifier columns of each order that the resource is based on; one empty set where it names none."""
    found = [
        numbers
        for order in resource.references(*paths)
        if order.type in ("ServiceRequest", "ProcedureRequest") or (not order.type and order.identifier)
        if (numbers := order_numbers(resource, order))
    ]
    return [numbers for n, numbers in enumerate(found) if numbers not in found[:n]] or [{}]


def subject_of(resource: Resource, *paths: str) -> dict[str, Any]:
    """`patient_id` and `patient_authority`: by stated identifier, else by reference."""
    for patient in resource.references(*paths):
        if patient.type != "Patient" and (patient.type or not patient.identifier):
            continue
        stated = pair_of(resource, patient.identifier) if patient.identifier else None
        inline = person_identifiers(resource, patient.target)[:1] if not patient.id else []
        found = stated or by_reference(patient) or next(iter(inline), None)
        if found:
            return {"patient_id": found[0], "patient_authority": found[1]}
    return {}


def demographics_of(resource: Resource, *paths: str) -> dict[str, Any]:
    """`birth_date` and `sex` of a patient who is contained or in the same file."""
    for patient in resource.references(*paths):
        if patient.target.get("resourceType") == "Patient":
            sex = {"male": "M", "female": "F", "other": "O", "unknown": "U"}.get(text_of(patient.target, "gender"))
            born = text_of(patient.target, "birthDate")
            try:
                return {"sex": sex, "birth_date": date.fromisoformat(born[:10]) if len(born) >= 10 else None}
            except ValueError:
                resource.defect("subject", "bad_birth_date")
                return {"sex": sex}
    return {}


def visit_of(resource: Resource) -> dict[str, Any]:
    """`visit_id` of the encounter, and its class, location and service where it is contained or in the same file."""
    for visit in resource.references("encounter", "context"):
        stated = text_of(visit.identifier, "value")
        near = visit.target
        numbered = by_reference(visit)
        name = f"{stated}^{authority_of(resource, visit.identifier)}" if stated else "^".join(numbered or ())
        place = resource.reference(next(iter(nodes(near, "location.location")), {}))
        return {
            "visit_id": name or None,
            "patient_class": class_of(near) or None,
            "location": place.display or text_of(place.target, "name") or None,
            "service": next((code for code, _, _ in codings_of(nodes(near, "serviceType")) if code), None),
        }
    return {}


def class_of(encounter: Body) -> str:
    """Encounter.class: a Coding in R4, CodeableConcepts in R5."""
    return text_of(encounter, "class.code") or text_of(encounter, "class.coding.code")


def codings_of(concepts: list[Body]) -> list[tuple[str, str, str]]:
    """(code, text, system) of every coding of CodeableConcepts or R5 CodeableReferences, and of their text."""
    found = []
    for concept in concepts:
        inner = nodes(concept, "concept") or [concept]
        for each in inner:
            text = text_of(each, "text")
            codings = [(text_of(c, "code"), text_of(c, "display"), text_of(c, "system")) for c in nodes(each, "coding")]
            found += codings + ([("", text, "")] if text else [])
    return found


def procedure_of(concepts: list[Body]) -> dict[str, Any]:
    """Procedure columns: the site's own coding first, a standard one beside it; the text where it has none."""
    codings = codings_of(concepts[:1])
    coded = [c for c in codings if c[0]]
    words = next((c[1] for c in codings if not c[0]), "")
    coded.sort(key=lambda c: (c[2].startswith(STANDARD_SYSTEMS), not is_loinc(c[2])))
    if not coded:
        return {"procedure_text": words} if words else {}
    found = dict(zip(("procedure_code", "procedure_text", "procedure_system"), coded[0], strict=True))
    found["procedure_text"] = found["procedure_text"] or words
    if len(coded) > 1:
        found.update(zip(("alternate_code", "alternate_text", "alternate_system"), coded[1], strict=True))
    return {name: value for name, value in found.items() if value}


def side_of(concepts: list[Body]) -> str | None:
    """Laterality among body sites and their qualifiers."""
    return next((SIDES[code] for code, _, _ in codings_of(concepts) if code in SIDES), None)


def role_of(actor: Reference) -> str:
    """What a PractitionerRole says: one of `ROLES`, '' where it says nothing."""
    codes = (text_of(coding, "code") for coding in nodes(actor.target, "code.coding"))
    return next((ROLES[code] for code in codes if code in ROLES), "")


def person_of(resource: Resource, actor: Reference) -> dict[str, Any]:
    """`id`, `authority`, `name` (FAMILY^GIVEN) of a practitioner: by identifier, else by reference, else by name."""
    if actor.target.get("resourceType") == "PractitionerRole":
        inner = nodes(actor.target, "practitioner")
        if inner:
            actor = resource.reference(inner[0])
    stated = pair_of(resource, actor.identifier) if actor.identifier else None
    near = next(iter(person_identifiers(resource, actor.target)), None)
    found = stated or near or by_reference(actor) or (None, None)
    named = next(iter(nodes(actor.target, "name")), {})
    names = [text_of(named, "family"), *(str(part) for part in values(named, "given")[:2])]
    return {"id": found[0], "authority": found[1], "name": "^".join(names).strip("^") or actor.display or None}
