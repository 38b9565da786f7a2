"""Questions that are asked together have the answers that each has by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest

from sql import by_facility, together
from sql.asked import Wanted, answer_key
from sql.bundle import Bundle
from sql.bundled import answers
from sql.catalog import Catalog, Metric
from sql.evidence import gathered as gathered_evidence
from sql.filters import NO_VALUE, Filters
from sql.noted import Call
from sql.query import clocks, completeness, explain, metric, rows
from sql.rows import RowsError
from sql.shared import gathered, shared_answers
from sql.snapshot import Snapshot, open_snapshot
from sql.together import ask_all, bundles
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


def _call(snapshot: Snapshot, item: Wanted) -> Call:
    options = item._asdict()
    return Call(metric, (snapshot, options.pop("metric")), options)


def rounded_alike(shown: pl.DataFrame, told: pl.DataFrame, item: Wanted) -> pl.DataFrame:
    """The answer of the statement; of a mean with the other's bounds, where they differ by rounding alone."""
    if item.statistic != "mean":
        return shown
    for column in ("lower", "upper"):
        assert shown[column].is_null().to_list() == told[column].is_null().to_list()
        assert shown[column].drop_nulls().to_list() == pytest.approx(told[column].drop_nulls().to_list(), rel=1e-12)
    return shown.with_columns(told["lower"], told["upper"])


def as_shown(world: World, fresh: Snapshot, item: Wanted) -> pl.DataFrame:
    """The answer that is kept, which is that of the statement shown."""
    shown = explain(item.metric, groups=item.groups, period=item.period, statistic=item.statistic, filters=item.filters)
    told, alone = fresh.kept(answer_key(*item)), world.snapshot.execute(shown.sql, shown.params)
    assert told is not None
    assert told.schema == alone.schema
    assert told.equals(rounded_alike(alone, told, item)), item
    return told


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
        n += sum(len(as_shown(world, fresh, item)) for item in items)
    assert n > 0 or completeness(world.snapshot, metric_id).filter(kind="used").is_empty()


@pytest.mark.parametrize("world", SEEDS[:1], indirect=True)
def test_evidence_of_the_same_rows_is_counted_in_one_statement(world: World, fresh: Snapshot) -> None:
    """Each metric's as if it were asked alone."""
    for filters in {each for filtered in filterings(fresh) for each in filtered}:
        calls = [Call(ask, (fresh, metric_id, filters), {}) for metric_id in METRICS for ask in (completeness, clocks)]
        tasks, others = gathered_evidence(fresh, calls)
        counted = {call.args[1] for call in calls if call not in others}
        assert 0 < len(tasks) < len(counted) * 2 / 3
        assert ask_all(fresh, calls) == []
        for call in calls:
            told, alone = call.ask(*call.args), call.ask(world.snapshot, *call.args[1:])
            assert told.schema == alone.schema
            assert told.equals(alone), call


@pytest.mark.parametrize("world", SEEDS[:1], indirect=True)
@pytest.mark.parametrize("metric_ids", [
    ("reads", "wrvu", "share_after_hours", "local_minutes", "share_stat"),
    ("repeat_exam_rate", "duplicate_across_facilities"),
    ("slot_fill", "no_show_rate", "late_cancel_rate", "scheduled_vs_performed"),
    ("utilization", "throughput"),  # with denominators of their own, and with exams as n
])  # fmt: skip
def test_metrics_of_the_same_rows_are_asked_in_one_statement(
    world: World, fresh: Snapshot, metric_ids: tuple[str, ...]
) -> None:
    """Each with the answers of its own statement, as if it were asked alone."""
    for filtered, statements in zip(filterings(fresh), (1, 2, 3, 1), strict=True):
        items = [item for filters in filtered for each in metric_ids for item in wanted(METRICS[each], filters, 3)
                 if set(item.groups) <= {"facility", "modality", "weekday", "hour"}]  # fmt: skip
        made = gathered(bundles(fresh, items))
        assert {bundle.metric.id for each in made for bundle in each} == set(metric_ids)
        assert 0 < len(made) <= statements
        for each in made:
            shared_answers(fresh, each)
        for item in dict.fromkeys(items):
            assert item.statistic != "mean"  # so that bit for bit is meant
            as_shown(world, fresh, item)


def test_rows_that_are_not_the_same_are_asked_alone(fresh: Snapshot) -> None:
    ids = ("reads_per_hour", "backlog", "addendum_rate", "queue_by_hour", "report_final", "declared_repeat", "reads",
           "utilization", "occupancy_by_hour")  # fmt: skip
    made = gathered(bundles(fresh, [next(wanted(METRICS[each], Filters(), 1)) for each in ids]))
    assert len(made) == len(ids)


def test_a_window_of_one_metric_keeps_no_rows_from_another() -> None:
    """Rows of a table that one looks at by their time, and another at all of."""
    repeats, across = METRICS["repeat_exam_rate"], METRICS["duplicate_across_facilities"]

    def n_statements(*asked: Metric) -> int:
        return len(gathered(Bundle(each, (((), "all"),), (each.statistic,), (Filters(),)) for each in asked))

    assert repeats.windows
    assert n_statements(repeats, across) == 1
    assert n_statements(repeats, replace(across, windows=())) == 2
    assert n_statements(replace(across, windows=()), repeats) == 2
    assert n_statements(METRICS["declared_repeat"], METRICS["discontinued_rate"]) == 1  # which has no such table


@pytest.mark.parametrize("world", SEEDS[:1], indirect=True)
def test_questions_about_one_facility_each_are_asked_by_facility(world: World, fresh: Snapshot) -> None:
    """Each with the answer of its own statement, as if it were asked alone; of a facility without rows none."""
    facilities = (*rows(fresh, "dim_facility")["facility"], "NOWHERE")
    now = Filters.default(fresh.data_through).replace(modality=("CT", "MR"))
    before, n = now.before(), 0
    assert before is not None
    for asked in METRICS.values():
        items = [item for facility in facilities for filters in (now, before)
                 for item in wanted(asked, filters.replace(facility=(facility,)), 3)]  # fmt: skip
        told, joined = by_facility.joined(fresh, items)
        n += len(joined)
        assert len(told) == len({*items}) - sum(len(each.parts) - 1 for each in joined)
        assert ask_all(fresh, [_call(fresh, item) for item in items]) == []
        for item in dict.fromkeys(items):
            as_shown(world, fresh, item)
    assert n > 100


def test_two_periods_are_asked_in_one_statement_beside_one_that_has_both(fresh: Snapshot) -> None:
    now = Filters.default(fresh.data_through)
    before = now.before()
    assert before is not None
    whole = now.replace(since=before.since)
    for order in ((now, whole, before), (whole, now, before), (before, now, whole)):
        made = bundles(fresh, [ALL._replace(filters=filters) for filters in order])
        assert sorted(len(bundle.slices) for bundle in made) == [1, 2]
        (alone,) = (bundle.slices for bundle in made if len(bundle.slices) == 1)
        assert alone == (whole.replace(compare="none"),)


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


def test_what_took_longest_the_last_time_is_begun_first(fresh: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    clock = 0.0
    monkeypatch.setattr(together, "perf_counter", lambda: clock)
    monkeypatch.setattr(together, "SIDE_BY_SIDE", 1)
    together._pool.cache_clear()  # a clock of all is told by one thread

    def ask(_: Snapshot, name: str, seconds: float) -> None:
        nonlocal clock
        begun.append(name)
        clock += seconds

    calls = [Call(ask, (fresh, name, seconds), {}) for name, seconds in {"short": 0.0, "long": 0.2, "mid": 0.1}.items()]
    for _ in range(2):
        ask_all(fresh, calls)
    together._pool.cache_clear()
    assert begun == ["short", "long", "mid", "long", "mid", "short"]


def test_a_group_that_nothing_meets_has_the_shape_of_an_answer(fresh: Snapshot) -> None:
    item = Wanted("reads", ("radiologist",), "day", "final", Filters(facility=("NOWHERE",)))
    (bundle,) = bundles(fresh, [item])
    answers(fresh, bundle)
    kept = fresh.kept(answer_key(*item))
    assert isinstance(kept, pl.DataFrame)
    assert kept.is_empty()
