"""An image object -> `instance`: field table, ladder of acquisition clocks, and the origin of imported images."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from etl.records import RECORDS, Parsed
from etl.sources.dicom_fields import LONGEST_S, Table, read, table, wanted_of
from etl.sources.dicom_frames import FRAME_CONTENT, FRAME_DURATION, FRAME_STARTED, PER_FRAME, outer
from etl.sources.dicom_header import CHARSET, Header, hashed, items
from etl.sources.dicom_identity import IDENTIFIERS, ORDER_NUMBERS, PATIENT, add_other_patients, authorized, issue
from etl.sources.dicom_walk import Wanted
from etl.timestamps import Stamp

#: Columns of `instance`: place is a section of PS3.3, PS3.10 or PS3.4.
INSTANCE = table("""
sop_class                0008,0016                      UI       PS3.3 C.12.1
series_uid               0020,000E                      UI       PS3.3 C.7.3.1
birth_date               0010,0030                      DA       PS3.3 C.7.1.1
sex                      0010,0040                      TEXT     PS3.3 C.7.1.1
procedure_code,procedure_text,procedure_system 0008,1032 CODE    PS3.3 C.7.2.1
procedure_code,procedure_text,procedure_system 0040,0275/0032,1064 CODE PS3.3 10.6
procedure_text           0040,0275/0032,1060            TEXT     PS3.3 10.6
procedure_text           0032,1060                      TEXT     PS3.3 C.4.11
procedure_text           0008,1030                      TEXT     PS3.3 C.7.2.1
alternate_code,alternate_text,alternate_system 0008,1032 CODE2   PS3.3 C.7.2.1
alternate_code,alternate_text,alternate_system 0040,0275/0032,1064 CODE PS3.3 10.6
modality                 0008,0060                      TEXT     PS3.3 C.7.3.1
laterality               0020,0062                      TEXT     PS3.3 C.8.11.7
laterality               0020,0060                      TEXT     PS3.3 C.7.3.1
laterality               5200,9229/0020,9071/0020,9072  TEXT     PS3.3 C.7.6.16.2.8
accession_issuer         0008,0051/0040,0031            TEXT     PS3.3 10.14
accession_issuer         0008,0051/0040,0032            TEXT     PS3.3 10.14
acquisition_duration_s   0018,9073                      SECONDS  PS3.3 C.8.13.4
is_time_synchronized     0018,1800                      YES      PS3.3 C.7.4.2
manufacturer             0008,0070                      TEXT     PS3.3 C.7.5.1
model                    0008,1090                      TEXT     PS3.3 C.7.5.1
serial                   0018,1000                      TEXT     PS3.3 C.7.5.1
software                 0018,1020                      TEXT     PS3.3 C.7.5.1
station                  0008,1010                      TEXT     PS3.3 C.7.5.1
ae_title                 0008,0055                      TEXT     PS3.3 C.7.5.1
ae_title                 0008,0054                      FIRST    PS3.4 C.6.1.1.5
institution              0008,0080                      TEXT     PS3.3 C.7.5.1
department               0008,1040                      TEXT     PS3.3 C.7.5.1
operator                 0008,1070                      PN       PS3.3 C.7.3.1
body_part                0018,0015                      TEXT     PS3.3 C.7.3.1
body_part                0008,2218                      MEANING  PS3.3 10.5
body_part                5200,9229/0020,9071/0008,2218  MEANING  PS3.3 C.7.6.16.2.8
view                     0018,5101                      TEXT     PS3.3 C.8.1.1
view                     0054,0220                      MEANING  PS3.3 C.8.11.5
protocol                 0018,1030                      TEXT     PS3.3 C.7.3.1
series_description       0008,103E                      TEXT     PS3.3 C.7.3.1
study_description        0008,1030                      TEXT     PS3.3 C.7.2.1
contrast_agent           0018,0010                      TEXT     PS3.3 C.7.6.4
kvp                      0018,0060                      DS       PS3.3 C.8.2.1
exposure_mas             0018,1152                      IS       PS3.3 C.8.2.1
exposure_mas             0018,9332                      FD       PS3.3 C.8.15.3.8
exposure_mas             0018,1153                      MICRO    PS3.3 C.8.2.1
exposure_time_ms         0018,1150                      IS       PS3.3 C.8.2.1
exposure_time_ms         0018,9328                      FD       PS3.3 C.8.15.3.8
exposure_index           0018,1411                      DS       PS3.3 C.8.11.1
deviation_index          0018,1413                      DS       PS3.3 C.8.11.1
dap                      0018,115E                      DS       PS3.3 C.8.7.2
frames                   0028,0008                      COUNT    PS3.3 C.7.6.6
n_rows                   0028,0010                      US       PS3.3 C.7.6.3
n_columns                0028,0011                      US       PS3.3 C.7.6.3
""")
#: File meta (PS3.10 7.1), read before the table.
SOURCE_AE, RECEIVING_AE = 0x00020016, 0x00020018

IMAGE_TYPE = 0x00080008
_IMAGE_TYPE = (IMAGE_TYPE,)
CREATED = (0x00080012, 0x00080013)
STUDY, SERIES = (0x00080020, 0x00080030), (0x00080021, 0x00080031)
STEP_STARTED, STEP_ENDED = (0x00400244, 0x00400245), (0x00400250, 0x00400251)
#: Instants of the row beside that of its clock: column, date, time.
TIMES: dict[str, tuple[int, int]] = {
    "study_at": STUDY, "series_at": SERIES,
    "step_started_at": STEP_STARTED, "step_ended_at": STEP_ENDED,
}  # fmt: skip
_TIMES = tuple(TIMES.values())
_CREATED_AND = ("message_at", *TIMES)
ACQUISITION_DATETIME = 0x0008002A
#: Rungs of the ladder after Acquisition DateTime: name, date, time, only for ORIGINAL images?
LADDER: tuple[tuple[str, int, int, bool], ...] = (
    ("acquisition", 0x00080022, 0x00080032, False),  # PS3.3 C.7.6.1, General Acquisition
    ("content", 0x00080023, 0x00080033, True),  # of a derived image it is when it was derived
    ("series", *SERIES, False),
    ("study", *STUDY, False),
)
ORIGINAL_ATTRIBUTES, MODIFIED_AT, MODIFIER, PREVIOUS = 0x04000561, 0x04000562, 0x04000563, 0x04000564

IMAGE: Wanted = {
    **wanted_of(INSTANCE),
    **dict.fromkeys((IMAGE_TYPE, *CREATED, ACQUISITION_DATETIME)),
    **{tag: None for pair in _TIMES for tag in pair},
    **{tag: None for _, *tags, _ in LADDER for tag in tags},
    PER_FRAME: {FRAME_CONTENT: {FRAME_STARTED: None, FRAME_DURATION: None}},
    ORIGINAL_ATTRIBUTES: {CHARSET: None, **dict.fromkeys((MODIFIED_AT, MODIFIER, PREVIOUS))},
}

#: What is read of the header in one go, before its sender is known.
COLUMNS = Table((*INSTANCE, *IDENTIFIERS, *PATIENT))
_ABSENT: dict[str, Any] = dict.fromkeys(column.name for column in RECORDS["instance"])
_WHO = ("patient_id", "patient_authority")
_KNOWN = (*dict.fromkeys(row.column for row in IDENTIFIERS), *(column for column, *_ in ORDER_NUMBERS))
_ORIGINAL = {"ORIGINAL": True, "DERIVED": False}


def add_image(header: Header, parsed: Parsed, sop_uid: str, transfer_syntax: str) -> dict[str, Any]:
    """One `instance` row, also returned; with it an event `images_imported` where it came from another institution."""
    dataset, sop_hash = header.dataset, hashed(sop_uid)
    row = read(header, dataset, COLUMNS, _ABSENT.copy())
    source_ae = header.meta_text(SOURCE_AE)
    row["ae_title"] = row["ae_title"] or source_ae or None
    places: tuple[str | None, ...] = (row["institution"], row["station"], row["ae_title"], source_ae)
    imported, changed_at = _changes(header)
    if imported:  # the institution is the one outside: who imported is told by the change itself
        places = (imported[1], header.meta_text(RECEIVING_AE), source_ae, *places)
    header.settle(row["ae_title"] or row["station"], sop_hash, places)
    issue(header, dataset, row)
    who = authorized(header, {name: row[name] for name in _WHO if row[name]})
    row["patient_authority"] = who.get("patient_authority")
    kind = header.values(_IMAGE_TYPE)[0].partition("\\")[0].strip()
    row |= header.common
    row["sop_hash"] = sop_hash
    row["transfer_syntax"] = transfer_syntax or None
    row["is_original"] = is_original = _ORIGINAL.get(kind)
    if changed_at:
        row["message_at"] = changed_at
        row |= zip(TIMES, header.instants(dataset, _TIMES), strict=True)
    else:
        row |= zip(_CREATED_AND, header.instants(dataset, (CREATED, *_TIMES)), strict=True)
    row |= clock_of(header, row["acquisition_duration_s"], is_original=is_original)
    if imported:
        stamp, _, source = imported
        row |= {"imported_at": stamp.at, "import_source": source}
        event = {"code": "images_imported", "origin": "image", "station": row["station"], **_when(stamp)}
        known = {name: row[name] for name in _KNOWN}
        parsed.add(
            "event", header.position, {**header.common, "message_at": row["message_at"], **known, **who, **event}
        )
    parsed.add("instance", header.position, row)
    add_other_patients(header, parsed, who)
    return row


def clock_of(header: Header, duration_s: float | None, *, is_original: bool | None) -> dict[str, Any]:
    """The best clock of the acquisition: frames or Acquisition DateTime, else the first rung that names an instant."""
    dataset = header.dataset
    stated = header.value(ACQUISITION_DATETIME)
    stamp = header.instant(stated, ACQUISITION_DATETIME) if stated else None
    rung = "acquisition_datetime"
    if PER_FRAME in dataset:
        stamp, duration_s = _frames(header, stamp, duration_s)
    coarse = None
    for name, *tags, needs_original in () if stamp and stamp.at else LADDER:
        if needs_original and not is_original:
            continue
        stamp, rung = header.moment(dataset, *tags), name
        if stamp and stamp.at:
            break
        coarse = coarse or stamp
    if stamp is None or stamp.at is None:  # a date is no instant: its precision says so
        best = coarse or stamp
        return {"acquired_precision": best.precision, "acquired_zone_source": best.zone_source} if best else {}
    return {
        "acquired_at": stamp.at,
        "acquired_clock": rung,
        "acquired_precision": stamp.precision,
        "acquired_zone_source": stamp.zone_source,
        "acquisition_duration_s": duration_s,
    }


def _frames(header: Header, stamp: Stamp | None, duration_s: float | None) -> tuple[Stamp | None, float | None]:
    """Enhanced multi-frame: from the start of the first frame, or of the acquisition, to the end of the last frame."""
    first, ends = stamp if stamp and stamp.at else None, []
    if first and first.at and duration_s:
        ends.append(_after(first.at, duration_s))
    for raw, duration_ms in _outer_frames(header):
        start = header.stamp(raw, FRAME_STARTED)
        if start is None or start.at is None:
            continue
        ends.append(_after(start.at, duration_ms / 1000))
        if first is None or first.at is None or start.at < first.at:
            first = start
    if first is None or first.at is None:
        return stamp, duration_s
    return first, (max(ends) - first.at).total_seconds() if ends else None


def _outer_frames(header: Header) -> list[tuple[bytes, float]]:
    """(start, milliseconds) of the frames that can be first or end last; the others lie between and are not parsed."""
    told: Any = header.dataset[PER_FRAME]
    if isinstance(told, list):
        told = outer(told) or told
    if isinstance(told, tuple):
        first, last = told
        return [(first, 0.0), *((raw, _milliseconds(header, length)) for length, raw in last.items())]
    contents = (frame.get(FRAME_CONTENT) for frame in told or ())
    firsts = (content[0] for content in contents if isinstance(content, list) and content)
    return [
        (raw, _milliseconds(header, content.get(FRAME_DURATION)))
        for content in firsts
        if (raw := content.get(FRAME_STARTED))
    ]


def _after(at: datetime, seconds: float) -> datetime:
    try:
        return at + timedelta(seconds=seconds)
    except OverflowError:  # on the last day of the calendar
        return at


def _milliseconds(header: Header, raw: Any) -> float:
    if not isinstance(raw, bytes) or len(raw) != 8:
        return 0.0
    value: float = header.double(raw)[0]
    return value if 0 <= value <= LONGEST_S * 1000 else 0.0


def _when(stamp: Stamp) -> dict[str, Any]:
    return {"at": stamp.at, "at_precision": stamp.precision, "at_zone_source": stamp.zone_source}


#: When, by which system, from where.
Import = tuple[Stamp, str, str]


def _changes(header: Header) -> tuple[Import | None, datetime | None]:
    """The import and the last change among Original Attributes (PS3.3 C.12.1.1.9).

    An import is the change that names a source of previous values; a department's own corrections leave it empty.
    """
    imported: Import | None = None
    last: datetime | None = None
    for item in items(header.dataset, ORIGINAL_ATTRIBUTES) if ORIGINAL_ATTRIBUTES in header.dataset else ():
        inner = header.within(item)
        source, when, system = (
            inner.text(raw) if (raw := item.get(tag)) else "" for tag in (PREVIOUS, MODIFIED_AT, MODIFIER)
        )
        stamp = inner.instant(when, MODIFIED_AT) if when else None
        if stamp is None or stamp.at is None:
            continue
        last = max(last or stamp.at, stamp.at)
        if source and imported is None:
            imported = (stamp, system, source)
    return imported, last
