"""Images: every column, the ladder of clocks, zones, facilities, character sets, enhanced frames, imports."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from etl.records import RECORDS
from tests.etl import dicom_made as made
from tests.etl.dicom_made import code, dataset


def row_of(**fields: Any) -> dict[str, Any]:
    return made.one(made.parse(made.file_of(made.image(**fields))))


def enhanced(count: int, **fields: Any) -> Dataset:
    """An enhanced MR of `count` frames, 10 s apart and 8 s long, beginning at 10:02."""
    frames = [
        dataset(FrameContentSequence=[dataset(
            FrameAcquisitionDateTime=f"202601151002{10 * n:02d}.250", FrameAcquisitionDuration=8000.0)])
        for n in range(count)
    ]  # fmt: skip
    anatomy = dataset(FrameLaterality="L", AnatomicRegionSequence=[code("T-D1100", "Head", "SRT")])
    return made.image(
        SOPClassUID=made.ENHANCED_MR, NumberOfFrames=count, AcquisitionDate=None, AcquisitionTime=None,
        SharedFunctionalGroupsSequence=[dataset(FrameAnatomySequence=[anatomy])],
        PerFrameFunctionalGroupsSequence=frames, PixelData=b"\0" * 8 * count, **fields,
    )  # fmt: skip


FULL: dict[str, Any] = {
    "InstanceCreationDate": "20260115", "InstanceCreationTime": "100201", "TimezoneOffsetFromUTC": "-0700",
    "StudyDescription": "CT HEAD", "SeriesDescription": "Axial", "InstitutionalDepartmentName": "Radiology",
    "OperatorsName": "Tran^Tim", "BodyPartExamined": "HEAD", "ContrastBolusAgent": "Iohexol",
    "ProtocolName": "Head 5mm",
    "SoftwareVersions": ["VB20A", "2"], "ViewPosition": "AP", "Laterality": "L", "KVP": "120", "Exposure": "150",
    "ExposureTime": "500", "ExposureIndex": "400.5", "DeviationIndex": "-1.2",
    "ImageAndFluoroscopyAreaDoseProduct": "3.25", "NumberOfFrames": "1", "AcquisitionTimeSynchronized": "Y",
    "AcquisitionDuration": 12.5, "PatientBirthDate": "19680412", "PatientSex": "F", "AdmissionID": "V1",
    "StationAETitle": "NORTHCT1", "PerformedProcedureStepStartDate": "20260115",
    "PerformedProcedureStepStartTime": "0959", "PerformedProcedureStepEndDate": "20260115",
    "PerformedProcedureStepEndTime": "1010", "RequestedProcedureID": "R1",
}  # fmt: skip


def full() -> Dataset:
    """An image that fills every column that DICOM can fill."""
    issuer = dataset(LocalNamespaceEntityID="HIS")
    request = dataset(
        OrderPlacerIdentifierSequence=[issuer], PlacerOrderNumberImagingServiceRequest="P1",
        OrderFillerIdentifierSequence=[dataset(LocalNamespaceEntityID="RIS")],
        FillerOrderNumberImagingServiceRequest="F1",
    )  # fmt: skip
    original = dataset(
        AttributeModificationDateTime="20260116080000-0500", ModifyingSystem="NIMPORT", SourceOfPreviousValues="HILLTOP"
    )
    return made.image(
        **FULL, IssuerOfAccessionNumberSequence=[dataset(LocalNamespaceEntityID="RIS")],
        ProcedureCodeSequence=[code("CTH", "CT head", "L"), code("24725-4", "CT Head", "LN")],
        RequestAttributesSequence=[request],
        ReferencedPerformedProcedureStepSequence=[dataset(ReferencedSOPInstanceUID="1.9")],
        OriginalAttributesSequence=[original],
    )  # fmt: skip


def test_every_column_of_instance_is_filled() -> None:
    row = made.one(made.parse(made.file_of(full())))
    empty = {name for name in (c.name for c in RECORDS["instance"]) if row[name] is None}
    assert empty == {"appointment_id", "order_ref"}  # scheduling and FHIR only
    expected = {
        "accession": "A1", "accession_issuer": "RIS", "placer_id": "P1^HIS", "filler_id": "F1^RIS",
        "study_uid": "1.2.3",
        "step_uid": "1.9", "requested_procedure_id": "R1", "visit_id": "V1", "patient_id": "M1",
        "procedure_code": "CTH", "procedure_text": "CT head", "procedure_system": "L", "alternate_code": "24725-4",
        "alternate_system": "LN", "software": "VB20A\\2", "study_at": made.utc("2026-01-15T17:00:00"),
        "series_at": made.utc("2026-01-15T17:01:00"), "acquired_at": made.utc("2026-01-15T17:02:00.500"),
        "acquired_clock": "acquisition", "acquired_precision": "fraction", "acquired_zone_source": "message",
        "step_started_at": made.utc("2026-01-15T16:59:00"), "step_ended_at": made.utc("2026-01-15T17:10:00"),
        "acquisition_duration_s": 12.5, "kvp": 120.0, "exposure_mas": 150.0, "exposure_time_ms": 500.0,
        "exposure_index": 400.5, "deviation_index": -1.2, "dap": 3.25, "frames": 1, "n_rows": 2, "n_columns": 2,
        "is_original": True, "is_time_synchronized": True, "view": "AP", "laterality": "L", "body_part": "HEAD",
        "ae_title": "NORTHCT1", "source": "NORTHCT1", "facility_alias": "NIMPORT", "import_source": "HILLTOP",
        "imported_at": made.utc("2026-01-16T13:00:00"), "message_at": made.utc("2026-01-16T13:00:00"),
        "transfer_syntax": made.EXPLICIT,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert len(row["sop_hash"]) == 32


#: Fields that take rungs away, from the top -> rung that is used, local time.
LADDER = (
    ({"AcquisitionDateTime": "20260115100130-0500"}, "acquisition_datetime", "15:01:30"),
    ({}, "acquisition", "15:02:00.500"),
    ({"AcquisitionTime": None}, "content", "15:03:00"),
    ({"AcquisitionTime": None, "ImageType": ["DERIVED", "SECONDARY"]}, "series", "15:01:00"),
    ({"AcquisitionTime": None, "ContentTime": None}, "series", "15:01:00"),
    ({"AcquisitionTime": None, "ContentTime": None, "SeriesTime": None}, "study", "15:00:00"),
    ({"AcquisitionDate": None, "ContentDate": "", "SeriesDate": None}, "study", "15:00:00"),
)


@pytest.mark.parametrize(("fields", "rung", "time"), LADDER)
def test_the_best_clock_that_names_an_instant(fields: dict[str, Any], rung: str, time: str) -> None:
    row = row_of(**fields)
    assert (row["acquired_clock"], row["acquired_at"]) == (rung, made.utc(f"2026-01-15T{time}"))


def test_a_date_alone_never_becomes_midnight() -> None:
    row = row_of(AcquisitionTime=None, ContentTime=None, SeriesTime=None, StudyTime=None)
    assert (row["acquired_at"], row["acquired_clock"], row["acquired_precision"]) == (None, None, "day")


def test_a_bad_time_is_counted_and_the_next_rung_used() -> None:
    parsed = made.parse(made.file_of(made.image(SpecificCharacterSet=None)).replace(b"100200.5", b"107200.5"))
    assert made.one(parsed)["acquired_clock"] == "content"
    assert made.defects(parsed) == [("0008,0022", "not a date")]


PLACES = (
    ({}, "Northgate Hospital", "15:02:00.500", "facility"),
    ({"InstitutionName": "ELSEWHERE", "StationName": "WCT01"}, "WCT01", "16:02:00.500", "facility"),
    ({"InstitutionName": "", "StationName": ""}, None, "10:02:00.500", "assumed"),
    ({"InstitutionName": "ELSEWHERE", "StationName": "X"}, "ELSEWHERE", "10:02:00.500", "assumed"),
    ({"TimezoneOffsetFromUTC": "+0100"}, "Northgate Hospital", "09:02:00.500", "message"),
    ({"TimezoneOffsetFromUTC": "+1"}, "Northgate Hospital", "15:02:00.500", "facility"),
)


@pytest.mark.parametrize(("fields", "alias", "time", "zone"), PLACES)
def test_facility_and_zone(fields: dict[str, Any], alias: str | None, time: str, zone: str) -> None:
    row = row_of(**fields)
    assert (row["facility_alias"], row["acquired_at"]) == (alias, made.utc(f"2026-01-15T{time}"))
    assert row["acquired_zone_source"] == zone


def test_an_unissued_patient_number_belongs_to_the_facility() -> None:
    assert row_of(IssuerOfPatientID=None)["patient_authority"] == "facility:NORTH"
    assert row_of(IssuerOfPatientID=None, InstitutionName="X", StationName="")["patient_authority"] == "unknown:X"
    qualified = [dataset(UniversalEntityID="1.2.840.1")]
    assert (
        row_of(IssuerOfPatientID=None, IssuerOfPatientIDQualifiersSequence=qualified)["patient_authority"]
        == "1.2.840.1"
    )


def test_other_patient_numbers_are_the_same_person() -> None:
    other = [dataset(PatientID="E1", IssuerOfPatientID="NET"), dataset(PatientID="X")]
    parsed = made.parse(made.file_of(made.image(OtherPatientIDsSequence=other)))
    (link,) = made.rows(parsed, "patient_link")
    names = ("kind", "patient_id", "patient_authority", "prior_id", "prior_authority")
    assert tuple(link[name] for name in names) == ("same", "M1", "NORTH", "E1", "NET")


def test_order_and_accession_of_the_request() -> None:
    request = dataset(AccessionNumber="A9", RequestedProcedureID="R9", RequestedProcedureDescription="CT of the head")
    row = row_of(AccessionNumber="", RequestAttributesSequence=[request])
    assert (row["accession"], row["requested_procedure_id"]) == ("A9", "R9")
    assert (row["procedure_code"], row["procedure_text"]) == (None, "CT of the head")


CHARSETS = (
    ("ISO_IR 100", "Müller^Jörg"), ("ISO_IR 192", "山田^太郎"), ("GB18030", "王^小东"), ("ISO_IR 144", "Люкceмбypг"),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞"), (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"),
)  # fmt: skip


@pytest.mark.parametrize(("charset", "name"), CHARSETS)
def test_character_sets(charset: Any, name: str) -> None:
    fields = {"SpecificCharacterSet": charset, "OperatorsName": name}
    parsed = made.parse(made.file_of(made.image(**fields)))
    assert (made.one(parsed)["operator"], parsed.defects) == (name.partition("=")[0], [])


def test_an_item_may_have_a_character_set_of_its_own() -> None:
    request = dataset(SpecificCharacterSet="ISO_IR 144", RequestedProcedureDescription="череп")
    assert row_of(RequestAttributesSequence=[request])["procedure_text"] == "череп"


def test_text_outside_the_character_set_is_counted() -> None:
    data = made.file_of(made.image(OperatorsName="Mue^Jo"))
    parsed = made.parse(data.replace(b"Mue^Jo", b"M\xfce^Jo"))
    assert made.one(parsed)["operator"] == "Müe^Jo"
    assert made.defects(parsed) == [("0008,0005", "text not in the character set")]


@pytest.mark.parametrize("syntax", [made.EXPLICIT, made.IMPLICIT, made.BIG, made.DEFLATED])
def test_all_encodings_say_the_same(syntax: str) -> None:
    row = made.one(made.parse(made.file_of(full(), syntax)))
    assert row == {**made.one(made.parse(made.file_of(full()))), "transfer_syntax": syntax}


@pytest.mark.parametrize("syntax", [made.EXPLICIT, made.IMPLICIT, made.BIG])
def test_headerless_data_sets(syntax: str) -> None:
    row = made.one(made.parse(made.headerless(full(), syntax)))
    assert row == {**made.one(made.parse(made.file_of(full()))), "transfer_syntax": None}


def test_enhanced_frames_from_the_first_start_to_the_last_end() -> None:
    row = made.one(made.parse(made.file_of(enhanced(4))))
    assert (row["acquired_clock"], row["acquired_at"]) == ("acquisition_datetime", made.utc("2026-01-15T15:02:00.250"))
    assert row["acquisition_duration_s"] == 38.0
    assert (row["frames"], row["laterality"], row["body_part"]) == (4, "L", "Head")
    row = made.one(made.parse(made.file_of(enhanced(4, AcquisitionDateTime="20260115100130", AcquisitionDuration=5.0))))
    assert (row["acquired_at"], row["acquisition_duration_s"]) == (made.utc("2026-01-15T15:01:30"), 68.25)


def change(source: str) -> Dataset:
    return dataset(
        AttributeModificationDateTime="20260120090000-0500", ModifyingSystem="NIMPORT", SourceOfPreviousValues=source
    )


def test_frames_in_any_order_and_of_any_length() -> None:
    whole = enhanced(4)
    whole.PerFrameFunctionalGroupsSequence = list(whole.PerFrameFunctionalGroupsSequence)[::-1]
    row = made.one(made.parse(made.file_of(whole)))
    assert (row["acquired_at"], row["acquisition_duration_s"]) == (made.utc("2026-01-15T15:02:00.250"), 38.0)
    whole.PerFrameFunctionalGroupsSequence[2].FrameContentSequence[0].FrameAcquisitionDuration = 60_000.0
    assert made.one(made.parse(made.file_of(whole)))["acquisition_duration_s"] == 70.0


def test_the_last_day_of_the_calendar() -> None:
    site = made.Site()  # UTC
    whole = enhanced(1, AcquisitionDateTime="99991231235959", AcquisitionDuration=86_400.0)
    whole.PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0].FrameAcquisitionDateTime = "99991231235959"
    row = made.one(made.parse(made.file_of(whole), site))
    assert (row["acquired_at"], row["acquisition_duration_s"]) == (made.utc("9999-12-31T23:59:59"), 0.0)


def test_an_order_number_without_its_issuer_identifies_nothing() -> None:
    request = dataset(PlacerOrderNumberImagingServiceRequest="P1", FillerOrderNumberImagingServiceRequest="F1")
    row = row_of(RequestAttributesSequence=[request])
    assert (row["placer_id"], row["filler_id"]) == (None, None)


@pytest.mark.parametrize(("modality", "is_image"), [("CT", True), ("SR", False), ("SEG", False)])
def test_a_private_class_is_an_image_by_its_rows_and_modality(modality: str, is_image: bool) -> None:
    parsed = made.parse(made.file_of(made.image(SOPClassUID="1.3.12.2.1107.5.9.1", Modality=modality)))
    assert (parsed.rejected, "instance" in parsed.rows) == ([], is_image)


def test_an_import_is_told_with_its_source() -> None:
    outside = {"InstitutionName": "HILLTOP", "StationName": "OUT1", "OriginalAttributesSequence": [change("HILLTOP")]}
    parsed = made.parse(made.file_of(made.image(**outside)))
    (event,) = made.rows(parsed, "event")
    assert (event["code"], event["origin"], event["at"]) == (
        "images_imported",
        "image",
        made.utc("2026-01-20T14:00:00"),
    )
    row = made.one(parsed)
    assert (row["facility_alias"], row["import_source"], row["imported_at"]) == ("NIMPORT", "HILLTOP", event["at"])


def test_a_correction_of_the_house_is_no_import() -> None:
    parsed = made.parse(made.file_of(made.image(OriginalAttributesSequence=[change("")])))
    row = made.one(parsed)
    assert (row["imported_at"], "event" in parsed.rows) == (None, False)
    assert row["message_at"] == made.utc("2026-01-20T14:00:00")


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_an_image_without_its_uids_is_rejected(keyword: str) -> None:
    bare = made.image()
    setattr(bare, keyword, "")
    assert made.reasons(made.parse(made.file_of(bare, MediaStorageSOPInstanceUID="1.2"))) == ["missing_uid"]


def test_an_image_without_pixels_needs_its_end_mark() -> None:
    assert made.reasons(made.parse(made.file_of(made.image(PixelData=None)))) == ["unproven"]
    assert made.one(made.parse(made.file_of(made.image(PixelData=b""))))
    padded = made.image(PixelData=None)
    padded.DataSetTrailingPadding = b"\0\0"
    assert made.one(made.parse(made.file_of(padded)))
