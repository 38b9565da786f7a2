"""Imported outside studies: made elsewhere by other devices, coerced to the local patient when they came in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sample_data.dicom_bytes import Encoder, part10
from sample_data.dicom_documents import derived_uid
from sample_data.dicom_images import HEADER_END, SIZES, SOP_CLASSES
from sample_data.mislabels import BODY_PARTS
from sample_data.network import Network, offset_text
from sample_data.story import Exam, OutsidePrior

ENCODER = Encoder(codec="utf-8")
OBJECTS = 2


def import_ae(facility: str) -> str:
    """AE title of the facility's import station."""
    return f"{facility}IMPORT"


def _name(network: Network, outside: OutsidePrior) -> str:
    """A plain name of such a study, where the catalog has one."""
    same = (p.name for p in network.procedures.values() if (p.modality, p.region) == (outside.modality, outside.region))
    return next(same, f"{outside.modality} {outside.region}")[:64]


def taken_at(outside: OutsidePrior, number: int) -> datetime:
    """When an object was made, by its number."""
    return (outside.taken_at or datetime.min) + timedelta(seconds=20 * number)


def imported(network: Network, exam: Exam) -> Iterator[tuple[str, bytes]]:
    """SOP Instance UID and file of each object of the outside study, if it was imported. There is no order for it.

    The import station keeps what it overwrote in Original Attributes (PS3.3 C.12.1.1.9), with its time and offset.
    """
    outside = exam.outside
    if outside is None or outside.imported_at is None or outside.taken_at is None:
        return
    local = network.local(exam.facility, outside.imported_at)
    changed_at = f"{local:%Y%m%d%H%M%S}{offset_text(network.offset(exam.facility, outside.imported_at))}"
    original = {
        "SourceOfPreviousValues": outside.institution,
        "AttributeModificationDateTime": changed_at,
        "ModifyingSystem": import_ae(exam.facility),
        "ReasonForTheAttributeModification": "COERCE",
        "ModifiedAttributesSequence": [{"PatientID": f"X{exam.visit[1:]}", "IssuerOfPatientID": outside.institution}],
    }
    p = exam.person
    for number in range(1, OBJECTS + 1):
        taken = network.local(exam.facility, taken_at(outside, number))
        day, time = f"{taken:%Y%m%d}", f"{taken:%H%M%S}"
        uid = derived_uid("outside", outside.study_uid, str(number))
        fields: dict[str, Any] = {
            "SpecificCharacterSet": "ISO_IR 192",
            "ImageType": ("ORIGINAL", "PRIMARY"),
            "InstanceCreationDate": day, "InstanceCreationTime": time,
            "SOPClassUID": SOP_CLASSES[outside.modality], "SOPInstanceUID": uid,
            "StudyDate": day, "SeriesDate": day, "AcquisitionDate": day, "ContentDate": day,
            "StudyTime": time, "SeriesTime": time, "AcquisitionTime": time, "ContentTime": time,
            "AccessionNumber": "",
            "Modality": outside.modality,
            "Manufacturer": "TOSHIBA",
            "InstitutionName": outside.institution,
            "StationName": f"OUT{outside.modality}1",
            "StudyDescription": _name(network, outside),
            "ManufacturerModelName": "Aquilion 64",
            "PatientName": f"{p.family}^{p.given}", "PatientID": exam.mrn, "IssuerOfPatientID": exam.facility,
            "PatientBirthDate": f"{p.birth_date:%Y%m%d}", "PatientSex": p.sex,
            "BodyPartExamined": BODY_PARTS.get(outside.region, outside.region),
            "DeviceSerialNumber": f"OUT{outside.modality}",
            "StudyInstanceUID": outside.study_uid, "SeriesInstanceUID": derived_uid("outside", outside.study_uid),
            "SeriesNumber": 1, "InstanceNumber": number,
            "Rows": SIZES[outside.modality], "Columns": SIZES[outside.modality],
            "OriginalAttributesSequence": [original],
            **HEADER_END,
        }  # fmt: skip
        yield (
            uid,
            part10(
                fields["SOPClassUID"], uid, ENCODER.transfer_syntax, import_ae(exam.facility), ENCODER.dataset(fields)
            ),
        )
