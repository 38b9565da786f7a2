"""Findings name element, rule and page, never a value."""

from __future__ import annotations

from typing import Any

import pytest

from etl.lint_fhir import lint
from tests.etl.fhir_resources import appointment, dump, encounter, lines, one_of_each, order, patient, report, study


def found(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(f.severity, f.field, f.chapter) for f in lint(dump(body))]


def test_conformant_resources() -> None:
    bodies = one_of_each()
    bodies[2]["series"][0]["instance"][1]["sopClass"] = {"code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"}
    bodies[4]["intent"] = "order"
    bodies[4]["id"] = "t"
    for participant in bodies[5]["participant"]:
        participant["status"] = "accepted"
    assert lint(lines(*bodies)) == []


BREACHES: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
    (order(intent=None), ("error", "ServiceRequest.intent", "JSON format")),
    (order(subject={}), ("error", "ServiceRequest.subject", "ServiceRequest")),
    (order(status="gone"), ("error", "ServiceRequest.status", "ServiceRequest")),
    (order(priority="S"), ("error", "ServiceRequest.priority", "ServiceRequest")),
    (order(authoredOn="2026-10-19T09:00:00"), ("error", "ServiceRequest.authoredOn", "Data types: primitive")),
    (order(authoredOn="19.10.2026"), ("error", "ServiceRequest.authoredOn", "Data types: primitive")),
    (order(id="a b"), ("error", "ServiceRequest.id", "Data types: primitive")),
    (report(issued="2026-10-19"), ("error", "DiagnosticReport.issued", "Data types: primitive")),
    (report(contained=[]), ("error", "DiagnosticReport.resultsInterpreter.reference", "References: contained")),
    (study(), ("error", "ImagingStudy.series.instance.sopClass", "ImagingStudy")),
    (appointment(), ("error", "Appointment.participant.status", "Appointment")),
    (patient(gender="F"), ("error", "Patient.gender", "Patient")),
    (patient(link=[{"type": "twin"}]), ("error", "Patient.link.other", "Patient")),
    (encounter(meta={"source": ""}), ("error", "Encounter.meta.source", "JSON format")),
    ({"resourceType": "Encounter", "id": "1"}, ("warning", "Encounter.meta.source", "Resource: meta")),
    ({"resourceType": "Pateint"}, ("error", "resource", "JSON format")),
]


@pytest.mark.parametrize("number", range(len(BREACHES)))
def test_breach(number: int) -> None:
    body, finding = BREACHES[number]
    assert finding in found(body)


def test_no_value_is_told() -> None:
    value = "Zyx-4711"
    bodies = [order(status=value, authoredOn=value, id=value * 9), patient(birthDate=value, gender=value)]
    assert value not in repr(lint(lines(*bodies)))
    assert len(lint(lines(*bodies))) >= 5


def test_a_broken_line_is_one_finding() -> None:
    findings = lint(b'{"resourceType": "Patient", \n' + lines(patient()))
    assert [(f.position, f.field) for f in findings] == [(0, "resource")]
