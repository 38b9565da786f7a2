"""A FHIR file as resource versions: one JSON resource, an array, a Bundle of any type, or NDJSON (bulk export).

A resource has the same bytes in any container: keys sorted, no blanks. What cannot be used stands where it stood, with
its reason; of NDJSON a bad line is lost alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

Body = dict[str, Any]

MAX_RESOURCE_BYTES = 16 * 1024 * 1024
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
MAX_ENTRIES = 200_000
MAX_NESTED = 3
#: Set on an object whose keys are not unique (JSON leaves open which value counts).
_TWICE = "\0twice"
#: Resources that others refer to: a file of many lines is searched for these before it is read.
DIRECTORY = frozenset(
    "Patient Practitioner PractitionerRole Organization Location Device Encounter ServiceRequest Endpoint".split()  # noqa: SIM905
)
_IN_DIRECTORY = re.compile(rb'"resourceType"\s*:\s*"(?:Bundle|' + "|".join(sorted(DIRECTORY)).encode() + rb')"')
#: [base/]Type/id[/_history/version] of an absolute URL.
_LOCATION = re.compile(
    r"(?:(?P<base>\w+://.+)/)?(?P<type>[A-Z]\w+)/(?P<id>[^/\s]+)(?:/_history/(?P<version>[^/\s]+))?\Z"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One resource version, or a `reason` why there is none. `data` are its canonical bytes, or the bytes as sent.

    `url` is Bundle.entry.fullUrl; `is_deleted` marks an entry whose request is DELETE (a version without content).
    """

    body: Body
    data: bytes
    url: str = ""
    is_deleted: bool = False
    reason: str = ""
    detail: str = ""


class Unreadable(Exception):
    """A document that yields no resource; `reason` is one of `fhir.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parts_of(location: str) -> tuple[str, str, str, str] | None:
    """(base, type, id, version) of a relative or absolute reference; None where it is none (urn:, #, free text)."""
    match = _LOCATION.match(location)
    return (match["base"] or "", match["type"], match["id"], match["version"] or "") if match else None


def _object(pairs: list[tuple[str, Any]]) -> Body:
    found = dict(pairs)
    if len(found) != len(pairs):
        found[_TWICE] = True
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _load(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("bad_encoding") from error
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise Unreadable("too_deep") from error
    except ValueError as error:  # also a number of more digits than Python takes
        raise Unreadable("bad_json") from error


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), check_circular=False).encode("ascii")


def items(data: bytes) -> Iterator[Item]:
    """Every resource version of a file, in order."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    lines = _lines(data)
    first = next(lines, b"")
    second = next(lines, b"")
    if second and (_is_whole(first) or (second.startswith(b"{") and not _is_whole(data))):
        for line in _lines(data):
            yield from _document(line, MAX_RESOURCE_BYTES)
    elif data.strip():
        yield from _document(data.strip(), MAX_DOCUMENT_BYTES)


def directory(data: bytes) -> dict[str, Body]:
    """What others in the file may refer to, by `Type/id` and by fullUrl; of several versions the latest."""
    found: dict[str, Body] = {}
    if not _IN_DIRECTORY.search(data):
        return found
    for item in items(_directory_lines(data)):
        body = item.body
        if str(body.get("resourceType")) not in DIRECTORY or item.reason or item.is_deleted:
            continue
        for key in (f"{body['resourceType']}/{body.get('id')}" if body.get("id") else "", item.url):
            if key and (key not in found or _age(found[key]) <= _age(body)):
                found[key] = body
    return found


def _directory_lines(data: bytes) -> bytes:
    """Of NDJSON the lines that hold a resource of the directory; any other document as it is."""
    lines = _lines(data.removeprefix(b"\xef\xbb\xbf"))
    if not _is_whole(next(lines, b"")) or next(lines, None) is None:
        return data
    return b"\n".join([*(line for line in _lines(data) if _IN_DIRECTORY.search(line)), b""])


def _age(body: Body) -> tuple[str, int, str]:
    meta = body.get("meta")
    told = meta if isinstance(meta, dict) else {}
    version = str(told.get("versionId", ""))
    return str(told.get("lastUpdated", "")), len(version), version


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines that are not blank, without copying the whole file."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end].strip()
        if line:
            yield line
        start = end + 1


def _is_whole(data: bytes) -> bool:
    """A document by itself: an object or an array."""
    try:
        return isinstance(_load(data.strip()), dict | list)
    except Unreadable:
        return False


def _document(data: bytes, most: int) -> Iterator[Item]:
    if len(data) > most:
        yield Item({}, data, reason="too_large")
        return
    try:
        body = _load(data)
    except Unreadable as unreadable:
        yield Item({}, data, reason=unreadable.reason)
        return
    if isinstance(body, list):
        body = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in body]}
    yield from _resources(body, data, "", 0)


def _resources(body: Any, data: bytes, url: str, depth: int) -> Iterator[Item]:
    if isinstance(body, dict) and body.get("resourceType") == "Bundle":
        if depth == MAX_NESTED:
            yield Item({}, data, reason="too_deep")
        else:
            yield from _entries(body, depth)
    else:
        yield _item(body, url)


def _entries(bundle: Body, depth: int) -> Iterator[Item]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        yield Item({}, _bytes(bundle), reason="too_many_entries" if isinstance(entries, list) else "bad_bundle")
        return
    for entry in entries:
        if not isinstance(entry, dict):
            yield Item({}, _bytes(entry), reason="bad_bundle")
            continue
        url = entry.get("fullUrl")
        url = url if isinstance(url, str) else ""
        if entry.get("resource") is not None:
            yield from _resources(entry["resource"], b"", url, depth + 1)
        elif _part(entry, "request").get("method") == "DELETE":
            yield _deleted(entry, url)


def _item(body: Any, url: str) -> Item:
    if not isinstance(body, dict):
        return Item({}, _bytes(body), reason="not_an_object")
    try:
        data = _canonical(body)
    except RecursionError:
        return Item({}, b"", reason="too_deep")
    if len(data) > MAX_RESOURCE_BYTES:
        return Item({}, data, reason="too_large")
    if b'"\\u0000twice":' in data:
        return Item({}, data.replace(b'"\\u0000twice":true,', b""), reason="duplicate_key")
    return Item(body, data, url)


def _bytes(value: Any) -> bytes:
    try:
        return _canonical(value)
    except RecursionError:
        return b""


def _part(node: Body, name: str) -> Body:
    part = node.get(name)
    return part if isinstance(part, dict) else {}


def _deleted(entry: Body, url: str) -> Item:
    """A DELETE of a history or transaction Bundle as a version without content (Bundle.entry.request)."""
    request, response = _part(entry, "request"), _part(entry, "response")
    place = parts_of(str(request.get("url", ""))) or parts_of(url)
    if place is None:
        return Item({}, _bytes(entry), reason="bad_bundle")
    meta = {
        "lastUpdated": response.get("lastModified"),
        "versionId": str(response.get("etag", "")).removeprefix("W/").strip('"') or None,
        "source": place[0] or (parts_of(url) or ("",))[0] or None,
    }
    body: Body = {"resourceType": place[1], "id": place[2], "meta": {k: v for k, v in meta.items() if v}}
    return Item(body, _bytes({**body, "request": {"method": "DELETE"}}), url, is_deleted=True)
