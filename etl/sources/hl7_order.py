"""Orders: ORM^O01, OMG^O19, OMI^O23 and replies (chapter 4; IHE RAD TF-2 4.2-4.4, 4.13) -> order + event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from etl.records import Parsed
from etl.sources.hl7_fields import Table, read, table
from etl.sources.hl7_imaging import is_imaging
from etl.sources.hl7_message import NO_SEGMENT, Message, Segment
from etl.sources.hl7_patient import Patient, patient_of
from etl.sources.hl7_request import IDENTIFIERS, PROCEDURE, add_accession, add_procedure

ORDER = table("""
order_control                                                   ORC-1       ID      4.5.1.1
order_status                                                    ORC-5       ID      4.5.1.5
priority                                                        TQ1-9       ST      4.5.4.9
priority                                                        ORC-7.6     ST      4.5.1.7
priority                                                        OBR-27.6    ST      4.5.3.27
priority                                                        OBR-5       ID      4.5.3.5
reason                                                          OBR-31      ST      4.5.3.31
reason                                                          OBR-31.2    ST      4.5.3.31
ordering_id,ordering_authority,ordering_name                    ORC-12      XCN     4.5.1.12
ordering_id,ordering_authority,ordering_name                    OBR-16      XCN     4.5.3.16
requested_at                                                    TQ1-7       DTM     4.5.4.7
requested_at                                                    ORC-7.4     DTM     4.5.1.7
requested_at                                                    OBR-27.4    DTM     4.5.3.27
requested_at                                                    OBR-36      DTM     4.5.3.36
station                                                         IPC-9       ST      4.5.6.9
station                                                         IPC-7       ST      4.5.6.7
duplicate_reason                                                OBR-48      ST      4.5.3.48
duplicate_reason                                                OBR-48.2    ST      4.5.3.48
""")

#: ORC-9 is the time of this order event. OBR-6 and OBR-7 are not read: in an order they say nothing that happened.
TRANSACTION = table("""
at,at_precision,at_zone_source                                  ORC-9       WHEN    4.5.1.9
at,at_precision,at_zone_source                                  MSH-7       WHEN    2.14.9.7
""")

#: What is read of an order in one go.
WHOLE = Table((*IDENTIFIERS, *PROCEDURE, *ORDER, *TRANSACTION))

Action = Literal["new", "derived", "cancel", "replaced", "change", "status", "none"]

#: ORC-1 (table 0119) -> what it does to an exam. Only a new order's ORC-9 is the time of ordering; a child, parent or
#: replacement order is new to us at its own ORC-9, marked inferred. Refusals (U?) and acknowledgments (OK) do nothing.
CONTROLS: dict[str, Action] = {
    "NW": "new", "SN": "new", "NA": "new",
    "PA": "derived", "CH": "derived", "RO": "derived",
    "CA": "cancel", "OC": "cancel", "CR": "cancel", "DC": "cancel", "OD": "cancel", "DR": "cancel",
    "RP": "replaced", "RU": "replaced", "RQ": "replaced",
    "XO": "change", "XX": "change", "XR": "change",
    "SC": "status",
    "HD": "none", "HR": "none", "OH": "none", "RL": "none", "OE": "none", "OR": "none",
    "OK": "none", "UA": "none", "UC": "none", "UD": "none", "UH": "none", "UM": "none", "UR": "none", "UX": "none",
    "RE": "none", "RR": "none", "SR": "none", "SS": "none", "DE": "none", "NR": "none", "LI": "none", "UN": "none",
    "AF": "none", "DF": "none", "FU": "none", "OF": "none", "OP": "none", "PR": "none", "PY": "none", "RF": "none",
    "CN": "none", "UF": "none", "MC": "none",
}  # fmt: skip

#: ORC-5 (table 0038) of a status change -> event. HD, ER and RP change no milestone. A site's own codes come first.
ORDER_STATUS: dict[str, str] = {
    "SC": "scheduled", "IP": "exam_started", "A": "exam_started", "CM": "exam_ended", "CA": "cancelled",
    "DC": "discontinued", "RP": "cancelled",
}  # fmt: skip
#: OBR-25 (table 0123) of a status change without ORC-5.
RESULT_STATUS: dict[str, str] = {
    "S": "scheduled", "I": "exam_started", "N": "exam_ended", "X": "cancelled",
}  # fmt: skip

#: Columns that a coded OBX of an order may fill, where the site maps its code.
OUTSIDE = frozenset({"outside_prior", "outside_modality", "outside_body_part"})
OUTSIDE_PRIOR = frozenset({"none", "held", "unavailable", "imported"})


@dataclass(slots=True)
class Group:
    """One ORC/OBR with the segments that belong to it."""

    patient: Patient
    segments: dict[str, Segment] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    observations: list[Segment] = field(default_factory=list)


def groups(message: Message, *, is_result: bool = False) -> Iterator[Group]:
    """Order groups in message order. An ORC opens one, and so does an OBR where the open one has its OBR already.

    In orders such a further OBR belongs to the same ORC, without its numbers; in results the ORC is optional and is
    not carried over. A new PID changes the patient of what follows.
    """
    patient: Patient | None = None
    pid = visit = NO_SEGMENT
    current: Group | None = None
    for name, fields in message.segments:
        if name == "OBX":
            if current is not None:
                current.observations.append(fields)
            continue
        if name == "PID":
            pid, visit, patient = fields, NO_SEGMENT, None
        elif name == "PV1":
            visit, patient = fields, None
        elif name == "ORC" or (name == "OBR" and (current is None or "OBR" in current.segments)):
            if current is not None:
                yield current
            patient = patient or patient_of(message, pid, visit)
            order = current.segments.get("ORC") if current is not None and name == "OBR" and not is_result else None
            current = Group(patient)
            if order is not None:
                current.segments["ORC"] = _without_numbers(order)
        if current is not None:
            current.names.add(name)
            if name in ("ORC", "OBR", "TQ1", "IPC", "ZDS"):
                current.segments.setdefault(name, fields)
    if current is not None:
        yield current


def _without_numbers(order: Segment) -> Segment:
    """The ORC for a further OBR of its own: two requests never share a number by inheritance."""
    copied = list(order)
    copied[2] = copied[3] = ""
    return copied


def add_order_message(message: Message, parsed: Parsed) -> None:
    """One order row and its events for each imaging group."""
    replaced: dict[str, Any] | None = None
    for group in _ours(message):
        row = _order(message, group)
        control = row.get("order_control", "")
        if control and control not in CONTROLS:
            message.defect("ORC-1", "unknown_code")
        if replaced is not None and CONTROLS.get(control) == "derived":
            replaced["replaced_by"] = row.get("placer_id")
        if replaced is not None:
            parsed.add("order", message.position, replaced)
            replaced = None
        if CONTROLS.get(control) == "replaced":
            replaced = row
        else:
            parsed.add("order", message.position, row)
        for event in _events(message, group, row):
            parsed.add("event", message.position, event)
    if replaced is not None:
        parsed.add("order", message.position, replaced)


def _ours(message: Message) -> list[Group]:
    """The imaging groups. An imaging order that replaces another (RP with RO, 4.5.1.1) says that this was one, too."""
    found = list(groups(message))
    ours = [_is_ours(message, group) for group in found]
    actions = [CONTROLS.get(message.part(group.segments.get("ORC", NO_SEGMENT)[1], 1), "none") for group in found]
    for n in range(len(found) - 1, 0, -1):
        ours[n - 1] |= ours[n] and actions[n - 1] == "replaced" and actions[n] in ("derived", "replaced")
    return [group for group, is_ours in zip(found, ours, strict=True) if is_ours]


def _is_ours(message: Message, group: Group) -> bool:
    """Rows 7-10 of the decision table for groups without OBR: only what ends or changes an order needs no detail."""
    if not is_imaging(message, group.segments, group.names):
        return False
    if "OBR" in group.segments or group.names & {"IPC", "ZDS"}:
        return True
    control = message.part(group.segments["ORC"][1], 1)
    return message.sender.is_mapped or CONTROLS.get(control, "none") in ("cancel", "status", "replaced")


def _order(message: Message, group: Group) -> dict[str, Any]:
    segments, patient = {**group.segments, "MSH": message.header}, group.patient
    row = add_procedure(message, segments, add_accession(message, segments, read(message, segments, WHOLE)))
    for part in (message.common, patient.identity, patient.demographics, patient.visit):
        row |= part
    for fields in group.observations if message.sender.obx else ():
        column = message.sender.obx.get(message.part(fields[3], 1), "")
        if column in OUTSIDE:
            row[column] = _outside(message, column, message.part(fields[5], 1))
    return row


def _outside(message: Message, column: str, value: str) -> str | None:
    if column != "outside_prior":
        return value or None
    if value.lower() in OUTSIDE_PRIOR:
        return value.lower()
    message.defect("OBX-5", "unknown_code")
    return None


def _events(message: Message, group: Group, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    action = CONTROLS.get(order.get("order_control", ""), "none")
    slot = order.get("requested_at")
    is_slot = slot is not None and slot != order.get("at")
    is_booked = order.get("order_status") == "SC"
    status = order.get("order_status") or ""
    if action in ("new", "derived"):
        is_inferred = action == "derived" or not _has_time(message, group)
        detail = "replacement" if order.get("order_control") == "RO" else None
        yield _event(message, order, "ordered", is_inferred=is_inferred, detail=detail)
        if is_slot:
            yield _event(message, order, "scheduled", slot_at=slot, is_inferred=not is_booked)
    elif action in ("cancel", "replaced"):
        yield _event(message, order, "cancelled", reason_code=message.part(group.segments["ORC"][16], 1) or None)
    elif action == "change" and is_slot:
        yield _event(message, order, "rescheduled", slot_at=slot, is_inferred=True)
    elif action == "status":
        code = _status_event(message, group, status)
        if code:
            yield _event(message, order, code, origin="ris", slot_at=slot if code == "scheduled" else None)


def _has_time(message: Message, group: Group) -> bool:
    return message.stamp(group.segments["ORC"][9], "ORC-9") is not None


def _status_event(message: Message, group: Group, status: str) -> str | None:
    """Event of an SC message: the site's own code first, then ORC-5, then OBR-25."""
    result = message.part(group.segments.get("OBR", NO_SEGMENT)[25], 1)
    for code, standard in ((status, ORDER_STATUS), (result, RESULT_STATUS)):
        event = message.sender.status.get(code) or standard.get(code)
        if code and event:
            return event
    if not status and not result:
        message.defect("ORC-5", "missing")
    return None


#: Columns that an event takes over from its order.
_SHARED = (
    *(column.column for column in IDENTIFIERS), "accession", "patient_id", "patient_authority", "visit_id", "at",
    "at_precision", "at_zone_source", "station",
)  # fmt: skip


def _event(message: Message, order: dict[str, Any], code: str, **more: Any) -> dict[str, Any]:
    row = {name: order[name] for name in _SHARED if name in order}
    row |= message.common
    row["status_code"] = order.get("order_status") or order.get("order_control")
    row["code"], row["origin"], row["is_inferred"] = code, "order", False
    row |= more
    return row
