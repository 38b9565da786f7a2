"""Bounds, bombs, lying lengths and random damage: every file is read or rejected with a reason, none raises."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.sources import dicom, sniff
from etl.sources.dicom_walk import MAX_DEPTH, MAX_ELEMENTS, MAX_INFLATED, MAX_VALUE
from tests.etl import dicom_made as made
from tests.etl.test_dicom_cut import WHOLE

ITEM, ITEM_END = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One element in explicit VR little endian; `length` may lie."""
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    is_long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT")
    return head + (struct.pack("<xxL", size) if is_long else struct.pack("<H", size)) + value


def around(middle: bytes) -> bytes:
    """A CT image with `middle` between its UIDs and its pixels."""
    first = [
        element(0x00080016, b"UI", made.CT.encode() + b"\0"), element(0x00080018, b"UI", b"1.2.3.45"),
        element(0x0020000D, b"UI", b"1.2."), element(0x0020000E, b"UI", b"1.2.3\0"),
    ]  # fmt: skip
    meta = element(0x00020010, b"UI", made.EXPLICIT.encode() + b"\0")
    return bytes(128) + b"DICM" + meta + b"".join(first) + middle + element(0x7FE00010, b"OW", b"\0\0")


def nested(tag: int, depth: int) -> bytes:
    """Sequences of undefined length within each other."""
    opened = element(tag, b"SQ", b"", 0xFFFFFFFF) + ITEM
    return opened * depth + (ITEM_END + SEQUENCE_END) * depth


def deflated(dataset: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    meta = element(0x00020010, b"UI", made.DEFLATED.encode())
    return bytes(128) + b"DICM" + meta + engine.compress(dataset) + engine.flush()


def bomb() -> bytes:
    return deflated(element(0x00080016, b"UI", made.CT.encode() + b"\0") + bytes(MAX_INFLATED))


#: What the middle of an image holds -> the reason, None where it is read.
MIDDLES: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "nothing": (lambda: b"", None),
    "deep enough": (lambda: nested(0x0040A730, MAX_DEPTH), None),
    "too deep": (lambda: nested(0x0040A730, MAX_DEPTH + 1), "too_deep"),
    "too deep and not wanted": (lambda: nested(0x00409999, 100_000), "too_deep"),
    "many elements": (lambda: b"".join(element(0x00290000 + n, b"LO", b"") for n in range(MAX_ELEMENTS - 8)), None),
    "too many elements": (
        lambda: b"".join(element(0x00290000 + n, b"LO", b"") for n in range(MAX_ELEMENTS)), "too_many_elements",
    ),
    "too many items": (
        lambda: element(0x0040A730, b"SQ", ITEM[:4] + b"\0\0\0\0" + (ITEM[:4] + b"\0\0\0\0") * MAX_ELEMENTS),
        "too_many_elements",
    ),
    "too large and wanted": (lambda: element(0x00280010, b"UN", bytes(MAX_VALUE + 2)), "value_too_large"),
    "large and not wanted": (lambda: element(0x00290010, b"OB", bytes(MAX_VALUE + 2)), None),
    "length beyond the end": (lambda: element(0x00290010, b"OB", b"", 0x7FFFFFFF), "truncated"),
    "no VR": (lambda: b"\x29\x00\x10\x00zz\x02\x00ab", "bad_encoding"),
    "tags that descend": (lambda: element(0x00100010, b"PN", b"A "), "unordered_tags"),
    "a tag twice": (lambda: element(0x00400001, b"LO", b"") * 2, "unordered_tags"),
    "undefined text": (lambda: element(0x00280010, b"UN", b"", 0xFFFFFFFF) + SEQUENCE_END, "bad_encoding"),
    "item beyond its sequence": (lambda: element(0x0040A730, b"SQ", ITEM[:4] + b"\x10\0\0\0"), "truncated"),
    "element beyond its item": (
        lambda: element(0x0040A730, b"SQ", ITEM[:4] + b"\x08\0\0\0" + element(0x00080005, b"CS", b"", 64)), "truncated",
    ),
    "no item in a sequence": (lambda: element(0x0040A730, b"SQ", element(0x00080005, b"CS", b"")), "bad_encoding"),
    "unclosed sequence": (lambda: element(0x0040A730, b"SQ", b"", 0xFFFFFFFF) + ITEM + ITEM_END, "bad_encoding"),
    "UN of undefined length": (  # PS3.5 6.2.2: implicit VR inside
        lambda: element(0x0040A730, b"UN", ITEM, 0xFFFFFFFF) + b"\x08\0\x05\0\2\0\0\0AB" + ITEM_END + SEQUENCE_END,
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MIDDLES)
def test_bounds(name: str) -> None:
    middle, reason = MIDDLES[name]
    parsed = made.parse(around(middle()))
    assert made.reasons(parsed) == ([reason] if reason else [])
    assert ("instance" in parsed.rows) is (reason is None)


def test_a_deflate_bomb_is_refused() -> None:
    assert made.reasons(made.parse(bomb())) == ["inflate_limit"]


def test_the_ratio_counts_from_the_first_byte() -> None:
    small = element(0x00080016, b"UI", made.CT.encode() + b"\0") + element(0x00290010, b"OB", bytes(2_000_000))
    assert made.reasons(made.parse(deflated(small))) == ["inflate_limit"]


def test_bytes_that_are_no_deflate_stream() -> None:
    data = bytes(128) + b"DICM" + element(0x00020010, b"UI", made.DEFLATED.encode()) + b"\xff" * 64
    assert made.reasons(made.parse(data)) == ["bad_encoding"]


@pytest.mark.parametrize(
    "data", [b"", b"\0", bytes(132), bytes(128) + b"DICM", b"\x08\0", b"\0\x08\0\x05", b"\2\0\0\0"]
)
def test_nearly_nothing(data: bytes) -> None:
    assert made.reasons(made.parse(data))[0] in dicom.REASONS


def test_fragments_without_an_end() -> None:
    open_pixels = around(b"")[:-14] + element(0x7FE00010, b"OB", b"", 0xFFFFFFFF) + ITEM[:4] + b"\2\0\0\0ab"
    assert made.reasons(made.parse(open_pixels)) == ["truncated"]
    assert made.reasons(made.parse(open_pixels + SEQUENCE_END)) == []


SEEDS = [made.file_of(make(), syntax) for make in WHOLE.values() for syntax in (made.EXPLICIT, made.IMPLICIT, made.BIG)]


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_damage_never_raises(data: st.DataObject) -> None:
    """Bytes overwritten, cut out or put in anywhere behind the preamble."""
    whole = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(128, len(whole)))
        kind = data.draw(st.sampled_from(("write", "cut", "insert")))
        junk = data.draw(
            st.binary(max_size=12) | st.sampled_from((ITEM, ITEM_END, SEQUENCE_END, b"\xff" * 4, b"SQ\0\0"))
        )
        if kind == "write":
            whole[at : at + len(junk)] = junk
        elif kind == "cut":
            del whole[at : at + len(junk)]
        else:
            whole[at:at] = junk
    check(bytes(whole))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from((b"", b"\x08\0", b"\0\x08", b"\2\0", bytes(128) + b"DICM")))
def test_noise_never_raises(noise: bytes, start: bytes) -> None:
    check(start + noise)


def check(data: bytes) -> None:
    parsed = dicom.parse(data, made.SITE)
    assert parsed.read == len(dicom.messages(data))
    assert all(rejected.reason in dicom.REASONS for rejected in parsed.rejected)
    assert not (parsed.rejected and parsed.rows) or sniff(data) != "dicom"
