"""HL7 v2 (2.1 to 2.8, ER7): a file of messages -> typed records. Judges nothing; site habits are in the site file."""

from __future__ import annotations

from collections.abc import Callable

from etl.records import Parsed, Rejected
from etl.site import Site
from etl.sources.hl7_charge import add_charge_message
from etl.sources.hl7_document import add_document_message
from etl.sources.hl7_message import Message
from etl.sources.hl7_order import add_order_message
from etl.sources.hl7_patient import Identifier, add_patient_message, add_same
from etl.sources.hl7_result import add_result_message
from etl.sources.hl7_schedule import add_schedule_message
from etl.sources.hl7_text import MAX_MESSAGE_BYTES, Unusable, as_bytes, spans

#: Why a message is unusable.
REASONS: dict[str, str] = {
    "no_msh": "the bytes are no HL7 message: no MSH segment",
    "bad_delimiters": "MSH-1 or MSH-2 cannot be used",
    "truncated_msh": "the message ends inside MSH",
    "no_message_type": "MSH-9 is empty",
    "no_segments": "nothing follows MSH",
    "too_large": "longer than 16 MiB",
    "too_many_segments": "more than 20,000 segments",
    "unsupported_type": "MSH-9 names no message type of the standard",
}

#: Pairs of patient identifiers that a file has stated to be the same.
Said = set[tuple[Identifier, Identifier]]
Handler = Callable[[Message, Parsed], None]

#: MSH-9.1 (table 0076) -> what reads it.
HANDLERS: dict[str, Handler] = {
    "ORM": add_order_message, "OMG": add_order_message, "OMI": add_order_message,
    "ORR": add_order_message, "ORG": add_order_message, "ORI": add_order_message,
    "ORU": add_result_message, "OUL": add_result_message,
    "MDM": add_document_message,
    "SIU": add_schedule_message,
    "ADT": add_patient_message,
    "DFT": add_charge_message,
}  # fmt: skip

#: Types of table 0076 that hold nothing for us: kept, without rows.
KNOWN_TYPES = frozenset(
    """ACK ADR ARD BAR BPS BRP BRT BTS CCF CCI CCM CCQ CCR CCU CQU CRM CSU DBC DBU DEL DEO DER DES DEU DFI DOC DPR DRC
    DRG DSR EAC EAN EAR EHC ESR ESU INR INU LSR LSU MCF MFD MFK MFN MFQ MFR NMD NMQ NMR OMB OMD OML OMN OMP OMQ OMS OPL
    OPR OPU ORA ORB ORD ORF ORL ORN ORP ORS ORX OSF OSM OSQ OSR OSU PEX PGL PIN PMU PPG PPP PPR PPT PPV PRR PTR QBP QCK
    QCN QRY QSB QSX QVR RAR RAS RCI RCL RDE RDR RDS RDY REF RER RGR RGV ROR RPA RPI RPL RPR RQA RQC RQI RQP RQQ RRA RRD
    RRE RRG RRI RSP RTB SCN SDN SDR SIR SLN SLR SMD SQM SQR SRM SRR SSR SSU STC STI SUR TBR TCR TCU UDM VQQ VXQ VXR VXU
    VXX""".split()  # noqa: SIM905 - a list of words is easier to check against the table
)


def parse(data: bytes, site: Site) -> Parsed:
    """Every message of a file, in order. Never raises: what cannot be used is counted, with its position and reason."""
    parsed = Parsed("hl7")
    said: Said = set()
    data = as_bytes(data)
    for position, (start, end) in enumerate(spans(data)):
        parsed.read += 1
        try:
            _add(data[start:end], position, site, parsed, said)
        except Unusable as unusable:
            parsed.rejected.append(Rejected(position, unusable.reason, unusable.detail))
    return parsed


def messages(data: bytes) -> list[bytes]:
    """Each message by position, with CR line ends and no blank end, so that it is the same bytes in any framing."""
    data = as_bytes(data)
    found = (data[start:end] for start, end in spans(data))
    if b"\n" in data:
        found = (one.replace(b"\r\n", b"\r").replace(b"\n", b"\r") for one in found)
    return [one.rstrip(b" \t\r") + b"\r" for one in found]


def _add(data: bytes, position: int, site: Site, parsed: Parsed, said: Said) -> None:
    if len(data) > MAX_MESSAGE_BYTES:
        raise Unusable("too_large")
    if data[:3] != b"MSH" or len(data) < 4:
        raise Unusable("no_msh")
    message = Message(data, position, site)
    handler = HANDLERS.get(message.kind)
    if handler is None and message.kind not in KNOWN_TYPES:
        raise Unusable("unsupported_type")
    if handler is not None:
        add_same(message, parsed, said)
        handler(message, parsed)
    parsed.envelopes.add(position, message.envelope())
    parsed.defects += message.defects
