"""Helpers of the FHIR tests: resources as dicts, files of them, and the site that they come from."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime
from typing import Any

from etl.records import Parsed
from etl.site import Facility, Sender, Site
from etl.sources import fhir

BASE = "https://south.example/r4"
SITE = Site(
    name="test",
    facilities=(Facility("SOUTH", "Southbank", "America/Chicago", "specialty", ("SBSC", BASE)),),
    senders=(Sender(BASE),),
    authorities={
        "urn:oid:2.25.1": "SOUTH",
        "urn:oid:2.25.2": "NET",
        "urn:oid:2.25.3": "CPOE",
        "urn:oid:2.25.4": "RISS",
    },
)
IMAGING = [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}]
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"


def number(kind: str, value: str, system: str = "") -> dict[str, Any]:
    """An Identifier with a type of table 0203."""
    found: dict[str, Any] = {"type": {"coding": [{"system": V2_0203, "code": kind}]}, "value": value}
    return {**found, "system": system} if system else found


def resource(kind: str, name: str = "1", /, **elements: Any) -> dict[str, Any]:
    """A resource of the test server, updated at 2026-10-19T20:00:00Z."""
    meta = {"source": BASE, "versionId": "1", "lastUpdated": "2026-10-19T20:00:00Z"} | elements.pop("meta", {})
    return {"resourceType": kind, "id": name, "meta": meta, **elements}


def order(**elements: Any) -> dict[str, Any]:
    """An active chest CT for Patient/p."""
    usual = {
        "status": "active",
        "intent": "order",
        "category": IMAGING,
        "identifier": [
            number("PLAC", "P1", "urn:oid:2.25.3"), number("FILL", "F1", "urn:oid:2.25.4"), number("ACSN", "A1"),
        ],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"},
                {"system": "urn:local", "code": "CTCH", "display": "CT Thorax"},
            ]
        },
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-10-19T09:00:00-05:00",
    }  # fmt: skip
    return resource("ServiceRequest", "o", **(usual | elements))


def bundle(*resources: dict[str, Any], kind: str = "collection", **elements: Any) -> bytes:
    """A Bundle of resources."""
    return dump({"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources], **elements})


def lines(*resources: dict[str, Any]) -> bytes:
    """NDJSON."""
    return b"".join(dump(r) + b"\n" for r in resources)


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def parse(*resources: dict[str, Any]) -> Parsed:
    return fhir.parse(lines(*resources), SITE)


def rows(parsed: Parsed, record: str) -> list[dict[str, Any]]:
    return list(parsed.records(record))


def one(parsed: Parsed, record: str) -> dict[str, Any]:
    found = rows(parsed, record)
    assert len(found) == 1, [row.get("code") for row in found]
    return found[0]


def events(parsed: Parsed) -> list[tuple[str, str, datetime | None]]:
    return [(row["code"], row["origin"], row["at"]) for row in rows(parsed, "event")]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


ORDER = [{"reference": "ServiceRequest/o"}]
DCM = "http://dicom.nema.org/resources/ontology/DCM"


def report(**elements: Any) -> dict[str, Any]:
    """A final report of the order, read by R1 with trainee T1."""
    usual = {
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "CT"}]}],
        "basedOn": ORDER,
        "subject": {"reference": "Patient/p"},
        "code": {"text": "CT Chest"},
        "issued": "2026-10-19T12:00:00-05:00",
        "effectivePeriod": {"start": "2026-10-19T10:00:00-05:00", "end": "2026-10-19T10:20:00-05:00"},
        "contained": [
            {
                "resourceType": "PractitionerRole",
                "id": "ai",
                "practitioner": {"identifier": {"system": "urn:oid:2.25.2", "value": "T1"}, "display": "Trainee"},
                "code": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0443", "code": "AI"}]}],
            }
        ],
        "resultsInterpreter": [
            {"reference": "#ai"},
            {"reference": "Practitioner/r", "identifier": {"system": "urn:oid:2.25.2", "value": "R1"}},
        ],
        "conclusion": "Unremarkable.",
    }
    return resource("DiagnosticReport", "d", **(usual | elements))


def study(**elements: Any) -> dict[str, Any]:
    """An R4 study of one series with two objects."""
    usual = {
        "status": "available",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}, number("ACSN", "A1")],
        "basedOn": ORDER,
        "subject": {"reference": "Patient/p"},
        "started": "2026-10-19T10:00:00-05:00",
        "series": [
            {
                "uid": "1.2.3.1",
                "modality": {"system": DCM, "code": "CT"},
                "started": "2026-10-19T10:05:00-05:00",
                "bodySite": {"display": "Chest"},
                "laterality": {"code": "24028007"},
                "performer": [{"actor": {"reference": "Device/ct1", "display": "CT1"}}],
                "instance": [
                    {"uid": "1.2.3.1.1", "sopClass": {"code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"}},
                    {"uid": "1.2.3.1.2"},
                ],
            }
        ],
    }
    return resource("ImagingStudy", "s", **(usual | elements))


def procedure(**elements: Any) -> dict[str, Any]:
    """A completed R4 procedure of the order on CT1."""
    usual = {
        "status": "completed",
        "category": IMAGING[0],
        "basedOn": ORDER,
        "subject": {"reference": "Patient/p"},
        "performedPeriod": {"start": "2026-10-19T10:01:00-05:00", "end": "2026-10-19T10:21:00-05:00"},
        "performer": [{"actor": {"reference": "Practitioner/tech", "display": "Tech"}}],
        "usedReference": [{"reference": "Device/ct1", "display": "CT1"}],
    }
    return resource("Procedure", "pr", **(usual | elements))


def task(step: str, **elements: Any) -> dict[str, Any]:
    """A completed step of the order, at 15:00 UTC (begun at 14:50)."""
    usual = {
        "status": "completed",
        "code": {"coding": [{"code": step}]},
        "focus": ORDER[0],
        "for": {"reference": "Patient/p"},
        "executionPeriod": {"start": "2026-10-19T14:50:00Z", "end": "2026-10-19T15:00:00Z"},
        "owner": {"identifier": {"system": "urn:oid:2.25.2", "value": "W1"}},
    }
    return resource("Task", step, **(usual | elements))


def appointment(**elements: Any) -> dict[str, Any]:
    """A booking of the order on CT1, made a minute before version 1."""
    usual = {
        "status": "booked",
        "basedOn": ORDER,
        "created": "2026-10-19T19:59:00Z",
        "start": "2026-10-21T09:00:00-05:00",
        "end": "2026-10-21T09:30:00-05:00",
        "participant": [
            {"actor": {"reference": "Patient/p", "display": "Jane Doe"}},
            {"actor": {"reference": "Location/ct1", "display": "CT1"}},
        ],
    }
    return resource("Appointment", "ap", **(usual | elements))


def patient(**elements: Any) -> dict[str, Any]:
    usual = {
        "identifier": [
            {"system": "urn:oid:2.25.1", "value": "M1"}, {"system": "urn:oid:2.25.2", "value": "E1"},
            number("VN", "V1", "urn:oid:2.25.9"),
        ],
        "birthDate": "1968-04-12",
        "gender": "female",
    }  # fmt: skip
    return resource("Patient", "p", **(usual | elements))


def encounter(**elements: Any) -> dict[str, Any]:
    usual = {
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2026-10-19T08:30:00-05:00"},
        "location": [{"location": {"display": "ED"}}],
    }
    return resource("Encounter", "e", **(usual | elements))


def one_of_each() -> list[dict[str, Any]]:
    """Fresh copies that share nothing."""
    found = [order(), report(), study(), procedure(), task("protocoled"), appointment(), patient(), encounter()]
    return deepcopy(found)
