"""DICOM: a Part 10 file, a headerless data set, or an array of DICOM JSON -> typed records. Judges nothing.

**Completeness.** A file may have been cut anywhere, and a cut value is a wrong value. The walker takes a value only
where it lies whole within the bytes, and tags of the top level must ascend (PS3.5 7.1): where it has seen a tag T, it
has seen every element before T. `PROOF` names for each kind of object a tag that no tag we read lies behind; an object
is accepted only where that tag or a later one was seen whole, and is else rejected as `truncated` or `unproven`.
A header without pixels ends with Data Set Trailing Padding (FFFC,FFFC) or with empty Pixel Data (7FE0,0010): its proof.
"""

from __future__ import annotations

import json
from typing import Any

from etl.records import Parsed, Rejected
from etl.site import Site
from etl.sources.dicom_classes import Sort, sort_of
from etl.sources.dicom_document import CONTENT_SEQUENCE, DOCUMENT, add_dose_report, add_key_objects
from etl.sources.dicom_fields import merged
from etl.sources.dicom_file import File, inflated_of, read_file
from etl.sources.dicom_header import OFFSET, Header
from etl.sources.dicom_identity import IDENTITY
from etl.sources.dicom_image import CREATED, IMAGE, RECEIVING_AE, add_image
from etl.sources.dicom_json import is_json, objects_of
from etl.sources.dicom_series import again, remember
from etl.sources.dicom_step import MPPS, SERIES, add_step
from etl.sources.dicom_walk import PIXELS, BrokenError, Fetch, Wanted

#: Why an object is unusable.
REASONS: dict[str, str] = {
    "truncated": "the bytes end inside an element, a sequence or the deflated stream",
    "unproven": "nothing proves that the object is whole: an image that ends before its pixel data without trailing "
    "padding, a document without content, a performed step without its series",
    "bad_encoding": "elements that no transfer syntax allows",
    "unordered_tags": "tags of the data set do not ascend",
    "too_deep": "sequences nested deeper than 32",
    "too_many_elements": "more than 50,000 elements or 1,000,000 fragments",
    "value_too_large": "a value that is read is longer than 8 MiB",
    "inflate_limit": "inflates beyond 64 MiB or 200 times its size",
    "missing_uid": "no SOP class, SOP instance, study or series UID",
    "bad_json": "not an array of objects of the DICOM JSON model",
}

SOP_CLASS, SOP_INSTANCE = 0x00080016, 0x00080018
STUDY_UID, SERIES_UID = 0x0020000D, 0x0020000E
MODALITY, ROWS = 0x00080060, 0x00280010
META_SOP_CLASS = 0x00020002
#: Kind of object -> the tag that proves it whole.
PROOF: dict[Sort, int] = {
    "image": PIXELS, "key_objects": CONTENT_SEQUENCE, "dose_report": CONTENT_SEQUENCE, "step": SERIES,
}  # fmt: skip
#: Kind of object -> UIDs without which it says nothing, its own first.
MANDATORY: dict[Sort, tuple[int, ...]] = {
    "image": (SOP_INSTANCE, STUDY_UID, SERIES_UID), "key_objects": (SOP_INSTANCE, STUDY_UID),
    "dose_report": (SOP_INSTANCE, STUDY_UID), "step": (SOP_INSTANCE,),
}  # fmt: skip
_CLASS = (SOP_CLASS, MODALITY)


def _union(*parts: Wanted) -> Wanted:
    found: Wanted = dict.fromkeys((SOP_CLASS, SOP_INSTANCE, OFFSET))
    for part in parts:
        for tag, inner in part.items():
            found[tag] = inner if tag not in found or tag == CONTENT_SEQUENCE else merged(found[tag], inner)
    return found


WANTED = _union(IDENTITY, IMAGE, MPPS, DOCUMENT)

#: The file that `parse` accepted last and where its header ends, so that `messages` need not walk it again.
_HEADER_END: list[Any] = []


def parse(data: bytes, site: Site) -> Parsed:
    """The object of a file, or those of a JSON array. Never raises: what cannot be used is counted, with its reason."""
    _HEADER_END.clear()
    if is_json(data):
        parsed = Parsed("dicom")
        for position, found in enumerate(objects_of(data, WANTED)):
            parsed.read += 1
            _add_safely(found, position, site, parsed)
        return parsed
    if told := again(data, len(data), site):
        _HEADER_END[:] = [data, told[1]]
        return told[0]
    try:
        inflated = inflated_of(data)
        if inflated and (told := again(inflated, len(inflated), site, is_inflated=True)):
            _HEADER_END[:] = [data, len(data)]
            return told[0]
        found = read_file(data, WANTED, inflated=inflated)
    except BrokenError as broken:
        found = broken
    parsed = Parsed("dicom", read=1)
    _add_safely(found, 0, site, parsed, data)
    if isinstance(found, File) and not parsed.rejected:
        _HEADER_END[:] = [data, found.end]
    return parsed


def parse_head(head: bytes, size: int, site: Site, fetch: Fetch | None = None) -> tuple[Parsed, int] | None:
    """The object of a file of `size` octets whose first part is `head`, and where its message ends; None if too little.

    Both are what `parse` and `messages` give of the whole file, which `again` did not know. Pixels need not be read to
    prove that they are there: their length is stated before them, and before each fragment, where `fetch` (position,
    octets) reads it. None also for what is to be rejected: quarantine keeps all of it.
    """
    if head[128:132] != b"DICM":
        return None
    parsed = Parsed("dicom", read=1)
    try:
        found = read_file(head, WANTED, size, fetch)
        _add(found, 0, site, parsed, head)
    except BrokenError:
        return None
    return parsed, found.end


def messages(data: bytes) -> list[bytes]:
    """The bytes of each object: a file up to its pixels (all of it, if rejected), or the canonical JSON of each."""
    if not is_json(data):
        if not _HEADER_END or _HEADER_END[0] is not data:
            _HEADER_END.clear()
            parse(data, Site())
        end = _HEADER_END[1] if _HEADER_END else len(data)
        _HEADER_END.clear()  # large files are not held
        return [data[:end]]
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return [data]
    found = found if isinstance(found, list) else [found]
    return [json.dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() for one in found]


def _add_safely(found: File | BrokenError, position: int, site: Site, parsed: Parsed, data: bytes = b"") -> None:
    try:
        if isinstance(found, BrokenError):
            raise found
        _add(found, position, site, parsed, data)
    except BrokenError as broken:
        parsed.rejected.append(Rejected(position, broken.reason))


def _add(file: File, position: int, site: Site, parsed: Parsed, data: bytes) -> None:
    row = None
    header = Header(file.meta, file.dataset, site, position, big=file.is_big_endian)
    sop_class, modality = header.values(_CLASS)
    sop_class = sop_class or header.meta_text(META_SOP_CLASS)
    if not sop_class:
        raise BrokenError("missing_uid")
    sort = sort_of(sop_class, modality, has_rows=ROWS in file.dataset)
    if sort not in PROOF:
        return
    if file.last < PROOF[sort]:
        raise BrokenError("unproven")
    sop_uid, *others = header.values(MANDATORY[sort])
    if not sop_uid or not all(others):
        raise BrokenError("missing_uid")
    if sort == "image":
        row = add_image(header, parsed, sop_uid, file.transfer_syntax)
    elif sort == "step":
        add_step(header, parsed, sop_uid)
    elif sort == "key_objects":
        add_key_objects(header, parsed, sop_uid)
    else:
        add_dose_report(header, parsed, sop_uid)
    if common := header.common:  # its sender is known
        receiver = header.meta_text(RECEIVING_AE) or None
        kind = f"{sort} {modality}".strip() if sort == "image" else sort
        (created,) = header.instants(file.dataset, (CREATED,))
        # In the order of ENVELOPE.
        parsed.envelopes.put(position, ["dicom", common["source"], receiver, kind, created, common["facility_alias"]])
        if row is not None:
            remember(data, file, header, row, parsed, WANTED)
    parsed.defects += header.defects
