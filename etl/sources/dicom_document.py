"""Structured documents: rejection notes -> `reject`, dose reports -> `dose` (PS3.16 TID 2010, 10001, 10011)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etl.plain_values import decimal
from etl.records import Parsed
from etl.sources.dicom_fields import CODE, code
from etl.sources.dicom_header import CHARSET, Header, hashed, items
from etl.sources.dicom_identity import identifiers, patient
from etl.sources.dicom_image import CREATED, SOURCE_AE
from etl.sources.dicom_step import SERIES_UID, SOP_UID
from etl.sources.dicom_walk import Dataset, Wanted
from etl.timestamps import Stamp

TITLE, CONTENT_SEQUENCE, CONCEPT = 0x0040A043, 0x0040A730, 0x0040A168
PERSON, UID, DATETIME = 0x0040A123, 0x0040A124, 0x0040A120
MEASURED, NUMBER, UNITS = 0x0040A300, 0x0040A30A, 0x004008EA
REFERENCED_SOP, EVIDENCE, REFERENCED_SERIES, STUDY_UID = 0x00081199, 0x0040A375, 0x00081115, 0x0020000D
CONTENT_WHEN, SERIES_WHEN = (0x00080023, 0x00080033), (0x00080021, 0x00080031)
INSTITUTION, STATION = 0x00080080, 0x00081010

#: CID 7010 titles of notes that reject what they reference (PS3.16); other key object documents do not.
REJECTION_TITLES = frozenset({"113001", "113037", "113038", "113039"})
TITLE_MODIFIER, OBSERVER = "113011", "121008"
#: Content items that are one irradiation event: X-ray data (TID 10003), CT acquisition (TID 10013).
IRRADIATION = frozenset({"113706", "113819"})
EVENT_UID, EVENT_STARTED, CT_DOSE, XRAY_STARTED = "113769", "111526", "113829", "113809"
#: Measured code -> column and unit -> factor to the column's unit (UCUM).
DOSES: dict[str, tuple[str, dict[str, float]]] = {
    "113830": ("ctdi_vol", {"mGy": 1.0, "Gy": 1e3, "cGy": 10.0}),  # Mean CTDIvol
    "113838": ("dlp", {"mGy.cm": 1.0, "mGycm": 1.0, "Gy.cm": 1e3, "mGy.m": 100.0}),  # DLP
    "122130": ("dap", {"Gy.m2": 1.0, "dGy.cm2": 1e-5, "cGy.cm2": 1e-6, "mGy.cm2": 1e-7, "Gy.cm2": 1e-4}),
}

_SOP: Wanted = {SOP_UID: None}
CONTENT: Wanted = {
    CHARSET: None, TITLE: CODE, CONCEPT: CODE, PERSON: None, UID: None, DATETIME: None,
    MEASURED: {NUMBER: None, UNITS: CODE}, REFERENCED_SOP: _SOP,
}  # fmt: skip
CONTENT[CONTENT_SEQUENCE] = CONTENT
DOCUMENT: Wanted = {
    TITLE: CODE,
    CONTENT_SEQUENCE: CONTENT,
    EVIDENCE: {STUDY_UID: None, REFERENCED_SERIES: {SERIES_UID: None, REFERENCED_SOP: _SOP}},
    **dict.fromkeys((*CONTENT_WHEN, *SERIES_WHEN, INSTITUTION, STATION)),
}


def add_key_objects(header: Header, parsed: Parsed, sop_uid: str) -> None:
    """One `reject` row a referenced object, where the document's title rejects; manifests and others add nothing."""
    title = _name(header, header.dataset)
    if title not in REJECTION_TITLES:
        return
    base = _base(header, sop_uid)
    stamp = header.moment(header.dataset, *CONTENT_WHEN)
    reason = operator = None
    for item in items(header.dataset, CONTENT_SEQUENCE):
        name = _name(header, item)
        if name == TITLE_MODIFIER:
            reason = next((code(header, value)[0] for value in items(item, CONCEPT)), reason)
        elif name == OBSERVER and item.get(PERSON):
            operator = header.within(item).text(item[PERSON]).partition("=")[0].rstrip("^") or None
    for study_uid, series_uid, rejected in _referenced(header):
        row = {"series_uid": series_uid, "sop_hash": hashed(rejected), "title_code": title, "reason_code": reason}
        link = {"study_uid": study_uid} if study_uid else {}
        parsed.add("reject", header.position, {**base, **link, **_when(stamp), **row, "operator": operator})


def add_dose_report(header: Header, parsed: Parsed, sop_uid: str) -> None:
    """One `dose` row an irradiation event."""
    base = _base(header, sop_uid)
    whole = _started(header, header.dataset, XRAY_STARTED) or header.moment(header.dataset, *CONTENT_WHEN)
    for event in _find(header, header.dataset, IRRADIATION):
        row: dict[str, Any] = {"irradiation_uid": next(_texts(header, event, EVENT_UID, UID), None)}
        levels = [event, *(item for item in items(event, CONTENT_SEQUENCE) if _name(header, item) == CT_DOSE)]
        for level in levels:
            for item in items(level, CONTENT_SEQUENCE):
                column, factors = DOSES.get(_name(header, item) or "", (None, {}))
                value = _measured(header, item, factors) if column else None
                if value is not None:
                    row[str(column)] = value
        stamp = _started(header, event, EVENT_STARTED) or whole
        parsed.add("dose", header.position, {**base, **_when(stamp), **row})


def _base(header: Header, sop_uid: str) -> dict[str, Any]:
    """Common, identifier and patient columns of a document."""
    station, source_ae = header.value(STATION), header.meta_text(SOURCE_AE)
    header.settle(source_ae or station or None, hashed(sop_uid), (header.value(INSTITUTION), station, source_ae))
    known = identifiers(header, header.dataset)
    known.pop("visit_id", None)
    created = header.at(header.dataset, *CREATED) or header.at(header.dataset, *CONTENT_WHEN)
    return {**header.common, "message_at": created, **known, **patient(header, header.dataset)}


def _when(stamp: Stamp | None) -> dict[str, Any]:
    return {"at": stamp.at, "at_precision": stamp.precision, "at_zone_source": stamp.zone_source} if stamp else {}


def _name(header: Header, item: Dataset) -> str | None:
    """Concept name code of a content item or of the document."""
    return next((code(header, name)[0] for name in items(item, TITLE)), None)


def _referenced(header: Header) -> Iterator[tuple[str | None, str | None, str]]:
    """(study, series, SOP Instance UID) of each object of the evidence; of the content, where there is no evidence."""
    found = False
    for study in items(header.dataset, EVIDENCE):
        study_uid = header.text(study.get(STUDY_UID, b"")) or None
        for series in items(study, REFERENCED_SERIES):
            series_uid = header.text(series.get(SERIES_UID, b"")) or None
            for sop in items(series, REFERENCED_SOP):
                if uid := header.text(sop.get(SOP_UID, b"")):
                    found = True
                    yield study_uid, series_uid, uid
    if found:
        return
    for item in items(header.dataset, CONTENT_SEQUENCE):
        for sop in items(item, REFERENCED_SOP):
            if uid := header.text(sop.get(SOP_UID, b"")):
                yield None, None, uid


def _find(header: Header, item: Dataset, names: frozenset[str]) -> Iterator[Dataset]:
    """Content items below `item` by name, in order; the walk has bounded the depth."""
    for inner in items(item, CONTENT_SEQUENCE):
        if _name(header, inner) in names:
            yield inner
        else:
            yield from _find(header, inner, names)


def _texts(header: Header, item: Dataset, name: str, tag: int) -> Iterator[str]:
    """Values of the content items called `name` directly below `item`."""
    for inner in items(item, CONTENT_SEQUENCE):
        if _name(header, inner) == name and (raw := inner.get(tag)):
            yield header.within(inner).text(raw)


def _started(header: Header, item: Dataset, name: str) -> Stamp | None:
    text = next(_texts(header, item, name, DATETIME), "")
    return header.instant(text, DATETIME) if text else None


def _measured(header: Header, item: Dataset, factors: dict[str, float]) -> float | None:
    """A measured number in the column's unit; a unit that is not known gives a defect and no number."""
    for measured in items(item, MEASURED):
        text = header.text(measured.get(NUMBER, b"")).partition("\\")[0].strip()
        unit = next((code(header, units)[0] for units in items(measured, UNITS)), None)
        value, factor = decimal(text), factors.get(unit or "")
        if factor is None or value is None or value < 0:
            header.defect(NUMBER, "not a number" if factor is not None else "unknown unit")
            return None
        return value * factor
    return None
