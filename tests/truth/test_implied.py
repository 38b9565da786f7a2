"""Rows that another table implies are counted there, with the same answer as by looking each of them up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sql.asked import clause_of, dates_of
from sql.candidates import completeness_sql
from sql.catalog import Catalog
from sql.filters import Filters
from sql.implied import SOURCES
from sql.implied import completeness_sql as implied_sql
from sql.query import rows
from tests.truth.world import World

METRICS = Catalog.load().metrics
ASKED = [metric for metric in METRICS.values() if metric.table in SOURCES]


def filterings(world: World) -> Iterator[Filters]:
    """All days, the default ones and open ones, of everything, of a facility and of a part that a person may see."""
    facilities = rows(world.snapshot, "dim_facility", columns=("facility",))["facility"].to_list()
    now = Filters.default(world.snapshot.data_through)
    for dates in (Filters(), now, now.replace(until=None), now.replace(since=None)):
        yield from (dates, dates.replace(facility=(facilities[0],)), dates.within(facilities[-1:]))
        yield dates.replace(modality=("CT", "MR"), weekday=("1",), hour=("9", "10"))


@pytest.mark.parametrize("table", SOURCES)
def test_each_row_of_the_other_table_has_one_and_without_its_word_says_nothing(world: World, table: str) -> None:
    source, models = SOURCES[table], Catalog.load().models
    key = models[table].key
    assert models[source.of].key == key
    flags = [column.name for column in models[table].columns if column.type == "BOOLEAN"]
    is_said = " OR ".join(f"r.{flag} IS NOT FALSE" for flag in flags)
    (row,) = world.snapshot.execute(
        f"""SELECT (SELECT count(*) FROM {table}) AS n,
        (SELECT count(*) FROM {source.of} x WHERE {source.rule}) AS n_of,
        count(*) AS n_both, count(*) FILTER (WHERE r.{source.told}) AS n_told,
        count(*) FILTER (WHERE NOT r.{source.told} AND ({is_said})) AS n_bad
        FROM {table} r JOIN {source.of} x ON x.{key} = r.{key} WHERE {source.rule}"""
    ).rows()
    assert row[0] == row[1] == row[2] > row[3] > 0
    assert row[4] == 0


@pytest.mark.parametrize("metric_id", [metric.id for metric in ASKED])
def test_what_became_of_rows_is_the_same(world: World, metric_id: str) -> None:
    asked, kinds = METRICS[metric_id], set()
    for filters in filterings(world):
        clause = clause_of(asked, filters)
        for statistic in asked.statistics:
            sql = implied_sql(asked, clause, *dates_of(clause), statistic)
            assert sql is not None
            shown = completeness_sql(asked, clause.sql, *dates_of(clause), {statistic: ""})
            found, alone = (world.snapshot.execute(each, clause.params) for each in (sql, shown))
            assert found.schema == alone.schema
            assert found.equals(alone), (filters, statistic)
            kinds |= {*found["kind"]}
    assert kinds >= {"used", "excluded", "other"}


def test_what_is_told_by_more_than_flags_is_looked_up() -> None:
    (asked,) = ASKED
    clause = clause_of(asked, Filters(procedure=("XR-CHEST",)))
    assert implied_sql(asked, clause, "NULL", "NULL", asked.statistic) is None
    plain = clause_of(METRICS["report_final"], Filters())
    assert implied_sql(METRICS["report_final"], plain, "NULL", "NULL", "p50") is None
