"""The course of a number: its window, its limits in the figure, and what is said of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from app.context import Context
from app.course import is_judged, said, window
from app.figures.control import control
from app.guard import Person
from app.sections import course
from app.state import State
from app.theme import LIGHT
from sql.filters import Filters
from sql.snapshot import Store
from tests.app.conftest import drawn

NAMES = {name: name for name in course.NAMES}
MONDAY = date(2026, 9, 7)


def charted(
    signals: dict[int, str], *, runs: dict[int, date] | None = None, n: int = 10, **columns: Any
) -> pl.DataFrame:
    """A chart of ten weeks around 30 minutes: odd weeks above, the last one unfinished."""
    rows = [
        {"period_start": MONDAY + timedelta(weeks=k), "period_end": MONDAY + timedelta(weeks=k + 1), "n": 50,
         "value": 31.0 if k % 2 else 29.0, "center": 30.0, "low": 20.0, "high": 40.0, "widened": 1.0,
         "signal": signals.get(k), "run_since": (runs or {}).get(k), "is_partial": False, **columns}
        for k in range(n)
    ]  # fmt: skip
    rows.append({**rows[-1], "period_start": MONDAY + timedelta(weeks=n), "center": None, "low": None, "high": None,
                 "widened": None, "is_partial": True})  # fmt: skip
    kinds = {"signal": pl.String, "run_since": pl.Date, "center": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)


def context(store: Store, search: str) -> Context:
    snapshot = store.current()
    return Context(snapshot, State.read(search, snapshot.data_through), Person("test", sees_readers=True))


def test_a_calm_course_is_said_to_be_calm() -> None:
    assert said(charted({}), "min", "week") == [
        "No sign of a change: every week lies within the limits, and no eight in a row on one side."
    ]


def test_signals_are_said_in_words() -> None:
    frame = charted({2: "outside", 9: "run"}, runs={9: MONDAY + timedelta(weeks=2)}, widened=2.0)
    assert said(frame, "min", "week") == [
        "Outside its limits: 21 Sep 2026 (below).",
        "Since 21 Sep 2026 above its usual level of 30\u202fmin.",
        "The limits are 2.00 times as wide as chance alone asks: values vary for other reasons too.",
    ]
    over = said(charted({8: "run"}, runs={8: MONDAY}), "min", "week")
    assert over == ["From 7 Sep 2026 to 2 Nov 2026 below its usual level of 30\u202fmin."]
    many = said(charted(dict.fromkeys(range(6), "outside")), "min", "week")[0]
    assert many.endswith("12 Oct 2026 (above) and 2 earlier.")


def test_too_few_points_are_not_judged() -> None:
    frame = charted({}).with_columns(pl.lit(None, pl.Float64).alias("center"))
    assert not is_judged(frame)
    assert said(frame, "min", "week") == ["Not judged: it takes eight whole weeks with enough exams in each."]
    part = charted({}, n=12).with_columns(pl.when(pl.col("period_start") > MONDAY).then("center").alias("center"))
    assert said(part, "min", "week")[-1] == "Points without limits have too few exams to be judged."


def test_the_figure_shows_limits_signals_target_and_marks() -> None:
    made = drawn(control(charted({2: "outside", 9: "run"}), "light", unit="min", y="", names=NAMES, target=35.0,
                         marks=[(MONDAY, "definition 2")], href=lambda row: str(row["period_start"])))  # fmt: skip
    high, center, low, values = made.data
    assert (high.y[0], center.y[0], low.y[0]) == (40.0, 30.0, 20.0)
    assert (values.marker.symbol[2], values.marker.color[2]) == ("diamond", LIGHT.worse)
    assert (values.marker.symbol[9], values.marker.color[9]) == ("circle", LIGHT.worse)
    assert values.marker.color[10] == LIGHT.surface
    assert "outside" in values.text[2]
    assert "outside" not in values.text[3]
    assert values.customdata[0] == "2026-09-07"
    assert [note.text for note in made.layout.annotations] == ["target", "definition 2"]
    assert made.layout.shapes[1].x0 == MONDAY


def test_a_chart_looks_back_from_the_end_of_the_period(store: Store) -> None:
    def of(query: str, grain: str) -> Filters:
        asked = context(store, f"?metric=wait&{query}")
        return window(asked.snapshot, asked.filters, grain)

    assert of("since=2026-11-01&until=2026-11-10", "week").since == date(2026, 11, 10) - timedelta(days=182)
    assert of("since=2026-11-01&until=2026-11-10", "week").until == date(2026, 11, 10)
    assert of("since=2020-01-01&until=2026-11-10", "week").since == date(2020, 1, 1)
    assert of("since=2020-01-01&until=2026-11-10", "day").since == date(2026, 9, 15)
    assert of("period=all", "week").since is None


@pytest.mark.parametrize("grain", ["day", "week", "month", "nothing"])
def test_every_grain_has_its_card_and_a_metric_without_dates_none(store: Store, grain: str) -> None:
    asked = context(store, f"?metric=report_final&grain={grain}")
    assert len(course.cards(asked, asked.chosen)) == 2
    dateless = context(store, "?metric=freshness")
    assert len(course.cards(dateless, dateless.chosen)) == 1
