"""The kernel in C and its twin in Python give the same answers: on the sample and the fixtures, on messages with every
kind of damage, and part by part. Where no compiler built the kernel, the twin is asked alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.sources import (
    hl7,
    hl7_dialect,
    hl7_message,
    hl7_order,
    hl7_patient,
    hl7_request,
    hl7_result,
    hl7_text,
    hl7_twin,
)
from etl.sources.hl7_dialect import NO_SEGMENT, WANTED, Dialect, Plain
from etl.sources.hl7_message import Message
from etl.sources.hl7_text import Delimiters, Unusable, unescaper
from etl.timestamps import Stamp
from tests.bench import bench_hl7, hl7_feed
from tests.conftest import REPO, needs_compiled
from tests.etl.hl7_lines import SITE

KERNEL = hl7_twin.BUILT
needs_kernel = pytest.mark.usefixtures("_kernel")


@pytest.fixture(scope="module")
def _kernel() -> None:
    needs_compiled(KERNEL)


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    yield
    hl7_twin.KERNEL = KERNEL


def with_twin(kernel: ModuleType | None, work: Callable[[], Any]) -> Any:
    hl7_twin.KERNEL = kernel
    try:
        return work()
    finally:
        hl7_twin.KERNEL = KERNEL


def all_of(data: bytes) -> Any:
    """Whatever a file becomes."""
    parsed = hl7.parse(data, SITE)
    rows = {record: list(parsed.records(record)) for record in parsed.rows}
    envelopes = list(parsed.envelopes.rows)
    return parsed.read, rows, envelopes, parsed.defects, parsed.rejected, hl7.messages(data), hl7_text.spans(data)


@needs_kernel
def test_same_on_every_message_of_the_sample(fixtures: Path) -> None:
    paths = [
        *(REPO / "sample_data" / "sample").rglob("*.hl7"),
        *(p for p in (fixtures / "hl7").rglob("*") if p.is_file()),
    ]
    assert len(paths) > 100
    for path in paths:
        data = path.read_bytes()
        assert with_twin(KERNEL, lambda data=data: all_of(data)) == with_twin(None, lambda data=data: all_of(data)), (
            path
        )


WHOLE = [message.encode() for message in hl7_feed.messages(6, is_bare=True)]
#: What damage is made of: delimiters, escapes, blanks of all kinds, frames, times, other alphabets.
PIECES = st.sampled_from(
    ["|", "^", "~", "\\", "&", "#", "\r", "\n", "\r\n", '""', '"', "\\F\\", "\\S\\", "\\T\\", "\\X41\\", "\\.br\\",
     "\\E", " ", "\t", "\x00", "\x0b", "\x1c", "\x1b", "\u00a0", "\u2003", "ü", "Ü", "漢", "😀", "ﬀ", "ǅ", "§", "€",
     "※", "MSH", "MSH|", "BHS|^", "FTS|1", "\ufeff", "OBX|", "obx|", "ORC", "PID|1||A^^^B^MR~C^^^D&1.2&ISO^PI",
     "20261101013000", "20260308023000", "20260115", "202601151230", "20260115103060", "20261301000000",
     "00010101000000", "99991231235959", "-1400", "+9999", "ADT&GDT", "5^^^^^^^^NPI", "a#",
     "|".join("x" * 300), "^".join("y" * 40), "&".join("z" * 40), "~".join("w" * 5)]
)  # fmt: skip
ENCODINGS = st.sampled_from(["^~\\&", "^~\\&#", "^~\\", "^~", "^", "*~\\&", "~^\\&", "\xa4~\\&", "^~\\&", "!@%$"])


BETWEEN = st.sampled_from([b"", b"\r", b"\x1c\r\x0b", b"  ", b"\xef\xbb\xbf"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message with other delimiters or character sets and pieces put in, cut out or put twice."""
    text = draw(st.sampled_from(WHOLE)).decode()
    encoding = draw(ENCODINGS)
    swap = dict(zip("^~\\&", encoding, strict=False))
    text = text[:4] + encoding + "".join(swap.get(c, c) for c in text[8:])
    if draw(st.booleans()):
        text = text.replace("UNICODE UTF-8", draw(st.sampled_from(["8859/1", "ASCII", "", "GB 18030-2000", "KLINGON"])))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(text)))
        kind = draw(st.integers(0, 2))
        if kind == 0:
            text = text[:at] + draw(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + draw(st.integers(1, 40)) :]
        else:
            text = text[: at + 60] + text[at:]
    return text.encode(draw(st.sampled_from(["utf-8", "latin-1", "gb18030", "utf-16"])), errors="replace")


@needs_kernel
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(damaged(), min_size=1, max_size=3), st.sampled_from([b"", b"\r", b"\x1c\r\x0b", b"  ", b"\xef\xbb\xbf"])
)
def test_same_on_damaged_messages(messages: list[bytes], between: bytes) -> None:
    data = between.join(messages)
    assert with_twin(KERNEL, lambda: all_of(data)) == with_twin(None, lambda: all_of(data))


NAMES = st.sampled_from([*sorted(WANTED), "NTE", "ZZ1", "obr", "---", "Ü12"])
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=8).map("".join)
MARKS = st.sampled_from(
    [Delimiters("|", "^", "~", "\\", "&"), Delimiters("|", "^", "~", "\\", "&", "#"), Delimiters("|", "^", "", "", ""),
     Delimiters("※", "\xa7", "😀", "€", "\xa4")]
)  # fmt: skip


def both(marks: Delimiters) -> tuple[Dialect, Dialect]:
    assert KERNEL is not None
    plain = Plain(marks, unescaper(marks, "utf-8"))
    return plain, KERNEL.Kernel(marks, plain.unescape, plain.split, sorted(WANTED), NO_SEGMENT, Stamp)


@needs_kernel
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MARKS, TEXTS, st.integers(1, 40), st.integers(1, 40))
def test_same_parts(marks: Delimiters, field: str, component: int, subcomponent: int) -> None:
    plain, kernel = both(marks)
    assert kernel.texts(field) == plain.texts(field)
    assert kernel.components(field) == plain.components(field)
    assert kernel.repetitions(field) == plain.repetitions(field)
    assert kernel.text(field, subcomponent) == plain.text(field, subcomponent)
    assert kernel.text(field) == plain.text(field)
    assert kernel.part(field, component) == plain.part(field, component)
    assert kernel.part(field, component, subcomponent) == plain.part(field, component, subcomponent)


@needs_kernel
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    MARKS, st.lists(st.tuples(st.sampled_from([*sorted(WANTED), "NTE", "ZZ1", "obr", "---", "Ü12"]), TEXTS), max_size=5)
)
def test_same_segments(marks: Delimiters, lines: list[tuple[str, str]]) -> None:
    plain, kernel = both(marks)
    text = "\r" + "\r".join(f"{name}{marks.field}{rest}" for name, rest in lines)
    (ours, strays), (theirs, other_strays) = kernel.split(text, 0), plain.split(text, 0)
    assert [(name, list(fields)) for name, fields in ours] == [(name, list(fields)) for name, fields in theirs]
    assert strays == other_strays


TABLES = [
    hl7_order.ORDER, hl7_request.PROCEDURE, hl7_result.REPORT, hl7_result.MOMENTS["read_started"],
    hl7_patient.DEMOGRAPHICS, bench_hl7.SCAN,
]  # fmt: skip


@needs_kernel
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.sampled_from(TABLES))
def test_same_values(field: str, rows: Any) -> None:
    """Every row of a table reads the same field, whatever is in it, with the same defects."""
    names = {row.segment for row in rows}
    fields = [field.replace("\r", "").replace("|", "")] * len(NO_SEGMENT)

    def work() -> Any:
        message = Message(WHOLE[4], 0, SITE)
        return message.dialect.read(message, dict.fromkeys(names, fields), rows.plan), message.defects

    assert with_twin(KERNEL, work) == with_twin(None, work)


@needs_kernel
def test_plain_messages_are_cut_in_one_go_and_no_others() -> None:
    """What the kernel takes whole is what `tokenize` makes of it; anything odd it leaves alone."""
    _, kernel = both(Delimiters("|", "^", "~", "\\", "&"))
    for data in WHOLE:
        _, segments, flaws = with_twin(None, lambda data=data: hl7_message.tokenize(data))
        whole = kernel.message(data)
        assert whole is not None
        assert ([(name, list(fields)) for name, fields in whole], []) == (
            [(name, list(fields)) for name, fields in segments],
            flaws,
        )
    plain = WHOLE[1]
    many = plain + b"NTE|1\r" * hl7_text.MAX_SEGMENTS
    for odd in (
        plain.replace(b"Doe", "Döe".encode()), plain.replace(b"Doe", b"D\x1b$"), plain.replace(b"\r", b"\n"), many,
        plain.replace(b"PID|", b"pid|"), plain.split(b"\r")[0], b"MSH", b"", b"MSH|^~\\&|A|B\rPID|1", b"X" + plain,
        plain.replace(b"OMI^O23^OMI_O23", b""), plain.replace(b"|", b"!"),
    ):  # fmt: skip
        assert kernel.message(odd) is None
    assert with_twin(KERNEL, lambda: hl7.parse(many, SITE)).rejected[0].reason == "too_many_segments"


OBSERVED = st.sampled_from(["", '""', "a", " a ", "a~b", "\\.br\\x", "漢", "x" * 70_000, "y" * 40_000, "a\x0bb"])


@needs_kernel
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(["TX", "FT", "ST", " TX ", "NM", "T", "", "TXA", "tx"]), OBSERVED), max_size=6)
)
def test_same_report_text(observed: list[tuple[str, str]]) -> None:
    lines = "".join(f"OBX|1|{kind}|&GDT||{value}||||||F\r" for kind, value in observed)
    data = WHOLE[4].split(b"OBX")[0] + lines.encode()

    def work() -> Any:
        return list(hl7.parse(data, SITE).records("report"))

    assert with_twin(KERNEL, work) == with_twin(None, work)


@needs_kernel
def test_limits_are_the_same() -> None:
    assert KERNEL is not None
    for name in ("MAX_PARTS", "MAX_REPETITIONS", "MAX_FIELDS"):
        assert getattr(KERNEL, name) == getattr(hl7_dialect, name)
    assert KERNEL.MAX_SEGMENTS == hl7_text.MAX_SEGMENTS


@needs_kernel
@pytest.mark.parametrize(
    "call", ["text", "part", "texts", "components", "repetitions", "split", "read", "message", "lines"]
)
def test_wrong_use_is_an_error(call: str) -> None:
    """What is no text or no table is refused, not read."""
    _, kernel = both(Delimiters("|", "^", "~", "\\", "&"))
    for name in ("openings", "spans"):
        with pytest.raises(TypeError):
            getattr(KERNEL, name)("MSH|")
    for arguments in ((), (1,), (b"a", 1), ("a", "b"), (None, {}, ((1,),)), (None, {"PID": 1}, hl7_order.ORDER.plan)):
        if (call, len(arguments)) == ("read", 3) and arguments[1] == {"PID": 1}:
            continue
        with pytest.raises((TypeError, IndexError)):
            getattr(kernel, call)(*arguments)


@needs_kernel
def test_a_field_beyond_the_last_is_an_error() -> None:
    fields = with_twin(KERNEL, lambda: Message(WHOLE[0], 0, SITE)).first("PID")
    assert (len(fields), fields[len(fields) - 1]) == (len(NO_SEGMENT), "")
    with pytest.raises(IndexError):
        fields[len(fields)]


@pytest.mark.parametrize("kernel", [None, KERNEL])
def test_remembered_fields_do_not_grow_without_end(kernel: ModuleType | None) -> None:
    data = b"".join(WHOLE[0].replace(b"Doe", f"N{n}".encode()) for n in range(5_000))
    assert with_twin(kernel, lambda: hl7.parse(data, SITE)).read == 5_000
    plain = Plain(Delimiters("|", "^", "~", "\\", "&"), str)
    for n in range(5_000):
        plain.texts(f"{n}^")
    assert len(plain._remembered) <= hl7_dialect.MAX_REMEMBERED


def test_unusable_stays_unusable() -> None:
    for kernel in {None, KERNEL}:
        for data in (b"MSH|", b"MSH|^~", b"MSH|^~\\&|", b"MSHA^~\\&|A|B\rPID|1", b"MSH|||||||||"):
            with pytest.raises(Unusable):
                with_twin(kernel, lambda data=data: hl7_message.tokenize(data))
