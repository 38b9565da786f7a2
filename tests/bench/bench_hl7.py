"""HL7 v2 -> typed records: microseconds of CPU a message, beside the Python packages on the same bytes.

The mix is that of a radiology feed: new and status orders, bookings, arrivals, preliminary and final reports. Peers
only parse; ours also decodes, decides, converts times to UTC and fills the rows of the warehouse.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hl7 as python_hl7
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from etl import rows_twin
from etl.parsing import message_hash
from etl.records import Rows
from etl.row_frames import frames_of
from etl.site import Facility, Sender, Site
from etl.sources import hl7, hl7_twin
from etl.sources.hl7_fields import table
from etl.sources.hl7_message import tokenize
from etl.sources.hl7_text import Delimiters, spans
from tests.bench.parsers import measure

SITE = Site(
    facilities=(Facility("NORTH", "Northgate", "America/New_York"),),
    senders=(Sender("RISB", "NORTH", accession="IPC-1"),),
)
_PID = "PID|1||M{n:06d}^^^NORTH^MR~E{n:07d}^^^NET^PI||Doe^Jane^Q||19680412|F|||1 Example St^^Sampleton^NY^10001^USA"
_PV1 = "PV1|1|E|ED^A^01^NORTH||||1001^Roe^Ann^B^^DR^MD^^NPI|||SUR|||||||||V{n:06d}^^^NORTH^VN"
_OBR = (
    "OBR|1|P{n:06d}^HIS|F{n:06d}^RISB|CT123^CT HEAD W/O CONTRAST^L^24725-4^CT Head^LN|||202601151012|20260115102500|||"
    "|||||1001^Roe^Ann^B^^DR^MD^^NPI||A{n:06d}|RP{n:06d}|SPS{n:06d}||20260115113000||CT|{status}||1^^^20260115101500^^R||||"
    "R51^Headache^I10|9&Reed&Rae&&&&&&NPI^20260115112000^20260115112900|8&Fox&Fay&&&&&&NPI|7&Tran&Tim"
)
_ORC = "ORC|{control}|P{n:06d}^HIS|F{n:06d}^RISB||{status}||||20260115094500|||1001^Roe^Ann^B^^DR^MD^^NPI"
_TQ1 = "TQ1|1||||||20260115101500||R^Routine^HL70485"
_IPC = "IPC|A{n:06d}|RP{n:06d}|2.25.{n:06d}|SPS{n:06d}|CT^Computed Tomography^DCM||CT_ROOM||NORTH_CT1"
_OBX = "OBX|{i}|TX|&GDT^Findings|1|Paragraph {i} of the report: no acute abnormality is seen in the region.||||||F"
_SCH = "SCH|AP{n:06d}^HIS|AF{n:06d}^RISB||||ROUTINE|||30|MIN|^^^20260120100000|||||||||||||||P{n:06d}^HIS|F{n:06d}^RISB"
_AIS = "AIS|1||CT123^CT HEAD W/O CONTRAST^L|20260120100000|||30|min"

_PLACES = """
MSH-3 MSH-4 MSH-7 MSH-9 MSH-9.2 MSH-10 PID-3 PID-3.4 PID-5 PID-7 PID-8 PV1-2 PV1-3 PV1-19 ORC-1 ORC-2 ORC-3 ORC-5
ORC-9 OBR-4 OBR-4.2 OBR-7 OBR-18 OBR-22 OBR-24 OBR-25 OBR-32 OBX-5 SCH-2 AIS-4
"""
#: Fields of the scan, each a column named by its place.
SCAN = table("\n".join(f"{place} {place} ST 2" for place in _PLACES.split()))

#: MSH-9 and segments of each message of an exam, in order.
MIX: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ADT^A04^ADT_A01", ("EVN|A04|20260115090000||||20260115085500", _PID, _PV1)),
    ("OMI^O23^OMI_O23", (_PID, _PV1, _ORC.replace("{control}", "NW"), _TQ1, _OBR, _IPC)),
    ("SIU^S12^SIU_S12", (_SCH, _PID, _PV1, "RGS|1", _AIS, "AIL|1||CT_ROOM^^^NORTH")),
    ("OMI^O23^OMI_O23", (_PID, _PV1, _ORC.replace("{control}", "SC"), _TQ1, _OBR, _IPC)),
    ("ORU^R01^ORU_R01", (_PID, _PV1, _OBR, *(_OBX.replace("{i}", str(i)) for i in range(1, 9)))),
    ("ORU^R01^ORU_R01", (_PID, _PV1, _OBR, *(_OBX.replace("{i}", str(i)) for i in range(1, 13)))),
)


def messages(count: int) -> list[str]:
    """The mix, over and over, with identifiers of its own for each exam."""
    made = []
    for n in range(count):
        kind, lines = MIX[n % len(MIX)]
        status = ("", "SC", "", "CM", "P", "F")[n % len(MIX)]
        head = f"MSH|^~\\&|RISB|NORTH|HUB|NET|20260115094500-0500||{kind}|C{n:08d}|P|2.5.1||||||UNICODE UTF-8"
        made.append("\r".join([head, *(line.format(n=n // len(MIX), status=status) for line in lines)]) + "\r")
    return made


def _cpu_us(work: Callable[[], Any], count: int, rounds: int) -> float:
    """Median over the rounds of CPU microseconds a message."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append((time.process_time() - start) / count * 1e6)
    return statistics.median(taken)


def _hl7apy(texts: list[str]) -> None:
    for text in texts:
        parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT)


def _python_hl7(texts: list[str]) -> None:
    for text in texts:
        python_hl7.parse(text)


def _split(data: bytes) -> None:
    """What any reader in Python must at least do: split every line of every message at its separators."""
    for line in data.decode().split("\r"):
        line.split("|")


@dataclass
class _Scanned:
    """The little that a reader of text asks of its message."""

    delimiters: Delimiters
    part: Callable[..., str]
    components: Callable[[str], list[str]]

    def defect(self, field: str, reason: str) -> None:
        """Nobody counts them here."""


def scan(data: bytes) -> Rows:
    """Every message as a row of text: framing, character set, delimiters, escapes, repetitions, the wanted fields."""
    rows = Rows(tuple(row.column for row in SCAN))
    for position, (start, end) in enumerate(spans(data)):
        tools, segments, _ = tokenize(data[start:end])
        first = dict(reversed(segments))
        scanned = _Scanned(tools.marks, tools.part, tools.components)
        rows.add(position, tools.dialect.read(scanned, first, SCAN.plan))
    return rows


def _ready(data: bytes) -> None:
    """All that a parser process does: rows, the hash of each message for the ledger, and frames for the store."""
    parsed = hl7.parse(data, SITE)
    for message in hl7.messages(data):
        message_hash(message)
    frames_of("file", parsed)


def _twin(data: bytes, count: int, rounds: int) -> dict[str, float]:
    return {
        "scan_us": _cpu_us(lambda: scan(data), count, rounds),
        "rows_us": _cpu_us(lambda: hl7.parse(data, SITE), count, rounds),
        "ready_us": _cpu_us(lambda: _ready(data), count, rounds),
    }


def run(quick: bool = False) -> dict[str, Any]:
    """Measure; `quick` takes seconds. Keys ending in `_us` are CPU microseconds a message.

    Of each twin: `scan` is bytes to 30 fields as text, `rows` to typed rows, `ready` to frames and hashes.
    Ratios say how many times as long a peer takes to parse the same messages. `pool` is files of 100 messages in the
    parser processes, by the clock.
    """
    count, peers = (3_000, 24) if quick else (30_000, 300)
    texts = messages(count)
    data = "".join(texts).encode()
    parsed = hl7.parse(data, SITE)
    found: dict[str, Any] = {
        "n_messages": count,
        "mean_bytes": round(len(data) / count),
        "n_rows": sum(rows.n for rows in parsed.rows.values()),
        "n_rejected": len(parsed.rejected),
        "split_us": _cpu_us(lambda: _split(data), count, 3),
        "python_hl7_us": _cpu_us(lambda: _python_hl7(texts[:peers]), peers, 1),
        "hl7apy_us": _cpu_us(lambda: _hl7apy(texts[:peers]), peers, 1),
    }
    kernel = hl7_twin.BUILT
    for name, twin in (("compiled", kernel), ("plain", None)):
        if name == "compiled" and kernel is None:
            continue
        before = hl7_twin.KERNEL, rows_twin.KERNEL
        hl7_twin.KERNEL, rows_twin.KERNEL = twin, twin and rows_twin.BUILT
        try:
            took = _twin(data, count, 3 if quick else 5)
        finally:
            hl7_twin.KERNEL, rows_twin.KERNEL = before
        found |= {f"{name}_{key}": value for key, value in took.items()}
        for peer in ("hl7apy", "python_hl7"):
            for key, value in took.items():
                found[f"{name}_{key.removesuffix('_us')}_{peer}_ratio"] = found[f"{peer}_us"] / value
    with TemporaryDirectory() as folder:
        for number in range(0, 3_000, 100):
            Path(folder, f"{number:05d}.hl7").write_text("".join(texts[number : number + 100]), "utf-8")
        return found | {f"pool_{key}": value for key, value in measure(Path(folder), 5, 3 if quick else 5).items()}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
