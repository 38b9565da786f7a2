"""The compiled twin and the Python one: the same elements, ends, reasons, rows and defects, whatever the bytes are."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.sources import dicom, dicom_kernel, sniff
from etl.sources.dicom import WANTED
from etl.sources.dicom_file import File, read_file
from etl.sources.dicom_frames import MOST_DURATIONS
from etl.sources.dicom_header import CODECS, _moments_of
from etl.sources.dicom_identity import IDENTIFIERS, PATIENT
from etl.sources.dicom_image import INSTANCE
from etl.sources.dicom_kernel import levels_of
from etl.sources.dicom_series import forget
from etl.sources.dicom_template import Template, Templates
from etl.sources.dicom_walk import HEADS, PIXELS, BrokenError, Walker, Wanted
from tests.conftest import needs_compiled
from tests.etl import dicom_made as made
from tests.etl.test_dicom_cut import ENCODINGS, WHOLE
from tests.etl.test_dicom_hostile import MIDDLES, around, damaged, element, item
from tests.etl.test_dicom_series import SERIES

BUILT = dicom_kernel.built
ROOT = Path(str(pydicom.__file__)).parent / "data"


@pytest.fixture(scope="module", autouse=True)
def _both_twins() -> None:
    needs_compiled(BUILT)


def walked(data: bytes, size: int | None = None) -> File | str:
    """What the walk gives, or the reason of refusal."""
    try:
        return read_file(data, WANTED, size)
    except BrokenError as broken:
        return broken.reason


def told(data: bytes) -> tuple[Any, ...]:
    """All that one file becomes."""
    parsed = made.parse(data)
    envelopes = [tuple(row) for row in parsed.envelopes.rows]
    return made.everything(parsed), parsed.defects, parsed.rejected, envelopes, dicom.messages(data)


def both(work: Any, *arguments: Any) -> Any:
    """The answer of `work` with either twin, which must be the same."""
    answers = []
    for twin in (BUILT, None):
        dicom_kernel.compiled = twin
        forget()  # so that neither takes over what the other read
        _moments_of.cache_clear()
        try:
            answers.append(work(*arguments))
        finally:
            dicom_kernel.compiled = BUILT
    compiled, plain = answers
    assert repr(compiled) == repr(plain)  # a number that is none is not equal to itself
    return compiled


def files(fixtures: Path) -> Iterator[bytes]:
    for folder in (ROOT, fixtures / "dicom"):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            data = path.read_bytes()
            if sniff(data) == "dicom":
                yield data


def test_the_same_of_every_fixture_with_all_of_it_and_with_its_head(fixtures: Path) -> None:
    seen: Counter[str] = Counter()
    for data in files(fixtures):
        whole = both(told, data)
        seen["rows" if whole[0] else "rejected" if whole[2] else "kept"] += 1
        for size in (0, 200, 1000, 4096, len(data) // 2, len(data) - 1):
            if size < len(data):
                both(walked, data[:size])
                head = both(walked, data[:size], len(data))
                assert isinstance(head, str) or head == walked(data)
                seen["head is enough"] += isinstance(head, File)
    assert seen["rows"] > 120
    assert seen["rejected"] > 60
    assert seen["kept"] > 60
    assert seen["head is enough"] > 60


@pytest.mark.parametrize("syntax", ENCODINGS)
@pytest.mark.parametrize("name", WHOLE)
def test_the_same_of_every_cut(name: str, syntax: str) -> None:
    data = made.file_of(WHOLE[name](), syntax)
    whole = both(walked, data)
    for size in range(128, len(data)):
        both(walked, data[:size])
        head = both(walked, data[:size], len(data))
        assert isinstance(head, str) or head == whole, size


@pytest.mark.parametrize("name", MIDDLES)
def test_the_same_at_every_bound(name: str) -> None:
    both(told, around(MIDDLES[name][0]()))


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_the_same_of_damaged_files(data: st.DataObject) -> None:
    damage = damaged(data)
    whole = both(walked, damage)
    both(told, damage)
    head = both(walked, damage[: data.draw(st.integers(0, len(damage)))], len(damage))
    assert isinstance(head, str) or head == whole


#: A tree of tags with sequences within each other, one of which holds itself.
TREE: Wanted = {0x00080005: None, 0x00100020: None, 0x00400275: {0x00080005: None, 0x00400009: None}}
TREE[0x0040A730] = TREE
TAGS = st.sampled_from((0x00080005, 0x00100020, 0x00400275, 0x00400009, 0x0040A730, 0x00290010))
VRS = st.sampled_from([*HEADS, b"zz", b"\0\0", b"SQ", b"UN", b"UN"])
LENGTHS = st.sampled_from((None, None, None, None, 0, 1, 0xFFFFFFFF, 0xFFFE, 8))


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> bytes:
    """Elements with values or items, whose lengths may lie, in explicit VR of either order or in implicit VR."""
    out = b""
    for _ in range(draw(st.integers(0, 3))):
        vr, tag, told_length = draw(VRS), draw(TAGS), draw(LENGTHS)
        inner = draw(elements(depth + 1)) if depth < 3 and draw(st.booleans()) else None
        value = draw(st.binary(max_size=6)) if inner is None else draw(st.integers(0, 2)) * item(inner)
        length = len(value) if told_length is None else told_length
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if draw(st.integers(0, 9)) == 0:
            out += head + struct.pack("<L", length) + value
        elif HEADS.get(vr) == 12:
            out += head + vr + struct.pack("<xxL", length) + value
        else:
            out += head + vr + struct.pack("<H", length & 0xFFFF) + value
        out += draw(st.sampled_from((b"", b"", b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xfe\xff\x0d\xe0\0\0\0\0")))
    return out


@settings(max_examples=1500, deadline=None)
@given(elements(), st.booleans(), st.booleans(), st.integers(0, 40))
def test_the_same_of_made_elements(data: bytes, explicit: bool, big: bool, more: int) -> None:
    """Also of elements that no file of ours holds, and of the first part of a stream."""

    def walk(compiled: bool, size: int) -> Any:
        if not compiled:
            try:
                return Walker(data, explicit=explicit, big=big, size=size).top(0, TREE, PIXELS)
            except BrokenError as broken:
                return broken.reason
        return BUILT.top(data, size, 0, explicit, big, PLAN, PIXELS)

    def rest(compiled: bool, size: int) -> Any:
        if not compiled:
            try:
                return Walker(data, explicit=explicit, big=big, size=size).rest(0)
            except BrokenError as broken:
                return broken.reason
        return BUILT.rest(data, size, 0, explicit, big)

    for size in (len(data), len(data) + more):
        assert walk(True, size) == walk(False, size)
        assert rest(True, size) == rest(False, size)


PLAN = BUILT.plan(levels_of(TREE)) if BUILT else None
LETTERS = st.sampled_from([*b" \0\\^=.+-eE0123456789AMe\t\x1b\x7f\x85\xa0\xc3\xa4\xfc\xff", 0x41, 0x42])
TEXTS = st.lists(LETTERS, max_size=12).map(bytes) | st.sampled_from(
    (b"20260115", b"1.5", b" 12 \\13", b"Doe^Jane^^=x", "Trän^Tim".encode(), "Ünal^Öz".encode("latin-1"), b"1_0",
     b"inf", b"0" * 40, "１".encode(), b"2026.01.15", b"20260230", b"1e300", b"A\\\xff", "é=".encode())
)  # fmt: skip
FIELDS = [
    field
    for field in (*INSTANCE, *IDENTIFIERS, *PATIENT)
    if field.column not in ("sop_class", "series_uid", "study_uid")
]


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_the_same_values(data: st.DataObject) -> None:
    """Whatever a value holds in whatever character set: the same columns and the same defects."""
    charsets = [b"", b"ISO_IR 999", b"\\ISO 2022 IR 87", *(name.encode() for name in CODECS)]
    found = {0x00080016: (b"UI", made.CT.encode()), 0x00080018: (b"UI", b"1.2.3.45")}
    if data.draw(st.booleans()):
        found[0x00080005] = (b"CS", data.draw(st.sampled_from(charsets)))
    found |= {0x0020000D: (b"UI", b"1.2."), 0x0020000E: (b"UI", b"1.2.3."), 0x7FE00010: (b"OW", b"")}
    for field in data.draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=8, unique=True)):
        path, is_code = field.rest, field.type in ("CODE", "CODE2", "MEANING")
        if not path and not is_code:
            found[field.first] = (b"UN", data.draw(TEXTS))
            continue
        inner = {0x00080005: data.draw(st.sampled_from(charsets))} if data.draw(st.integers(0, 4)) == 0 else {}
        for tag in (0x00080100, 0x00080102, 0x00080104, 0x00080119) if is_code else path[-1:]:
            if data.draw(st.integers(0, 4)):
                inner[tag] = data.draw(TEXTS)
        value = b"".join(element(tag, b"LO", inner[tag]) for tag in sorted(inner))
        value = item(value) * data.draw(st.integers(0, 2)) if is_code else item(value)
        for tag in reversed(path if is_code else path[:-1]):
            value = item(element(tag, b"SQ", value))
        found[field.first] = (b"SQ", value)
    assert both(told, plain_file(found))[0]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_same_of_a_series(data: st.DataObject) -> None:
    """Also where what one image has in common with the one before is taken over."""
    files = data.draw(st.lists(st.sampled_from([file for series in SERIES for file in series]), min_size=3, max_size=8))
    damage = bytearray(files.pop())
    at = data.draw(st.integers(128, len(damage)))
    damage[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    both(lambda: [told(file) for file in (*files, bytes(damage))])


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(SERIES), st.data())
def test_the_same_of_what_is_like(series: list[bytes], data: st.DataObject) -> None:
    """The values that are read again and the end, of whole and of damaged files and of their first parts."""
    first, *others = (data.draw(st.sampled_from(series)) for _ in range(3))
    damage = bytearray(others.pop())
    at = data.draw(st.integers(0, len(damage)))
    damage[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    others += [first, bytes(damage), bytes(damage[: data.draw(st.integers(0, len(damage)))])]
    file = read_file(first, WANTED)
    kept = data.draw(st.sets(st.sampled_from(sorted(WANTED)))) | {0x00080018}
    again = dict.fromkeys(tag for tag in kept if isinstance(file.dataset.get(tag), bytes))
    more = data.draw(st.integers(0, 8))

    def matched() -> list[Any]:
        templates: Templates[Template] = Templates()
        templates.hold(Template(first, file, WANTED, again), 1)
        return [templates.match(other, len(other) + more, None) for other in others]

    told = both(matched)
    assert told[-3] is not None
    assert told[-3][1] == file.end
    assert told[-3][2].items() <= file.dataset.items()


MARKS = st.sampled_from((b"\xfe\xff\x00\xe0", b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"\xfe\xff\x0d\xe0"))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(MARKS, st.sampled_from((0, 2, 8, 30, 0xFFFFFFFF)), st.binary(max_size=8))), st.data())
def test_the_same_of_fragments(fragments: list[tuple[bytes, int, bytes]], data: st.DataObject) -> None:
    """Also where the marks lie behind the part that was read, and where the file ends within one."""
    whole = b"\xe0\x7f\x10\x00OB\0\0" + b"\xff" * 4
    whole += b"".join(mark + struct.pack("<L", length) + value for mark, length, value in fragments)
    have = data.draw(st.integers(0, len(whole)))

    def rest(fetch: Any) -> Any:
        try:
            return dicom_kernel.rest(whole[:have], len(whole), 0, (True, False), fetch)
        except BrokenError as broken:
            return broken.reason

    both(rest, None)
    fetched = both(rest, lambda at, n: whole[at : at + n])
    if have >= 12:
        assert fetched == both(lambda: rest_of_all(whole))


def rest_of_all(whole: bytes) -> int | str:
    try:
        return dicom_kernel.rest(whole, len(whole), 0, (True, False))
    except BrokenError as broken:
        return broken.reason


#: Starts of frames, good and bad.
STARTS = st.sampled_from(
    (b"20260115100200.25 ", b"20260115100201.5", b"20260115100201.25\0", b"20260115100200.25", b"20260115100201",
     b" 20260115100201", b"20260115100201+0100", b"", b"..", b".", b"x", b"20260230100201", b"2026")
)  # fmt: skip
LASTING = st.sampled_from(
    (struct.pack("<d", 900.0), struct.pack("<d", -0.0), struct.pack("<d", 1e300), b"", b"1", None)
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(STARTS, LASTING) | st.none(), max_size=6), st.booleans())
def test_the_same_of_frames(frames: list[tuple[bytes, bytes | None] | None], is_dated: bool) -> None:
    items = b""
    for frame in frames:
        inner = b""
        if frame is not None:
            start, lasting = frame
            inner = element(0x00189074, b"DT", start)
            inner += element(0x00189220, b"FD", lasting) if lasting is not None else b""
            inner = element(0x00209111, b"SQ", item(inner))
        items += item(inner)
    found = {
        0x00080016: (b"UI", made.ENHANCED_MR.encode()), 0x00080018: (b"UI", b"1.2.3.45"), 0x0020000D: (b"UI", b"1.2."),
        0x0020000E: (b"UI", b"1.2.3."), 0x52009230: (b"SQ", items), 0x7FE00010: (b"OW", b""),
    }  # fmt: skip
    if is_dated:
        found |= {0x0008002A: (b"DT", b"20260115100200"), 0x00189073: (b"FD", struct.pack("<d", 2.5))}
    assert both(told, plain_file(found))[0]


@pytest.mark.parametrize("n_durations", [1, MOST_DURATIONS, MOST_DURATIONS + 1])
def test_frames_of_many_durations(n_durations: int) -> None:
    """Beyond a number of durations each frame is read; the end is the same."""
    items = b""
    for n in range(20):
        inner = element(0x00189074, b"DT", f"202601151002{n:02d}".encode())
        inner += element(0x00189220, b"FD", struct.pack("<d", 1000.0 * (n % n_durations)))
        items += item(element(0x00209111, b"SQ", item(inner) * (1 + n % 2)))
    found = {
        0x00080016: (b"UI", made.ENHANCED_MR.encode()), 0x00080018: (b"UI", b"1.2.3.45"), 0x0020000D: (b"UI", b"1.2."),
        0x0020000E: (b"UI", b"1.2.3."), 0x52009230: (b"SQ", items), 0x7FE00010: (b"OW", b""),
    }  # fmt: skip
    file = both(walked, plain_file(found))
    assert isinstance(file.dataset[0x52009230], list if n_durations > MOST_DURATIONS else tuple)
    (row,) = made.rows(made.parse(plain_file(found)), "instance")
    ends = max(n + n % n_durations for n in range(20))
    assert row["acquisition_duration_s"] == ends
    both(told, plain_file(found))


DAYS = st.sampled_from((b"20260115", b"20261101", b"20260308", b"2026.01.15", b"20260230", b" 20260115", b"2026", b""))
CLOCKS = st.sampled_from(
    (b"100200", b"100200.5 ", b"013000", b"023000.123456", b"100200.1234567", b"100260", b"1002", b"10:02:00",
     b"246000", b"100200.", b"100200+01", b"", b"\0", b" 100200")
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(DAYS, CLOCKS | st.none()), min_size=4, max_size=4))
def test_the_same_times(times: list[tuple[bytes, bytes | None]]) -> None:
    found = {0x00080016: (b"UI", made.CT.encode()), 0x00080018: (b"UI", b"1.2.3.45"), 0x00080080: (b"LO", b"NGTH")}
    for tag, (day, clock) in zip((0x00080020, 0x00080021, 0x00080022, 0x00080012), times, strict=True):
        found[tag] = (b"DA", day)
        if clock is not None:
            found[tag + 1 if tag == 0x00080012 else tag + 0x10] = (b"TM", clock)
    found |= {0x0020000D: (b"UI", b"1.2."), 0x0020000E: (b"UI", b"1.2.3."), 0x7FE00010: (b"OW", b"")}
    assert both(told, plain_file(found))[0]


def plain_file(found: dict[int, tuple[bytes, bytes]]) -> bytes:
    meta = element(0x00020010, b"UI", made.EXPLICIT.encode() + b"\0")
    return bytes(128) + b"DICM" + meta + b"".join(element(tag, *found[tag]) for tag in sorted(found))


def test_what_is_no_plan_is_refused() -> None:
    assert BUILT is not None
    for levels in ([], (), [()], [[(1,)]], [[(2, -1), (1, -1)]], [[(1, 7)]], [[(1, "x")]]):
        with pytest.raises((TypeError, ValueError)):
            BUILT.plan(levels)
    for rows in (
        (), [()], [(("a",), 1, (), 99, None, (0,))], [(("a", "b"), 1, (), 1, None, (0, 1))],
        [(("a",), "x", (), 1, None, (0,))], [(("a",), 1, (), 1, None, ())], [(("a",), 1, (), 1, None, (256,))],
        [(("a",), 1, (), 1, None, (-1,))], [(("a",), 1, (), 1, None, ("0",))], [(("a",), 1, (), 1, None)],
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError, SystemError)):
            BUILT.table(rows)
    with pytest.raises(ValueError, match="PyCapsule"):
        BUILT.top(b"", 0, 0, True, False, BUILT.table([]), PIXELS)
    with pytest.raises(ValueError, match="behind the end"):
        BUILT.top(b"", 0, 1, True, False, PLAN, PIXELS)
    with pytest.raises(ValueError, match="behind the end"):
        BUILT.rest(b"", 0, 1, True, False)
    with pytest.raises(TypeError):
        BUILT.fields(BUILT.table([]), None, [], 1, False, None, {})
    for given_ in ((), ({}, [], 1), ([], (), 1), ({}, (), "x"), ({}, ())):
        with pytest.raises(TypeError):
            BUILT.texts(*given_)
    for head, at in ((b"", 0), (bytes(132), 0), (bytes(132), 200), (SERIES[0][0], 132), (SERIES[0][0], 400)):
        with pytest.raises(ValueError, match="walked"):
            BUILT.template(head, at, True, False, PLAN, PLAN, PLAN, None)
    template = BUILT.template(bytes(132), 132, True, False, PLAN, PLAN, PLAN, None)
    assert [BUILT.match(bytes(n), 200, [template], None) for n in (0, 131, 132, 133)] == [None] * 4
    for given_ in (
        (), ("", 0, [template], None), (b"", "", [template], None), (b"", 0, [PLAN], None), (b"", 0, template, None)
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            BUILT.match(*given_)
    many = BUILT.plan([[(tag, -1) for tag in range(200)]])
    with pytest.raises(ValueError, match="too many"):
        BUILT.template(bytes(132), 132, True, False, PLAN, PLAN, many, None)
    for frames in ((), (1, 2, 3), (1, 2, 3, "4")):
        with pytest.raises(TypeError):
            BUILT.plan([[]], frames)
    for given_ in ((b"", b"", [], tuple), (b"", b"", {}, 1), (b"", b"", {}, list)):
        with pytest.raises(TypeError):
            BUILT.moment(*given_)
    for given_ in ((), ({}, [], {}), ({}, ((1,),), {}), ([], (), {})):
        with pytest.raises(TypeError):
            BUILT.instants(*given_)


def test_what_makes_no_rows_is_refused() -> None:
    assert BUILT is not None
    numbers, places = (0, 5, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5, 6)
    for given_ in (
        (), ("", str, numbers[1:], places, 0, ()), ("", str, (*numbers[1:], -1), places, 0, ()),
        ("", str, (*numbers[1:], 96), places, 0, ()), ("", str, numbers, (*places[1:], -1), 0, ()),
        ("", str, numbers, places, -1, ()), ("", str, numbers, places, 0, [(6, 7, True)]),
        ("", str, numbers, places, 0, ((6, 7),)), ("", str, numbers, places, 0, ((6, -7, True),)),
        ("", str, numbers, places, 0, ((6, 7, True),) * 17),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError, SystemError)):
            BUILT.making(*given_)
    making = BUILT.making("clock", str, numbers, places, 1, ((6, 7, True), (7, 7, False)))
    data = bytes(128) + b"DICM" + b"".join(
        element(tag, b"LO", value)
        for tag, value in (
            (1, b"x"), (0x10, b"1.2"), (0x20, b"20260115"), (0x30, b"100200"), (0x40, b"20260115"), (0x50, b"100300"),
            (0x70, b"7 "), (0x80, b"8 "),
        )
    )  # fmt: skip
    again = BUILT.plan([[(tag, -1) for tag in (0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80)]])
    hours = {"2026011510": (timedelta(0), "facility")}
    row, envelope = tuple("abcdefghi"), ("A", "B")
    for few, rows in (
        (again, (making, row[:7], envelope, hours)), (again, (making, row, envelope[:1], hours)),
        (again, (making, list(row), envelope, hours)), (again, (making, row, envelope)), (again, [making]),
        (again, (PLAN, row, envelope, hours)), (again, (making, row, envelope, [])),
        (BUILT.plan([[]]), (making, row, envelope, hours)),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            BUILT.template(data, 132, True, False, PLAN, PLAN, few, rows)
    template = BUILT.template(data, 132, True, False, PLAN, PLAN, again, (making, row, envelope, hours))
    whole = data + element(0x7FE00010, b"OW", b"")
    at, then = datetime(2026, 1, 15, 10, 3), datetime(2026, 1, 15, 10, 2)
    made_row = (at, "clock", "second", "facility", "1.2", "1.2", then, 7.0, "i")
    assert BUILT.match(whole, len(whole), [template], None) == (0, len(data), [made_row], [("A", then)])
    hours.clear()
    found = {0x10: b"1.2", 0x20: b"20260115", 0x30: b"100200", 0x40: b"20260115", 0x50: b"100300"}
    told = BUILT.match(whole, len(whole), [template], None)
    assert told == (0, len(data), {**{tag: told[2][tag] for tag in found}, 0x70: b"7 ", 0x80: b"8 "})


def test_an_old_build_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert BUILT is not None
    assert dicom_kernel._built() is BUILT
    monkeypatch.setattr(BUILT, "VERSION", 0)
    assert dicom_kernel._built() is None
