"""A modality performed procedure step (PS3.4 F.7) -> events: when the exam began, ended or was given up, by the device.

It lands as a Part 10 file of SOP class 1.2.840.10008.3.1.2.3.3. An N-CREATE holds all attributes, an N-SET only those
that changed; both name the step by its SOP Instance UID, which links them. Either may also be the whole step.
"""

from __future__ import annotations

from typing import Any

from etl.records import Parsed
from etl.sources.dicom_fields import CODE, code, read, table, wanted_of
from etl.sources.dicom_header import CHARSET, Header, hashed, items
from etl.sources.dicom_identity import IDENTIFIERS, ORDER, add_other_patients, identifiers, patient
from etl.sources.dicom_image import CREATED, SOURCE_AE, STEP_ENDED, STEP_STARTED
from etl.sources.dicom_walk import Wanted

STEP = table("""
ae_title                 0040,0241                      TEXT     PS3.3 C.4.13
station                  0040,0242                      TEXT     PS3.3 C.4.13
location                 0040,0243                      TEXT     PS3.3 C.4.13
status                   0040,0252                      TEXT     PS3.3 C.4.13
operator                 0040,0340/0008,1070            PN       PS3.3 C.4.15
""")
SCHEDULED, REASON, SERIES = 0x00400270, 0x00400281, 0x00400340
SERIES_UID, IMAGES, SOP_UID = 0x0020000E, 0x00081140, 0x00081155
#: (0040,0252) -> what a step of that status says at its end.
ENDS = {"COMPLETED": "exam_ended", "DISCONTINUED": "discontinued"}
#: CID 9300 reasons after which the step's images are not the patient's (IHE RAD TF-2 4.7.4.1.3.1).
REJECTING = frozenset({"110514"})

_SERIES: Wanted = {CHARSET: None, SERIES_UID: None, IMAGES: {SOP_UID: None}, 0x00081070: None}
MPPS: Wanted = {
    **wanted_of(STEP),
    SCHEDULED: {**wanted_of(f for f in IDENTIFIERS if not f.rest), **ORDER},
    REASON: CODE,
    SERIES: _SERIES,
}


def add_step(header: Header, parsed: Parsed, sop_uid: str) -> None:
    """Events of the step, for each scheduled step that it performs (one in an N-SET, which names none)."""
    dataset = header.dataset
    found = read(header, dataset, STEP)
    source_ae = header.meta_text(SOURCE_AE)
    ae_title = found.get("ae_title") or source_ae or None
    station, location = found.get("station"), found.get("location")
    header.settle(ae_title or station, hashed(sop_uid), (ae_title, station, source_ae, location))
    who = patient(header, dataset)
    base = {
        **header.common,
        "message_at": header.at(dataset, *CREATED),
        **who,
        "origin": "mpps",
        "status_code": found.get("status"),
        "station": ae_title or station,
        "actor_name": found.get("operator"),
    }
    own = {**identifiers(header, dataset), "step_uid": sop_uid}
    scheduled = [identifiers(header.within(item), item, own) for item in items(dataset, SCHEDULED)] or [own]
    reason = next((code(header, item)[0] for item in items(dataset, REASON)), None)
    end = ENDS.get(found.get("status", ""))
    for known in scheduled:
        if dataset.get(STEP_STARTED[0]):
            _add(header, parsed, {**base, **known, "code": "exam_started"}, STEP_STARTED)
        if end:
            _add(header, parsed, {**base, **known, "code": end, "reason_code": reason}, STEP_ENDED)
    if end == "discontinued" and reason in REJECTING:
        _add_rejects(header, parsed, {**base, **scheduled[0]}, reason)
    add_other_patients(header, parsed, who)


def _add(header: Header, parsed: Parsed, row: dict[str, Any], when: tuple[int, int]) -> None:
    stamp = header.moment(header.dataset, *when)
    if stamp is None and not header.dataset.get(when[0]):
        header.defect(when[0], "missing")
    at = {"at": stamp.at, "at_precision": stamp.precision, "at_zone_source": stamp.zone_source} if stamp else {}
    parsed.add("event", header.position, {**row, **at})


def _add_rejects(header: Header, parsed: Parsed, base: dict[str, Any], reason: str | None) -> None:
    """The images of a step that was done under another's worklist entry."""
    names = ("standard", "source", "message_id", "message_at", "facility_alias", "patient_id", "patient_authority")
    kept = {name: base.get(name) for name in (*names, *(f.column for f in IDENTIFIERS if f.column != "visit_id"))}
    stamp = header.moment(header.dataset, *STEP_ENDED)
    at = {"at": stamp.at, "at_precision": stamp.precision, "at_zone_source": stamp.zone_source} if stamp else {}
    for series in items(header.dataset, SERIES):
        inner = header.within(series)
        uid = inner.text(series.get(SERIES_UID, b""))
        for image in items(series, IMAGES):
            row = {"series_uid": uid or None, "sop_hash": hashed(inner.text(image.get(SOP_UID, b"")))}
            said = {"reason_code": reason, "operator": base["actor_name"]}
            parsed.add("reject", header.position, {**kept, **at, **row, **said})
