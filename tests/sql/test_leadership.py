"""Scorecard and course of leaders' measures: the numbers of the query layer, kept to what may be seen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sql import query
from sql.filters import Filters
from sql.leadership import (
    ALL,
    COURSE,
    ENOUGH_DAYS,
    LOOKS_BACK,
    MEASURES,
    SCORECARD,
    THEMES,
    reaches_back,
    window,
)
from sql.snapshot import Snapshot, open_snapshot
from sql.unfinished import data_from
from tests.published import Published
from tests.snapshots import exam_row, snapshot_of

OCTOBER = Filters(since=date(2026, 10, 1), until=date(2026, 11, 1), compare="previous")


@pytest.fixture(scope="module")
def snapshot(published: Published) -> Snapshot:
    return open_snapshot(published.snapshot)


def test_every_measure_has_a_row_a_place_with_the_numbers_of_compare(snapshot: Snapshot) -> None:
    found = query.scorecard(snapshot, OCTOBER)
    assert tuple(found.columns) == SCORECARD
    places = [ALL, *sorted(query.rows(snapshot, "dim_facility")["facility"].to_list())]
    assert found.select("measure", "facility").rows() == [(m.name, place) for m in MEASURES for place in places]
    assert {m.theme for m in MEASURES} == set(THEMES)
    hidden = () if reaches_back(snapshot, OCTOBER) else tuple(LOOKS_BACK)
    for measure in MEASURES:
        for groups in ((), ("facility",)):
            asked = query.compare(snapshot, measure.metric, groups=groups, filters=OCTOBER, statistic=measure.statistic)
            for row in asked.iter_rows(named=True):
                mine = found.row(by_predicate=(pl.col("measure") == measure.name)
                                 & (pl.col("facility") == row["group_value"]), named=True)  # fmt: skip
                changes = () if measure.statistic in hidden else ("delta", "verdict", "is_clear")
                for name in ("value", "n", "previous", *changes):
                    assert mine[name] == row[name], (measure.name, name)


def test_a_scope_leaves_no_row_and_no_number_of_another_facility(snapshot: Snapshot) -> None:
    places = query.scorecard(snapshot, OCTOBER)["facility"].unique().to_list()
    mine = next(place for place in sorted(places) if place != ALL)
    seen = OCTOBER.within([mine])
    found, course = query.scorecard(snapshot, seen), query.course(snapshot, seen)
    assert set(found["facility"]) == {ALL, mine}
    assert set(course["facility"]) == {ALL, mine}
    exams = found.filter(pl.col("measure") == "exams")
    assert exams["n"].n_unique() == 1  # all that is seen is this facility's


def test_a_course_ends_with_the_month_and_goes_back_by_weeks_while_the_data_are_young(snapshot: Snapshot) -> None:
    grain, since, until = window(snapshot, OCTOBER)
    assert (grain, since.weekday(), until) == ("week", 0, date(2026, 10, 26))
    found = query.course(snapshot, OCTOBER)
    assert tuple(found.columns) == COURSE
    assert set(found["measure"]) <= {measure.name for measure in MEASURES if measure.has_course}
    assert found["period_end"].max() <= until  # type: ignore[operator]
    measure = next(measure for measure in MEASURES if measure.name == "report_p90")
    asked = query.trend(snapshot, measure.metric, period="week", statistic="p90",
                        filters=OCTOBER.replace(since=since, until=until, compare="none"))  # fmt: skip
    mine = found.filter((pl.col("measure") == measure.name) & (pl.col("facility") == ALL))
    assert mine.select("period_start", "value", "n", "is_partial").equals(
        asked.select("period_start", "value", "n", "is_partial"))  # fmt: skip


def test_a_course_goes_back_thirteen_months_once_there_are_data(snapshot: Snapshot) -> None:
    first = data_from(snapshot)
    assert first is not None
    later = OCTOBER.replace(since=date(2027, 5, 1), until=date(2027, 6, 1))
    assert (date(2027, 6, 1) - first).days >= ENOUGH_DAYS
    assert window(snapshot, later) == ("month", date(2026, 5, 1), date(2027, 6, 1))
    with pytest.raises(ValueError, match="ends"):
        window(snapshot, Filters())


def test_repeats_are_not_compared_while_the_data_begin(tmp_path: Path) -> None:
    """What was done before the data is not known, so the share of the first 30 days is too low."""
    days = [datetime(2026, 1, 1, 8) + timedelta(hours=8 * number) for number in range(3 * 120)]
    exams = [exam_row(60.0, f"{day}", exam_key=f"E{number}", exam_started_at=day, patient_key=f"P{number}",
                      region="head") for number, day in enumerate(days)]  # fmt: skip
    young = snapshot_of(tmp_path, datetime(2026, 5, 1), fct_exam=exams)

    def compared(month: int) -> tuple[bool, bool]:
        asked = Filters(since=date(2026, month, 1), until=date(2026, month + 1, 1), compare="previous")
        found = query.scorecard(young, asked).filter(pl.col("facility") == ALL)
        told = dict(found.select("measure", pl.col("delta").is_not_null()).iter_rows())
        return told["repeats_30d"], told["report_p50"]

    assert (compared(2), compared(3), compared(4)) == ((False, True), (True, True), (True, True))
