"""Frames that the compiled twin makes are those of Polars: same types, same values; what is odd is left to Polars."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import rows_twin
from etl.record_columns import Kind
from etl.records import ENVELOPE, RECORDS, Parsed
from etl.row_frames import LETTERS, POLARS, Chunks, frames, frames_of
from tests.conftest import needs_compiled

RECORD = [*sorted(RECORDS), "envelope"]
TEXTS = st.text(max_size=3) | st.sampled_from(
    ["", "a" * 12, "a" * 13, "é" * 6, "é" * 7, "漢字漢字", "漢字漢字漢", "😀" * 40, "x" * 5000, "\0", "y" * 13]
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "timestamp": st.datetimes() | st.sampled_from([datetime.min, datetime.max, datetime(2000, 2, 29)]),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats() | st.sampled_from([-0.0, 1e-320]),
    "boolean": st.booleans(),
    "date": st.dates() | st.sampled_from([date.min, date.max, date(1900, 3, 1), date(1969, 12, 31)]),
}  # fmt: skip
#: Values that no column of the kind takes, or that it takes as another.
ODD: dict[Kind, tuple[Any, ...]] = {
    "text": (1, b"a", "\ud800", date(2026, 1, 1)),
    "timestamp": (date(2026, 1, 1), "x", datetime(2026, 1, 1, tzinfo=UTC)),
    "integer": (2**63, True, 1.5, "x"), "real": (1, 10**400, "x", True), "boolean": (1, "x"), "date": (1, "x"),
}  # fmt: skip


def kinds_of(record: str) -> list[Kind]:
    return [column.kind for column in (ENVELOPE if record == "envelope" else RECORDS[record])]


@st.composite
def chunks(draw: st.DrawFn, record: str) -> Chunks:
    """Rows of a few files, with nulls and with values that come again as the very same object."""
    pools = [draw(st.lists(VALUES[kind], min_size=1, max_size=3)) for kind in kinds_of(record)]
    found: Chunks = []
    for name in draw(st.lists(TEXTS, max_size=3)):
        rows = [
            (*(draw(st.none() | st.sampled_from(pool)) for pool in pools), position, number)
            for position, number in draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4))
        ]
        found.append((name, rows))
    return found


def both(work: Any) -> tuple[Any, Any]:
    """What `work` gives with the compiled twin and without."""
    needs_compiled(rows_twin.BUILT)
    told = []
    for twin in (rows_twin.BUILT, None):
        before, rows_twin.KERNEL = rows_twin.KERNEL, twin
        try:
            told.append(work())
        finally:
            rows_twin.KERNEL = before
    return told[0], told[1]


def assert_same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert one.schema == other.schema
    assert repr(one.rows()) == repr(other.rows())
    assert [column.null_count() for column in one] == [column.null_count() for column in other]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_same_frames(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(RECORD))
    rows = data.draw(chunks(record))
    one, other = both(lambda: frames({record: rows})[record])
    assert_same(one, other)
    assert_same(pickle.loads(pickle.dumps(one)), other)  # noqa: S301 - our own
    assert_same(pl.concat([one, other, one]).sort("position", maintain_order=True).slice(1),
                pl.concat([other] * 3).sort("position", maintain_order=True).slice(1))  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in LETTERS for _ in ODD[kind]])
def test_an_odd_value_is_what_polars_makes_of_it(kind: Kind) -> None:
    for odd in ODD[kind]:
        place = kinds_of("instance").index(kind)
        row: list[Any] = [None] * (len(kinds_of("instance")) + 2)
        row[place] = odd

        def work(row: tuple[Any, ...] = tuple(row)) -> Any:
            try:
                return repr(frames({"instance": [("f", [row])]})["instance"].rows())
            except (ValueError, OverflowError, TypeError, pl.exceptions.PolarsError) as error:
                return type(error)

        one, other = both(work)
        assert one == other


def test_each_kind_has_its_letter_and_its_type() -> None:
    assert LETTERS.keys() == POLARS.keys() == VALUES.keys()
    assert len(set(LETTERS.values())) == len(LETTERS)


def test_frames_outlive_their_rows() -> None:
    """They own what they show, and give it back."""
    for _ in range(200):
        parsed = Parsed("hl7")
        for position in range(50):
            parsed.add(
                "event", position, {"source": f"a longer text than a view holds {position}", "is_inferred": True}
            )
        made = both(lambda parsed=parsed: frames_of("f" * 64, parsed))[0]["event"]
        del parsed
        assert made["source"].to_list()[7] == "a longer text than a view holds 7"
        assert made["file_id"].n_unique() == 1


def test_wrong_use_is_an_error() -> None:
    needs_compiled(rows_twin.BUILT)
    assert rows_twin.BUILT is not None
    columns = rows_twin.BUILT.columns
    for arguments in (
        (), ([], ("a",), b"s"), ([], ["a"], "s"), ([1], ("a",), "s"), ([("f", [(1,)])], ("a",), "s"),
        ([("f", [])], ("a", 1), "ss"), ([("f", [[1]])], ("a", "b"), "si"), ([("f",)], ("a",), "s"),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            columns(*arguments)
    for arguments in (([], ("a",), "ss"), ([], (), ""), ([], ("a",), "x")):
        with pytest.raises(ValueError, match="kind"):
            columns(*arguments)
    columns([], ("a",), "s")  # nobody takes it
