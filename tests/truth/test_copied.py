"""What is taken for granted of tables that say again what another says, whose flags are counted where they lie."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from sql.bundle import Bundle
from sql.bundled import answers
from sql.catalog import Catalog
from sql.copied import COPIES, apart, folded_again, taken_back
from sql.filters import Filters
from tests.snapshots import exam_row, snapshot_of
from tests.truth.world import World

METRICS = Catalog.load().metrics


@pytest.mark.parametrize("table", COPIES)
def test_each_row_is_one_of_the_other_table_and_says_the_same(world: World, table: str) -> None:
    copy, models = COPIES[table], Catalog.load().models
    assert models[table].key == models[copy.of].key
    names = {column.name for column in models[table].columns} & {column.name for column in models[copy.of].columns}
    same = [*(f"r.{name} IS NOT DISTINCT FROM e.{name}" for name in sorted(names)),
            *(f"e.{name} = {sql}" for name, sql in copy.others.items() if name not in copy.known),
            *(f"e.{name} IS NOT NULL" for name in sorted(copy.known))]  # fmt: skip
    (row,) = world.snapshot.execute(
        f"""SELECT (SELECT count(*) FROM {table}) AS n, count(*) AS n_of,
        count(*) FILTER (WHERE {" AND ".join(same)}) AS n_same
        FROM {table} r JOIN {copy.of} e ON e.{models[table].key} = r.{models[table].key}"""
    ).rows()
    assert row[0] == row[1] == row[2] > 0


@pytest.mark.parametrize("metric_id", ["repeat_exam_rate", "duplicate_across_facilities"])
def test_flags_are_counted_where_they_lie(metric_id: str) -> None:
    asked = METRICS[metric_id]
    found = apart(asked, frozenset({"period_local", "within_30d", "facility"}))
    assert found is not None
    assert "JOIN" not in found.rows + found.flagged
    assert "fct_repeat" not in found.rows
    assert re.findall(r"FROM fct_\w+", found.flagged) == ["FROM fct_repeat"]
    assert "patient_key" not in found.rows
    assert re.findall(r"patient_key IS \w+", found.lacking) == ["patient_key IS NULL"]
    assert apart(asked, frozenset({"period_local", "within_30d", "radiologist"})) is None  # a repeat does not say it


def test_a_patient_that_does_not_matter_alone_is_read_where_it_lies() -> None:
    """Who the patient is, and exams that are told of by whether there is one, are no test for one."""
    asked = METRICS["repeat_exam_rate"]
    for old, new in ((" AND e.patient_key IS NOT NULL\n            THEN CAST(coalesce(r.is_30d, FALSE) AS INTEGER) END",
                      "\n            THEN CAST(coalesce(r.is_30d, FALSE) AS INTEGER) END"),
                     ("WHERE e.is_countable", "WHERE e.is_countable AND e.patient_key IS NOT NULL")):  # fmt: skip
        assert old in asked.body
        found = apart(replace(asked, body=asked.body.replace(old, new)), frozenset({"period_local", "within_30d"}))
        assert found is not None
        assert found.lacking == ""


def test_exams_without_a_patient_are_no_trials(tmp_path: Path) -> None:
    """All of them at one facility, some at another, none at a third."""
    began = datetime(2026, 3, 2, 10)
    exams = [
        exam_row(1.0, exam_key=f"{facility}{number}", facility=facility, exam_started_at=began, region="HEAD",
                 patient_key=patient)
        for facility, patients in {"NONE": (None, None), "SOME": (None, "p", "q"), "ALL": ("p", "q")}.items()
        for number, patient in enumerate(patients)
    ]  # fmt: skip
    repeat = {"exam_key": "SOME1", "facility": "SOME", "exam_started_local": began, "kind": "repeat", "is_30d": True,
              "modality": "CT"}  # fmt: skip
    held = snapshot_of(tmp_path, datetime(2026, 4, 1), fct_exam=exams, fct_repeat=[repeat])
    bundle = Bundle(METRICS["repeat_exam_rate"], (((), "all"), (("facility",), "all")), ("30d",), (Filters(),))
    whole, by_facility = answers(held, bundle).values()
    assert whole.select("n", "numerator").rows() == [(4, 1.0)]
    assert by_facility.select("group_value", "n", "numerator").rows() == [("ALL", 2, 0.0), ("SOME", 2, 1.0)]


def test_all_else_is_looked_up() -> None:
    """What a joined row adds beside flags, and what is told of exams alone."""
    assert [name for name, asked in METRICS.items() if apart(asked, asked.columns - {"radiologist"})] == [
        "repeat_exam_rate", "duplicate_across_facilities",
    ]  # fmt: skip


def test_only_counts_and_sums_are_folded_again() -> None:
    assert folded_again("count(p.x0)") == "0"
    assert folded_again("sum(p.x0)") == "sum(p.x0)"
    assert folded_again("min(p.at)") == "min(p.at)"
    assert folded_again("sum(p.x1) FILTER (WHERE p.x0 IS NOT NULL)") is None
    assert folded_again("count(*)") is None
    assert [taken_back(sql) for sql in ("count(p.x0)", "sum(p.x0)", "min(p.at)")] == [
        "-count(p.x0)", "-sum(p.x0)", "min(p.at)",
    ]  # fmt: skip
