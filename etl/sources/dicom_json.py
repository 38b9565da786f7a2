"""The DICOM JSON model (PS3.18 F) as data sets: each wanted value becomes the bytes that it has in explicit VR.

Numbers are little endian, text is UTF-8 (which JSON always is), so that one field table reads files and JSON alike.
JSON that parses is whole: nothing has to be proven.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from typing import Any

from etl.sources.dicom_file import TRANSFER_SYNTAX, File
from etl.sources.dicom_header import CHARSET
from etl.sources.dicom_walk import MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE, BrokenError, Dataset, Wanted

_JSON = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*[\[{]")
_KINDS = {"US": "H", "SS": "h", "UL": "L", "FL": "f", "FD": "d"}
_NUMBERS = {vr: struct.Struct("<" + kind).pack for vr, kind in _KINDS.items()}
#: Beyond every tag: nothing can be missing.
WHOLE = 0xFFFFFFFF
#: Transfer syntax of the stored object, where a server tells it.
AVAILABLE_SYNTAX = "00083002"


def is_json(data: bytes) -> bool:
    """Whether the bytes are JSON text; no DICOM file begins so."""
    return data[128:132] != b"DICM" and _JSON.match(data[:1024]) is not None


def objects_of(data: bytes, wanted: Wanted) -> Iterator[File | BrokenError]:
    """Each object of the array, or why it cannot be used."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        yield BrokenError("bad_json")
        return
    for one in found if isinstance(found, list) else [found]:
        try:
            budget = [MAX_ELEMENTS]
            syntax = one.get(AVAILABLE_SYNTAX, one.get("00020010")) if isinstance(one, dict) else None
            dataset = _dataset(one, wanted, 0, budget)
        except (AttributeError, TypeError, KeyError, ValueError, struct.error):
            yield BrokenError("bad_json")
        except BrokenError as broken:
            yield broken
        else:
            stated = _value(syntax, None, 0, budget) if syntax else b""
            text = stated.decode() if isinstance(stated, bytes) else ""
            yield File({TRANSFER_SYNTAX: text.encode()}, dataset, text, False, WHOLE, 0)


def _dataset(attributes: Any, wanted: Wanted, depth: int, budget: list[int]) -> Dataset:
    if depth > MAX_DEPTH:
        raise BrokenError("too_deep")
    found: Dataset = {CHARSET: b"ISO_IR 192"}
    for key, attribute in attributes.items():
        budget[0] -= 1
        if budget[0] < 0:
            raise BrokenError("too_many_elements")
        tag = int(key, 16) if len(key) == 8 else -1
        if tag in wanted and tag != CHARSET:
            value = _value(attribute, wanted[tag], depth, budget)
            if value:
                found[tag] = value
    return found


def _value(attribute: Any, inner: Wanted | None, depth: int, budget: list[int]) -> Any:
    vr, values = attribute["vr"], attribute.get("Value") or []
    if inner is not None:
        return [_dataset(item or {}, inner, depth + 1, budget) for item in values] if vr == "SQ" else []
    if vr == "SQ":
        return b""
    if vr in _NUMBERS:
        return b"".join(_NUMBERS[vr](value) for value in values)
    texts = (_person(value) if isinstance(value, dict) else "" if value is None else str(value) for value in values)
    data = "\\".join(texts).encode("utf-8", "replace")
    if len(data) > MAX_VALUE:
        raise BrokenError("value_too_large")
    return data


def _person(value: dict[str, Any]) -> str:
    """PN (PS3.18 F.2.2): the component groups."""
    names = [str(value.get(group) or "") for group in ("Alphabetic", "Ideographic", "Phonetic")]
    return "=".join(names).rstrip("=")
