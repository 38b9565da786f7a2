"""Every value of every field is what python-hl7 reads there: of the fixtures, and of messages made to be awkward."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hl7 as peer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.site import Site
from etl.sources import hl7_twin
from etl.sources.hl7_dialect import NO_SEGMENT
from etl.sources.hl7_message import Message
from etl.sources.hl7_text import Unusable, as_bytes, decode, spans
from tests.conftest import needs_compiled

#: Escapes that both read alike: the delimiters (2.7.1). What is for a screen or a printer is for the report to decide.
ALIKE = re.compile(r"[FSTRE]")


@pytest.fixture(params=["compiled", "python"], autouse=True)
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "compiled":
        needs_compiled(hl7_twin.BUILT)
    monkeypatch.setattr(hl7_twin, "KERNEL", hl7_twin.BUILT if request.param == "compiled" else None)


def parts(node: Any, depth: int) -> list[Any]:
    """Children of a container of python-hl7; a part that it did not cut up is its own only child."""
    kinds = (peer.Field, peer.Repetition, peer.Component)
    return list(node) if isinstance(node, kinds[depth]) else [node]


def theirs(message: peer.Message, field: peer.Field) -> list[list[list[str]]]:
    """Repetitions that are not empty -> components -> sub-components, with their escapes read."""
    return [
        [[message.unescape(str(leaf)) for leaf in parts(part, 2)] for part in parts(repetition, 1)]
        for repetition in parts(field, 0)
        if str(repetition)
    ]


def ours(message: Message, field: str) -> list[list[list[str]]]:
    mark = message.delimiters.subcomponent
    return [
        [
            [message.text(part, number + 1) for number in range(part.count(mark) + 1 if mark else 1)]
            for part in message.components(repetition)
        ]
        for repetition in message.repetitions(field)
    ]


def is_alike(message: Message, field: str) -> bool:
    """Whether all escapes are whole and of those that both read alike, and no part is the deletion of a value."""
    escape = message.delimiters.escape
    if '""' in field or not escape:
        return not escape and '""' not in field
    pieces = field.split(escape)
    return len(pieces) % 2 == 1 and all(ALIKE.fullmatch(piece) for piece in pieces[1::2])


def compare(data: bytes, seen: Counter[str]) -> None:
    """All fields of one message; what only one of both reads is counted in `seen`."""
    try:
        message = Message(data, 0, Site())
    except Unusable:
        seen["unusable"] += 1
        return
    marks = message.delimiters
    if "" in (marks.repetition, marks.escape, marks.subcomponent):  # python-hl7 puts the usual ones in their place
        seen["undeclared"] += 1
        return
    text = decode(data)[0].replace("\r\n", "\r").replace("\n", "\r")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = peer.parse(text)
    if [name for name, _ in message.segments] != [str(segment[0]) for segment in told]:
        seen["other lines"] += 1
        return
    for (name, fields), segment in zip(message.segments, told, strict=True):
        if fields is NO_SEGMENT:
            continue
        for number in range(3 if name == "MSH" else 1, len(segment)):
            raw = fields[number]
            if not is_alike(message, raw):
                seen["other escapes"] += 1
                continue
            found = [[[leaf.strip() for leaf in part] for part in rep] for rep in theirs(told, segment[number])]
            assert ours(message, raw) == found, f"{name}-{number}"
            seen["fields"] += bool(raw)
            seen["repetitions"] += len(found) > 1
            seen["sub-components"] += any(len(part) > 1 for rep in found for part in rep)
            seen["escapes"] += marks.escape in raw


def messages(folder: Path) -> Iterator[bytes]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = as_bytes(path.read_bytes())
        for start, end in spans(data):
            yield data[start:end]


def test_fixtures(fixtures: Path) -> None:
    seen: Counter[str] = Counter()
    for data in messages(fixtures / "hl7"):
        compare(data, seen)
    assert seen["fields"] > 10_000
    assert seen["repetitions"] > 100
    assert seen["sub-components"] > 10
    assert seen["other escapes"] < seen["fields"] / 50


LETTERS = st.sampled_from([*"abcXYZ019 .-'\"", "ä", "\u20ac"])
MARKS = st.lists(st.sampled_from("|^~\\&$#*!@%;:/+=<>"), min_size=5, max_size=5, unique=True)


@st.composite
def made(draw: st.DrawFn) -> bytes:
    """A message with any five delimiters, repetitions, sub-components and escapes."""
    field, component, repetition, escape, subcomponent = draw(MARKS)
    pieces = LETTERS | st.sampled_from(
        [component, repetition, subcomponent, *(f"{escape}{letter}{escape}" for letter in "FSTRE")]
    )
    values = st.lists(pieces, max_size=10).map("".join)
    lines = [f"MSH{field}{component}{repetition}{escape}{subcomponent}"]
    lines[0] += field.join(["", "RIS", "NORTH", "", "", "20260115", "", "ADT" + component + "A08", "C1", "P", "2.5.1"])
    lines[0] += field * 6 + "UNICODE UTF-8"
    names = draw(st.lists(st.sampled_from(("PID", "PV1", "OBR", "OBX", "ORC")), min_size=1, max_size=4))
    lines += [field.join([name, *draw(st.lists(values, min_size=1, max_size=12))]) for name in names]
    lines.append(f"ZZZ{field}1")  # python-hl7 drops blanks at the end of a message
    return ("\r".join(lines) + "\r").encode()


def test_made_messages() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None)
    @given(made())
    def check(data: bytes) -> None:
        compare(data, seen)

    check()
    assert min(seen[kind] for kind in ("fields", "repetitions", "sub-components", "escapes")) > 50
    assert seen["unusable"] + seen["undeclared"] + seen["other lines"] == 0
