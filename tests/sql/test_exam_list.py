"""Lists of exams and counts by range agree with the metric whose number they stand behind."""

from __future__ import annotations

import polars as pl
import pytest

from app.context import Context
from sql import query
from sql.clock_filters import LENGTHS, length_range
from sql.exam_list import SHOW, Narrow, exam_list
from sql.measure import unapplied
from sql.ranges import EDGES
from sql.rows import RowsError
from sql.spread import spread
from tests.app.conftest import context, home, store

__all__ = ["context", "home", "store"]


def total(frame: pl.DataFrame) -> int:
    return 0 if frame.is_empty() else int(frame["total"][0])


def test_the_list_behind_a_number_has_as_many_exams(context: Context) -> None:
    snapshot, filters = context.snapshot, context.filters
    cells = query.metric(snapshot, "report_final", groups=("weekday", "hour"), filters=filters)
    cell = cells.sort("denominator").to_dicts()[-1]
    weekday, hour = cell["group_value"].split(" | ")
    kept = filters.replace(weekday=(weekday,), hour=(hour,))
    assert total(exam_list(snapshot, kept, Narrow())) == cell["denominator"] > 1
    (alone,) = query.metric(snapshot, "report_final", filters=kept).to_dicts()
    assert {key: alone[key] for key in ("n", "value", "lower")} == {key: cell[key] for key in ("n", "value", "lower")}
    told = query.completeness(snapshot, "report_final", kept)
    assert told.filter(pl.col("kind") == "used")["n"].sum() == cell["n"]
    assert spread(snapshot, "report_final", filters=kept)["n"].sum() == cell["n"]
    assert query.rows(snapshot, "fct_exam", filters=kept, where={"is_countable": True}).height == cell["denominator"]
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
        kept = filters.replace(length=(length_range("report_final_min", row["low"], row["high"]),))
        assert total(exam_list(snapshot, kept, Narrow())) == row["n"]
        assert query.metric(snapshot, "report_final", filters=kept)["n"].to_list() == [row["n"]]
        (within,) = query.metric(snapshot, "within_target", filters=kept).rows()
        late = exam_list(snapshot, kept, Narrow(show="late"))
        assert total(late) == within[6] - within[5]  # denominator and numerator


def test_what_a_number_cannot_apply_is_named(context: Context) -> None:
    kept = context.filters.replace(weekday=("1",), hour=("8",), length=("report_final_min:0-15",))
    named = {metric: unapplied(context.definition(metric), kept)
             for metric in ("report_final", "utilization", "occupancy_by_hour", "reads")}  # fmt: skip
    groups = {metric: context.definition(metric).groups for metric in named}
    assert named["report_final"] == ()
    assert named["occupancy_by_hour"] == ("length",)
    for metric, keys in named.items():
        assert {"weekday", "hour"} - set(keys) == {"weekday", "hour"} & set(groups[metric])
    assert query.metric(context.snapshot, "utilization", filters=kept).equals(
        query.metric(context.snapshot, "utilization", filters=kept.replace(length=()))
    )


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


@pytest.mark.parametrize("wrong", [{"show": "x"}, {"clock": "x"}, {"sort": "x; DROP TABLE fct_exam"}])
def test_unknown_words_are_refused(context: Context, wrong: dict[str, str]) -> None:
    with pytest.raises(RowsError):
        exam_list(context.snapshot, context.filters, Narrow(**wrong))  # type: ignore[arg-type]


def test_lengths_are_columns_that_metrics_use(context: Context) -> None:
    assert set(LENGTHS) <= context.snapshot.columns("fct_exam").keys()
