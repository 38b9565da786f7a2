"""FHIR R4 resources of one exam as dictionaries, without `meta`: who, what, where and when in SOUTH's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sample_data.network import Network, offset_text
from sample_data.story import Exam, Staff

Resource = dict[str, Any]
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LOCATION_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"
IMAGING = {"coding": [{"system": "http://snomed.info/sct", "code": "363679005", "display": "Imaging"}]}
REPORT = {"coding": [{"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"}]}
PRIORITIES = {"S": "stat", "A": "asap", "R": "routine"}
CLASSES = {"E": ("EMER", "emergency"), "I": ("IMP", "inpatient encounter"), "O": ("AMB", "ambulatory")}
SEXES = {"F": "female", "M": "male"}


def identifier(kind: str, value: str, assigner: str) -> Resource:
    """An identifier with its type (table 0203) and the name of who gave it out."""
    return {
        "type": {"coding": [{"system": V2_0203, "code": kind}]},
        "system": f"urn:example:{assigner.lower()}:{kind.lower()}",
        "value": value,
        "assigner": {"display": assigner},
    }


def practitioner(staff: Staff | None) -> Resource | None:
    """A reference to a person of the network."""
    if staff is None:
        return None
    number = identifier("EI", staff.id, "NET")
    return {"reference": f"Practitioner/{staff.id}", "identifier": number, "display": f"{staff.family}, {staff.given}"}


class Speaker:
    """Says what the facility's FHIR server says of one exam. Times carry the facility's offset."""

    def __init__(self, network: Network, exam: Exam) -> None:
        self.network, self.exam = network, exam
        facility = network.facilities[exam.facility]
        self.organization = {"reference": f"Organization/{facility.id}", "display": facility.name}
        self.numbers = [
            identifier("PLAC", exam.placer, "CPOE"),
            identifier("FILL", exam.filler, "RISS"),
            identifier("ACSN", exam.accession, facility.id),
        ]
        self.subject = {"reference": f"Patient/{exam.mrn}"}
        self.order = [{"reference": f"ServiceRequest/{exam.placer}"}]
        self.code = {
            "coding": [{"system": f"urn:example:{facility.id.lower()}:procedures", "code": exam.code,
                        "display": exam.text}],
            "text": exam.text,
        }  # fmt: skip

    def time(self, at: datetime) -> str:
        """An instant with offset."""
        offset = self.network.offset(self.exam.facility, at)
        return f"{(at + offset).isoformat()}{offset_text(offset, ':')}"

    def period(self, start: datetime | None, end: datetime | None) -> Resource:
        """A period with the ends that are known."""
        return {name: self.time(at) for name, at in (("start", start), ("end", end)) if at is not None}

    def patient(self) -> Resource:
        """The person with the local record number and the network's."""
        p = self.exam.person
        return {
            "resourceType": "Patient",
            "id": self.exam.mrn,
            "identifier": [identifier("MR", self.exam.mrn, self.exam.facility), identifier("PI", p.enterprise, "NET")],
            "active": True,
            "name": [{"family": p.family, "given": [p.given]}],
            "gender": SEXES[p.sex],
            "birthDate": p.birth_date.isoformat(),
            "managingOrganization": self.organization,
        }

    def merged_patient(self) -> Resource:
        """The temporary record, replaced by the person's own."""
        own = self.exam.person.mrns[self.exam.facility]
        return self.patient() | {
            "active": False,
            "link": [{"other": {"reference": f"Patient/{own}",
                                "identifier": identifier("MR", own, self.exam.facility)}, "type": "replaced-by"}],
        }  # fmt: skip

    def service_request(self, status: str) -> Resource:
        """The order."""
        exam = self.exam
        replaced = {"replaces": [{"reference": f"ServiceRequest/{exam.replaces}"}]} if exam.replaces else {}
        return {
            "resourceType": "ServiceRequest",
            "id": exam.placer,
            "identifier": self.numbers,
            **replaced,
            "status": status,
            "intent": "order",
            "category": [IMAGING],
            "priority": PRIORITIES[exam.priority],
            "code": self.code,
            "orderDetail": [{"coding": [{"system": DCM, "code": exam.modality}]}],
            "subject": self.subject,
            "encounter": {"reference": f"Encounter/{self.encounter_id}"},
            "authoredOn": self.time(exam.ordered_at),
            "requester": practitioner(exam.referrer),
            "performer": [self.organization],
            "reasonCode": [{"coding": [{"system": "urn:example:reasons", "code": exam.reason_code}]}],
        }

    @property
    def encounter_id(self) -> str:
        """One encounter an exam, all of one visit number."""
        return f"E{self.exam.placer[1:]}"

    def encounter(self, status: str, *, is_out: bool = False) -> Resource:
        """The visit; from the begin of the exam on with its room, which the patient has left where `is_out`."""
        exam, (code, display) = self.exam, CLASSES[self.exam.patient_class]
        end = exam.exam_ended_at if status == "finished" else None
        begun = {} if status == "planned" else {"period": self.period(exam.arrived_at, end)}
        return {
            "resourceType": "Encounter",
            "id": self.encounter_id,
            "identifier": [identifier("VN", exam.visit, exam.facility)],
            "status": status,
            "class": {"system": ACT, "code": code, "display": display},
            "subject": self.subject,
            "basedOn": self.order,
            **begun,
            "location": [{"location": {"display": exam.location}}, *self._room(status, is_out=is_out)],
            "serviceProvider": self.organization,
        }

    def _room(self, status: str, *, is_out: bool) -> list[Resource]:
        exam, room = self.exam, self.exam.device.room
        if not room or status not in ("in-progress", "finished") or exam.room_entered_at is None:
            return []
        return [
            {
                "location": {"identifier": {"value": room}, "display": exam.device.name},
                "status": "completed" if is_out else "active",
                "physicalType": {"coding": [{"system": LOCATION_TYPE, "code": "ro", "display": "Room"}]},
                "period": self.period(exam.room_entered_at, exam.room_left_at if is_out else None),
            }
        ]

    def appointment(self, status: str, slot: datetime, created: datetime) -> Resource:
        """The booked slot."""
        exam, device = self.exam, self.exam.planned_device
        place = {"reference": f"Location/{device.id}", "identifier": {"value": device.station}, "display": device.name}
        return {
            "resourceType": "Appointment",
            "id": exam.appointment,
            "identifier": [{"system": f"urn:example:{exam.facility.lower()}:appointments", "value": exam.appointment}],
            "status": status,
            "serviceType": [self.code],
            "start": self.time(slot),
            "minutesDuration": exam.slot_min,
            "created": self.time(created),
            "basedOn": self.order,
            "participant": [{"actor": self.subject, "status": "accepted"}, {"actor": place, "status": "accepted"}],
        }

    def procedure(self, status: str) -> Resource:
        """The exam itself."""
        exam = self.exam
        end = exam.exam_ended_at if status == "completed" else None
        return {
            "resourceType": "Procedure",
            "id": f"X{exam.placer[1:]}",
            "identifier": [identifier("ACSN", exam.accession, exam.facility)],
            "basedOn": self.order,
            "status": status,
            "category": IMAGING,
            "code": self.code,
            "subject": self.subject,
            "encounter": {"reference": f"Encounter/{self.encounter_id}"},
            "performedPeriod": self.period(exam.exam_started_at, end),
            "performer": [{"actor": practitioner(exam.technologist), "onBehalfOf": self.organization}],
            "location": {"reference": f"Location/{exam.device.id}", "display": exam.device.name},
        }

    def imaging_study(self) -> Resource:
        """The study in the archive."""
        exam = self.exam
        modality = {"system": DCM, "code": exam.modality}
        return {
            "resourceType": "ImagingStudy",
            "id": f"I{exam.placer[1:]}",
            "identifier": [
                {"system": "urn:dicom:uid", "value": f"urn:oid:{exam.study_uid}"},
                identifier("ACSN", exam.accession, exam.facility),
            ],
            "status": "available",
            "modality": [modality],
            "subject": self.subject,
            "basedOn": self.order,
            "procedureCode": [self.code],
            "numberOfSeries": len(exam.series),
            "numberOfInstances": sum(len(s.images) for s in exam.series),
            "series": [
                {"uid": s.series_uid, "number": s.number, "modality": modality, "description": s.description,
                 "numberOfInstances": len(s.images)}
                for s in exam.series
            ],
        }  # fmt: skip

    def report(self, status: str, issued: datetime) -> Resource:
        """A version of the report; a registered one says only that one will come."""
        exam = self.exam
        signed: Resource = {}
        if status != "registered":
            signed = {
                "issued": self.time(issued),
                "resultsInterpreter": [practitioner(exam.interpreter)],
                "conclusion": "No acute abnormality.",
            }
        return {
            "resourceType": "DiagnosticReport",
            "id": f"R{exam.placer[1:]}",
            "identifier": [identifier("ACSN", exam.accession, exam.facility)],
            "basedOn": self.order,
            "status": status,
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}],
            "code": REPORT | {"text": exam.text},
            "subject": self.subject,
            "encounter": {"reference": f"Encounter/{self.encounter_id}"},
            "effectivePeriod": self.period(exam.exam_started_at, exam.exam_ended_at),
            "performer": [self.organization],
            **signed,
        }

    def task(self, code: str, at: datetime, owner: Staff | None) -> Resource:
        """A step of the workflow that has no resource of its own, under its name in the event vocabulary."""
        task = {
            "resourceType": "Task",
            "id": f"T{self.exam.placer[1:]}-{code.replace('_', '-')}",
            "basedOn": self.order,
            "status": "completed",
            "intent": "order",
            "code": {"text": code},
            "focus": self.order[0],
            "for": self.subject,
            "executionPeriod": self.period(at, at),
            "lastModified": self.time(at),
        }
        return task | ({"owner": practitioner(owner)} if owner else {})
