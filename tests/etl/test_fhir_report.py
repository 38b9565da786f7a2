"""DiagnosticReport, ImagingStudy, Patient and Encounter: what each says of an exam, and the traps."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from etl.site import Site
from etl.sources import fhir
from tests.etl.fhir_resources import (
    BASE,
    DCM,
    SITE,
    dump,
    encounter,
    events,
    lines,
    one,
    order,
    parse,
    patient,
    report,
    resource,
    rows,
    study,
    utc,
)

UPDATED = utc("2026-10-19T20:00:00")


def test_report() -> None:
    parsed = parse(report())
    row = one(parsed, "report")
    expected = {
        "order_ref": f"{BASE}/ServiceRequest/o", "status": "final", "status_code": "final", "modality": "CT",
        "at": utc("2026-10-19T17:00:00"), "interpreter_id": "R1", "interpreter_authority": "NET", "assistant_id": "T1",
        "assistant_authority": "NET", "assistant_name": "Trainee", "exam_started_at": utc("2026-10-19T15:00:00"),
        "exam_ended_at": utc("2026-10-19T15:20:00"), "procedure_text": "CT Chest", "text": "Unremarkable.",
        "document_id": f"{BASE}/DiagnosticReport/d", "patient_id": "Patient/p",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert events(parsed) == [
        ("final_report", "report", utc("2026-10-19T17:00:00")),
        ("exam_started", "report", utc("2026-10-19T15:00:00")),
        ("exam_ended", "report", utc("2026-10-19T15:20:00")),
    ]
    assert [row["actor_id"] for row in rows(parsed, "event")] == ["R1", None, None]


STATUSES = {
    "registered": ([], []),
    "unknown": ([], []),
    "partial": (["partial"], []),
    "preliminary": (["preliminary"], ["preliminary_report"]),
    "modified": (["preliminary"], ["preliminary_report"]),
    "final": (["final"], ["final_report"]),
    "amended": (["corrected"], ["corrected_report"]),
    "corrected": (["corrected"], ["corrected_report"]),
    "appended": (["addendum"], ["addendum"]),
    "cancelled": (["cancelled"], ["cancelled"]),
    "entered-in-error": (["cancelled"], []),
}


@pytest.mark.parametrize("status", STATUSES)
def test_report_status(status: str) -> None:
    parsed = parse(report(status=status, effectivePeriod={}))
    found = [row["status"] for row in rows(parsed, "report")], [code for code, _, _ in events(parsed)]
    assert found == STATUSES[status]
    assert parsed.defects == []


def test_versions_in_any_order_say_the_same() -> None:
    first = report(status="preliminary", issued="2026-10-19T16:00:00Z")
    second = report(meta={"versionId": "2", "lastUpdated": "2026-10-19T21:00:00Z"})
    told = [sorted(map(str, events(parse(*versions)))) for versions in ((first, second), (second, first))]
    assert told[0] == told[1]
    assert [row["message_id"] for row in rows(parse(first, second), "report")] == [
        "DiagnosticReport/d/1",
        "DiagnosticReport/d/2",
    ]


def test_report_of_two_orders_is_one_report_each() -> None:
    both = [{"reference": "ServiceRequest/o"}, {"reference": "CarePlan/c"}, {"reference": "ServiceRequest/o2"}]
    parsed = parse(report(basedOn=both))
    assert [row["order_ref"][-2:] for row in rows(parsed, "report")] == ["/o", "o2"]
    assert len(events(parsed)) == 6


def test_laboratory_report_is_no_exam() -> None:
    section = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}]
    assert parse(report(category=section)).rows == {}
    assert fhir.parse(dump(report(category=[], code={"text": "Glucose"})), Site()).rows == {}


PEOPLE: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"resultsInterpreter": [{"reference": "Practitioner/a"}, {"reference": "Practitioner/b"}]}, "a", "b"),
    (
        {"resultsInterpreter": [], "performer": [{"reference": "Organization/x"}, {"reference": "Practitioner/c"}]},
        "c",
        None,
    ),
    ({"resultsInterpreter": [{"reference": "#ai"}], "performer": []}, None, "T1"),
    (
        {"resultsInterpreter": [{"reference": "Practitioner/a"}], "performer": [{"reference": "Practitioner/c"}]},
        "a",
        None,
    ),
    ({"resultsInterpreter": [{"display": "Dr Low"}]}, None, None),
]


@pytest.mark.parametrize(("elements", "interpreter", "assistant"), PEOPLE)
def test_who_read(elements: dict[str, Any], interpreter: str | None, assistant: str | None) -> None:
    row = one(parse(report(**elements)), "report")
    found = [(row[name] or "").removeprefix("Practitioner/") or None for name in ("interpreter_id", "assistant_id")]
    assert found == [interpreter, assistant]


def test_reader_is_known_by_the_practitioner_in_the_same_file() -> None:
    doctor = resource(
        "Practitioner", "r2", identifier=[{"system": "urn:oid:2.25.2", "value": "R2"}], name=[{"family": "Roe"}]
    )
    role = resource("PractitionerRole", "role", practitioner={"reference": "Practitioner/r2"})
    for reference in ("Practitioner/r2", "PractitionerRole/role"):
        body = report(resultsInterpreter=[{"reference": reference}])
        row = one(fhir.parse(lines(body, role, doctor), SITE), "report")
        assert (row["interpreter_id"], row["interpreter_authority"], row["interpreter_name"]) == ("R2", "NET", "Roe")


def test_text_of_a_form() -> None:
    form = {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode("Größe".encode()).decode()}
    assert one(parse(report(presentedForm=[form])), "report")["text"] == "Größe"
    parsed = parse(report(presentedForm=[{**form, "data": "!"}]))
    assert one(parsed, "report")["text"] == "Unremarkable."
    assert [d.reason for d in parsed.defects] == ["bad_base64"]


def test_study_uid_by_the_reference_to_the_study() -> None:
    named = [{"reference": "ImagingStudy/s", "identifier": {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}}]
    for element in ("imagingStudy", "study"):
        assert one(parse(report(**{element: named})), "report")["study_uid"] == "1.2.3"


def test_study() -> None:
    parsed = parse(study())
    row = rows(parsed, "instance")[0]
    expected = {
        "study_uid": "1.2.3", "series_uid": "1.2.3.1", "accession": "A1", "order_ref": f"{BASE}/ServiceRequest/o",
        "sop_hash": hashlib.sha256(b"1.2.3.1.1").hexdigest()[:32], "sop_class": "1.2.840.10008.5.1.4.1.1.2",
        "modality": "CT", "study_at": utc("2026-10-19T15:00:00"), "acquired_at": utc("2026-10-19T15:05:00"),
        "acquired_clock": "series", "body_part": "Chest", "laterality": "R", "station": "CT1",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert parsed.rows["instance"].n == 2
    available = one(parsed, "event")
    assert (available["code"], available["origin"], available["at"]) == ("images_available", "image", UPDATED)
    assert available["is_inferred"]


def test_r5_study() -> None:
    body = study(modality=[{"coding": [{"system": DCM, "code": "MR"}]}])
    series = body["series"][0]
    series["modality"] = {"coding": [{"system": DCM, "code": "MR"}]}
    series["bodySite"] = {"concept": {"coding": [{"display": "Head"}]}}
    series["laterality"] = {"coding": [{"code": "7771000"}]}
    row = rows(parse(body), "instance")[0]
    assert (row["modality"], row["body_part"], row["laterality"]) == ("MR", "Head", "L")


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "inactive"])
def test_study_that_is_none(status: str) -> None:
    assert parse(study(status=status)).rows == {}


def test_study_still_registered_has_images_but_is_not_available() -> None:
    assert set(parse(study(status="registered")).rows) == {"instance"}


def test_study_of_two_orders() -> None:
    parsed = parse(study(basedOn=[{"reference": "ServiceRequest/o"}, {"reference": "ServiceRequest/o2"}]))
    assert {row["order_ref"][-1] for row in rows(parsed, "instance")} == {"o"}
    assert [row["order_ref"][-2:] for row in rows(parsed, "event")] == ["/o", "o2"]


def test_patient_numbers_are_one_person() -> None:
    """Account numbers (VN) are nobody's; the record's own id on its server leads."""
    parsed = parse(patient())
    found = [
        tuple(r[n] for n in ("kind", "patient_id", "patient_authority", "prior_id", "prior_authority"))
        for r in rows(parsed, "patient_link")
    ]
    assert found == [
        ("same", "Patient/p", BASE, "M1", "SOUTH"),
        ("same", "Patient/p", BASE, "E1", "NET"),
    ]


LINKS = {
    "replaced-by": ("merge", "Patient/q", "Patient/p"),
    "replaces": ("merge", "Patient/p", "Patient/q"),
    "seealso": ("link", "Patient/p", "Patient/q"),
    "refer": ("link", "Patient/p", "Patient/q"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_patient_links(kind: str) -> None:
    link = [{"type": kind, "other": {"reference": "Patient/q"}}]
    row = rows(parse(patient(link=link)), "patient_link")[-1]
    assert (row["kind"], row["patient_id"], row["prior_id"], row["at"]) == (*LINKS[kind], UPDATED)


def test_patient_linked_with_itself_or_nobody() -> None:
    link = [{"type": "seealso", "other": {"reference": f"{n}/p"}} for n in ("Patient", "RelatedPerson")]
    parsed = parse(patient(link=[*link, {"type": "twin", "other": {"reference": "Patient/q"}}]))
    assert [row["kind"] for row in rows(parsed, "patient_link")] == ["same", "same"]
    assert [d.field for d in parsed.defects] == ["Patient.link.type"]


def test_identifier_without_a_system_belongs_to_the_facility() -> None:
    row = one(parse(patient(identifier=[{"value": "7"}])), "patient_link")
    assert row["prior_authority"] == "facility:SOUTH"


def test_encounter() -> None:
    parsed = parse(encounter(identifier=[{"system": "urn:oid:2.25.1", "value": "V1"}]))
    found = [(row["visit_id"], row["origin"], row["at"], row["detail"]) for row in rows(parsed, "event")]
    came = utc("2026-10-19T13:30:00")
    assert found == [(f"Encounter/e^{BASE}", "adt", came, "EMER"), ("V1^SOUTH", "adt", came, "EMER")]
    r5 = encounter(
        **{"class": [{"coding": [{"code": "EMER"}]}], "actualPeriod": {"start": "2026-10-19T08:30:00-05:00"}}
    )
    del r5["period"]
    assert [row["detail"] for row in rows(parse(r5), "event")] == ["EMER"]


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error"])
def test_encounter_that_has_not_begun(status: str) -> None:
    """One that is void also takes back the stays that an earlier version told."""
    parsed = parse(encounter(status=status))
    assert [row["kind"] for row in rows(parsed, "room_move")] == ["void"] * (status != "planned")
    assert parsed.rows.keys() <= {"room_move"}


def place(name: str, start: str, end: str = "", form: str = "ro", **more: Any) -> dict[str, Any]:
    """A place of an encounter, with minutes past ten for the ends of its period."""
    period = {key: f"2026-10-19T10:{at}:00-05:00" for key, at in (("start", start), ("end", end)) if at}
    kind = {"physicalType": {"coding": [{"code": form}]}} if form else {}
    return {"location": {"identifier": {"value": name}, "display": "Scanner"}, "period": period, **kind, **more}


def moves_of(*places: dict[str, Any], **elements: Any) -> list[tuple[Any, ...]]:
    found = rows(parse(encounter(location=list(places), **elements)), "room_move")
    return [(row["kind"], row["room"], row["at"], row["stay_number"]) for row in found]


def test_rooms_of_an_encounter() -> None:
    """Each place that is a room, or says nothing of its form, with the ends that are known."""
    ward = place("3WEST", "00", "59", form="wa")
    found = moves_of(ward, place("CT1", "05", "25"), place("XR", "30"), place("MR1", "40", status="planned"),
                     place("BAY", "31", form=""), {"location": {"display": "CT2"}})  # fmt: skip
    assert found == [
        ("entered", "CT1", utc("2026-10-19T15:05:00"), 1), ("left", "CT1", utc("2026-10-19T15:25:00"), 1),
        ("entered", "XR", utc("2026-10-19T15:30:00"), 2), ("entered", "BAY", utc("2026-10-19T15:31:00"), 4),
    ]  # fmt: skip
    row = rows(parse(encounter(location=[place("CT1", "05")])), "room_move")[0]
    assert (row["stay_ref"], row["visit_id"], row["patient_id"]) == (
        f"Encounter/e^{BASE}",
        row["stay_ref"],
        "Patient/p",
    )


def test_form_of_a_room_in_r5_and_of_the_location_itself() -> None:
    r5 = place("CT1", "05", form="", form_={}) | {"form": {"coding": [{"code": "bd"}]}}
    del r5["form_"]
    assert moves_of(r5) == []
    inside = {"resourceType": "Location", "id": "x", "name": "CT1", "physicalType": {"coding": [{"code": "wa"}]}}
    of_ward = place("", "05", form="") | {"location": {"reference": "#x"}}
    assert moves_of(of_ward, contained=[inside]) == []
    assert [m[1] for m in moves_of(of_ward, contained=[{**inside, "physicalType": r5["form"] | {"coding": [
        {"code": "ro"}]}}])] == ["CT1"]  # fmt: skip


def test_a_day_is_no_time_in_a_room() -> None:
    parsed = parse(encounter(location=[place("CT1", "05") | {"period": {"start": "2026-10-19"}}]))
    assert "room_move" not in parsed.rows
    assert [(d.field, d.reason) for d in parsed.defects] == [("Encounter.location.period.start", "no_instant")]


def test_encounter_of_an_order_says_its_class_and_place() -> None:
    """Exports keep encounters in a file of their own, so an encounter names the order and not only the other way."""
    based = [{"reference": "ServiceRequest/o"}]
    parsed = parse(encounter(basedOn=based, status="planned", period=None))
    row = one(parsed, "order")
    expected = {
        "order_ref": f"{BASE}/ServiceRequest/o", "patient_class": "EMER", "location": "ED",
        "visit_id": f"Encounter/e^{BASE}", "order_status": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert "event" not in parsed.rows
    assert parse(encounter(basedOn=based, status="cancelled")).rows.keys() == {"room_move"}
    assert "order" not in fhir.parse(dump(encounter(basedOn=based)), Site()).rows
    laboratory = order(category=[{"coding": [{"system": "http://snomed.info/sct", "code": "108252007"}]}])
    assert "order" not in parse(encounter(basedOn=based), laboratory).rows
