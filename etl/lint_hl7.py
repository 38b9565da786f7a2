"""Conformance of one HL7 v2 file: hl7apy against the structures of the declared version, and our own reading beside it.

Findings name the place, the rule and the chapter, never a value of the message. hl7apy takes tens of milliseconds a
message: this is for looking at a sender's sample, not for the bulk path.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hl7apy import load_reference
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import ChildNotFound, HL7apyException, UnsupportedVersion
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from etl.lint import Finding, Severity
from etl.site import Site
from etl.sources import hl7
from etl.sources.hl7_text import as_bytes, decode, spans

#: Segment -> section of the standard (version 2.5.1 numbering) that defines it.
CHAPTERS: dict[str, str] = {
    "MSH": "2.14.9", "NTE": "2.14.10", "SFT": "2.14.12", "EVN": "3.4.1", "PID": "3.4.2", "PV1": "3.4.3", "PV2": "3.4.4",
    "NK1": "3.4.5", "AL1": "3.4.6", "MRG": "3.4.9", "PD1": "3.4.10", "ORC": "4.5.1", "OBR": "4.5.3", "TQ1": "4.5.4",
    "TQ2": "4.5.5", "IPC": "4.5.6", "FT1": "6.5.1", "DG1": "6.5.2", "PR1": "6.5.4", "GT1": "6.5.5", "IN1": "6.5.6",
    "OBX": "7.4.2", "SPM": "7.4.3", "TXA": "9.6.1", "SCH": "10.6.2", "RGS": "10.6.3", "AIS": "10.6.4", "AIG": "10.6.5",
    "AIL": "10.6.6", "AIP": "10.6.7", "CTD": "11.6.4", "ZDS": "IHE RAD TF-2 4.4",
}  # fmt: skip
#: Message type -> chapter of its structure.
STRUCTURES: dict[str, str] = {
    "ADT": "3.3", "ORM": "4.4.1", "OMG": "4.4.4", "OMI": "4.4.12", "ORU": "7.3", "OUL": "7.3", "MDM": "9.5",
    "SIU": "10.4", "DFT": "6.4",
}  # fmt: skip

#: Table 0354: triggers that share the structure of another, of version 2.5 on -> that structure.
SHARED_STRUCTURES: dict[str, str] = {
    f"{kind}_{trigger}": f"{kind}_{structure}"
    for kind, structure, triggers in (
        ("ADT", "A01", "A04 A08 A13"),
        ("ADT", "A05", "A14 A28 A31"),
        ("ADT", "A06", "A07"),
        ("ADT", "A09", "A10 A11 A12"),
        ("ADT", "A21", "A22 A23 A25 A26 A27 A29 A32 A33"),
        ("ADT", "A30", "A34 A35 A36 A46 A47 A48 A49"),
        ("ADT", "A39", "A40 A41 A42"),
        ("ADT", "A43", "A44"),
        ("ADT", "A50", "A51"),
        ("MDM", "T01", "T03 T05 T07 T09 T11"),
        ("MDM", "T02", "T04 T06 T08 T10"),
        ("ORU", "R30", "R31 R32"),
    )
    for trigger in triggers.split()
}
#: Reports that are no finding: hl7apy asks for every alternative of a choice, and MSH-9.3 may be our addition.
_OURS = ("_SUPPGRP.", "<Field MSH_9 ")

#: What hl7apy reports -> rule. Groups: `place` is the element, other groups fill the text; values are never captured.
_REPORTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Missing required child (?P<place>[\w.]+)$"), "required but missing"),
    (re.compile(r"Child limit exceeded (?P<place>[\w.]+)$"), "occurs more often than allowed"),
    (re.compile(r"Exceeded max length \((?P<limit>\d+)\) of (?P<place>[\w.]+)$"), "longer than {limit} characters"),
    (re.compile(r"Value .* not in table (?P<table>\w+) in element (?P<place>[\w.]+)$"), "code not in {table}"),
    (re.compile(r"Datatype \w+ is not correct for (?P<place>[\w.]+) .*$"), "parts that its data type does not have"),
    (
        re.compile(r"Invalid children detected for <\w+ (?P<place>[\w.]+)\b.*$"),
        "holds an element that is not defined here",
    ),
    (re.compile(r"Unknown element found: .*$"), "element of no known name"),
    (re.compile(r"Invalid element found: .*$"), "element that the version does not define"),
)


def lint(data: bytes) -> list[Finding]:
    """Findings of every message of a file, in message order. Never raises for what the file holds."""
    parsed = hl7.parse(data, Site())
    found = [Finding(r.position, "error", "MSH", hl7.REASONS[r.reason], CHAPTERS["MSH"]) for r in parsed.rejected]
    found += [
        Finding(d.position, "error", d.field, d.reason.replace("_", " "), _chapter(d.field)) for d in parsed.defects
    ]
    rejected = {r.position for r in parsed.rejected}
    data = as_bytes(data)
    for position, (start, end) in enumerate(spans(data)):
        if position not in rejected:
            found += _conformance(position, decode(data[start:end])[0])
    return sorted(found, key=lambda finding: finding.position)


def _conformance(position: int, text: str) -> list[Finding]:
    lines = [line for line in text.replace("\n", "\r").split("\r") if line.strip()]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        report.touch(mode=0o600)
        try:
            message = parse_message(_with_structure(lines), validation_level=VALIDATION_LEVEL.TOLERANT)
            Validator.validate(message, report_file=str(report))
        except UnsupportedVersion:
            return [Finding(position, "error", "MSH-12", "version that hl7apy does not know", CHAPTERS["MSH"])]
        except (HL7apyException, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
            if not report.stat().st_size:
                rule = f"hl7apy cannot read the message ({type(error).__name__})"
                return [Finding(position, "error", "message", rule, CHAPTERS["MSH"])]
        reports = report.read_text("utf-8").split("\n")
        return [_finding(position, line) for line in reports if line and not any(text in line for text in _OURS)]


def _with_structure(lines: list[str]) -> str:
    """The message with the structure of table 0354 in MSH-9.3, where hl7apy does not know the declared one."""
    fields = lines[0].split(lines[0][3], 12)
    component = fields[1][:1]
    kind = fields[8].split(component) if component else [fields[8]]
    structure = kind[2] if len(kind) > 2 else "_".join(kind)
    version = fields[11].split(component)[0].strip() if len(fields) > 11 else ""
    shared = SHARED_STRUCTURES.get("_".join(kind[:2]))
    if shared:
        try:
            load_reference(structure, "Message", version)
        except ChildNotFound:
            fields[8] = component.join([*kind[:2], shared])
    return "\r".join([lines[0][3].join(fields), *lines[1:]])


def _finding(position: int, line: str) -> Finding:
    kind, _, text = line.partition(": ")
    severity: Severity = "error" if kind == "Error" else "warning"
    for pattern, rule in _REPORTS:
        match = pattern.match(text)
        if match:
            groups = match.groupdict()
            field = _address(groups.get("place") or "message")
            return Finding(position, severity, field, rule.format(**groups), _chapter(field))
    return Finding(position, severity, "message", "not conformant", CHAPTERS["MSH"])


def _address(place: str) -> str:
    """`PID.PID_3` -> PID-3; `PID_3.CX_1` -> PID-3.1; a group stays a name."""
    names = place.split(".")
    parts = [name.split("_") for name in names]
    owner, last = parts[0], parts[-1]
    if any(len(part) > 2 for part in parts) or len(last) != 2 or not last[1].isdigit():
        return names[-1]
    if len(names) > 1 and len(owner) == 2 and owner[1].isdigit():
        return f"{owner[0]}-{owner[1]}.{last[1]}"
    return f"{last[0]}-{last[1]}"


def _chapter(field: str) -> str:
    segment, _, number = field.partition("-")
    section = CHAPTERS.get(segment)
    if section and number and section[0].isdigit():
        return f"{section}.{number.partition('.')[0]}"
    return section or STRUCTURES.get(field[:3], "2.5")
