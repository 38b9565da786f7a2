"""Images of a series differ in a few elements: what was read of the others for one image is taken over for the next.

A row is a function of what the file holds, of the site and of nothing else. So where all but `AGAIN` and what nobody
reads is octet by octet that of an image before, only the columns that are read of `AGAIN` are read again. An image is
remembered only if it gave its row, nothing beside it and no defect; one that would give a defect is read in full.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from etl.records import ENVELOPE, RECORDS, Parsed
from etl.site import Site
from etl.sources import dicom_kernel
from etl.sources.dicom_fields import Table, read
from etl.sources.dicom_file import File
from etl.sources.dicom_header import Header, hashed
from etl.sources.dicom_image import (
    ACQUISITION_DATETIME,
    CREATED,
    INSTANCE,
    LADDER,
    ORIGINAL_ATTRIBUTES,
    PER_FRAME,
    clock_of,
)
from etl.sources.dicom_template import Sample, Template
from etl.sources.dicom_walk import Fetch, Wanted
from etl.timestamps import Stamp

SERIES_UID, SOP_INSTANCE = 0x0020000E, 0x00080018
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
AGAIN = VARYING | _EXPOSURE_TAGS
#: Series that are remembered, those of them that are tried, times that one is learned, octets of a header.
MOST_SERIES, MOST_TRIED, MOST_LEARNED, MOST_BYTES = 64, 8, 8, 1 << 16


@dataclass(slots=True, eq=False)
class _Image:
    """An image that was read in full: its header, its row, the values of row and envelope, what others have besides."""

    sample: Sample
    header: Header
    row: dict[str, Any]
    told: tuple[tuple[Any, ...], tuple[Any, ...]]
    varying: set[int] = field(default_factory=lambda: set(VARYING))
    n_learned: int = 0
    template: Template | None = None
    values: list[Any] = field(default_factory=list)
    envelope: list[Any] = field(default_factory=list)
    has_exposure: bool = False
    has_rung: bool = False


#: Series UID -> an image of the series.
_SEEN: dict[Any, _Image] = {}
#: Those with a template, the last one used first.
_TRIED: list[_Image] = []
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


def remember(data: bytes, file: File, header: Header, row: dict[str, Any], parsed: Parsed, wanted: Wanted) -> None:
    """Keep an image that gave this row and an envelope alone, for those that follow."""
    dataset = file.dataset
    if parsed.rows.keys() != {"instance"} or parsed.rows["instance"].n != 1 or parsed.envelopes.n != 1:
        return
    if header.defects or file.is_deflated or not 0 < file.end <= MOST_BYTES or data[128:132] != b"DICM":
        return
    if PER_FRAME in dataset or ORIGINAL_ATTRIBUTES in dataset:
        return
    series = dataset[SERIES_UID]
    seen, told = _SEEN.get(series), (parsed.rows["instance"].rows[0][:-2], parsed.envelopes.rows[0][:-2])
    if seen is None:
        if len(_SEEN) >= MOST_SERIES:
            forget()
        _SEEN[series] = _Image(Sample(data, file), header, row, told)
    elif seen.n_learned < MOST_LEARNED:
        seen.n_learned += 1
        if seen.header.site is header.site and _learn(seen, data, file, wanted):
            return
        _SEEN[series] = _Image(Sample(data, file), header, row, told, seen.varying, seen.n_learned)


def forget() -> None:
    """As if no image had been read."""
    _SEEN.clear()
    _TRIED.clear()


def _learn(seen: _Image, data: bytes, file: File, wanted: Wanted) -> bool:
    """Find what another image of the series has in common with the one that was seen; False if that is too little."""
    template = seen.sample.template(data, file, seen.varying, AGAIN, wanted)
    if template is None:
        return False
    seen.template = template
    seen.has_exposure = not seen.varying.isdisjoint(_EXPOSURE_TAGS)
    if not seen.values:
        seen.values, seen.envelope = list(seen.told[0]), list(seen.told[1])
        for place in _OWN:
            seen.values[place] = None
        dataset = seen.header.dataset
        seen.has_rung = ACQUISITION_DATETIME not in dataset and all(dataset.get(tag) for tag in LADDER[0][1:3])
    _use(seen)
    return True


def _use(seen: _Image) -> None:
    if seen in _TRIED:
        _TRIED.remove(seen)
    _TRIED.insert(0, seen)
    del _TRIED[MOST_TRIED:]


def again(data: bytes, size: int, position: int, site: Site, parsed: Parsed, fetch: Fetch | None = None) -> int | None:
    """Add row and envelope of a file like one before, of whose `size` octets `data` are the first; its header's end.

    None where it must be read in full.
    """
    for seen in _TRIED:
        assert seen.template is not None  # noqa: S101 - or it would not be tried
        if seen.header.site is site and (told := seen.template.match(data, size, fetch)):
            if seen is not _TRIED[0]:
                _use(seen)
            return told[1] if _add(seen, told[0], position, parsed) else None
    return None


def _add(seen: _Image, found: dict[int, Any], position: int, parsed: Parsed) -> bool:
    """Add the row and the envelope with what is read of the values `found`; False, and nothing added, if one is bad."""
    header, values, dataset = seen.header, seen.values.copy(), seen.header.dataset
    dataset |= found
    header.position, header.defects = position, []
    sop_uid = header.value(SOP_INSTANCE)
    at = header.instants(dataset, _CREATED)[0]
    kernel, stamp = dicom_kernel.compiled, None
    if seen.has_rung and kernel is not None and header.is_plain:
        stamp = kernel.moment(dataset[_ACQUIRED[0]], dataset[_ACQUIRED[1]], header.zone.hours, Stamp)
    if stamp is not None:
        values[_AT], values[_CLOCK], values[_PRECISION], values[_ZONE] = stamp[0], LADDER[0][0], stamp[1], stamp[2]
    else:
        clock = clock_of(header, seen.row.get("acquisition_duration_s"), is_original=seen.row["is_original"])
        for name, value in clock.items():
            values[_PLACES[name]] = value
    if seen.has_exposure:
        exposed = read(header, dataset, EXPOSURE)
        for name, place in _EXPOSED.items():
            values[place] = exposed.get(name)
    if header.defects or not sop_uid:
        return False
    values[_MESSAGE_ID] = values[_SOP_HASH] = hashed(sop_uid)
    values[_MESSAGE_AT] = at
    parsed.of("instance").put(position, values)
    told = seen.envelope.copy()
    told[_TOLD_AT] = at
    parsed.envelopes.put(position, told)
    return True
