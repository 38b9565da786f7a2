"""Rejection notes and dose reports, built with pydicom as their templates say (PS3.16 TID 2010, 10001, 10011)."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests.etl import dicom_made as made
from tests.etl.dicom_made import code, dataset


def document(sop_class: str, title: str, content: list[Dataset], **fields: Any) -> Dataset:
    return dataset(
        SpecificCharacterSet="ISO_IR 192", SOPClassUID=sop_class, SOPInstanceUID="1.2.3.9.1", StudyDate="20260115",
        ContentDate="20260115", ContentTime="103000", AccessionNumber="A1", Modality="SR",
        InstitutionName="Northgate Hospital", PatientID="M1", IssuerOfPatientID="NORTH", StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.9", ValueType="CONTAINER", ConceptNameCodeSequence=[code(title)],
        ContinuityOfContent="SEPARATE", **fields, ContentSequence=content,
    )  # fmt: skip


def item(kind: str, name: str, **fields: Any) -> Dataset:
    return dataset(RelationshipType="CONTAINS", ValueType=kind, ConceptNameCodeSequence=[code(name)], **fields)


def reference(uid: str) -> Dataset:
    return dataset(ReferencedSOPClassUID=made.CT, ReferencedSOPInstanceUID=uid)


def rejection_note(title: str = "113001", *, has_evidence: bool = True) -> Dataset:
    """A note that rejects two images of one series."""
    references = [reference("1.2.3.4.1"), reference("1.2.3.4.2")]
    series = dataset(SeriesInstanceUID="1.2.3.4", ReferencedSOPSequence=references)
    evidence = dataset(StudyInstanceUID="1.2.3", ReferencedSeriesSequence=[series])
    content = [
        item("CODE", "113011", ConceptCodeSequence=[code("111209", "Positioning")]),
        item("PNAME", "121008", PersonName="Tran^Tim"),
        *(dataset(RelationshipType="CONTAINS", ValueType="IMAGE", ReferencedSOPSequence=[one]) for one in references),
    ]
    held = {"CurrentRequestedProcedureEvidenceSequence": [evidence]} if has_evidence else {}
    return document(made.KOS, title, content, **held)


@pytest.mark.parametrize("title", ["113001", "113037", "113038", "113039"])
def test_a_rejection_note_rejects_each_referenced_image(title: str) -> None:
    parsed = made.parse(made.file_of(rejection_note(title)))
    assert parsed.rejected == []
    first, second = made.rows(parsed, "reject")
    assert first["sop_hash"] != second["sop_hash"]
    assert {**first, "sop_hash": None, "row_number": 0} == {**second, "sop_hash": None, "row_number": 0}
    expected = {
        "title_code": title, "reason_code": "111209", "operator": "Tran^Tim", "series_uid": "1.2.3.4",
        "study_uid": "1.2.3", "accession": "A1", "patient_id": "M1", "patient_authority": "NORTH",
        "at": made.utc("2026-01-15T15:30:00"), "at_precision": "second", "at_zone_source": "facility",
        "facility_alias": "Northgate Hospital", "standard": "dicom",
    }  # fmt: skip
    assert {name: first[name] for name in expected} == expected
    assert "instance" not in parsed.rows


def test_the_rejected_image_has_the_hash_of_its_instance() -> None:
    rejected = made.rows(made.parse(made.file_of(rejection_note())), "reject")
    taken = made.one(made.parse(made.file_of(made.image(SOPInstanceUID="1.2.3.4.1"))))
    assert taken["sop_hash"] == rejected[0]["sop_hash"]


def test_without_evidence_the_content_names_the_images() -> None:
    with_evidence = made.rows(made.parse(made.file_of(rejection_note())), "reject")
    without = made.rows(made.parse(made.file_of(rejection_note(has_evidence=False))), "reject")
    assert [row["sop_hash"] for row in without] == [row["sop_hash"] for row in with_evidence]
    assert [row["series_uid"] for row in without] == [None, None]


@pytest.mark.parametrize("title", ["113000", "113030", "113010"])  # of interest, manifest, quality issue
def test_other_key_object_documents_say_nothing(title: str) -> None:
    parsed = made.parse(made.file_of(rejection_note(title)))
    assert (parsed.rejected, parsed.rows) == ([], {})


def measured(name: str, value: str, unit: str) -> Dataset:
    number = dataset(NumericValue=value, MeasurementUnitsCodeSequence=[code(unit, unit, "UCUM")])
    return item("NUM", name, MeasuredValueSequence=[number])


def dose_report() -> Dataset:
    """Two CT acquisitions (one without dose) and one X-ray event."""
    numbers = [measured("113830", "12.5", "mGy"), measured("113838", "430", "mGy.cm")]
    dose = item("CONTAINER", "113829", ContentSequence=numbers)
    content = [
        item("DATETIME", "113809", DateTime="20260115100000"),
        item("CONTAINER", "113819", ContentSequence=[item("UIDREF", "113769", UID="1.7.1"), dose]),
        item("CONTAINER", "113819", ContentSequence=[item("UIDREF", "113769", UID="1.7.2")]),
        item("CONTAINER", "113706", ContentSequence=[
            item("UIDREF", "113769", UID="1.7.3"),
            item("DATETIME", "111526", DateTime="20260115101500-0600"),
            measured("122130", "21", "dGy.cm2"),
        ]),
    ]  # fmt: skip
    return document(made.SR_DOSE, "113701", content)


def test_a_dose_report_gives_a_row_an_irradiation_event() -> None:
    parsed = made.parse(made.file_of(dose_report()))
    assert made.defects(parsed) == []
    columns = ("irradiation_uid", "ctdi_vol", "dlp", "dap", "at", "at_zone_source", "accession", "study_uid")
    assert [tuple(row[name] for name in columns) for row in made.rows(parsed, "dose")] == [
        ("1.7.1", 12.5, 430.0, None, made.utc("2026-01-15T15:00:00"), "facility", "A1", "1.2.3"),
        ("1.7.2", None, None, None, made.utc("2026-01-15T15:00:00"), "facility", "A1", "1.2.3"),
        ("1.7.3", None, None, pytest.approx(21e-5), made.utc("2026-01-15T16:15:00"), "offset", "A1", "1.2.3"),
    ]
    assert "instance" not in parsed.rows


def test_an_unknown_unit_gives_no_number() -> None:
    content = [item("CONTAINER", "113706", ContentSequence=[measured("122130", "21", "R.cm2")])]
    parsed = made.parse(made.file_of(document(made.SR_DOSE, "113701", content)))
    assert made.rows(parsed, "dose")[0]["dap"] is None
    assert made.defects(parsed) == [("0040,A30A", "unknown unit")]


@pytest.mark.parametrize(
    "sop_class",
    [
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.11.1",  # Grayscale Softcopy Presentation State
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose
        "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
        "1.2.840.10008.1.3.10",  # Media Storage Directory
    ],
)
def test_objects_that_are_no_images_are_kept_without_rows(sop_class: str) -> None:
    parsed = made.parse(made.file_of(made.image(SOPClassUID=sop_class)))
    assert (parsed.read, parsed.rejected, parsed.rows) == (1, [], {})
