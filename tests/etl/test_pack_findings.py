"""What a month's report calls out of order and good, on scorecards made by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.pack_charts import chart, scale, ticks
from etl.pack_findings import against_target, findings, outcome
from sql.leadership import COURSE

BETTER = {"report_final": "lower", "reject_rate": "lower", "backlog": "lower"}
UNITS = ("min", "share", "exams", "reads", "reads/h", "d")


def row(**given: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "facility": "all", "facility_name": None, "measure": "report_p50", "metric": "report_final", "unit": "min",
        "value": 60.0, "n": 500, "is_small": False, "target": None, "previous": 30.0, "delta": 30.0, "relative": 1.0,
        "verdict": "worse", "is_clear": True,
    }  # fmt: skip
    return usual | given


def told(*given: dict[str, Any]) -> tuple[list[str], list[str]]:
    wrong, good = findings(pl.DataFrame(list(given), infer_schema_length=None), BETTER)
    return [finding.told for finding in wrong], [finding.told for finding in good]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "worse"),
        ({"verdict": "better"}, "better"),
        ({"is_clear": False}, ""),
        ({"is_small": True}, ""),
        ({"verdict": None}, ""),
        ({"delta": None, "previous": None, "relative": None, "verdict": None}, ""),
        ({"delta": 0.2}, ""),  # rounds to nothing
        ({"is_clear": None, "delta": 3.0, "relative": 0.1}, "worse"),  # counted in full: a tenth
        ({"is_clear": None, "delta": 2.9, "relative": 0.097}, ""),
        ({"is_clear": None, "delta": 3.0, "previous": 0.0, "relative": None}, ""),
    ],
)
def test_a_change_is_told_where_it_is_more_than_chance_and_more_than_nothing(given: dict[str, Any], said: str) -> None:
    assert outcome(row(**given)) == said


@pytest.mark.parametrize(
    ("value", "target", "better", "said"),
    [(0.08, 0.08, "lower", "met"), (0.081, 0.08, "lower", "missed"), (0.9, 0.95, "higher", "missed"),
     (0.95, 0.95, "higher", "met"), (None, 0.08, "lower", ""), (0.1, None, "lower", ""), (0.1, 0.2, "neither", "")],
)  # fmt: skip
def test_target_is_met_or_missed(value: float | None, target: float | None, better: str, said: str) -> None:
    assert against_target(row(value=value, target=target), better) == said


def test_the_gravest_comes_first_and_a_measure_once() -> None:
    rejects = {"measure": "rejects", "metric": "reject_rate", "unit": "share", "target": 0.08, "previous": 0.09}
    wrong, good = told(
        row(),
        row(facility="A", facility_name="Alpha"),
        row(facility="B", facility_name="Beta", verdict="better", delta=-30.0),
        row(**rejects, value=0.1, delta=0.01, is_clear=False),
        row(measure="past_target", metric="backlog", unit="exams", value=3.0, previous=9.0, delta=-6.0,
            verdict="better", is_clear=None),
    )  # fmt: skip
    assert wrong == [
        "Unread exams past their target",
        "Target missed: Rejected images",
        "Half of the reports took longer",
    ]
    assert good == ["Half of the reports came sooner"]


def test_few_cases_and_no_cases_say_nothing() -> None:
    none = {"value": None, "n": 0, "is_small": True, "previous": None, "delta": None, "relative": None,
            "verdict": None, "is_clear": None}  # fmt: skip
    unread = row(measure="past_target", metric="backlog", **none)
    assert told(row(**none), row(facility="A", is_small=True), unread) == ([], [])


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=20), st.sampled_from(UNITS))
def test_a_scale_holds_its_values_with_few_ticks(values: list[float], unit: str) -> None:
    low, high, step = scale(values, unit)
    assert low <= min(values) + 1e-9 * (1 + high)
    assert high >= max(values) - 1e-9 * (1 + high)
    assert low < high
    assert 2 <= len(ticks(low, high, step)) <= 7


def test_a_chart_keeps_gaps_targets_and_the_largest_places() -> None:
    usual = {"measure": "rejects", "metric": "reject_rate", "statistic": "value", "unit": "share", "grain": "month",
             "n": 100, "is_small": False, "is_partial": False, "target": 0.08}  # fmt: skip
    months = pl.date_range(pl.date(2026, 1, 1), pl.date(2026, 3, 1), "1mo", eager=True).to_list()
    places = ["all", *(f"F{number}" for number in range(12))]
    course = pl.DataFrame(
        [usual | {"facility": place, "period_start": month, "period_end": month, "value": 0.02 * (number + 1),
                  "n": 1000 if place == "F11" else 100 + place_number}
         for place_number, place in enumerate(places) for number, month in enumerate(months)
         if (place, number) != ("F11", 1)]
    ).select(COURSE)  # fmt: skip
    made = chart(course, dict(zip(places, ["All facilities", *map(str.lower, places[1:])], strict=True)), "Rejects")
    assert made is not None
    assert [panel["name"] for panel in made["panels"]] == ["All facilities", *(f"f{number}" for number in range(5, 12))]
    assert made["left_out"] == 5
    whole, last = made["panels"][0]["points"], made["panels"][-1]["points"]
    assert [point["x"] for point in whole] == [0, 0.5, 1]
    assert [point["x"] for point in last] == [0, 1]
    assert made["target"]["told"].split() == ["8.0", "%"]
    assert [(tick["told"].split()[0], tick["y"]) for tick in made["ticks"]] == [("0.0", 0), ("5.0", 0.5), ("10.0", 1)]
    assert made["target"]["y"] == 0.8
    assert [point["y"] for point in whole] == [0.2, 0.4, 0.6]
    assert chart(course.with_columns(pl.lit(None, pl.Float64).alias("value")), {"all": "all"}, "") is None
