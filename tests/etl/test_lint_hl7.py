"""Conformance findings: place, rule and chapter, and never a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.lint import Finding
from etl.lint_hl7 import lint
from tests.etl.hl7_lines import message

EVN = "EVN||20260115090000"
PID = "PID|1||M1^^^NORTH^MR||Doe^Jane||19680412|F"
PV1 = "PV1|1|O"
GOOD = message("ADT^A04^ADT_A01", EVN, PID, PV1)


def test_a_conformant_message_has_no_findings() -> None:
    assert lint(GOOD) == []


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (GOOD.replace(b"\rPV1|1|O", b""), Finding(0, "error", "PV1", "required but missing", "3.4.3")),
        (GOOD.replace(b"PV1|1|O", b"PV1|1|"), Finding(0, "error", "PV1-2", "required but missing", "3.4.3.2")),
        (GOOD.replace(b"PV1|1|O", b"PV1|1|SECRET"), Finding(0, "warning", "PV1-2", "code not in HL70004", "3.4.3.2")),
        (GOOD.replace(b"|M1^", b"|^"), Finding(0, "error", "PID-3", "missing", "3.4.2.3")),
        (GOOD.replace(b"19680412", b"1968-04-12"), Finding(0, "error", "PID-7", "not a date", "3.4.2.7")),
        (
            GOOD.replace(b"|2.5.1", b"|9.9"),
            Finding(0, "error", "MSH-12", "version that hl7apy does not know", "2.14.9"),
        ),
        (b"PID|1||M1\r", Finding(0, "error", "MSH", "the bytes are no HL7 message: no MSH segment", "2.14.9")),
    ],
)
def test_findings(data: bytes, finding: Finding) -> None:
    found = lint(data)
    assert finding in found
    assert not any("SECRET" in f.rule + f.field for f in found)


def test_position_of_each_message() -> None:
    bad = GOOD.replace(b"PV1|1|O", b"PV1|1|")
    assert {f.position for f in lint(GOOD + bad + GOOD + bad)} == {1, 3}


@pytest.mark.parametrize("trigger", ["ADT^A04", "ADT^A08", "ADT^A04^ADT_A04", "ADT^A28", "ADT^A31^ADT_A31"])
def test_structures_that_triggers_share(trigger: str) -> None:
    """Table 0354: A04 and A08 have the structure of A01, A28 and A31 that of A05."""
    assert lint(message(trigger, EVN, PID, PV1)) == []


def test_alternatives_of_a_choice_are_not_all_required(fixtures: Path) -> None:
    assert lint((fixtures / "hl7/hl7v2-fhir-bridge/orm_o01_new.hl7").read_bytes()) == []


def test_no_value_of_any_sample_appears(fixtures: Path) -> None:
    """None of the patients' names, numbers and places is in a finding."""
    paths = sorted((fixtures / "hl7").glob("hl7v2-fhir-bridge/*.hl7"))
    for path in [*paths, fixtures / "hl7/fhir-converter/ADT-A01-01.hl7"]:
        words = {word for f in lint(path.read_bytes()) for word in f"{f.field} {f.rule}".split()}
        assert not words & {"SYN100234", "JOSÉ", "Sampleton", "ORD1001", "PATID1234", "EVERYMAN", "HOMERTON"}, path.name


@pytest.mark.parametrize(
    "data", [b"", b"MSH|^~\\&|", b"\x00\xff" * 50, GOOD[:60], GOOD + b"ZZZ|1|x\rQ9|\r", GOOD.replace(b"|", b"!")]
)
def test_hostile_input_is_a_finding_and_no_exception(data: bytes) -> None:
    assert isinstance(lint(data), list)
