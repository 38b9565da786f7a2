"""Imaging studies: ImagingStudy -> instance + images_available.

The same object may also come as a DICOM file: both have the hash of its SOP Instance UID, and the file's header wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from etl.records import Parsed
from etl.sources.fhir_fields import event, read, table
from etl.sources.fhir_file import Body
from etl.sources.fhir_imaging import modality_of
from etl.sources.fhir_people import demographics_of, numbers_of, orders_of, side_of, subject_of, visit_of
from etl.sources.fhir_resource import Resource, nodes, text_of
from etl.timestamps import BadTime, parse_fhir

STUDY = table("""
study_at                                        started                     instant     R4
study_description                               description                 text        R4
PROCEDURE                                       procedureCode               procedure   R4
PROCEDURE                                       procedure                   procedure   R5
""")
AVAILABLE_AT = table("WHEN meta.lastUpdated when R4")
#: Statuses (imagingstudy-status) of a study that holds nothing to look at.
NO_STUDY = frozenset({"cancelled", "entered-in-error", "inactive"})


def add_study(resource: Resource, parsed: Parsed) -> None:
    """One instance row an object, under the first order; every further order learns of the study by an event."""
    status = resource.text("status")
    if resource.is_deleted or status in NO_STUDY:
        return
    shared = {
        **resource.common, **numbers_of(resource, resource.nodes("identifier")), **subject_of(resource, "subject"),
    }  # fmt: skip
    orders = orders_of(resource, "basedOn")
    visit = {"visit_id": visit_of(resource).get("visit_id")}
    first = {**shared, **visit, **demographics_of(resource, "subject"), **orders[0], **read(resource, STUDY)}
    for row in _instances(resource):
        parsed.add("instance", resource.position, {**first, **row})
    if status == "available" and "study_uid" in shared:
        when = read(resource, AVAILABLE_AT)
        for order in orders:
            told = {**shared, **visit, **order, **when}
            available = event(told, "images_available", "image", status_code=status, is_inferred=True)
            parsed.add("event", resource.position, available)


def _instances(resource: Resource) -> Iterator[dict[str, Any]]:
    study_modality = modality_of(resource)
    for series in resource.nodes("series"):
        shared = _series(resource, series, study_modality)
        for instance in nodes(series, "instance"):
            uid = _uid(instance, "uid")
            if not uid:
                resource.defect("series.instance.uid", "missing")
                continue
            sop_class = text_of(instance, "sopClass.code").removeprefix("urn:oid:") or None
            yield {**shared, "sop_hash": hashlib.sha256(uid.encode()).hexdigest()[:32], "sop_class": sop_class}


def _series(resource: Resource, series: Body, study_modality: str | None) -> dict[str, Any]:
    """R4 names modality and body site by Coding, R5 by CodeableConcept and CodeableReference."""
    row: dict[str, Any] = {
        "series_uid": _uid(series, "uid") or None,
        "modality": text_of(series, "modality.code") or text_of(series, "modality.coding.code") or study_modality,
        "body_part": text_of(series, "bodySite.display") or text_of(series, "bodySite.concept.coding.display") or None,
        "laterality": side_of([{"coding": nodes(series, "laterality")}, *nodes(series, "laterality")]),
        "series_description": text_of(series, "description") or None,
    }
    for performer in nodes(series, "performer.actor"):
        actor = resource.reference(performer)
        if actor.type == "Device":
            row["station"] = actor.display or text_of(actor.target, "deviceName.name") or actor.id or None
        elif actor.type in ("Practitioner", "PractitionerRole"):
            row.setdefault("operator", actor.display or actor.id or None)
    started = text_of(series, "started")
    if started:
        try:
            stamp = parse_fhir(started, resource.zone)
        except BadTime as error:
            resource.defect("series.started", str(error))
        else:
            row |= {
                "series_at": stamp.at, "acquired_at": stamp.at, "acquired_clock": "series",
                "acquired_precision": stamp.precision, "acquired_zone_source": stamp.zone_source,
            }  # fmt: skip
    return row


def _uid(node: Body, name: str) -> str:
    return text_of(node, name).removeprefix("urn:oid:")
