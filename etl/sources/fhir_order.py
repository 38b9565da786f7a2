"""Orders: ServiceRequest -> order + events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etl.records import Parsed
from etl.sources.fhir_fields import event, read, table
from etl.sources.fhir_imaging import is_imaging, modality_of
from etl.sources.fhir_people import demographics_of, numbers_of, order_numbers, subject_of, visit_of
from etl.sources.fhir_resource import Reference, Resource, text_of

ORDER = table("""
WHEN                                            authoredOn                  when        R4
WHEN                                            meta.lastUpdated            when        R4
order_status                                    status                      text        R4
order_control                                   status                      text        R4
priority                                        priority                    text        R4
requested_at                                    occurrenceDateTime          instant     R4
requested_at                                    occurrencePeriod.start      instant     R4
requested_at                                    occurrenceTiming.event      instant     R4
PROCEDURE                                       code                        procedure   R4
laterality                                      bodySite                    side        R4
laterality                                      orderDetail                 side        R4
reason                                          reasonCode                  private     R4
reason                                          reason                      private     R5
ordering_id,ordering_authority,ordering_name    requester                   person      R4
""")
#: The time of a cancel: that of the version which says so.
CANCELLED_AT = table("""
WHEN                                            meta.lastUpdated            when        R4
WHEN                                            authoredOn                  when        R4
""")
#: Declared outside imaging, as extensions of the order.
OUTSIDE: dict[str, str] = {
    "urn:radops:outside-prior": "outside_prior",
    "urn:radops:outside-modality": "outside_modality",
    "urn:radops:outside-body-part": "outside_body_part",
}
OUTSIDE_PRIOR = frozenset({"none", "held", "unavailable", "imported"})

#: ServiceRequest.status (request-status) -> events. A draft is not yet an order; `completed` has no time of its own.
STATUS: dict[str, tuple[str, ...]] = {
    "draft": (), "active": ("ordered",), "on-hold": ("ordered",), "completed": ("ordered",), "unknown": ("ordered",),
    "revoked": ("ordered", "cancelled"), "entered-in-error": ("cancelled",), "ended": ("ordered", "cancelled"),
}  # fmt: skip
#: ServiceRequest.intent (request-intent) of something that nobody ordered.
NO_ORDER = frozenset({"proposal", "plan", "option"})


def add_order(resource: Resource, parsed: Parsed) -> None:
    """One order row and its events; requests of other departments, proposals and prohibitions are kept without rows."""
    if resource.is_deleted:
        _add_deleted(resource, parsed)
        return
    if resource.text("intent") in NO_ORDER or resource.body.get("doNotPerform") is True or not is_imaging(resource):
        return
    row = _order(resource)
    status = row.get("order_status", "")
    if status not in STATUS:
        resource.defect("status", "unknown_code" if status else "missing")
    parsed.add("order", resource.position, row)
    for code in STATUS.get(status, ("ordered",)):
        parsed.add("event", resource.position, _event(resource, row, code))
    if status not in ("draft", "entered-in-error"):
        for replaced, cancelled in _replaced(resource, row):
            parsed.add("order", resource.position, replaced)
            parsed.add("event", resource.position, cancelled)


def _order(resource: Resource) -> dict[str, Any]:
    row = {
        **resource.common, **numbers_of(resource, resource.nodes("identifier")),
        **order_numbers(resource, resource.itself), **subject_of(resource, "subject"),
        **demographics_of(resource, "subject"), **visit_of(resource), "modality": modality_of(resource),
        **read(resource, ORDER),
    }  # fmt: skip
    for extension in resource.nodes("extension"):
        column = OUTSIDE.get(text_of(extension, "url"))
        if column:
            said = next((text for name in ("valueCode", "valueString") if (text := text_of(extension, name))), "")
            row[column] = _outside(resource, column, said)
    return row


def _outside(resource: Resource, column: str, value: str) -> str | None:
    if column != "outside_prior":
        return value or None
    if value.lower() in OUTSIDE_PRIOR:
        return value.lower()
    resource.defect("extension", "unknown_code")
    return None


def _event(resource: Resource, row: dict[str, Any], code: str) -> dict[str, Any]:
    when = read(resource, CANCELLED_AT) if code == "cancelled" else {}
    source = "meta.lastUpdated" if code == "cancelled" else "authoredOn"
    reason = resource.text("statusReason.coding.code") or None if code == "cancelled" else None
    is_inferred = not resource.text(source)
    return event(
        row, code, "order", status_code=row.get("order_status"), reason_code=reason, is_inferred=is_inferred, **when
    )


def _replaced(resource: Resource, row: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Orders that this one takes the place of: they end when it is made."""
    shared = ("patient_id", "patient_authority", "at", "at_precision", "at_zone_source")
    for old in resource.references("replaces"):
        numbers = order_numbers(resource, old)
        if numbers:
            ended = {**resource.common, **{k: row[k] for k in shared if k in row}, **numbers}
            ended["replaced_by"] = row.get("placer_id") or row.get("order_ref")
            yield {**ended, "order_status": "replaced"}, event(ended, "cancelled", "order", status_code="replaced")


def _add_deleted(resource: Resource, parsed: Parsed) -> None:
    """A deleted order touches only an exam that others know; of what department it was, nobody can say any more."""
    if resource.sender.is_mapped:
        itself: Reference = resource.itself
        row = {**resource.common, **order_numbers(resource, itself), **read(resource, CANCELLED_AT)}
        parsed.add("event", resource.position, event(row, "cancelled", "order", status_code="deleted"))
