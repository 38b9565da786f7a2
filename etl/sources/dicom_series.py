"""Images of a series differ in a few elements: what was read of the others for one image is taken over for the next.

A row is a function of what the file holds, of the site and of nothing else. So where all but `AGAIN` and what nobody
reads is octet by octet that of an image before, only the columns that are read of `AGAIN` are read again. An image is
remembered only if it gave its row, nothing beside it and no defect; one that would give a defect is read in full.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from etl.records import ENVELOPE, RECORDS, Parsed, Rows
from etl.site import Site
from etl.sources import dicom_kernel, dicom_template
from etl.sources.dicom_fields import Table, is_decimal, read
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
from etl.sources.dicom_template import Template, Templates
from etl.sources.dicom_walk import Dataset, Fetch, Wanted

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
#: What the compiled twin has to know: numbers of values that are read again, places of columns, how exposure is read.
_NUMBERS = {tag: number for number, tag in enumerate(sorted(AGAIN))}
_VALUES = tuple(_NUMBERS[tag] for tag in (SOP_INSTANCE, ACQUISITION_DATETIME, *CREATED, *_ACQUIRED))
_FILLED = (_AT, _CLOCK, _PRECISION, _ZONE, _MESSAGE_ID, _SOP_HASH, _MESSAGE_AT)
_EXPOSURES = tuple((_NUMBERS[field.first], _EXPOSED[field.column], is_decimal(field)) for field in EXPOSURE)


@cache
def _making(kernel: Any) -> object:
    made: object = kernel.making(LADDER[0][0], hashed, _VALUES, _FILLED, _TOLD_AT, _EXPOSURES)
    return made


class _Image(Template):
    """An image that was read in full: what others are like, its header, its values by name, its row and envelope."""

    __slots__ = ("envelope", "header", "row", "values")

    def __init__(
        self, data: bytes, file: File, wanted: Wanted, header: Header, values: dict[str, Any], parsed: Parsed
    ) -> None:
        self.header, self.values = header, values
        self.row, self.envelope = parsed.rows["instance"].rows[0], parsed.envelopes.rows[0]
        rows = None
        if (kernel := dicom_kernel.compiled) is not None and header.is_plain:
            rows = (_making(kernel), self.row, self.envelope, header.zone.hours)
        super().__init__(data, file, wanted, AGAIN, rows)


#: The images that were read in full last or that others were like, by whether they were inflated, and their site.
_TRIED: dict[bool, Templates[_Image]] = {False: Templates(), True: Templates()}
_SITE: list[Site] = []


def remember(data: bytes, file: File, header: Header, row: dict[str, Any], parsed: Parsed, wanted: Wanted) -> None:
    """Keep an image that gave this row and an envelope alone, for those that follow."""
    dataset = file.dataset
    if len(parsed.rows) != 1 or len(parsed.rows["instance"].rows) != 1 or len(parsed.envelopes.rows) != 1:
        return
    data = file.inflated or data
    if header.defects or not 0 < file.stop <= MOST_BYTES or data[128:132] != b"DICM":
        return
    if PER_FRAME in dataset or ORIGINAL_ATTRIBUTES in dataset:
        return
    if not _SITE or _SITE[0] is not header.site:
        forget()
        _SITE.append(header.site)
    _TRIED[bool(file.inflated)].hold(_Image(data, file, wanted, header, row, parsed), MOST_TRIED)


def forget() -> None:
    """As if no image had been read."""
    _SITE.clear()
    for tried in _TRIED.values():
        tried.clear()
    dicom_template.forget()


def again(
    data: bytes, size: int, site: Site, fetch: Fetch | None = None, *, is_inflated: bool = False
) -> tuple[Parsed, int] | None:
    """Row and envelope of a file like one before, of whose `size` octets `data` are the first; its header's end.

    None where it must be read in full. What was deflated is like what was deflated alone: elsewhere it is no data set.
    """
    if not _SITE or site is not _SITE[0]:
        return None
    tried = _TRIED[is_inflated]
    told = tried.match(data, size, fetch)
    if told is None:
        return None
    if len(told) == 3 and (told := _told(tried[0], told)) is None:
        return None
    return Parsed("dicom", 1, {"instance": Rows(_NAMES, told[2])}, [], [], Rows(_ENVELOPE, told[3])), told[1]


def _told(seen: _Image, match: tuple[int, int, Dataset]) -> tuple[int, int, list[Any], list[Any]] | None:
    """What the compiled twin tells where all values that are read again are plain; None if one is bad."""
    header, dataset, row, told = seen.header, seen.header.dataset, list(seen.row), list(seen.envelope)
    dataset |= match[2]
    header.position, header.defects = 0, []
    sop_uid = header.value(SOP_INSTANCE)
    at = header.instants(dataset, _CREATED)[0]
    clock = clock_of(header, seen.values["acquisition_duration_s"], is_original=seen.values["is_original"])
    exposed = {} if _EXPOSURE_TAGS.isdisjoint(dataset) else read(header, dataset, EXPOSURE)
    if header.defects or not sop_uid:
        return None
    for name in CLOCK:
        row[_PLACES[name]] = clock.get(name)
    for name, place in _EXPOSED.items():
        row[place] = exposed.get(name)
    row[_MESSAGE_ID] = row[_SOP_HASH] = hashed(sop_uid)
    row[_MESSAGE_AT] = told[_TOLD_AT] = at
    return *match[:2], [tuple(row)], [tuple(told)]
