"""What an order or result asks for: its numbers and its procedure, the same in every message that has an OBR."""

from __future__ import annotations

from typing import Any

from etl.procedures import is_loinc
from etl.sources.hl7_fields import Table, read, table
from etl.sources.hl7_imaging import modality_of
from etl.sources.hl7_message import NO_SEGMENT, Message, Segment

IDENTIFIERS = table("""
placer_id                                                       ORC-2       EI      4.5.1.2
placer_id                                                       OBR-2       EI      4.5.3.2
filler_id                                                       ORC-3       EI      4.5.1.3
filler_id                                                       OBR-3       EI      4.5.3.3
requested_procedure_id                                          IPC-2       ST      4.5.6.2
requested_procedure_id                                          OBR-19      ST      4.5.3.19
study_uid                                                       ZDS-1       ST      IHE-RAD-4.4
study_uid                                                       IPC-3       ST      4.5.6.3
""")

#: Accession numbers by the address a site may choose; the chosen one first, then OBR-18 and IPC-1.
ACCESSION = {
    row.address: Table([row])
    for row in table("""
accession                                                       OBR-18      ST      IHE-RAD-4.4
accession                                                       IPC-1       ST      4.5.6.1
accession                                                       OBR-3       ST      4.5.3.3
accession                                                       OBR-2       ST      4.5.3.2
accession                                                       OBR-19      ST      4.5.3.19
accession                                                       OBR-20      ST      4.5.3.20
""")
}
ACCESSION_DEFAULT = ("OBR-18", "IPC-1")

PROCEDURE = table("""
procedure_code,procedure_text,procedure_system,alternate_code,alternate_text,alternate_system OBR-4 CWE 4.5.3.4
""")

#: Read on its own: OBR-44 is the second coding where OBR-4 has no alternate, or where it is LOINC.
SECOND_CODING = table("""
alternate_code,alternate_text,alternate_system                  OBR-44      CWE3    4.5.3.44
""")

#: OBR-45 modifiers (CPT) that state a side.
SIDES = {"LT": "L", "RT": "R", "50": "B"}


def identify(message: Message, segments: dict[str, Segment]) -> dict[str, Any]:
    """Identifier columns of one group, with the accession number from the place the site chose."""
    return add_accession(message, segments, read(message, segments, IDENTIFIERS))


def add_accession(message: Message, segments: dict[str, Segment], found: dict[str, Any]) -> dict[str, Any]:
    """`found` with the accession number from the place the site chose."""
    for address in dict.fromkeys((message.sender.accession, *ACCESSION_DEFAULT)):
        rows = ACCESSION.get(address)
        if rows is not None and not found.get("accession"):
            found.update(read(message, segments, rows))
    return found


def procedure_of(message: Message, segments: dict[str, Segment]) -> dict[str, Any]:
    """Procedure columns of one group, with modality and laterality."""
    return add_procedure(message, segments, read(message, segments, PROCEDURE))


def add_procedure(message: Message, segments: dict[str, Segment], found: dict[str, Any]) -> dict[str, Any]:
    """`found`, which has what `PROCEDURE` reads, with second coding, modality and laterality."""
    request = segments.get("OBR", NO_SEGMENT)
    if request[44]:
        second = read(message, segments, SECOND_CODING)
        if not found.get("alternate_code") or is_loinc(second.get("alternate_system")):
            found.update(second)
    found["modality"] = modality_of(segments, message)
    if request[45]:
        for repetition in message.repetitions(request[45]):
            found["laterality"] = SIDES.get(message.part(repetition, 1)) or found.get("laterality")
    return found
