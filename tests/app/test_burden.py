"""Workload in words, and what its tables and tiles say of filters that a number does not know."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from app.cards import not_applied
from app.context import Context
from app.pages import workload
from app.sections import burden
from app.state import State
from app.tables import Column, table
from tests.app.conftest import LOCAL


def asked(context: Context, search: str) -> Context:
    return Context(context.snapshot, State.read(search, context.snapshot.data_through), LOCAL)


def test_the_answer_comes_first_and_from_the_rows_of_the_cards(context: Context) -> None:
    (said,) = burden.said(
        context, "facility",
        pl.DataFrame({"group_value": ["EAST", "WEST"], "value": [7.0, 12.0], "delta": [1.0, 5.0]}),
        pl.DataFrame({"hour_at": [datetime(2026, 3, 2, 8), datetime(2026, 3, 3, 8)], "n_waiting": [9, 31],
                      "n_past_target": [1, 4]}),
        pl.DataFrame({"group_value": ["1 | 9", "2 | 8"], "value": [3.0, 8.0]}),
    )  # fmt: skip
    *lines, link = said.children.children[1].children
    assert [line.children for line in lines] == [
        "Most reports: Westlake Imaging Center, 12 (+5 since the period before).",
        "Most exams waited on 3 Mar 2026 08:00 UTC: 31, of which 4 were past their target.",
        "Most is signed on Tue from 08:00 on: 8 reports in this hour of all weeks.",
    ]
    assert link.children.href.endswith("#what-if")
    page = str(workload.render(context))
    assert "id='what-if'" in page
    assert page.index("In words") < page.index("Waiting for a final report")


def test_nothing_is_said_of_nothing(context: Context) -> None:
    none = pl.DataFrame(schema={"group_value": pl.String, "value": pl.Float64, "delta": pl.Float64})
    hours = pl.DataFrame({"hour_at": [datetime(2026, 3, 2)], "n_waiting": [0], "n_past_target": [0]})
    assert burden.said(context, "facility", none, hours, none) == []


@pytest.mark.parametrize(("search", "told"), [("?modality=CT", "Not filtered by modality"), ("?facility=NORTH", "")])
def test_a_number_of_whole_hours_says_which_filters_it_does_not_know(context: Context, search: str, told: str) -> None:
    here = asked(context, search)
    assert not_applied(here, here.definition("reads_per_hour")) == told
    assert not_applied(here, here.definition("reads")) == ""
    page = str(workload.render(here))
    assert ("Reads per hour, Min per hour: not filtered by modality." in page) is bool(told)


def test_readers_without_a_report_under_the_filters_are_left_out(context: Context) -> None:
    everywhere, some = (workload.READERS.ask(asked(context, search)) for search in ("?period=all", "?modality=NM"))
    assert 0 < some.height < everywhere.height
    assert some.filter(pl.col("value").is_null() & pl.col("prelim").is_null()).is_empty()


def test_rows_beyond_a_fold_are_at_a_click() -> None:
    made = table(pl.DataFrame({"n": [1, 2, 3]}), [Column("n", lambda row: row["n"])], label="Counts", fold=2)
    assert [row.className for row in made.children[0].children.children[1].children] == [None, None, "beyond"]
    assert made.children[1].children.children == "All 3 rows"
    whole = table(pl.DataFrame({"n": [1, 2]}), [Column("n", lambda row: row["n"])], label="Counts", fold=2)
    assert len(whole.children) == 1
