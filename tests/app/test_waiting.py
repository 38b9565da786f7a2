"""Waiting exams beside finished ones: what is said, and where the card stands."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from app.context import Context
from app.guard import Person
from app.pages import turnaround
from app.sections import waiting
from app.state import State
from sql.catalog import Catalog
from sql.kaplan_meier import is_censorable
from sql.snapshot import Store


def context(store: Store, search: str) -> Context:
    snapshot = store.current()
    return Context(snapshot, State.read(search, snapshot.data_through), Person("test", sees_readers=True))


def rows(**changes: Any) -> pl.DataFrame:
    usual = {"statistic": "p50", "n": 1200, "n_waiting": 300, "value": 80.0, "finished": 60.0, "differs": True}
    return pl.DataFrame([{**usual, "differs": False}, {**usual, **changes}], infer_schema_length=None)


WAIT = "300 of 1,200 exams still wait"
SLOW = f"{WAIT}, and they are the slow ones."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, f"{SLOW} Median: 60\u202fmin of the finished exams alone, 80\u202fmin with those that wait."),
        ({"value": None}, f"{SLOW} Median: 60\u202fmin of the finished exams alone; of all it is not reached yet."),
        ({"differs": False}, f"{WAIT}; the difference lies within the 95 % intervals."),
    ],
)  # fmt: skip
def test_the_difference_is_said(changes: dict[str, Any], told: str) -> None:
    assert waiting.said(rows(**changes), "min") == told


def test_nothing_waits() -> None:
    frame = rows().with_columns(pl.lit(0).alias("n_waiting"))
    assert waiting.said(frame, "min") == "None of 1,200 exams waits: both tell the same, but for interpolation."


@pytest.mark.parametrize("metric_id", Catalog.load().metrics)
def test_only_lengths_that_may_not_have_ended_have_the_card(store: Store, metric_id: str) -> None:
    asked = context(store, f"?metric={metric_id}")
    assert len(waiting.cards(asked, asked.chosen)) == int(is_censorable(asked.chosen))


def test_turnaround_has_it_too(store: Store) -> None:
    assert turnaround.WAITING in turnaround.QUESTIONS
    assert turnaround.WAITING.title in str(turnaround.render(context(store, "")))
