"""Lists of exams and counts by range agree with the metric whose number they stand behind."""

from __future__ import annotations

import polars as pl
import pytest

from app.context import Context
from sql import query
from sql.exam_list import LENGTHS, SHOW, Narrow, exam_list
from sql.rows import RowsError
from sql.spread import EDGES, spread
from tests.app.conftest import context, home, store

__all__ = ["context", "home", "store"]


def total(frame: pl.DataFrame) -> int:
    return 0 if frame.is_empty() else int(frame["total"][0])


def test_the_list_behind_a_number_has_as_many_exams(context: Context) -> None:
    snapshot, filters = context.snapshot, context.filters
    cells = query.metric(snapshot, "report_final", groups=("weekday", "hour"), filters=filters)
    weekday, hour = map(int, cells.sort("denominator")["group_value"][-1].split(" | "))
    found = exam_list(snapshot, filters, Narrow(weekday=weekday, hour=hour))
    assert total(found) == cells["denominator"].max() > 1
    within = query.metric(snapshot, "within_target", filters=filters)
    late = exam_list(snapshot, filters, Narrow(show="late"))
    assert total(late) == within["denominator"][0] - within["numerator"][0] > 0


def test_ranges_add_up_to_the_metric_and_lead_to_their_exams(context: Context) -> None:
    snapshot, filters = context.snapshot, context.filters
    ranges = spread(snapshot, "report_final", filters=filters)
    assert ranges.height == len(EDGES)
    assert ranges["n"].sum() == query.metric(snapshot, "report_final", filters=filters)["n"][0]
    assert ranges["cumulative"][-1] == pytest.approx(1.0)
    for row in ranges.filter(pl.col("n") > 0).iter_rows(named=True):
        narrow = Narrow(length="report_final_min", low=row["low"], high=row["high"])
        assert total(exam_list(snapshot, filters, narrow)) == row["n"]


def test_lists_are_sorted_and_leafed_through_without_repetition(context: Context) -> None:
    narrow = Narrow(sort="-report_final_min")
    first = exam_list(context.snapshot, context.filters, narrow, limit=20)
    second = exam_list(context.snapshot, context.filters, narrow, limit=20, offset=20)
    values = [*first["report_final_min"], *second["report_final_min"]]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert len({*first["exam_key"], *second["exam_key"]}) == first.height + second.height > 20


@pytest.mark.parametrize("show", SHOW)
def test_every_list_can_be_asked(context: Context, show: str) -> None:
    found = exam_list(context.snapshot, context.filters, Narrow(show=show, clock="any"))
    assert found.height <= 50


def test_a_scope_keeps_other_facilities_out(context: Context) -> None:
    found = exam_list(context.snapshot, context.filters.within(("EAST",)), Narrow(show="all", clock="any"), limit=500)
    assert set(found["facility"]) == {"EAST"}


@pytest.mark.parametrize("wrong", [{"show": "x"}, {"clock": "x"}, {"sort": "x; DROP TABLE fct_exam"}, {"length": "x"}])
def test_unknown_words_are_refused(context: Context, wrong: dict[str, str]) -> None:
    with pytest.raises(RowsError):
        exam_list(context.snapshot, context.filters, Narrow(**wrong))  # type: ignore[arg-type]


def test_lengths_are_columns_that_metrics_use(context: Context) -> None:
    assert set(LENGTHS) <= context.snapshot.columns("fct_exam").keys()
