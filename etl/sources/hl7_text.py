"""HL7 v2 as text: framing, character sets, delimiters, escapes (chapter 2, 2.5-2.7 and 2.10; MLLP in appendix C).

A file holds messages one after the other, in MLLP frames or plain, in batches (FHS/BHS) or not, with CR, LF or CRLF.
Framing works on bytes and never decodes; everything else works on the decoded text of one message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from etl.sources import hl7_twin

#: A message longer than this is not read.
MAX_MESSAGE_BYTES = 16 * 2**20
MAX_SEGMENTS = 20_000
MAX_FIELDS = 256
#: Longest escape sequence that is looked for, in characters.
MAX_ESCAPE = 512
#: `\\.sp99999\\` and its like never make more than this many characters.
MAX_REPEAT = 80

_BOM = b"\xef\xbb\xbf"
_LINE_STARTS = b"\r\n\x0b\x1c"
_BLANK = b" \t\r\n\x0b\x1c\x00"
#: FHS, BHS, BTS or FTS, looked for by the letter that all of them end with.
_BATCH = re.compile(rb"S(?<=[FB][HT]S)")
_BATCH_LINE = re.compile(rb"(?:\A|[\r\n])[ \t]*(?:FHS|BHS|BTS|FTS)[^A-Za-z0-9\r\n][^\r\n]*")
_OPENING = re.compile(rb"MSH[^A-Za-z0-9 \t\r\n]")
_FRAME_EDGE = re.compile(rb"[\x0b\x1c]")

#: MSH-18 (table 0211) -> Python codec. UNICODE without a form is read as UTF-8: UTF-16 files are framed as UTF-8.
CHARSETS: dict[str, str] = {
    "ASCII": "ascii",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "ISO IR6": "ascii",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "CNS 11643-1992": "big5",
    "BIG-5": "big5",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-8",
    "UNICODE UTF-32": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
}


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and MSH-2. An empty string means that the sender declared none."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str = ""


class Unusable(ValueError):
    """The message cannot be used at all. `reason` is a word of `etl.sources.hl7.REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def as_bytes(data: bytes) -> bytes:
    """The file as 8-bit text: UTF-16 with a byte order mark becomes UTF-8, anything else stays as it is."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").encode("utf-8")
    return data


def spans(data: bytes) -> list[tuple[int, int]]:
    """Start and end of every message, and of every stretch that is no message but not blank, in file order.

    A message starts with `MSH` at the start of a line or frame and ends before the next one, at the end of
    its frame or before a batch line. Linear in the size of the file.
    """
    kernel = hl7_twin.KERNEL
    if kernel is not None and (plain := kernel.spans(data)) is not None:
        told: list[tuple[int, int]] = plain
        return told
    found: list[tuple[int, int]] = []
    starts, has_batch = _openings(data) if kernel is None else kernel.openings(data)
    has_frame_end, has_bom = b"\x1c" in data, b"\xef" in data
    found += _strays(data, 0, starts[0] if starts else len(data))
    for start, limit in pairwise([*starts, len(data)]):
        end = data.find(b"\x1c", start, limit) if has_frame_end else limit
        end = limit if end < 0 else end
        if has_batch:
            batch = _BATCH_LINE.search(data, start, end)
            end = batch.start() if batch else end
        found.append((start, end - 3 if has_bom and data.endswith(_BOM, start, end) else end))
        if end < limit:
            found += _strays(data, end, limit)
    return found


def _openings(data: bytes) -> tuple[list[int], bool]:
    """Where messages start, and whether there may be batch lines."""
    starts = [match.start() for match in _OPENING.finditer(data)]
    return [at for at in starts if _opens_line(data, at)], _BATCH.search(data) is not None


def _opens_line(data: bytes, at: int) -> bool:
    if at == 0 or data[at - 1] in _LINE_STARTS:
        return True
    before = data[max(0, at - 16) : at].rstrip(b" \t")
    before = before.removesuffix(_BOM).rstrip(b" \t")
    return not before and at <= 16 or before[-1:] != b"" and before[-1] in _LINE_STARTS  # noqa: RUF021


def _strays(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Stretches between messages that hold more than blanks and batch lines, cut at frame edges."""
    found: list[tuple[int, int]] = []
    if not data[start:end].strip(_BLANK):
        return found
    at = start
    while at < end:
        edge = _FRAME_EDGE.search(data, at, end)
        stop = edge.start() if edge else end
        if _BATCH_LINE.sub(b"", data[at:stop].replace(_BOM, b"")).strip(_BLANK):
            found.append((at, stop))
        at = stop + 1
    return found


def header_charset(message: bytes) -> str:
    """MSH-18, first repetition, read before decoding; '' if absent."""
    line = message[: min(len(message), 4096)].replace(b"\n", b"\r").split(b"\r", 1)[0]
    fields = line.split(line[3:4], 18) if len(line) > 3 else []
    if len(fields) < 18:
        return ""
    repetition = message[5:6] or b"~"
    return fields[17].split(repetition, 1)[0].split(message[4:5], 1)[0].decode("ascii", "replace").strip()


def decode(message: bytes) -> tuple[str, str, str]:
    """(text, codec, defect): by MSH-18, else UTF-8, else Latin-1. `defect` is '' when MSH-18 was right."""
    if message.isascii() and b"\x1b" not in message:
        return message.decode("ascii"), "ascii", ""
    declared = header_charset(message)
    codec = CHARSETS.get(declared.upper(), "")
    if declared and not codec:
        defect = "charset_unknown"
    elif not declared:
        defect = "charset_assumed"
    else:
        try:
            return message.decode(codec), codec, ""
        except UnicodeDecodeError:
            defect = "charset_wrong"
    try:
        return message.decode("utf-8"), "utf-8", defect
    except UnicodeDecodeError:
        return message.decode("latin-1"), "latin-1", defect


def delimiters(text: str) -> Delimiters:
    """MSH-1 and MSH-2 of a message. Raises Unusable."""
    separator = text[3:4]
    encoding = text[4:12].split(separator, 1)[0] if separator else ""
    if not encoding:
        raise Unusable("truncated_msh")
    chars = [separator, *encoding]
    if len(encoding) > 5 or len(set(chars)) != len(chars) or any(c.isalnum() or c <= " " for c in chars):
        raise Unusable("bad_delimiters")
    return Delimiters(*chars, *[""] * (5 - len(encoding)))


@lru_cache(maxsize=64)
def unescaper(marks: Delimiters, codec: str) -> Callable[[str], str]:
    """The function that resolves the escapes of section 2.7 for these delimiters. Unknown ones stay as sent."""
    if not marks.escape:
        return str
    escape = re.escape(marks.escape)
    pattern = re.compile(f"{escape}([^{escape}\r]{{1,{MAX_ESCAPE}}}){escape}")
    fixed = {
        "F": marks.field, "S": marks.component, "R": marks.repetition, "E": marks.escape, "T": marks.subcomponent,
        "P": marks.truncation, "H": "", "N": "", ".br": "\n", ".ce": "\n", ".fi": "", ".nf": "",
    }  # fmt: skip

    def replace(match: re.Match[str]) -> str:
        body = match[1]
        known = fixed.get(body)
        if known is not None:
            return known
        if body[0] == "X":
            return _hex(body[1:], codec, match[0])
        if body[:3] in (".sp", ".in", ".ti", ".sk"):
            count = body[3:].strip().lstrip("+-")
            repeat = min(int(count), MAX_REPEAT) if count.isdecimal() and len(count) < 6 else 1
            return ("\n" if body[:3] == ".sp" else " ") * repeat
        return "" if body[0] in "CMZ" else match[0]

    return lambda text: pattern.sub(replace, text)


def _hex(digits: str, codec: str, whole: str) -> str:
    try:
        return bytes.fromhex(digits).decode(codec, errors="replace")
    except ValueError:
        return whole
