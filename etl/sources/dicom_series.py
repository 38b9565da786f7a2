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

SERIES_UID, SOP_INSTANCE = 0x0020000E, 0x00080018
#: Columns of the clock and of the instance, read of `VARYING`, which no field table names.
VARYING = frozenset((SOP_INSTANCE, *CREATED, ACQUISITION_DATETIME, *LADDER[0][1:3], *LADDER[1][1:3]))
COLUMNS = frozenset(("message_id", "sop_hash", "message_at"))
CLOCK = frozenset(("acquired_at", "acquired_clock", "acquired_precision", "acquired_zone_source"))
#: Columns that follow the exposure of each image; nothing else is read of their elements.
_EXPOSED = ("kvp", "exposure_mas", "exposure_time_ms", "exposure_index", "deviation_index", "dap")
EXPOSURE = Table(row for row in INSTANCE if row.column in _EXPOSED)
#: What may differ between the images of a series although it is read.
_EXPOSURE_TAGS = {row.first for row in EXPOSURE}
AGAIN = VARYING | _EXPOSURE_TAGS
#: Series that are remembered, those of them that are tried, times that one is learned, octets of a header.
MOST_SERIES, MOST_TRIED, MOST_LEARNED, MOST_BYTES = 64, 8, 8, 1 << 16


@dataclass(slots=True, eq=False)
class _Image:
    """An image that was read in full: its header, its row, its envelope, and what others were seen to have besides."""

    sample: Sample
    header: Header
    row: dict[str, Any]
    envelope: dict[str, Any]
    varying: set[int] = field(default_factory=lambda: set(VARYING))
    n_learned: int = 0
    template: Template | None = None
    values: list[Any] = field(default_factory=list)
    envelope_values: list[Any] = field(default_factory=list)
    has_exposure: bool = False


#: Series UID -> an image of the series.
_SEEN: dict[Any, _Image] = {}
#: Those with a template, the last one used first.
_TRIED: list[_Image] = []
_PLACES = {column.name: place for place, column in enumerate(RECORDS["instance"])}
_OWN = CLOCK | COLUMNS
_MESSAGE_AT = [column.name for column in ENVELOPE].index("message_at")


def remember(
    data: bytes, file: File, header: Header, row: dict[str, Any], envelope: dict[str, Any], wanted: Wanted
) -> None:
    """Keep an image that gave this row and this envelope alone, for those that follow."""
    dataset = file.dataset
    if header.defects or file.is_deflated or not 0 < file.end <= MOST_BYTES or data[128:132] != b"DICM":
        return
    if PER_FRAME in dataset or ORIGINAL_ATTRIBUTES in dataset:
        return
    series = dataset[SERIES_UID]
    seen = _SEEN.get(series)
    if seen is None:
        if len(_SEEN) >= MOST_SERIES:
            forget()
        _SEEN[series] = _Image(Sample(data, file), header, row, envelope)
    elif seen.n_learned < MOST_LEARNED:
        seen.n_learned += 1
        if seen.header.site is header.site and _learn(seen, data, file, wanted):
            return
        _SEEN[series] = _Image(Sample(data, file), header, row, envelope, seen.varying, seen.n_learned)


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
        seen.values = [None if name in _OWN else seen.row.get(name) for name in _PLACES]
        seen.envelope_values = [seen.envelope.get(column.name) for column in ENVELOPE]
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
    header, values = seen.header, seen.values.copy()
    header.dataset |= found
    header.position, header.defects = position, []
    sop_uid = header.value(SOP_INSTANCE)
    at = header.at(header.dataset, *CREATED)
    row = clock_of(header, seen.row.get("acquisition_duration_s"), is_original=seen.row["is_original"])
    if seen.has_exposure:
        exposed = read(header, header.dataset, EXPOSURE)
        row |= {name: exposed.get(name) for name in _EXPOSED}
    if header.defects or not sop_uid:
        return False
    row["message_id"] = row["sop_hash"] = hashed(sop_uid)
    row["message_at"] = at
    for name, value in row.items():
        values[_PLACES[name]] = value
    parsed.of("instance").put(position, values)
    told = seen.envelope_values.copy()
    told[_MESSAGE_AT] = at
    parsed.envelopes.put(position, told)
    return True
