"""Images of a series differ in a few elements: what was read of the others for one image is taken over for the next.

A row is a function of what the file holds, of the site and of nothing else. So where all elements but `VARYING` are
octet by octet those of an image before, only the columns that are read of `VARYING` are read again. An image is
remembered only if it gave its row, nothing beside it and no defect; one that would give a defect is read in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from etl.records import RECORDS, Parsed
from etl.site import Site
from etl.sources.dicom_file import File
from etl.sources.dicom_header import Header, hashed
from etl.sources.dicom_image import ACQUISITION_DATETIME, CREATED, LADDER, ORIGINAL_ATTRIBUTES, PER_FRAME, clock_of
from etl.sources.dicom_walk import PIXELS, Dataset

SERIES_UID, SOP_INSTANCE = 0x0020000E, 0x00080018
#: What differs between the images of a series and is read by `again` alone; no field table names any of it.
VARYING = frozenset((SOP_INSTANCE, *CREATED, ACQUISITION_DATETIME, *LADDER[0][1:3], *LADDER[1][1:3]))
#: Columns that are read of them, beside those of `CLOCK`.
COLUMNS = frozenset(("message_id", "sop_hash", "message_at"))
CLOCK = frozenset(("acquired_at", "acquired_clock", "acquired_precision", "acquired_zone_source"))
#: Series that are remembered, and octets of an image's header that is.
MOST_SERIES, MOST_BYTES = 64, 512 * 1024


@dataclass(frozen=True, slots=True)
class _Image:
    """An image that was read: what it holds beside `VARYING`, its row, and its envelope."""

    site: Site
    file: File
    rest: Dataset
    header: Header
    row: tuple[Any, ...]
    duration_s: float | None
    is_original: bool | None
    envelope: dict[str, Any]


#: Series UID -> an image of the series, None after the first.
_SEEN: dict[Any, _Image | None] = {}
_PLACES = {column.name: place for place, column in enumerate(RECORDS["instance"])}


def _rest(dataset: Dataset) -> Dataset:
    rest = dataset.copy()
    for tag in VARYING:
        rest.pop(tag, None)
    return rest


def remember(file: File, header: Header, parsed: Parsed, row: dict[str, Any], envelope: dict[str, Any]) -> None:
    """Keep an image, whose row and envelope were just added, for those that follow."""
    dataset = file.dataset
    series = dataset[SERIES_UID]
    if series not in _SEEN:  # many a series is one image
        if len(_SEEN) >= MOST_SERIES:
            _SEEN.clear()
        _SEEN[series] = None
        return
    is_plain = parsed.rows.keys() == {"instance"} and parsed.rows["instance"].n == 1 and not header.defects
    if not is_plain or PER_FRAME in dataset or ORIGINAL_ATTRIBUTES in dataset:
        return
    rest = _rest(dataset)
    if max(file.end, sum(len(raw) for raw in rest.values())) > MOST_BYTES:
        return
    values = tuple(None if name in CLOCK | COLUMNS else row.get(name) for name in _PLACES)
    told = (row.get("acquisition_duration_s"), row["is_original"])
    _SEEN[series] = _Image(header.site, file, rest, header, values, *told, envelope)


def forget() -> None:
    """As if no image had been read."""
    _SEEN.clear()


def again(file: File, position: int, site: Site, parsed: Parsed) -> bool:
    """Add row and envelope of an image that is like one before; False where it must be read in full."""
    dataset = file.dataset
    series = dataset.get(SERIES_UID)
    seen = _SEEN.get(series) if isinstance(series, bytes) else None
    if seen is None or seen.site is not site or file.last < PIXELS:
        return False
    if (file.transfer_syntax, file.is_big_endian) != (seen.file.transfer_syntax, seen.file.is_big_endian):
        return False
    if file.meta != seen.file.meta or _rest(dataset) != seen.rest:
        return False
    header = seen.header
    header.dataset, header.position, header.defects = dataset, position, []
    sop_uid = header.value(SOP_INSTANCE)
    at = header.at(dataset, *CREATED)
    clock = clock_of(header, seen.duration_s, is_original=seen.is_original)
    if header.defects or not sop_uid:
        return False
    clock["message_id"] = clock["sop_hash"] = hashed(sop_uid)
    clock["message_at"] = at
    values = list(seen.row)
    for name, value in clock.items():
        values[_PLACES[name]] = value
    parsed.of("instance").put(position, values)
    parsed.envelopes.add(position, {**seen.envelope, "message_at": at})
    return True
