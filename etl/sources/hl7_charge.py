"""Charges: DFT^P03 and P11 (chapter 6) -> charge, one for each FT1."""

from __future__ import annotations

from etl.records import Parsed
from etl.sources.hl7_fields import read, table
from etl.sources.hl7_message import NO_SEGMENT, Message, Segment
from etl.sources.hl7_patient import Patient, patient_of
from etl.sources.hl7_request import identify

CHARGE = table("""
filler_id                                                       FT1-23      EI      6.5.1.23
at,at_precision,at_zone_source                                  FT1-4       WHEN    6.5.1.4
transaction_type                                                FT1-6       IS      6.5.1.6
quantity                                                        FT1-10      NM      6.5.1.10
charge_code                                                     FT1-25      ST      6.5.1.25
charge_code                                                     FT1-7       ST      6.5.1.7
modifiers                                                       FT1-26      ST      6.5.1.26
""")
MODIFIERS = 26


def add_charge_message(message: Message, parsed: Parsed) -> None:
    """One charge for each FT1, with the identifiers of the order that follows it or of the message's first order."""
    patient = patient_of(message, message.first("PID"), message.first("PV1"))
    shared: dict[str, Segment] = {}
    charges: list[dict[str, Segment]] = []
    for name, fields in message.segments:
        if name == "FT1":
            charges.append({"FT1": fields})
        elif name in ("ORC", "OBR", "IPC", "ZDS"):
            (charges[-1] if charges else shared).setdefault(name, fields)
    if not charges:
        message.defect("FT1", "missing")
    for segments in charges:
        _add_charge(message, {**shared, **segments}, patient, parsed)


def _add_charge(message: Message, segments: dict[str, Segment], patient: Patient, parsed: Parsed) -> None:
    found = read(message, segments, CHARGE)
    if not found.get("charge_code"):
        message.defect("FT1-25", "missing")
        return
    modifiers = [message.part(r, 1) for r in message.repetitions(segments.get("FT1", NO_SEGMENT)[MODIFIERS])]
    known = {name: value for name, value in identify(message, segments).items() if value}
    row = {
        **message.common, **found, **known, **patient.identity, **patient.visit_id,
        "modifiers": "^".join(m for m in modifiers if m) or None,
    }  # fmt: skip
    parsed.add("charge", message.position, row)
