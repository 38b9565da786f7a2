"""Performed procedure steps: an N-CREATE with everything, an N-SET with what changed (PS3.4 F.7)."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

from tests.etl import dicom_made as made
from tests.etl.dicom_made import code, dataset

STEP = "1.2.9.1"


def created(**fields: Any) -> Dataset:
    scheduled = dataset(StudyInstanceUID="1.2.3", AccessionNumber="A1", RequestedProcedureID="R1")
    whole = dataset(
        SpecificCharacterSet="ISO_IR 192", SOPClassUID=made.MPPS, SOPInstanceUID=STEP, Modality="CT", PatientID="M1",
        IssuerOfPatientID="NORTH", PerformedStationAETitle="NORTHCT1", PerformedStationName="NCT01",
        PerformedProcedureStepStartDate="20260115", PerformedProcedureStepStartTime="100000",
        PerformedProcedureStepEndDate="", PerformedProcedureStepEndTime="", PerformedProcedureStepStatus="IN PROGRESS",
        ScheduledStepAttributesSequence=[scheduled], PerformedSeriesSequence=[],
    )  # fmt: skip
    for keyword, value in fields.items():
        setattr(whole, keyword, value)
    return whole


def ended(status: str = "COMPLETED", reason: str | None = None, **fields: Any) -> Dataset:
    images = [
        dataset(ReferencedSOPClassUID=made.CT, ReferencedSOPInstanceUID=uid) for uid in ("1.2.3.4.1", "1.2.3.4.2")
    ]
    series = dataset(OperatorsName="Tran^Tim", SeriesInstanceUID="1.2.3.4", ReferencedImageSequence=images)
    told = {"PerformedProcedureStepDiscontinuationReasonCodeSequence": [code(reason)]} if reason else {}
    return dataset(
        SOPClassUID=made.MPPS, SOPInstanceUID=STEP, PerformedProcedureStepEndDate="20260115",
        PerformedProcedureStepEndTime="102030", PerformedProcedureStepStatus=status, **told,
        PerformedSeriesSequence=[series], **fields,
    )  # fmt: skip


def events(data: bytes) -> list[dict[str, Any]]:
    parsed = made.parse(data)
    assert (parsed.rejected, parsed.defects) == ([], [])
    return made.rows(parsed, "event")


def test_an_n_create_is_the_start_of_the_exam() -> None:
    (row,) = events(made.file_of(created()))
    expected = {
        "code": "exam_started", "origin": "mpps", "at": made.utc("2026-01-15T15:00:00"), "at_zone_source": "facility",
        "accession": "A1", "study_uid": "1.2.3", "requested_procedure_id": "R1", "step_uid": STEP, "patient_id": "M1",
        "patient_authority": "NORTH", "status_code": "IN PROGRESS", "station": "NORTHCT1", "source": "NORTHCT1",
        "facility_alias": "NORTHCT1",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_a_step_of_several_requests_starts_each_of_them() -> None:
    scheduled = [dataset(AccessionNumber=number, StudyInstanceUID="1.2.3") for number in ("A1", "A2")]
    rows = events(made.file_of(created(ScheduledStepAttributesSequence=scheduled)))
    assert [(row["accession"], row["code"]) for row in rows] == [("A1", "exam_started"), ("A2", "exam_started")]


def test_an_n_set_links_by_the_step_and_takes_its_zone_from_the_sender() -> None:
    (row,) = events(made.file_of(ended(), SourceApplicationEntityTitle="WESTCT1"))
    expected = {
        "code": "exam_ended", "at": made.utc("2026-01-15T16:20:30"), "at_zone_source": "facility", "step_uid": STEP,
        "accession": None, "patient_id": None, "status_code": "COMPLETED", "actor_name": "Tran^Tim",
        "reason_code": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_a_discontinued_step_tells_why_and_is_no_end() -> None:
    parsed = made.parse(made.file_of(ended("DISCONTINUED", "110505"), SourceApplicationEntityTitle="NORTHCT1"))
    (row,) = made.rows(parsed, "event")
    assert (row["code"], row["reason_code"]) == ("discontinued", "110505")
    assert "reject" not in parsed.rows


def test_images_under_the_wrong_worklist_entry_are_rejected() -> None:
    parsed = made.parse(made.file_of(ended("DISCONTINUED", "110514"), SourceApplicationEntityTitle="NORTHCT1"))
    rows = made.rows(parsed, "reject")
    assert [(row["reason_code"], row["series_uid"], row["operator"]) for row in rows] == [
        ("110514", "1.2.3.4", "Tran^Tim"),
        ("110514", "1.2.3.4", "Tran^Tim"),
    ]
    taken = made.one(made.parse(made.file_of(made.image(SOPInstanceUID="1.2.3.4.2"))))
    assert rows[1]["sop_hash"] == taken["sop_hash"]


def test_a_whole_step_in_one_object_starts_and_ends() -> None:
    whole = created(
        PerformedProcedureStepEndDate="20260115", PerformedProcedureStepEndTime="1020",
        PerformedProcedureStepStatus="COMPLETED",
    )  # fmt: skip
    found = [(row["code"], row["at"], row["at_precision"]) for row in events(made.file_of(whole))]
    assert found == [
        ("exam_started", made.utc("2026-01-15T15:00:00"), "second"),
        ("exam_ended", made.utc("2026-01-15T15:20:00"), "minute"),
    ]


def test_an_end_without_a_time_is_told_with_a_defect() -> None:
    parsed = made.parse(made.file_of(ended(), SourceApplicationEntityTitle="NORTHCT1"))
    assert made.rows(parsed, "event")[0]["at"] is not None
    bare = ended()
    del bare.PerformedProcedureStepEndDate
    parsed = made.parse(made.file_of(bare))
    assert (made.rows(parsed, "event")[0]["at"], made.defects(parsed)) == (None, [("0040,0250", "missing")])


def test_an_image_names_its_step() -> None:
    step = dataset(ReferencedSOPClassUID=made.MPPS, ReferencedSOPInstanceUID=STEP)
    row = made.one(made.parse(made.file_of(made.image(ReferencedPerformedProcedureStepSequence=[step]))))
    assert row["step_uid"] == STEP
