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
from tests.bench.hl7_feed import messages
from tests.bench.parsers import measure

SITE = Site(
    facilities=(Facility("NORTH", "Northgate", "America/New_York"),),
    senders=(Sender("RISB", "NORTH", accession="IPC-1"),),
)
_PLACES = """
MSH-3 MSH-4 MSH-7 MSH-9 MSH-9.2 MSH-10 PID-3 PID-3.4 PID-5 PID-7 PID-8 PV1-2 PV1-3 PV1-19 ORC-1 ORC-2 ORC-3 ORC-5
ORC-9 OBR-4 OBR-4.2 OBR-7 OBR-18 OBR-22 OBR-24 OBR-25 OBR-32 OBX-5 SCH-2 AIS-4
"""
#: Fields of the scan, each a column named by its place.
SCAN = table("\n".join(f"{place} {place} ST 2" for place in _PLACES.split()))


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
    parser processes, by the clock; `two_apart` is what two of one process each get of this machine.
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
        taken = measure(Path(folder), *((10, 3) if quick else (40, 5)))  # enough that no last file counts
        return found | {f"pool_{key}": value for key, value in taken.items()}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
