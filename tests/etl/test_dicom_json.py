"""DICOM JSON (PS3.18 F): the same records from the same field table as Part 10 files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydicom.dataset import Dataset

from etl.sources import dicom, sniff
from tests.etl import dicom_made as made
from tests.etl.test_dicom_document import dose_report, rejection_note
from tests.etl.test_dicom_image import enhanced, full
from tests.etl.test_dicom_step import created, ended


def array_of(*found: Dataset) -> bytes:
    """What a WADO-RS metadata request answers: no pixel data, no file meta."""
    objects: list[Any] = []
    for whole in found:
        told = whole.to_json_dict(bulk_data_threshold=1, bulk_data_element_handler=lambda _: "http://x")
        told.pop("7FE00010", None)
        objects.append(told)
    return json.dumps(objects).encode()


@pytest.mark.parametrize("make", [full, lambda: enhanced(3), rejection_note, dose_report, created, ended])
def test_json_says_what_the_file_says(make: Any) -> None:
    data = array_of(make())
    assert sniff(data) == "dicom"
    from_file, from_json = made.parse(made.file_of(make())), made.parse(data)
    assert from_json.rejected == []
    ours, theirs = made.everything(from_json), made.everything(from_file)
    for row in [row for found in (*ours.values(), *theirs.values()) for row in found]:
        row.pop("transfer_syntax", None)
    assert ours == theirs


def test_each_object_of_an_array_has_its_position_and_its_bytes() -> None:
    bare = made.image(SOPInstanceUID="1.2.9")
    del bare.SeriesInstanceUID
    data = array_of(made.image(), bare, made.image(SOPInstanceUID="1.2.10"))
    parsed = made.parse(data)
    assert (parsed.read, [row["position"] for row in parsed.records("instance")]) == (3, [0, 2])
    assert [(r.position, r.reason) for r in parsed.rejected] == [(1, "missing_uid")]
    messages = dicom.messages(data)
    assert len(messages) == 3
    assert dicom.messages(b"[" + messages[2] + b"]") == [messages[2]]


def test_text_is_unicode_whatever_the_stored_object_was_written_in() -> None:
    whole = made.image(SpecificCharacterSet="ISO_IR 100", OperatorsName="Müller^Jörg")
    assert made.one(made.parse(array_of(whole)))["operator"] == "Müller^Jörg"


def test_the_stored_transfer_syntax() -> None:
    told = json.loads(array_of(made.image()))
    told[0]["00083002"] = {"vr": "UI", "Value": [made.JPEG]}
    assert made.one(made.parse(json.dumps(told).encode()))["transfer_syntax"] == made.JPEG


BAD = (
    b'[{"00080016": {"vr": "UI", "Value": ["1.2"]}}', b'[1, "vr"]', b'{"vr": []}',
    b'[{"00280010": {"vr": "US", "Value": ["x"]}}]',
    b'[{"00280010": {"vr": "US", "Value": [70000]}}]', b'[{"00080016": {"Value": ["vr"]}}]', b'["vr"]', b'{"vr"' * 3,
    b"[" * 100_000 + b'"vr"', b'[{"00080016": {"vr": "UI", "Value": 7}}]',
    b'[{"0040A730": {"vr": "SQ", "Value": ["x"]}}]',
)  # fmt: skip


@pytest.mark.parametrize("data", BAD)
def test_bad_json_is_rejected(data: bytes) -> None:
    parsed = made.parse(data)
    assert parsed.read == len(dicom.messages(data))
    assert set(made.reasons(parsed)) <= {"bad_json", "missing_uid"}
    assert len(parsed.rejected) == parsed.read


def test_nesting_is_bounded() -> None:
    inner: dict[str, Any] = {}
    for _ in range(60):
        inner = {"0040A730": {"vr": "SQ", "Value": [inner]}}
    assert made.reasons(made.parse(json.dumps([inner]).encode())) == ["too_deep"]


def test_an_empty_array_holds_nothing() -> None:
    assert (made.parse(b"[]").read, dicom.messages(b"[]")) == (0, [])
