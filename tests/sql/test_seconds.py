"""Percentiles of very many rows, read as whole seconds: the same as from lists by group, or not told at all."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sql import many_cases, sets_of_seconds
from sql.benchmark import benchmark
from sql.bundle import Bundle
from sql.bundled import answers
from sql.compare import control
from sql.definitions import definition
from sql.filters import NO_VALUE, Filters
from sql.fine import Set
from sql.ordered import lists_statement, told
from sql.seconds import MOST_TEXTS, is_many
from sql.sets_of_seconds import answered
from sql.snapshot import Snapshot
from sql.spread import spread
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 4, 15, 12)
SHIFTS = [{"minute_of_week": minute, "shift": "day" if 480 <= minute % 1440 < 1020 else "night"}
          for minute in range(10_000)]  # fmt: skip
SETS: tuple[Set, ...] = (
    ((), "all"), (("facility",), "all"), ((), "day"), (("modality", "priority"), "month"), (("weekday", "hour"), "all"),
    (("shift", "facility"), "quarter"), (("service_line",), "year"), ((), "week"),
)  # fmt: skip
STATISTICS = ("mean", "p50", "p90")
OPEN = Filters()
TWO_YEARS = Filters(date(2025, 1, 1), date(2026, 4, 1), compare="previous")
CHOSEN = Filters(modality=("CT", "MR"), priority=("stat", NO_VALUE), weekday=("1", "2", "3"), hour=("7", "8", "9"))


def rows(n: int = 3000, seed: int = 1) -> list[dict[str, Any]]:
    """Exams of three years; a value in ten is not known or runs backwards."""
    of = random.Random(seed)  # noqa: S311 - test data
    return [
        exam_row(
            of.choice([None, -3.0, *(of.randint(0, of.choice([400, 400, 200_000])) / 60 for _ in range(18))]),
            str(datetime(2023, 4, 1) + timedelta(minutes=of.randrange(1_500_000))),
            facility=of.choice(["NORTH", "SOUTH", "O'HARE", None]), modality=of.choice(["CT", "MR", "XR"]),
            priority=of.choice(["stat", "routine", None]), patient_class=of.choice(["inpatient", "outpatient"]),
        )
        for _ in range(n)
    ]  # fmt: skip


def snapshot(folder: Path, exams: list[dict[str, Any]]) -> Snapshot:
    return snapshot_of(folder, THROUGH, fct_exam=exams, dim_shift=SHIFTS)


def asked(snapshot: Snapshot, *slices: Filters, sets: tuple[Set, ...] = SETS) -> Bundle:
    slices = tuple(each.replace(compare="none") for each in slices)
    return Bundle(definition(snapshot, "report_final"), sets, STATISTICS, slices)


@pytest.mark.parametrize("slices", [(OPEN,), (TWO_YEARS,), (TWO_YEARS, TWO_YEARS.before()), (CHOSEN,)],
                         ids=["open", "one", "two", "chosen"])  # fmt: skip
def test_the_same_as_of_lists(tmp_path: Path, slices: tuple[Filters, ...]) -> None:
    held = snapshot(tmp_path, rows())
    bundle = asked(held, *slices)
    ranges: tuple[dict[int, pl.DataFrame], dict[int, pl.DataFrame]] = ({}, {})
    found = answered(held, bundle, ranges[0])
    assert found is not None
    of_lists = held.execute(*lists_statement(bundle), fold=lambda lists: told(bundle, ranges[1], lists), of="lists")
    assert found.select(of_lists.columns).equals(of_lists)
    assert ranges[0].keys() == ranges[1].keys() == {*range(len(slices))}
    assert all(ranges[0][number].equals(ranges[1][number]) for number in ranges[0])


@pytest.mark.parametrize("statistic", ["p50", "p90"])
def test_a_chart_is_the_same_as_of_lists(tmp_path: Path, statistic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = snapshot(tmp_path, rows(6000))
    ask = partial(control, metric_id="report_final", period="month", groups=("patient_class",), statistic=statistic)
    many = ask(held)
    monkeypatch.setattr(sets_of_seconds, "is_many", lambda _: False)
    (tmp_path / "other").mkdir()
    of_lists = ask(snapshot(tmp_path / "other", rows(6000)))
    assert of_lists["center"].count()
    assert many.equals(of_lists)


def test_peers_are_the_same_as_of_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = snapshot(tmp_path, rows())
    asked_for = ((OPEN, None), (Filters(facility=("NORTH",)), None), (Filters(modality=("CT",)), None), (OPEN, ()),
                 (OPEN, ("shift",)))  # fmt: skip
    many = [benchmark(held, "report_final", filters=filters, strata=strata) for filters, strata in asked_for]
    for module in (many_cases, sets_of_seconds):
        monkeypatch.setattr(module, "is_many", lambda _: False)
    (tmp_path / "other").mkdir()
    other = snapshot(tmp_path / "other", rows())
    for (filters, strata), found in zip(asked_for, many, strict=True):
        assert found.height == 4
        assert found.equals(benchmark(other, "report_final", filters=filters, strata=strata))


@pytest.mark.parametrize("is_of_lists", [False, True], ids=["seconds", "lists"])
def test_ranges_stay_where_the_answer_is_known_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_of_lists: bool
) -> None:
    """As for a thread that waited while another one read the same rows."""
    if is_of_lists:
        monkeypatch.setattr(sets_of_seconds, "is_many", lambda _: False)
    held = snapshot(tmp_path, rows())
    bundle = asked(held, OPEN, sets=(((), "all"),))
    answers(held, bundle)
    first = spread(held, "report_final", filters=OPEN)
    answers(held, bundle)
    assert first["n"].sum()
    assert spread(held, "report_final", filters=OPEN).equals(first)


def test_peers_of_texts_that_are_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty text is another one than none, and each has its place in the order."""
    of = random.Random(5)  # noqa: S311 - test data
    empty = [row | {name: of.choice(["", None, "stat"]) for name in ("priority", "patient_class", "facility")}
             for row in rows(4000)]  # fmt: skip
    (tmp_path / "other").mkdir()
    many = benchmark(snapshot(tmp_path, empty), "report_final")
    monkeypatch.setattr(many_cases, "is_many", lambda _: False)
    monkeypatch.setattr(sets_of_seconds, "is_many", lambda _: False)
    assert many["observed"].null_count() == 0
    assert many.equals(benchmark(snapshot(tmp_path / "other", empty), "report_final"))


def test_no_case_lies_beyond_a_percentile_that_is_the_longest(tmp_path: Path) -> None:
    """254 seconds is the last length that eight bits hold: the first beyond it has a bit more."""
    held = snapshot(tmp_path, [row | {"report_final_min": 254 / 60} for row in rows(400)])
    found = benchmark(held, "report_final")
    assert (found["network"].unique().to_list(), found["observed"].to_list()) == ([254 / 60], [0.0] * 4)


def test_texts_of_years_ago_alone_are_found(tmp_path: Path) -> None:
    exams = [*rows(50), exam_row(7.0, "2023-05-01 10:00", facility="CLOSED")]
    held = snapshot(tmp_path, [*exams, exam_row(9.0, "2026-04-01 10:00")])
    found = answered(held, asked(held, OPEN, sets=((("facility",), "all"),)), {})
    assert found is not None
    assert found.filter(pl.col("group_value") == "CLOSED", pl.col("statistic") == "p50")["value"].to_list() == [7.0]


@pytest.mark.parametrize(
    "odd",
    [exam_row(1 / 7), exam_row(1e12), exam_row(float("nan")), exam_row(1.0, facility=NO_VALUE),
     exam_row(1.0, "1969-12-31 10:00"), exam_row(1.0) | {"exam_ended_local": None}],
    ids=["no second", "too long", "no number", "a text like none", "before days are counted", "no time"],
)  # fmt: skip
def test_what_is_not_whole_seconds_is_left_to_lists(tmp_path: Path, odd: dict[str, Any]) -> None:
    held = snapshot(tmp_path, [*rows(20), odd])
    assert answered(held, asked(held, OPEN), {}) is None


def test_no_rows_and_too_many_texts_are_left_to_lists(tmp_path: Path) -> None:
    for name, exams in {"none": [], "many": [exam_row(1.0, facility=f"F{k}") for k in range(MOST_TEXTS)]}.items():
        (tmp_path / name).mkdir()
        held = snapshot(tmp_path / name, exams)
        assert answered(held, asked(held, OPEN), {}) is None


def test_few_rows_are_listed(tmp_path: Path) -> None:
    held = snapshot(tmp_path, rows(5))
    month = Filters(date(2026, 3, 1), date(2026, 4, 1))
    few = (month, *(OPEN.replace(**{key: ("a",)}) for key in ("facility", "device", "radiologist", "procedure")),
           OPEN.within(["NORTH"]))  # fmt: skip
    assert not any(is_many(asked(held, filters)) for filters in few)
    many = (OPEN, CHOSEN, OPEN.replace(facility=tuple("abcdefghi")), OPEN.within("abcdefghi"))
    assert all(is_many(asked(held, filters)) for filters in many)
    assert not is_many(Bundle(definition(held, "third_next_available"), (((), "all"),), ("p50",), (OPEN,)))
