"""What is done with an order: Procedure and Task -> events of origin ris."""

from __future__ import annotations

from typing import Any

from etl.records import Parsed
from etl.sources.fhir_fields import Element, event, read, table
from etl.sources.fhir_imaging import is_imaging
from etl.sources.fhir_people import codings_of, numbers_of, orders_of, subject_of, visit_of
from etl.sources.fhir_resource import Resource
from etl.vocabulary import EVENTS

STARTED_AT = table("""
WHEN                                            performedPeriod.start       when        R4
WHEN                                            performedDateTime           when        R4
WHEN                                            occurrencePeriod.start      when        R5
WHEN                                            occurrenceDateTime          when        R5
""")
ENDED_AT = table("""
WHEN                                            performedPeriod.end         when        R4
WHEN                                            occurrencePeriod.end        when        R5
""")
GIVEN_UP_AT = (*ENDED_AT, *table("WHEN meta.lastUpdated when R4"))
PERFORMED = table("""
station                                         usedReference               device      R4
station                                         used.reference              device      R5
station                                         performer.actor             device      R4
reason_code                                     statusReason                coded       R4
actor_id,actor_authority,actor_name             performer.actor             person      R4
""")
#: Procedure.status (event-status) -> moments that it states. Not listed: nothing was done, or it was never true.
STATUS: dict[str, dict[str, tuple[Element, ...]]] = {
    "in-progress": {"exam_started": STARTED_AT},
    "on-hold": {"exam_started": STARTED_AT},
    "completed": {"exam_started": STARTED_AT, "exam_ended": ENDED_AT},
    "unknown": {"exam_started": STARTED_AT, "exam_ended": ENDED_AT},
    "stopped": {"exam_started": STARTED_AT, "discontinued": GIVEN_UP_AT},
    "aborted": {"exam_started": STARTED_AT, "discontinued": GIVEN_UP_AT},
    "not-done": {"discontinued": GIVEN_UP_AT},
    "preparation": {},
    "entered-in-error": {},
}

DONE_AT = table("""
WHEN                                            executionPeriod.end         when        R4
WHEN                                            executionPeriod.start       when        R4
WHEN                                            lastModified                when        R4
WHEN                                            meta.lastUpdated            when        R4
""")
BEGUN_AT = table("""
WHEN                                            executionPeriod.start       when        R4
WHEN                                            executionPeriod.end         when        R4
WHEN                                            lastModified                when        R4
WHEN                                            meta.lastUpdated            when        R4
""")
TASK = table("""
actor_id,actor_authority,actor_name             owner                       person      R4
reason_code                                     statusReason                coded       R4
detail                                          reasonCode                  coded       R4
detail                                          reason                      coded       R5
""")
#: Task.status (task-status) in which the moment has been reached; an `in-progress` task has only begun.
REACHED = frozenset({"completed"})
BEGUN = frozenset({"in-progress", "on-hold"})
#: Task.code: our event code, or the name of the step in the SIIM workflow initiative and IHE SOLE.
STEPS: dict[str, str] = {**{code: code for code in EVENTS}, **{name.lower(): code for code, name in EVENTS.items()}}
#: Steps that only an imaging department takes; the others count where the order is known to be imaging.
IMAGING_STEPS = frozenset(
    """protocoled exam_started exam_ended images_available read_started dictated preliminary_report critical_found
    critical_communicated images_rejected images_imported""".split()  # noqa: SIM905
)


def add_procedure(resource: Resource, parsed: Parsed) -> None:
    """Start and end of an exam, or that it was given up, for each order."""
    status = resource.text("status")
    if status not in STATUS:
        resource.defect("status", "unknown_code" if status else "missing")
    if resource.is_deleted or not is_imaging(resource):
        return
    facts = read(resource, PERFORMED)
    for order in orders_of(resource, "basedOn"):
        row = {**_shared(resource, "subject"), **order}
        if not _is_identified(row):
            resource.defect("basedOn", "missing")
            continue
        for code, rows in STATUS.get(status, {}).items():
            when = read(resource, rows)
            if when:
                told = event({**row, **when}, code, "ris", status_code=status, **facts)
                parsed.add("event", resource.position, told)


def add_task(resource: Resource, parsed: Parsed) -> None:
    """A step of the workflow that has a code of the event vocabulary."""
    step = _step(resource)
    status = resource.text("status")
    has_begun = status in REACHED or (status in BEGUN and step.endswith("_started"))
    if resource.is_deleted or not step or not has_begun:
        return
    if step not in IMAGING_STEPS and not is_imaging(resource):
        return
    when = read(resource, BEGUN_AT if step.endswith("_started") else DONE_AT)
    facts = read(resource, TASK)
    for order in orders_of(resource, "basedOn", "focus"):
        row = {**_shared(resource, "for"), **order, **when}
        if _is_identified(row):
            parsed.add("event", resource.position, event(row, step, "ris", status_code=status, **facts))
        else:
            resource.defect("focus", "missing")


def _step(resource: Resource) -> str:
    for code, text, _ in codings_of(resource.nodes("code")):
        step = STEPS.get(code.lower().replace("-", "_")) or STEPS.get(text.lower())
        if step:
            return step
    return ""


def _shared(resource: Resource, subject: str) -> dict[str, Any]:
    return {
        **resource.common, **numbers_of(resource, resource.nodes("identifier")), **subject_of(resource, subject),
        "visit_id": visit_of(resource).get("visit_id"),
    }  # fmt: skip


def _is_identified(row: dict[str, Any]) -> bool:
    return any(row.get(name) for name in ("order_ref", "accession", "placer_id", "filler_id", "study_uid"))
