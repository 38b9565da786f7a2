"""Whose object, which exam: patient, accession, order numbers and study, the same for every kind of object."""

from __future__ import annotations

from typing import Any

from etl.records import Parsed
from etl.sources.dicom_fields import read, table, wanted_of
from etl.sources.dicom_header import CHARSET, Header, items
from etl.sources.dicom_walk import Dataset, Wanted

#: Identifiers of an exam; a document names its orders in (0040,A370), an image in (0040,0275), a step in (0040,0270).
IDENTIFIERS = table("""
accession                0008,0050                      TEXT     PS3.3 C.7.2.1
accession                0040,0275/0008,0050            TEXT     PS3.3 10.6
accession                0040,A370/0008,0050            TEXT     PS3.3 C.17.2
requested_procedure_id   0040,1001                      TEXT     PS3.3 C.4.11
requested_procedure_id   0040,0275/0040,1001            TEXT     PS3.3 10.6
requested_procedure_id   0040,A370/0040,1001            TEXT     PS3.3 C.17.2
study_uid                0020,000D                      UI       PS3.3 C.7.2.1
study_uid                0040,A370/0020,000D            UI       PS3.3 C.17.2
step_uid                 0008,1111/0008,1155            UI       PS3.3 C.7.3.1
visit_id                 0038,0010                      TEXT     PS3.3 C.3.2
""")
PATIENT = table("""
patient_id               0010,0020                      TEXT     PS3.3 C.7.1.1
patient_authority        0010,0021                      TEXT     PS3.3 C.7.1.1
patient_authority        0010,0024/0040,0032            TEXT     PS3.3 10.14
""")
#: An order number with the issuer in the sequence beside it (PS3.3 10.6): column, number, issuer sequence.
ORDER_NUMBERS = (("placer_id", 0x00402016, 0x00400026), ("filler_id", 0x00402017, 0x00400027))
#: Entity of an issuer: local namespace, else universal (PS3.3 10.14).
ISSUER = (0x00400031, 0x00400032)
VISIT_ISSUER = 0x00380014
OTHER_PATIENTS = 0x00101002
REQUESTS = (0x00400275, 0x0040A370)  # Request Attributes, Referenced Request

_ISSUED: Wanted = {CHARSET: None, **dict.fromkeys(ISSUER)}
ORDER: Wanted = {CHARSET: None}
for _, _number, _sequence in ORDER_NUMBERS:
    ORDER |= {_number: None, _sequence: _ISSUED}
IDENTITY: Wanted = {
    **wanted_of((*IDENTIFIERS, *PATIENT)), **ORDER, VISIT_ISSUER: _ISSUED, OTHER_PATIENTS: wanted_of(PATIENT),
}  # fmt: skip
for _requests in REQUESTS:
    IDENTITY[_requests] = {**(IDENTITY[_requests] or {}), **ORDER}


def identifiers(header: Header, dataset: Dataset, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Identifier columns that `dataset` names; those of `known` where it does not."""
    found = {**(known or {}), **read(header, dataset, IDENTIFIERS)}
    issue(header, dataset, found)
    return found


def issue(header: Header, dataset: Dataset, found: dict[str, Any]) -> None:
    """Put the issuer behind the visit, and add the order numbers that `dataset` names with an issuer."""
    if found.get("visit_id"):
        issuer = _issuer(header, dataset, VISIT_ISSUER)
        found["visit_id"] = f"{found['visit_id']}^{issuer}" if issuer else found["visit_id"]
    levels = [dataset]
    for tag in REQUESTS:
        if requests := dataset.get(tag):
            levels += requests[:1] if isinstance(requests, list) else []
    for column, number, issuer_tag in ORDER_NUMBERS:
        for level in levels:
            raw = level.get(number)
            issuer = _issuer(header, level, issuer_tag) if raw else ""
            if issuer and not found.get(column):  # without its namespace a number identifies nothing
                found[column] = f"{header.within(level).text(raw)}^{issuer}"


def patient(header: Header, dataset: Dataset) -> dict[str, Any]:
    """Patient identifier with its authority: the stated issuer, else the facility (as for HL7 without authority)."""
    return authorized(header, read(header, dataset, PATIENT))


def authorized(header: Header, found: dict[str, Any]) -> dict[str, Any]:
    """The columns of `PATIENT` in `found`, the facility as the authority where none is stated."""
    if "patient_id" not in found:
        return {}
    if "patient_authority" not in found:
        alias = header.common["facility_alias"]
        facility = header.site.facility_of(alias)
        found["patient_authority"] = f"facility:{facility.id}" if facility else f"unknown:{alias or ''}"
    return found


def add_other_patients(header: Header, parsed: Parsed, known: dict[str, Any]) -> None:
    """Other Patient IDs (0010,1002) with an issuer of their own belong to the same person."""
    if not known:
        return
    for item in items(header.dataset, OTHER_PATIENTS)[:32]:
        other = read(header.within(item), item, PATIENT)
        ends = (other.get("patient_id"), other.get("patient_authority"))
        if all(ends) and ends != (known["patient_id"], known["patient_authority"]):
            pair = {**known, "prior_id": ends[0], "prior_authority": ends[1]}
            parsed.add("patient_link", header.position, {**header.common, "kind": "same", **pair})


def _issuer(header: Header, dataset: Dataset, tag: int) -> str:
    for item in items(dataset, tag)[:1]:
        inner = header.within(item)
        return next((text for part in ISSUER if (raw := item.get(part)) and (text := inner.text(raw))), "")
    return ""
