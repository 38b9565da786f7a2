"""Filters: one value gives SQL, URL and sentence, and a scope can only narrow."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sql.filters import CLOCKS, COMPARE, KEYS, NO_VALUE, FilterError, Filters

VALUES = st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8), max_size=3).map(tuple)
MARKED = {
    "weekday": st.lists(st.integers(1, 7).map(str)).map(tuple),
    "hour": st.lists(st.integers(0, 23).map(str)).map(tuple),
    "length": st.lists(st.sampled_from(["wait_min:0-15", "wait_min:15-30.5", "report_final_min:2880-"])).map(tuple),
}  # fmt: skip
DATES = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@st.composite
def any_filters(draw: st.DrawFn) -> Filters:
    since = draw(st.none() | DATES)
    until = draw(st.none() | DATES)
    if since is not None and until is not None and since >= until:
        until = since + timedelta(days=1)
    chosen: dict[str, Any] = {key: draw(MARKED.get(key, VALUES)) for key in KEYS}
    return Filters(since=since, until=until, compare=draw(st.sampled_from(list(COMPARE))), **chosen)


@settings(deadline=None)
@given(any_filters())
def test_url_gives_the_same_filters_back(filters: Filters) -> None:
    query = filters.to_query()
    assert Filters.from_query(query) == filters
    assert Filters.from_query("?" + query) == filters
    assert Filters.from_query(query).to_query() == query


@settings(deadline=None)
@given(any_filters(), st.lists(st.sampled_from("ABCD"), max_size=3), st.lists(st.sampled_from("ABCD"), max_size=3))
def test_scope_only_narrows(filters: Filters, first: list[str], second: list[str]) -> None:
    narrowed = filters.within(first).within(second)
    assert set(narrowed.scope or ()) == set(first) & set(second)
    assert narrowed.within(None) == narrowed


def test_scope_never_comes_from_a_url() -> None:
    assert Filters.from_query("scope=EAST&facility=EAST") == Filters(facility=("EAST",))
    assert "scope" not in Filters(facility=("EAST",)).within(["WEST"]).to_query()
    assert Filters.from_query("facility=EAST").within(["WEST"]).scope == ("WEST",)


@pytest.mark.parametrize(
    ("query", "told"),
    [("since=yesterday", "since is not a date"), ("since=2026-02-01&until=2026-02-01", "since must lie before until"),
     ("compare=best", "compare is one of none, previous, year"), ("weekday=8", "weekday is 1"),
     ("weekday=%D9%A1", "weekday is 1"), ("hour=24", "hour is 0 to 23"), ("hour=07", "hour is 0 to 23"),
     ("length=wait_min", "length is a length"), ("length=report_final_min);:1-2", "length is a length"),
     ("length=wait_min:5", "length is a length")],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(query: str, told: str) -> None:
    with pytest.raises(FilterError, match=told):
        Filters.from_query(query)


def test_keys_of_the_page_are_left_to_it_and_order_does_not_matter() -> None:
    filters = Filters.from_query("tab=2&modality=MR&modality=CT&modality=CT&facility=WEST")
    assert filters == Filters(modality=("CT", "MR"), facility=("WEST",))
    assert filters.to_query() == "facility=WEST&modality=CT&modality=MR"


ROWS = [("N", "CT", datetime(2026, 3, 1)), ("N", None, datetime(2026, 3, 2)), ("W", "CT", datetime(2026, 3, 3))]


def selected(
    filters: Filters, columns: tuple[str, ...] = ("facility", "modality"), anchor: str = "moment"
) -> list[int]:
    """Numbers of the rows that a where clause keeps."""
    clause = filters.where((*columns, *CLOCKS), anchor=anchor, alias="t")
    with duckdb.connect() as con:
        con.execute("CREATE TABLE rows_of (facility VARCHAR, modality VARCHAR, moment TIMESTAMP)")
        con.executemany("INSERT INTO rows_of VALUES (?, ?, ?)", ROWS)
        return [
            n
            for (n,) in con.execute(
                f"SELECT rowid FROM rows_of t WHERE {clause.sql} ORDER BY 1", clause.params
            ).fetchall()
        ]


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (Filters(), [0, 1, 2]),
        (Filters(facility=("N",)), [0, 1]),
        (Filters(facility=("N", "W"), modality=("CT",)), [0, 2]),
        (Filters(modality=(NO_VALUE,)), [1]),
        (Filters(modality=(NO_VALUE, "CT"), facility=("N",)), [0, 1]),
        (Filters(facility=("N' OR '1'='1",)), []),
        (Filters(since=date(2026, 3, 2)), [1, 2]),
        (Filters(until=date(2026, 3, 2)), [0]),
        (Filters(since=date(2026, 3, 2), until=date(2026, 3, 3)), [1]),
        (Filters().within(["W"]), [2]),
        (Filters(facility=("N",)).within(["W"]), []),
        (Filters().within([]), []),
        (Filters(weekday=("7",)), [0]),
        (Filters(weekday=("1", "2")), [1, 2]),
        (Filters(hour=("0",), facility=("N",)), [0, 1]),
        (Filters(hour=("1",)), []),
    ],
)
def test_where_keeps_the_rows_it_should(filters: Filters, kept: list[int]) -> None:
    assert selected(filters) == kept


def test_filters_without_a_column_are_named_not_applied() -> None:
    filters = Filters(since=date(2026, 3, 1), modality=("CT",), device=("D",), hour=("8",), length=("wait_min:0-5",))
    clause = filters.where(("facility",))
    left_out = ("since", "modality", "device", "hour", "length")
    assert (clause.sql, clause.params, clause.unapplied) == ("TRUE", {}, left_out)
    assert filters.where(("facility", *CLOCKS)).unapplied == left_out  # without a clock of its own


def test_scope_applies_to_every_table_that_is_not_shared() -> None:
    scoped = Filters().within(["N"])
    assert scoped.where(("exam_key", "at")).sql == (
        "exam_key IN (SELECT t.exam_key FROM fct_exam t WHERE t.facility IN ($scope_0))"
    )
    assert scoped.where(("anything",)).sql == "FALSE"
    assert scoped.where(("day",), table="dim_calendar").sql == "TRUE"


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        (Filters(), "All days."),
        (Filters(since=date(2026, 3, 1), until=date(2026, 4, 1)), "From 1 Mar 2026 to 31 Mar 2026."),
        (Filters(since=date(2026, 3, 1), until=date(2026, 3, 2), modality=("CT",)), "On 1 Mar 2026, modality CT."),
        (Filters(until=date(2026, 4, 1), facility=("A", "B", "C")), "Up to 31 Mar 2026, at A, B or C."),
        (Filters(since=date(2026, 3, 1), compare="year"), "From 1 Mar 2026, compared with a year earlier."),
        (Filters().within(["A", "B"]), "All days, within A or B."),
        (Filters().within([]), "All days, within no facility."),
        (
            Filters(weekday=("1", "5"), hour=("8", "10")),
            "All days, on a Monday or Friday, in the hour from 08:00 or 10:00.",
        ),
        (
            Filters(length=("report_final_min:15-90",)),
            "All days, with exam end to final report of 15\u202fmin to 1\u202fh\u202f30.",
        ),
        (Filters(length=("wait_min:2880-",)), "All days, with wait in the department of 2\u202fd and more."),
    ],
)
def test_sentence(filters: Filters, sentence: str) -> None:
    assert filters.sentence() == sentence


def test_sentence_leaves_out_what_does_not_apply() -> None:
    filters = Filters(since=date(2026, 3, 1), modality=("CT",), facility=("A",))
    assert filters.sentence(("since", "until", "modality")) == "At A."


@pytest.mark.parametrize(
    ("since", "until", "compare", "before"),
    [
        ("2026-03-01", "2026-04-01", "previous", ("2026-02-01", "2026-03-01")),
        ("2026-01-01", "2026-04-01", "previous", ("2025-10-01", "2026-01-01")),
        ("2026-03-02", "2026-03-30", "previous", ("2026-02-02", "2026-03-02")),
        ("2026-03-01", "2026-04-01", "year", ("2025-03-01", "2025-04-01")),
        ("2024-02-29", "2024-03-01", "year", ("2023-02-28", "2023-03-01")),
    ],
)
def test_the_period_before(since: str, until: str, compare: str, before: tuple[str, str]) -> None:
    filters = Filters(since=date.fromisoformat(since), until=date.fromisoformat(until), compare=compare)
    earlier = filters.before()
    assert earlier is not None
    assert (str(earlier.since), str(earlier.until)) == before


def test_nothing_is_before_open_dates() -> None:
    assert Filters(since=date(2026, 1, 1), compare="previous").before() is None
    assert Filters(since=date(2026, 1, 1), until=date(2026, 2, 1)).before() is None


def test_default_is_four_weeks_up_to_the_data() -> None:
    filters = Filters.default(datetime(2026, 3, 29, 13))
    assert (filters.since, filters.until, filters.compare) == (date(2026, 3, 2), date(2026, 3, 30), "previous")
