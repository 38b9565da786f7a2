"""What is taken for granted of tables that say again what another says, whose flags are counted where they lie."""

from __future__ import annotations

import re

import pytest

from sql.catalog import Catalog
from sql.copied import COPIES, apart, folded_again
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
    assert apart(asked, frozenset({"period_local", "within_30d", "radiologist"})) is None  # a repeat does not say it


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
