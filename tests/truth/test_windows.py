"""Reading no more rows than a period needs changes no answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from sql import candidates
from sql.asked import clause_of, dates_of
from sql.catalog import Catalog, Metric
from sql.filters import Filters
from sql.measure import answer
from sql.query import completeness
from sql.shape import statement
from tests.truth.world import World

METRICS = Catalog.load().metrics


def periods(world: World) -> list[Filters]:
    """Periods about the middle of the data; of the second world some of them."""
    return list(_periods(world))[world.every - 1 :: world.every]


def _periods(world: World) -> Iterator[Filters]:
    """A day, a week, a month, all that came before and all that comes after, about the middle of the data."""
    through: date = world.snapshot.data_through.date()
    for back, days in ((20, 1), (20, 7), (40, 30), (3, 3)):
        since = through - timedelta(days=back)
        yield Filters(since=since, until=since + timedelta(days=days))
    yield Filters(until=through - timedelta(days=20))
    yield Filters(since=through - timedelta(days=20))


@pytest.mark.parametrize("metric_id", [name for name, metric in METRICS.items() if metric.windows])
@pytest.mark.parametrize("period", ["all", "day"])
def test_answers_are_those_of_all_rows(world: World, metric_id: str, period: str) -> None:
    asked = METRICS[metric_id]
    whole, n = replace(asked, windows=()), 0
    for filters in periods(world):
        for groups in ((), ("facility",)):
            told, expected = (
                answer(world.snapshot, each, "metrics", lambda ask, each=each: statement(each, ask), groups=groups,
                       period=period, filters=filters)
                for each in (asked, whole)
            )  # fmt: skip
            assert told.equals(expected), (filters, groups)
            n += told["n"].sum()
    assert n > 0 or completeness(world.snapshot, metric_id).filter(kind="used").is_empty()


@pytest.mark.parametrize("metric_id", [name for name, metric in METRICS.items() if metric.has_dates])
def test_evidence_is_that_of_all_rows(world: World, metric_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, made = METRICS[metric_id], candidates.candidates
    told = [completeness(world.snapshot, metric_id, filters).rows() for filters in periods(world)]

    def of_all(asked: Metric, _since: str = "NULL", _until: str = "NULL", statistic: str = "") -> str:
        return made(asked, statistic=statistic)

    monkeypatch.setattr(candidates, "candidates", of_all)
    for filters, fates in zip(periods(world), told, strict=True):
        clause = clause_of(asked, filters)
        sql = candidates.completeness_sql(asked, clause.sql, *dates_of(clause), {asked.statistic: ""})
        assert fates == world.snapshot.execute(sql, clause.params).rows()
