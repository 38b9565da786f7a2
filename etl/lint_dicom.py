"""Conformance of one DICOM object: pydicom's dictionary and value rules, and our own reading beside it.

Findings name the place, the rule and the chapter, never a value of the object. An array of DICOM JSON is looked at
object by object. This is for looking at a sender's sample, not for the bulk path.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Literal

from pydicom import dcmread
from pydicom.config import RAISE
from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import validate_value

from etl.lint import Finding
from etl.site import Site
from etl.sources import dicom
from etl.sources.dicom_classes import SORTS, Sort
from etl.sources.dicom_header import place
from etl.sources.dicom_json import is_json
from etl.sources.dicom_walk import MAX_DEPTH

#: Reason of our reading -> chapter that it breaks.
CHAPTERS: dict[str, str] = {
    "truncated": "PS3.5 7.1", "unproven": "PS3.10 7.2", "bad_encoding": "PS3.5 7.1", "unordered_tags": "PS3.5 7.1",
    "too_deep": "PS3.5 7.5", "too_many_elements": "PS3.5 7.1", "value_too_large": "PS3.5 7.1",
    "inflate_limit": "PS3.5 A.5", "missing_uid": "PS3.3 C.12.1", "bad_json": "PS3.18 F.2",
}  # fmt: skip
#: File meta elements that every file has (PS3.10 table 7.1-1).
META = (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012)
#: Kind of object -> elements that it must have (type 1) or at least name (type 2), with their modules in PS3.3.
MODULES: dict[Sort, tuple[tuple[int, Literal[1, 2], str], ...]] = {
    "image": (
        (0x00080020, 2, "C.7.2.1"), (0x00080030, 2, "C.7.2.1"), (0x00080050, 2, "C.7.2.1"), (0x00080060, 1, "C.7.3.1"),
        (0x00100010, 2, "C.7.1.1"), (0x00100020, 2, "C.7.1.1"), (0x0020000D, 1, "C.7.2.1"), (0x0020000E, 1, "C.7.3.1"),
        (0x00280010, 1, "C.7.6.3"), (0x00280011, 1, "C.7.6.3"), (0x00080016, 1, "C.12.1"), (0x00080018, 1, "C.12.1"),
    ),
    "key_objects": ((0x0040A043, 1, "C.17.3"), (0x0040A375, 1, "C.17.6.2"), (0x0020000D, 1, "C.7.2.1")),
    "dose_report": ((0x0040A043, 1, "C.17.3"), (0x0040A730, 1, "C.17.3"), (0x0020000D, 1, "C.7.2.1")),
}  # fmt: skip
#: VRs that hold no text to check.
_BINARY = frozenset(
    {"AT", "FD", "FL", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SQ", "SS", "SV", "UL", "UN", "US", "UV"}
)


def lint(data: bytes) -> list[Finding]:
    """Findings of every object of a file. Never raises for what the file holds."""
    parsed = dicom.parse(data, Site())
    found = [
        Finding(r.position, "error", "object", dicom.REASONS[r.reason], CHAPTERS[r.reason]) for r in parsed.rejected
    ]
    found += [Finding(d.position, "error", d.field, d.reason, "PS3.5 6.2") for d in parsed.defects]
    rejected, n_checked = {r.position for r in parsed.rejected}, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for position, (whole, meta) in enumerate(_objects(data)):
            n_checked = position + 1
            if position in rejected:
                continue
            found += [
                Finding(position, "error", place(tag), "required but missing", "PS3.10 7.1")
                for tag in META
                if meta is not None and tag not in meta
            ]
            found += _modules(position, whole)
            found += _elements(position, whole)
    found += [
        Finding(position, "error", "object", "pydicom cannot read it, so its elements were not checked", "PS3.5 7.1")
        for position in range(n_checked, parsed.read)
        if position not in rejected
    ]
    return sorted(found, key=lambda finding: finding.position)


def _objects(data: bytes) -> Iterator[tuple[Dataset, Any]]:
    """Data set and file meta (None where none is expected) of each object, up to the first that pydicom cannot read."""
    if is_json(data):
        try:
            found = json.loads(data)
            for one in found if isinstance(found, list) else [found]:
                yield Dataset.from_json(one), None
        except Exception:  # noqa: BLE001 - of any JSON pydicom raises whatever it meets; the caller tells of the rest
            return
        return
    try:
        whole = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
    except Exception:  # noqa: BLE001 - of bytes pydicom raises whatever it meets; the caller tells that nothing was checked
        return
    yield whole, whole.file_meta if data[128:132] == b"DICM" else None


def _modules(position: int, whole: Dataset) -> Iterator[Finding]:
    sort = SORTS.get(str(whole.get("SOPClassUID", "")), "other")
    for tag, kind, module in MODULES.get(sort, ()):
        if tag not in whole:
            yield Finding(position, "error", place(tag), "required but missing", f"PS3.3 {module}")
        elif kind == 1 and (element := _element(whole, tag)) is not None and element.is_empty:
            yield Finding(position, "error", place(tag), "required but empty", f"PS3.3 {module}")


def _element(whole: Dataset, tag: BaseTag | int) -> DataElement | None:
    """None where pydicom can make no value of the bytes, whose error would quote them; `_elements` tells of it."""
    try:
        return whole[tag]
    except Exception:  # noqa: BLE001 - of bytes pydicom raises whatever it meets; the caller tells of it
        return None


def _elements(position: int, whole: Dataset, depth: int = 0) -> Iterator[Finding]:
    """VR and number of values against the dictionary (PS3.6), text against its VR (PS3.5 6.2). No private ones."""
    for tag in list(whole.keys()):
        if tag.is_private or not dictionary_has_tag(tag):
            continue
        element = _element(whole, tag)
        if element is None:
            yield Finding(position, "error", place(tag), "value that its VR cannot hold", "PS3.5 6.2")
            continue
        if element.VR not in dictionary_VR(tag):
            yield Finding(position, "error", place(tag), f"VR is not {dictionary_VR(tag)}", "PS3.6 6")
        elif element.VR == "SQ":
            for item in element.value if depth < MAX_DEPTH else ():
                yield from _elements(position, item, depth + 1)
        else:
            yield from _values(position, tag, element)


def _values(position: int, tag: BaseTag, element: Any) -> Iterator[Finding]:
    if element.is_empty:
        return
    least, _, most = dictionary_VM(tag).partition("-")
    limit, count = most or least, int(element.VM)
    if count < int(least) or (limit.isdigit() and count > int(limit)):
        yield Finding(position, "error", place(tag), f"number of values is not {dictionary_VM(tag)}", "PS3.6 6")
    if element.VR in _BINARY:
        return
    for value in element.value if element.VM > 1 else [element.value]:
        try:
            validate_value(element.VR, str(value), RAISE)
        except ValueError:
            yield Finding(position, "warning", place(tag), f"not a valid {element.VR}", "PS3.5 6.2")
            return
