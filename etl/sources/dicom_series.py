"""Images of a series differ in a few elements: what was read of the others for one image is taken over for the next.

A row is a function of what the file holds, of the site and of nothing else. So where all but `AGAIN` and what nobody
reads is octet by octet that of an image before, only the columns that are read of `AGAIN` are read again. An image is
remembered only if it gave its row, nothing beside it and no defect; one that would give a defect is read in full.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from etl.records import ENVELOPE, RECORDS, Parsed, Rows
from etl.site import Site
from etl.sources import dicom_kernel, dicom_template
from etl.sources.dicom_fields import Table, compiled, read
from etl.sources.dicom_file import File
from etl.sources.dicom_frames import PER_FRAME
from etl.sources.dicom_header import Header, hashed
from etl.sources.dicom_image import (
    ACQUISITION_DATETIME,
    CREATED,
    INSTANCE,
    LADDER,
    ORIGINAL_ATTRIBUTES,
    clock_of,
)
from etl.sources.dicom_template import Template
from etl.sources.dicom_walk import Fetch, Wanted

SOP_INSTANCE = 0x00080018
#: Columns of the clock and of the instance, read of `VARYING`, which no field table names.
VARYING = frozenset((SOP_INSTANCE, *CREATED, ACQUISITION_DATETIME, *LADDER[0][1:3], *LADDER[1][1:3]))
COLUMNS = frozenset(("message_id", "sop_hash", "message_at"))
CLOCK = frozenset(("acquired_at", "acquired_clock", "acquired_precision", "acquired_zone_source"))
#: Columns that follow the exposure of each image; nothing else is read of their elements.
_PLACES = {column.name: place for place, column in enumerate(RECORDS["instance"])}
_EXPOSED = {
    name: _PLACES[name]
    for name in ("kvp", "exposure_mas", "exposure_time_ms", "exposure_index", "deviation_index", "dap")
}
EXPOSURE = Table(row for row in INSTANCE if row.column in _EXPOSED)
#: What may differ between the images of a series although it is read.
_EXPOSURE_TAGS = {row.first for row in EXPOSURE}
AGAIN: Wanted = dict.fromkeys(VARYING | _EXPOSURE_TAGS)
#: Images that are tried, octets of a header.
MOST_TRIED, MOST_BYTES = 8, 1 << 16
_OWN = [_PLACES[name] for name in CLOCK | COLUMNS]
_AT, _CLOCK, _PRECISION, _ZONE, _MESSAGE_ID, _SOP_HASH, _MESSAGE_AT = (
    _PLACES[name]
    for name in (
        "acquired_at", "acquired_clock", "acquired_precision", "acquired_zone_source",
        "message_id", "sop_hash", "message_at",
    )
)  # fmt: skip
_TOLD_AT = [column.name for column in ENVELOPE].index("message_at")
_CREATED, _ACQUIRED = (CREATED,), LADDER[0][1:3]
_NAMES, _ENVELOPE = tuple(_PLACES), tuple(column.name for column in ENVELOPE)
#: What the compiled twin has to know.
_PLAN = (
    (CREATED, _ACQUIRED), LADDER[0][0], _EXPOSED,
    (_AT, _CLOCK, _PRECISION, _ZONE, _MESSAGE_ID, _SOP_HASH, _MESSAGE_AT), _TOLD_AT,
)  # fmt: skip


class _Image:
    """An image that was read in full: what others are like, its header, its row, the values of row and envelope."""

    __slots__ = ("envelope", "has_exposure", "has_rung", "header", "is_inflated", "row", "template", "values")

    def __init__(self, template: Template, header: Header, row: dict[str, Any], parsed: Parsed) -> None:
        dataset = header.dataset
        self.template, self.header, self.row = template, header, row
        self.is_inflated = bool(template.file.inflated)
        self.values, self.envelope = list(parsed.rows["instance"].rows[0][:-2]), list(parsed.envelopes.rows[0][:-2])
        for place in _OWN:
            self.values[place] = None
        self.has_exposure = not _EXPOSURE_TAGS.isdisjoint(dataset)
        self.has_rung = ACQUISITION_DATETIME not in dataset and all(dataset.get(tag) for tag in _ACQUIRED)


#: The images that were read in full last or that others were like, the last one first.
_TRIED: list[_Image] = []


def remember(data: bytes, file: File, header: Header, row: dict[str, Any], parsed: Parsed, wanted: Wanted) -> None:
    """Keep an image that gave this row and an envelope alone, for those that follow."""
    dataset = file.dataset
    if parsed.rows.keys() != {"instance"} or parsed.rows["instance"].n != 1 or parsed.envelopes.n != 1:
        return
    data = file.inflated or data
    if header.defects or not 0 < file.stop <= MOST_BYTES or data[128:132] != b"DICM":
        return
    if PER_FRAME in dataset or ORIGINAL_ATTRIBUTES in dataset:
        return
    _use(_Image(Template(data, file, wanted, AGAIN), header, row, parsed))


def forget() -> None:
    """As if no image had been read."""
    _TRIED.clear()
    dicom_template.forget()


def _use(seen: _Image) -> None:
    if seen in _TRIED:
        _TRIED.remove(seen)
    _TRIED.insert(0, seen)
    del _TRIED[MOST_TRIED:]


def again(
    data: bytes, size: int, site: Site, fetch: Fetch | None = None, *, is_inflated: bool = False
) -> tuple[Parsed, int] | None:
    """Row and envelope of a file like one before, of whose `size` octets `data` are the first; its header's end.

    None where it must be read in full. What was deflated is like what was deflated alone: elsewhere it is no data set.
    """
    for seen in _TRIED:
        if (
            seen.header.site is site
            and seen.is_inflated is is_inflated
            and (told := seen.template.match(data, size, fetch))
        ):
            if seen is not _TRIED[0]:
                _use(seen)
            parsed = _parsed(seen, told[0])
            return (parsed, told[1]) if parsed else None
    return None


def _parsed(seen: _Image, found: dict[int, Any]) -> Parsed | None:
    """The row and the envelope with what is read of the values `found`; None if one is bad."""
    told = _told(seen, found)
    if told is None:
        return None
    return Parsed("dicom", 1, {"instance": Rows(_NAMES, [told[0]])}, [], [], Rows(_ENVELOPE, [told[1]]))


#: Values of a row and of an envelope, position and row number last.
_Told = tuple[tuple[Any, ...], tuple[Any, ...]]


def _told(seen: _Image, found: dict[int, Any]) -> _Told | None:
    header, dataset = seen.header, seen.header.dataset
    dataset |= found
    if (kernel := dicom_kernel.compiled) is not None and seen.has_rung and header.is_plain:
        raw: Any = dataset[SOP_INSTANCE]
        if raw.isascii() and (uid := raw.strip(b" \0")):
            named, exposure = sha256(uid).hexdigest()[:32], compiled(EXPOSURE) if seen.has_exposure else None
            zone, codec, is_big = header.zone.hours, header.codec, header.is_big
            plain: _Told | None = kernel.slice(
                seen.values, seen.envelope, dataset, named, zone, codec, is_big, exposure, _PLAN
            )
            if plain is not None:
                return plain
    return _told_slowly(seen)


def _told_slowly(seen: _Image) -> _Told | None:
    header, values, dataset = seen.header, seen.values.copy(), seen.header.dataset
    header.position, header.defects = 0, []
    sop_uid = header.value(SOP_INSTANCE)
    at = header.instants(dataset, _CREATED)[0]
    clock = clock_of(header, seen.row.get("acquisition_duration_s"), is_original=seen.row["is_original"])
    exposed = read(header, dataset, EXPOSURE) if seen.has_exposure else {}
    if header.defects or not sop_uid:
        return None
    for name, value in clock.items():
        values[_PLACES[name]] = value
    for name, place in _EXPOSED.items():
        values[place] = exposed.get(name)
    values[_MESSAGE_ID] = values[_SOP_HASH] = hashed(sop_uid)
    values[_MESSAGE_AT] = at
    told = seen.envelope.copy()
    told[_TOLD_AT] = at
    return (*values, 0, 0), (*told, 0, 0)
