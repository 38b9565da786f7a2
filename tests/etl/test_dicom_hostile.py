"""Bounds, bombs, lying lengths and random damage: every file is read or rejected with a reason, none raises."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.row_frames import frames_of
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


def damaged(data: st.DataObject) -> bytes:
    """A made file with bytes overwritten, cut out or put in anywhere behind the preamble."""
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
    return bytes(whole)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_damage_never_raises(data: st.DataObject) -> None:
    check(damaged(data))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from((b"", b"\x08\0", b"\0\x08", b"\2\0", bytes(128) + b"DICM")))
def test_noise_never_raises(noise: bytes, start: bytes) -> None:
    check(start + noise)


DAYS = st.sampled_from(
    ("", "00010101", "99991231", "20261101", "2026", "0000", "20260230", "２０２６０１０１", "-2026011")
)
CLOCKS = st.sampled_from(("", "000000", "235960", "2359", "015959.999999", "24", "1", "12:30:00", "010203.5+1400"))
MOMENTS = st.sampled_from(("99991231235959.999999-1400", "00010101000000+1400", "2026", "20261101013000", "x"))
SECONDS = st.floats(width=64) | st.sampled_from((0.0, 86_400.0, -1.0, 1e300))
NUMBERS = st.sampled_from(("", "1", "-0", "1e300", "nan", "inf", "1e11", "0x10", "1_000", " 7 ", "9" * 40))


#: Tags of dates and times of the top level: study, series, acquisition, content, creation, step end.
DATES = (0x00080012, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x00400250)
TIMES = (0x00080013, 0x00080030, 0x00080031, 0x00080032, 0x00080033, 0x00400251)
DECIMALS = (0x00180060, 0x00181150, 0x00181152, 0x00181153, 0x00181411, 0x00280008)
OFFSETS = st.sampled_from(("", "+1400", "-1400", "+0060", "٣٣٣٣٣", "+0100"))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_extreme_values_fit_their_columns(data: st.DataObject) -> None:
    """Whatever stands in the times and numbers: the rows become a frame, as the load wants them."""
    drawn: dict[int, tuple[bytes, bytes]] = {tag: (b"DA", data.draw(DAYS).encode()) for tag in DATES}
    drawn |= {tag: (b"TM", data.draw(CLOCKS).encode()) for tag in TIMES}
    drawn |= {tag: (b"DS", data.draw(NUMBERS).encode()) for tag in DECIMALS}
    drawn |= {
        0x00080008: (b"CS", b"ORIGINAL"), 0x00080016: (b"UI", made.ENHANCED_MR.encode()),
        0x00080018: (b"UI", b"1.2.3.45"),
        0x0008002A: (b"DT", data.draw(MOMENTS).encode()), 0x00080201: (b"SH", data.draw(OFFSETS).encode()),
        0x00189073: (b"FD", struct.pack("<d", data.draw(SECONDS))), 0x0020000D: (b"UI", b"1.2."),
        0x0020000E: (b"UI", b"1.2.3."), 0x52009230: (b"SQ", b"".join(frame(data) for _ in range(3))),
        0x7FE00010: (b"OW", b""),
    }  # fmt: skip
    meta = element(0x00020010, b"UI", made.EXPLICIT.encode() + b"\0")
    parsed = made.parse(bytes(128) + b"DICM" + meta + b"".join(element(t, *drawn[t]) for t in sorted(drawn)))
    found = frames_of("f", parsed)["instance"]
    assert found.height == 1
    lasting = found["acquisition_duration_s"][0]
    assert lasting is None or 0 <= lasting < 1e12


def frame(data: st.DataObject) -> bytes:
    """One item of the per-frame functional groups."""
    moment, lasting = data.draw(MOMENTS).encode(), struct.pack("<d", data.draw(SECONDS))
    content = element(0x00189074, b"DT", moment) + element(0x00189220, b"FD", lasting)
    return item(element(0x00209111, b"SQ", item(content)))


def item(content: bytes) -> bytes:
    return ITEM[:4] + struct.pack("<L", len(content)) + content


def check(data: bytes) -> None:
    parsed = dicom.parse(data, made.SITE)
    assert parsed.read == len(dicom.messages(data))
    assert all(rejected.reason in dicom.REASONS for rejected in parsed.rejected)
    assert not (parsed.rejected and parsed.rows) or sniff(data) != "dicom"
