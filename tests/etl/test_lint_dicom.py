"""`radops lint` on DICOM: what is wrong, where, by which chapter; never a value."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.lint_dicom import CHAPTERS, lint
from etl.sources import dicom, sniff
from tests.etl import dicom_made as made
from tests.etl.test_dicom_document import dose_report, rejection_note
from tests.etl.test_dicom_image import full
from tests.etl.test_dicom_json import array_of


def found(data: bytes) -> set[tuple[str, str, str, str]]:
    return {(f.severity, f.field, f.rule, f.chapter) for f in lint(data)}


def test_conformant_objects_have_no_findings() -> None:
    whole = made.image(ReferringPhysicianName="", PatientSex="", PatientBirthDate="", StudyID="")
    for data in (made.file_of(whole), made.file_of(rejection_note()), made.file_of(dose_report()), array_of(whole)):
        assert lint(data) == []


def test_every_reason_has_its_chapter() -> None:
    assert CHAPTERS.keys() == dicom.REASONS.keys()


def test_what_is_missing_or_empty() -> None:
    data = made.file_of(made.image(StudyDate=None, Modality=""))
    assert found(data) == {
        ("error", "0008,0020", "required but missing", "PS3.3 C.7.2.1"),
        ("error", "0008,0060", "required but empty", "PS3.3 C.7.3.1"),
    }


def test_values_against_their_vr_and_number() -> None:
    data = made.file_of(made.image()).replace(b"20260115", b"2026XX15", 1).replace(b"NCT01 ", b"A\\B\\C ")
    assert found(data) == {
        ("error", "0008,0020", "not a date", "PS3.5 6.2"),
        ("warning", "0008,0020", "not a valid DA", "PS3.5 6.2"),
        ("error", "0008,1010", "number of values is not 1", "PS3.6 6"),
    }


def test_bytes_that_are_no_value_are_one_finding() -> None:
    """Rows, which an image must have, of three bytes; pydicom's error would quote them."""
    data = made.file_of(made.image())
    at = data.index(b"\x28\x00\x10\x00US")
    broken = data[: at + 6] + b"\x03\x00Doe" + data[at + 10 :]
    assert found(broken) == {("error", "0028,0010", "value that its VR cannot hold", "PS3.5 6.2")}


def test_an_offset_of_other_digits_is_a_finding() -> None:
    """A superscript two is a digit to Python, but no number."""
    data = made.file_of(made.image(TimezoneOffsetFromUTC="+\u00b2000"))
    assert ("error", "0008,0201", "not an offset", "PS3.5 6.2") in found(data)


def test_changed_octets_are_told_and_never_raised() -> None:
    chance = random.Random(1)  # noqa: S311
    whole = [made.file_of(each) for each in (made.image(), rejection_note(), dose_report(), full())]
    told = 0
    for data in (*whole, array_of(made.image())) * 400:
        changed = bytearray(data)
        for _ in range(chance.choice((1, 2, 5))):
            changed[chance.randrange(132, len(changed))] = chance.randrange(256)
        told += bool(lint(bytes(changed)))
    assert told > 400


def test_a_cut_file_is_one_finding() -> None:
    data = made.file_of(full())
    assert found(data[:-3]) == {("error", "object", dicom.REASONS["truncated"], "PS3.5 7.1")}


def test_findings_never_hold_values() -> None:
    data = made.file_of(made.image(PatientName="Doe^Jane")).replace(b"20260115", b"Zebra115")
    text = json.dumps([asdict(finding) for finding in lint(data)])
    assert "not a valid DA" in text
    assert not any(word in text for word in ("Zebra", "Doe", "M1", "A1"))


def test_no_fixture_breaks_it(fixtures: Path) -> None:
    checked = 0
    for path in sorted((fixtures / "dicom").rglob("*.dcm")):
        data = path.read_bytes()
        if sniff(data) == "dicom" and len(data) < 100_000:
            lint(data)
            checked += 1
    assert checked >= 60


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 3)])
def test_the_verb(tmp_path: Path, name: str, code: int) -> None:
    whole = made.image(Modality="CT" if name == "good" else "")
    (tmp_path / "a.dcm").write_bytes(made.file_of(whole))
    result = CliRunner().invoke(app, ["lint", str(tmp_path / "a.dcm")])
    assert ("dicom: 0 findings" in result.output) is (code == 0)
    assert (result.exit_code == 0) is (code == 0)


def test_object_that_cannot_be_checked_is_said_so() -> None:
    """Our reader skips what it does not want; pydicom stops there, and silence would mean that all conforms."""
    uid = {"vr": "UI", "Value": ["1.2.3"]}
    good = dict.fromkeys(("00080016", "00080018", "0020000D", "0020000E"), uid)
    odd = {**good, "00400100": {"vr": "SQ", "Value": ["x"]}}
    found = [(f.position, f.rule) for f in lint(json.dumps([good, odd, good]).encode()) if f.field == "object"]
    assert found == [(n, "pydicom cannot read it, so its elements were not checked") for n in (1, 2)]
