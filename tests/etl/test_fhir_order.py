"""ServiceRequest, Procedure, Task and Appointment: what each says of an exam, and the traps."""

from __future__ import annotations

from typing import Any

import pytest

from etl.site import Sender, Site
from etl.sources import fhir
from etl.vocabulary import EVENTS
from tests.etl.fhir_resources import (
    BASE,
    IMAGING,
    ORDER,
    SITE,
    appointment,
    bundle,
    dump,
    encounter,
    events,
    lines,
    number,
    one,
    order,
    parse,
    patient,
    procedure,
    resource,
    rows,
    task,
    utc,
)

UPDATED = utc("2026-10-19T20:00:00")
LABORATORY = [{"coding": [{"system": "http://snomed.info/sct", "code": "108252007"}]}]


def test_order() -> None:
    parsed = parse(
        order(priority="asap", occurrenceDateTime="2026-10-21T09:00:00-05:00", reasonCode=[{"text": "Cough"}])
    )
    expected = {
        "standard": "fhir",
        "source": BASE,
        "message_id": "ServiceRequest/o/1",
        "message_at": UPDATED,
        "facility_alias": BASE,
        "accession": "A1",
        "placer_id": "P1^CPOE",
        "filler_id": "F1^RISS",
        "order_ref": f"{BASE}/ServiceRequest/o",
        "patient_id": "Patient/p",
        "patient_authority": BASE,
        "procedure_code": "CTCH",
        "procedure_text": "CT Thorax",
        "procedure_system": "urn:local",
        "alternate_code": "24627-2",
        "alternate_text": "CT Chest",
        "alternate_system": "http://loinc.org",
        "at": utc("2026-10-19T14:00:00"),
        "at_precision": "second",
        "at_zone_source": "offset",
        "order_status": "active",
        "priority": "asap",
        "reason": "Cough",
        "requested_at": utc("2026-10-21T14:00:00"),
    }
    row = one(parsed, "order")
    assert {name: row[name] for name in expected} == expected
    assert events(parsed) == [("ordered", "order", utc("2026-10-19T14:00:00"))]
    assert parsed.defects == []


def test_of_several_standard_codings_loinc_is_kept() -> None:
    codings = [
        {"system": "http://snomed.info/sct", "code": "77477000", "display": "CT"},
        {"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"},
        {"system": "urn:local", "code": "CTCH", "display": "CT Thorax"},
    ]
    row = one(parse(order(code={"coding": codings})), "order")
    assert (row["procedure_code"], row["alternate_code"]) == ("CTCH", "24627-2")


STATUSES: dict[str, list[tuple[str, Any]]] = {
    "draft": [],
    "active": [("ordered", utc("2026-10-19T14:00:00"))],
    "on-hold": [("ordered", utc("2026-10-19T14:00:00"))],
    "completed": [("ordered", utc("2026-10-19T14:00:00"))],
    "revoked": [("ordered", utc("2026-10-19T14:00:00")), ("cancelled", UPDATED)],
    "entered-in-error": [("cancelled", UPDATED)],
}


@pytest.mark.parametrize("status", STATUSES)
def test_order_status(status: str) -> None:
    parsed = parse(order(status=status))
    assert [(code, at) for code, _, at in events(parsed)] == STATUSES[status]
    assert one(parsed, "order")["order_status"] == status


def test_unknown_status_is_a_defect_and_still_an_order() -> None:
    parsed = parse(order(status="gone"))
    assert [(d.field, d.reason) for d in parsed.defects] == [("ServiceRequest.status", "unknown_code")]
    assert [code for code, _, _ in events(parsed)] == ["ordered"]


def test_order_without_a_time_is_dated_by_its_version_and_says_so() -> None:
    body = order()
    del body["authoredOn"]
    row = one(parse(body), "event")
    assert (row["at"], row["is_inferred"]) == (UPDATED, True)


def test_a_date_never_becomes_midnight() -> None:
    row = one(parse(order(authoredOn="2026-10-19")), "event")
    assert (row["at"], row["at_precision"]) == (None, "day")


def test_no_offset_means_the_facilitys_zone() -> None:
    row = one(parse(order(authoredOn="2026-10-19T09:00:00")), "event")
    assert (row["at"], row["at_zone_source"]) == (utc("2026-10-19T14:00:00"), "facility")


@pytest.mark.parametrize(
    "elements", [{"intent": "plan"}, {"intent": "proposal"}, {"doNotPerform": True}, {"category": LABORATORY}]
)
def test_what_is_no_imaging_order(elements: dict[str, Any]) -> None:
    parsed = parse(order(**elements))
    assert (parsed.rows, parsed.defects, parsed.rejected) == ({}, [], [])


def section(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": code}]}]


KINDS: list[tuple[dict[str, Any], str | None, bool]] = [
    ({"category": section("CUS")}, "US", True),
    ({"category": section("MB")}, None, False),
    ({"category": section("PT"), "code": {"text": "Physical therapy, knee"}}, None, False),
    ({"category": [{"text": "Radiology"}], "code": {"text": "??"}}, None, True),
    ({"category": [], "code": {"text": "MRI Brain"}}, None, True),
    ({"category": [], "code": {"coding": [{"system": "http://loinc.org", "code": "24331-1"}]}}, None, False),
    (
        {
            "category": [],
            "code": {"text": "X"},
            "orderDetail": [{"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "PT"}]}],
        },
        "PT",
        True,
    ),
]


@pytest.mark.parametrize(("elements", "modality", "is_ours"), KINDS)
def test_imaging_or_not(elements: dict[str, Any], modality: str | None, is_ours: bool) -> None:
    found = rows(parse(order(**elements)), "order")
    assert [row["modality"] for row in found] == ([modality] if is_ours else [])


def test_replaced_order_ends_when_the_new_one_is_made() -> None:
    parsed = parse(
        order(replaces=[{"reference": "ServiceRequest/old", "identifier": number("PLAC", "P0", "urn:oid:2.25.3")}])
    )
    old = rows(parsed, "order")[1]
    assert (old["order_ref"], old["placer_id"], old["replaced_by"]) == (
        f"{BASE}/ServiceRequest/old",
        "P0^CPOE",
        "P1^CPOE",
    )
    ended = rows(parsed, "event")[1]
    assert (ended["code"], ended["order_ref"], ended["accession"]) == ("cancelled", old["order_ref"], None)
    assert ended["at"] == utc("2026-10-19T14:00:00")


def test_r5_order() -> None:
    parsed = parse(
        order(
            code={"concept": {"coding": [{"system": "urn:local", "code": "CTCH", "display": "CT Thorax"}]}},
            reason=[{"concept": {"coding": [{"code": "R05"}]}}],
            orderDetail=[{"parameter": [{"valueCodeableConcept": {"coding": [
                {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]}}]}],
        )
    )  # fmt: skip
    row = one(parsed, "order")
    assert (row["procedure_code"], row["reason"], row["modality"]) == ("CTCH", "R05", "CT")


def test_side_and_outside_prior() -> None:
    said = [
        {"url": "urn:radops:outside-prior", "valueCode": "HELD"},
        {"url": "urn:radops:outside-modality", "valueString": "MR"},
        {"url": "urn:other", "valueString": "x"},
    ]
    side = [{"coding": [{"system": "http://snomed.info/sct", "code": "7771000"}]}]
    row = one(parse(order(extension=said, bodySite=side)), "order")
    assert (row["outside_prior"], row["outside_modality"], row["laterality"]) == ("held", "MR", "L")
    wrong = parse(order(extension=[{"url": "urn:radops:outside-prior", "valueCode": "maybe"}]))
    assert [d.field for d in wrong.defects] == ["ServiceRequest.extension"]


def test_contained_and_neighbouring_resources() -> None:
    near = order(encounter={"reference": "Encounter/e"}, requester={"reference": "Practitioner/dr"})
    doctor = resource("Practitioner", "dr", name=[{"family": "Low", "given": ["Ann"]}],
                      identifier=[{"system": "urn:oid:2.25.2", "value": "D1"}])  # fmt: skip
    for data in (bundle(near, patient(), encounter(), doctor), lines(encounter(), doctor, near, patient())):
        row = one(fhir.parse(data, SITE), "order")
        assert (row["patient_class"], row["location"], row["sex"], str(row["birth_date"])) == (
            "EMER",
            "ED",
            "F",
            "1968-04-12",
        )
        assert (row["ordering_id"], row["ordering_authority"], row["ordering_name"]) == ("D1", "NET", "Low^Ann")
        assert row["visit_id"] == f"Encounter/e^{BASE}"
    alone = one(parse(near), "order")
    assert (alone["patient_id"], alone["visit_id"]) == (row["patient_id"], row["visit_id"])
    assert (alone["ordering_id"], alone["ordering_authority"]) == ("Practitioner/dr", BASE)
    inside = order(contained=[{**encounter(), "id": "in"}], encounter={"reference": "#in"})
    assert one(parse(inside), "order")["patient_class"] == "EMER"


def test_transaction_with_urn_references() -> None:
    body, who = order(subject={"reference": "urn:uuid:11"}), patient()
    del who["id"]
    step = task("arrived", focus={"reference": "urn:uuid:12"})
    entries = [
        {"fullUrl": "urn:uuid:12", "resource": body}, {"fullUrl": "urn:uuid:11", "resource": who},
        {"fullUrl": "urn:uuid:13", "resource": step},
    ]  # fmt: skip
    parsed = fhir.parse(dump({"resourceType": "Bundle", "type": "transaction", "entry": entries}), SITE)
    person = one(parsed, "order")["patient_id"]
    assert person == "Patient/urn:uuid:11"
    assert {row["patient_id"] for row in rows(parsed, "patient_link")} == {person}
    arrived = rows(parsed, "event")[-1]
    assert (arrived["code"], arrived["order_ref"]) == ("arrived", f"{BASE}/ServiceRequest/o")


def test_absolute_and_versioned_references_mean_the_same() -> None:
    for reference in ("Patient/p", f"{BASE}/Patient/p", f"{BASE}/Patient/p/_history/3", "Patient/p/_history/2"):
        row = one(parse(order(subject={"reference": reference})), "order")
        assert (row["patient_id"], row["patient_authority"]) == ("Patient/p", BASE)
    other = one(parse(order(subject={"reference": "https://other.example/Patient/p"})), "order")
    assert other["patient_authority"] == "https://other.example"


def test_server_is_known_by_full_url_where_the_resource_does_not_say() -> None:
    body = order(meta={"source": "#request7"})
    entry = {"fullUrl": f"{BASE}/ServiceRequest/o", "resource": body}
    row = one(fhir.parse(dump({"resourceType": "Bundle", "entry": [entry]}), SITE), "order")
    assert (row["source"], row["order_ref"]) == (BASE, f"{BASE}/ServiceRequest/o")


def test_site_chooses_the_accession_number() -> None:
    site = Site(facilities=SITE.facilities, senders=(Sender(BASE, accession="FILL"),))
    row = one(fhir.parse(dump(order()), site), "order")
    assert row["accession"] == "F1"


def test_deleted_order_is_cancelled_where_the_server_is_known() -> None:
    entry = {
        "fullUrl": f"{BASE}/ServiceRequest/o",
        "request": {"method": "DELETE", "url": "ServiceRequest/o"},
        "response": {"lastModified": "2026-10-20T00:00:00Z", "etag": 'W/"4"', "status": "204"},
    }
    data = dump({"resourceType": "Bundle", "type": "history", "entry": [entry, {"resource": order()}]})
    parsed = fhir.parse(data, SITE)
    assert (parsed.read, len(fhir.messages(data))) == (2, 2)
    row = rows(parsed, "event")[0]
    assert (row["code"], row["at"], row["message_id"]) == (
        "cancelled",
        utc("2026-10-20T00:00:00"),
        "ServiceRequest/o/4",
    )
    assert row["order_ref"] == one(parsed, "order")["order_ref"]
    assert fhir.parse(dump({"resourceType": "Bundle", "entry": [entry]}), Site()).rows == {}


def test_procedure_r4_and_r5() -> None:
    period = procedure()["performedPeriod"]
    r5 = procedure(
        occurrencePeriod=period, category=IMAGING, used=[{"reference": {"reference": "Device/ct1", "display": "CT1"}}]
    )
    del r5["performedPeriod"], r5["usedReference"]
    for body in (procedure(), r5):
        parsed = parse(body)
        assert events(parsed) == [
            ("exam_started", "ris", utc("2026-10-19T15:01:00")),
            ("exam_ended", "ris", utc("2026-10-19T15:21:00")),
        ]
        row = rows(parsed, "event")[0]
        assert (row["station"], row["actor_id"], row["actor_name"]) == ("CT1", "Practitioner/tech", "Tech")
        assert row["order_ref"] == f"{BASE}/ServiceRequest/o"


STEPS: dict[str, list[str]] = {
    "preparation": [],
    "in-progress": ["exam_started"],
    "stopped": ["exam_started", "discontinued"],
    "not-done": ["discontinued"],
    "entered-in-error": [],
}


@pytest.mark.parametrize("status", STEPS)
def test_procedure_status(status: str) -> None:
    assert [code for code, _, _ in events(parse(procedure(status=status)))] == STEPS[status]


def test_procedure_without_period_is_given_up_when_it_says_so() -> None:
    body = procedure(status="not-done", statusReason={"coding": [{"code": "110513"}]})
    del body["performedPeriod"]
    row = one(parse(body), "event")
    assert (row["at"], row["reason_code"]) == (UPDATED, "110513")


@pytest.mark.parametrize(
    "elements", [{"category": LABORATORY[0]}, {"category": None, "code": {"text": "Appendectomy"}}]
)
def test_other_procedures(elements: dict[str, Any]) -> None:
    assert parse(procedure(**elements)).rows == {}


def test_procedure_of_no_order_is_a_defect() -> None:
    parsed = parse(procedure(basedOn=[]))
    assert (parsed.rows, [d.field for d in parsed.defects]) == ({}, ["Procedure.basedOn"])


@pytest.mark.parametrize("code", sorted(EVENTS))
def test_every_event_can_be_told_by_a_task(code: str) -> None:
    for body in (task(code), task(code, code={"text": EVENTS[code]}), task(code.replace("_", "-"))):
        row = one(parse(body), "event")
        assert (row["code"], row["origin"], row["actor_id"]) == (code, "ris", "W1")
        assert row["at"] == utc("2026-10-19T14:50:00" if code.endswith("_started") else "2026-10-19T15:00:00")


def test_free_text_is_taken_only_where_it_stays_private() -> None:
    words = {"text": "Patient Jane Doe feels ill"}
    parsed = parse(
        order(reasonCode=[words], statusReason=words), procedure(status="not-done", statusReason=words),
        task("protocoled", reasonCode=words, statusReason=words),
        appointment(status="cancelled", cancelationReason=words),
    )  # fmt: skip
    assert one(parsed, "order")["reason"] == words["text"]
    for record in ("event", "appointment"):
        assert "Jane" not in repr(rows(parsed, record))


def test_task_that_has_not_come_to_pass() -> None:
    assert parse(task("arrived", status="in-progress")).rows == {}
    assert parse(task("arrived", status="cancelled")).rows == {}
    assert [code for code, _, _ in events(parse(task("read_started", status="in-progress")))] == ["read_started"]
    assert parse(task("feed the cat")).rows == {}


def test_task_of_a_laboratory_order_in_the_same_file() -> None:
    assert "event" not in parse(task("arrived"), order(category=LABORATORY)).rows
    assert "event" not in fhir.parse(dump(task("arrived")), Site()).rows
    assert "event" in fhir.parse(dump(task("protocoled")), Site()).rows


def test_appointment() -> None:
    parsed = parse(appointment())
    row = one(parsed, "appointment")
    expected = {
        "appointment_id": "ap", "order_ref": f"{BASE}/ServiceRequest/o", "patient_id": "Patient/p", "status": "booked",
        "slot_at": utc("2026-10-21T14:00:00"), "duration_min": 30.0, "resource": "CT1",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    event = one(parsed, "event")
    assert (event["code"], event["at"], event["slot_at"]) == ("scheduled", utc("2026-10-19T19:59:00"), row["slot_at"])


def test_the_slot_told_last_wins_in_any_order() -> None:
    later = {"versionId": "2", "lastUpdated": "2026-10-20T08:00:00Z"}
    moved = appointment(meta=later, start="2026-10-20T09:00:00-05:00", minutesDuration="45")
    for versions in ((appointment(), moved), (moved, appointment()), (moved,)):
        found = rows(parse(*versions), "event")
        booked = [row for row in found if row["code"] == "scheduled"]
        assert min(row["at"] for row in booked) == utc("2026-10-19T19:59:00")
        last = max((row for row in booked if row["slot_at"]), key=lambda row: row["at"])
        assert (last["slot_at"], last["at"]) == (utc("2026-10-20T14:00:00"), utc("2026-10-20T08:00:00"))
    assert rows(parse(moved), "appointment")[0]["duration_min"] == 45.0


BOOKINGS = {
    "arrived": ("arrived", ["arrived"]), "checked-in": ("arrived", ["arrived"]), "fulfilled": ("completed", []),
    "cancelled": ("cancelled", ["cancelled"]), "noshow": ("noshow", ["no_show"]),
    "entered-in-error": ("deleted", ["cancelled"]),
}  # fmt: skip


@pytest.mark.parametrize("status", BOOKINGS)
def test_appointment_status(status: str) -> None:
    parsed = parse(appointment(status=status))
    assert one(parsed, "appointment")["status"] == BOOKINGS[status][0]
    told = [(code, at) for code, _, at in events(parsed) if code != "scheduled"]
    assert told == [(code, UPDATED) for code in BOOKINGS[status][1]]


def test_appointment_is_cancelled_when_it_says_so_else_with_its_version() -> None:
    when = {"cancellationDate": "2026-10-18T09:00:00-05:00"}
    assert one(parse(appointment(status="cancelled", **when)), "appointment")["at"] == utc("2026-10-18T14:00:00")
    told = one(parse(appointment(status="booked", **when)), "appointment")
    assert told["at"] == one(parse(appointment(status="cancelled")), "appointment")["at"] == told["message_at"]


def test_appointment_without_a_slot_yet() -> None:
    assert "event" not in parse(appointment(status="proposed", start=None)).rows


def test_r5_appointment() -> None:
    body = appointment(
        status="cancelled", subject={"reference": "Patient/p"}, cancellationDate="2026-10-19T18:00:00Z",
        cancellationReason={"coding": [{"code": "pat-crs"}]},
        participant=[{"actor": {"reference": "Location/x", "display": "MR2"}}],
    )  # fmt: skip
    parsed = parse(body)
    assert (one(parsed, "appointment")["patient_id"], one(parsed, "appointment")["resource"]) == ("Patient/p", "MR2")
    assert rows(parsed, "event")[-1]["at"] == utc("2026-10-19T18:00:00")
    assert rows(parsed, "event")[-1]["reason_code"] == "pat-crs"


def test_a_person_is_never_taken_for_a_room() -> None:
    people = [{"actor": {"display": "Jane Doe"}}, {"actor": {"reference": "Patient/p", "display": "Jane Doe"}}]
    assert one(parse(appointment(participant=people)), "appointment")["resource"] is None


def test_appointment_of_another_department() -> None:
    unknown = Site()
    assert fhir.parse(dump(appointment()), unknown).rows == {}
    named = appointment(serviceType=[{"text": "MRI Brain"}])
    assert one(fhir.parse(dump(named), unknown), "appointment")["procedure_text"] == "MRI Brain"
    assert ORDER[0]["reference"] == "ServiceRequest/o"
