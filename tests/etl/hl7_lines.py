"""Helpers of the HL7 tests: messages from lines, and the site that they come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from etl.records import Parsed
from etl.site import Facility, Sender, Site
from etl.sources import hl7

#: A site with one mapped sender; New York is 5 hours behind UTC in January.
SITE = Site(
    name="test",
    facilities=(Facility("NORTH", "Northgate", "America/New_York", "teaching", ("NGTH",)),),
    senders=(
        Sender(
            "RIS",
            "NGTH",
            status={"AR": "arrived", "IA": "images_available", "PR": "protocoled"},
            result_status={"PARTIAL": "preliminary"},
            obx={
                "OUTPRIOR": "outside_prior",
                "OUTMOD": "outside_modality",
                "OUTREGION": "outside_body_part",
                "CRITCAT": "critical_category",
                "CRITFOUND": "critical_found",
                "CRITCOMM": "critical_communicated",
            },
            radiology=("XRAYDEPT",),
        ),
        Sender("IPCRIS", "NGTH", accession="IPC-1"),
        Sender("OLDRIS", "NGTH", accession="OBR-3"),
    ),
)
PID = "PID|1||M1^^^NORTH^MR||Doe^Jane||19680412|F"


def message(kind: str, *lines: str, app: str = "RIS", at: str = "20260115090000", version: str = "2.5.1") -> bytes:
    """One message with MSH in front: `kind` is MSH-9."""
    head = f"MSH|^~\\&|{app}|NGTH|HUB|NET|{at}||{kind}|C1|P|{version}"
    return "\r".join([head, *lines]).encode() + b"\r"


def segment(name: str, fields: dict[int, str]) -> str:
    """A segment with the given fields, by number."""
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def parse(data: bytes) -> Parsed:
    return hl7.parse(data, SITE)


def rows(parsed: Parsed, record: str) -> list[dict[str, Any]]:
    return list(parsed.records(record))


def one(parsed: Parsed, record: str) -> dict[str, Any]:
    found = rows(parsed, record)
    assert len(found) == 1, [row.get("code") for row in found]
    return found[0]


def events(parsed: Parsed) -> list[tuple[str, str, datetime | None]]:
    """(code, origin, at) of every event, in order."""
    return [(row["code"], row["origin"], row["at"]) for row in rows(parsed, "event")]


def defects(parsed: Parsed) -> list[tuple[str, str]]:
    return [(defect.field, defect.reason) for defect in parsed.defects]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)
