"""One DICOM file or headerless data set: preamble, file meta, transfer syntax; then the walk (PS3.10, PS3.5 A)."""

from __future__ import annotations

import re
from typing import NamedTuple

from etl.sources.dicom_kernel import rest, top
from etl.sources.dicom_walk import HEADS, BrokenError, Dataset, Fetch, Wanted, inflate

IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
#: JPIP referenced syntaxes whose data set is deflated too (PS3.5 A.7, A.10).
DEFLATED_SYNTAXES = frozenset({DEFLATED, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
#: A headerless data set begins with the identifying group 0008 or with file meta, in either byte order.
_FIRST = re.compile(rb"[\x02\x08]\x00|\x00\x08")
META_END, META_ENCODING = 0x00030000, (True, False)
TRANSFER_SYNTAX = 0x00020010
#: File meta elements that are read (PS3.10 table 7.1-1).
META: Wanted = dict.fromkeys((0x00020002, TRANSFER_SYNTAX, 0x00020016, 0x00020018))


class File(NamedTuple):
    """A walked file. `last` is the highest tag seen whole at the top level, `end` where the header's bytes end.

    The data set begins at `at` and ends before its pixels at `stop`, of `inflated` where it was deflated: its file meta
    as it stands, and behind it what was deflated. Then `end` is that of the file.
    """

    meta: Dataset
    dataset: Dataset
    transfer_syntax: str
    is_big_endian: bool
    last: int
    end: int
    at: int = 0
    is_explicit: bool = True
    stop: int = 0
    inflated: bytes = b""


def inflated_of(data: bytes) -> bytes:
    """`File.inflated` of a file that soon says that it is deflated; no octets of others. Raises BrokenError."""
    if data[128:134] != b"DICM\2\0" or DEFLATED.encode() not in data[134:1024]:
        return b""
    meta, _, at = top(data, len(data), 132, META_ENCODING, META, META_END)
    return _inflated(data, at) if _syntax_of(meta) in DEFLATED_SYNTAXES else b""


def _inflated(data: bytes, at: int) -> bytes:
    return data[:at] + inflate(data[at:])


def _syntax_of(meta: Dataset) -> str:
    stated = meta.get(TRANSFER_SYNTAX)
    return stated.decode("latin-1").rstrip("\0 ") if isinstance(stated, bytes) else ""


def read_file(
    data: bytes, wanted: Wanted, size: int | None = None, fetch: Fetch | None = None, inflated: bytes = b""
) -> File:
    """Walk the bytes of one file, of which `data` may be the first part of `size` octets. Raises BrokenError.

    Of a part, `truncated` may mean that more must be read; what is not refused is what the whole file would give.
    `fetch` reads single octets behind the part; `inflated` is what `inflated_of` gave, if it was asked.
    """
    at, size = 0, len(data) if size is None else size
    if data[128:132] == b"DICM":
        at = 132
    elif not _FIRST.match(data):
        raise BrokenError("bad_encoding")
    meta: Dataset = {}
    if data[at : at + 2] == b"\2\0":
        meta, _, at = top(data, size, at, META_ENCODING, META, META_END)
    if at == size or (size > len(data) and at + 8 > len(data)):
        raise BrokenError("truncated")
    syntax = _syntax_of(meta)
    stream, n_octets = data, size
    if syntax in DEFLATED_SYNTAXES:
        if size > len(data):
            raise BrokenError("truncated")
        stream = inflated or _inflated(data, at)
        n_octets = len(stream)
    is_big = syntax == BIG or (not syntax and stream[at] == 0)
    # Some writers encode otherwise than their file meta says: the first element shows whether it has a VR.
    is_explicit = stream[at + 4 : at + 6] in HEADS
    encoding = is_explicit, is_big
    dataset, last, stop = top(stream, n_octets, at, encoding, wanted)
    is_plain = stream is data
    if stop < n_octets:
        last = rest(stream, n_octets, stop, encoding, fetch if is_plain else None)
    end = stop if is_plain else len(data)
    if end > len(data):
        raise BrokenError("truncated")
    return File(meta, dataset, syntax, is_big, last, end, at, is_explicit, stop, b"" if is_plain else stream)
