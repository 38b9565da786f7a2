"""Questions that are asked together have the answers that each has by itself."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from sql.asked import answer_key
from sql.bundled import answers
from sql.catalog import Catalog, Metric
from sql.filters import NO_VALUE, Filters
from sql.noted import Call
from sql.query import completeness, explain, metric, rows
from sql.rows import RowsError
from sql.snapshot import Snapshot, open_snapshot
from sql.together import Wanted, ask_all, bundles
from tests.truth.world import SEEDS, World

ALL = Wanted("report_final", (), "all", "p50", Filters())
METRICS = Catalog.load().metrics


@pytest.fixture
def fresh(world: World) -> Iterator[Snapshot]:
    """The world's snapshot, of which nothing was asked yet."""
    snapshot = open_snapshot(world.snapshot.path)
    yield snapshot
    snapshot.close()


def filterings(snapshot: Snapshot) -> list[tuple[Filters, ...]]:
    """A period and the one before, all days, a period within the other, other filters, and one that nothing meets."""
    now = Filters.default(snapshot.data_through)
    before = now.before()
    assert before is not None
    narrow = now.replace(modality=("CT", NO_VALUE), compare="none")
    within = before.replace(until=now.until)
    return [(now, before), (Filters(),), (now, within, narrow), (now.replace(facility=("NOWHERE",)),)]


def wanted(asked: Metric, filters: Filters, most: int) -> Iterator[Wanted]:
    """Statistics by nothing, by week, by a group, by pairs and by the clock."""
    groups = [(), asked.groups[:1], asked.groups[:2], asked.groups[-2:]]
    for statistic in (*asked.statistics[-1:], *asked.statistics)[:most]:
        for names in dict.fromkeys(groups):
            yield Wanted(asked.id, names, "all", statistic, filters)
        yield Wanted(asked.id, (), "week", statistic, filters)
        yield Wanted(asked.id, asked.groups[:1], "day", statistic, filters)


def rounded_alike(shown: pl.DataFrame, told: pl.DataFrame, item: Wanted) -> pl.DataFrame:
    """The answer of the statement; of a mean with the other's bounds, where they differ by rounding alone."""
    if item.statistic != "mean":
        return shown
    for column in ("lower", "upper"):
        assert shown[column].is_null().to_list() == told[column].is_null().to_list()
        assert shown[column].drop_nulls().to_list() == pytest.approx(told[column].drop_nulls().to_list(), rel=1e-12)
    return shown.with_columns(told["lower"], told["upper"])


@pytest.mark.parametrize("world", SEEDS[:1], indirect=True)
@pytest.mark.parametrize("metric_id", METRICS)
def test_answers_are_those_of_each_by_itself(world: World, fresh: Snapshot, metric_id: str) -> None:
    asked, n = METRICS[metric_id], 0
    for filtered, most in zip(filterings(fresh), (4, 1, 1, 1), strict=True):
        items = list(dict.fromkeys(item for filters in filtered for item in wanted(asked, filters, most)))
        made = bundles(fresh, items)
        assert 0 < len(made) < len(items)
        for bundle in made:
            answers(fresh, bundle)
        for item in items:
            told = fresh.kept(answer_key(*item))
            shown = explain(item.metric, groups=item.groups, period=item.period, statistic=item.statistic,
                            filters=item.filters)  # fmt: skip
            alone = world.snapshot.execute(shown.sql, shown.params)
            assert told is not None
            assert told.schema == alone.schema
            assert told.equals(rounded_alike(alone, told, item)), item
            n += len(alone)
    assert n > 0 or completeness(world.snapshot, metric_id).filter(kind="used").is_empty()


def test_what_is_known_is_not_asked_again(fresh: Snapshot) -> None:
    (bundle,) = bundles(fresh, [ALL, ALL])
    answers(fresh, bundle)
    assert bundles(fresh, [ALL]) == []
    kept = fresh.kept(answer_key(*ALL))
    assert metric(fresh, "report_final") is kept


def test_nothing_is_asked_at_once_of_other_definitions(fresh: Snapshot) -> None:
    call = Call(metric, (fresh, "report_final"), {})
    ask_all(fresh, [call])
    assert bundles(fresh, [ALL]) == []
    other = open_snapshot(fresh.path)
    object.__setattr__(other, "signature", "of another day")
    ask_all(other, [call])
    assert other.kept(answer_key(*ALL)) is None


def test_what_fails_at_once_fails_where_it_is_asked(fresh: Snapshot) -> None:
    errors = ask_all(fresh, [Call(rows, (fresh, "no_table"), {}), Call(metric, (fresh, "report_final"), {})])
    assert [type(error) for error in errors] == [RowsError]
    assert fresh.kept(answer_key(*ALL)) is not None
    with pytest.raises(RowsError):
        rows(fresh, "no_table")


def test_a_group_that_nothing_meets_has_the_shape_of_an_answer(fresh: Snapshot) -> None:
    item = Wanted("reads", ("radiologist",), "day", "final", Filters(facility=("NOWHERE",)))
    (bundle,) = bundles(fresh, [item])
    answers(fresh, bundle)
    kept = fresh.kept(answer_key(*item))
    assert isinstance(kept, pl.DataFrame)
    assert kept.is_empty()
