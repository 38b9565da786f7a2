"""Several questions asked at once: those about one metric in one statement, side by side with the others.

The engine reads rows once for all groupings, percentiles and both periods of a comparison, and parses and plans once,
which for a month of a department is most of the time. An answer is that of `sql.query.metric`, row for row; it is kept
where `metric` looks first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache, partial
from itertools import groupby
from time import perf_counter
from typing import Any

from sql import by_facility, evidence
from sql.asked import Wanted, answer_key
from sql.bundle import Bundle, at_once
from sql.catalog import Metric
from sql.definitions import definition, is_current
from sql.filters import Filters
from sql.measure import metric
from sql.noted import Call
from sql.shared import MOST_SETS, gathered, shared_answers
from sql.snapshot import Snapshot

#: Statements of one process at once. Each is planned on one core, and waits between for the engine's own threads: with
#: as many as cores, both stand idle for a tenth of a page of thirty statements.
SIDE_BY_SIDE = 4
#: Seconds that questions took the last time that they were asked at once, by what they are about.
_TOOK: dict[Hashable, float] = {}


def ask_all(snapshot: Snapshot, calls: Iterable[Call]) -> list[Exception]:
    """Ask questions of a snapshot at once, so that each of them is answered when it is asked again.

    Returns what went wrong, to be logged: the question fails again where it is asked, if it is wrong by itself.
    Snapshots under other definitions are not asked.
    """
    calls = list(calls) if is_current(snapshot) else []
    wanted = [_wanted(snapshot, call) for call in calls if call.ask is metric]
    rows, others = evidence.gathered(snapshot, (call for call in calls if call.ask is not metric))
    wanted, joined = by_facility.joined(snapshot, wanted)
    alike: dict[Hashable, list[Callable[[], object]]] = {}
    for call in others:
        alike.setdefault((call.ask, *_names(call)), []).append(partial(call.ask, *call.args, **call.options))
    tasks: list[tuple[Hashable, Sequence[Callable[[], object]]]] = [
        *alike.items(),
        *((_of(each), [partial(shared_answers, snapshot, each)]) for each in gathered(bundles(snapshot, wanted))),
        *((("rows", number), [task]) for number, task in enumerate(rows)),
    ]
    # Begun last, what takes longest would be waited for alone.
    tasks.sort(key=lambda task: -_TOOK.get(task[0], 0.0))
    done = [_pool().submit(_in_turn, *task) for task in tasks]
    errors = [error for each in done for error in each.result()]
    by_facility.part(snapshot, joined)
    return errors


def _names(call: Call) -> list[str]:
    """What a call is about, whatever the dates and filters."""
    return [argument for argument in call.args if isinstance(argument, str)]


def _of(bundles: Sequence[Bundle]) -> Hashable:
    """What bundles of one statement are about, whatever the dates and filters."""
    return tuple((bundle.metric.id, bundle.sets) for bundle in bundles)


def _in_turn(what: Hashable, tasks: Iterable[Callable[[], object]]) -> list[Exception]:
    """Do what is about the same: it asks the same statements, for which a thread beside would wait. What went wrong."""
    begun, errors = perf_counter(), []
    for task in tasks:
        try:
            task()
        except Exception as error:  # noqa: BLE001 - who asked is told, and the others are done all the same
            errors.append(error)
    _TOOK[what] = perf_counter() - begun
    return errors


def foresee(snapshot: Snapshot, wanted: Iterable[Wanted]) -> None:
    """Ask a batch of questions at once, each of which `metric` then answers from what is kept. One that is wrong fails
    there, not here. Snapshots under other definitions are not asked."""
    wanted = wanted if is_current(snapshot) else ()
    wait([_pool().submit(shared_answers, snapshot, each) for each in gathered(bundles(snapshot, wanted))])


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(SIDE_BY_SIDE, "together")


def _wanted(snapshot: Snapshot, call: Call) -> Wanted:
    _, metric_id = call.args
    given = call.options
    return Wanted(metric_id, tuple(given.get("groups", ())), given.get("period", "all"),
                  given.get("statistic") or definition(snapshot, metric_id).statistic,
                  given.get("filters") or Filters())  # fmt: skip


def bundles(snapshot: Snapshot, wanted: Iterable[Wanted]) -> list[Bundle]:
    """The statements for some questions; those that are known are left out."""
    told = [(definition(snapshot, item.metric), item) for item in dict.fromkeys(wanted)
            if snapshot.kept(answer_key(*item)) is None]  # fmt: skip
    by_common = sorted(told, key=lambda each: _common(*each))
    return [bundle for _, each in groupby(by_common, key=lambda each: _common(*each)) for bundle in _cut(list(each))]


def _common(metric: Metric, item: Wanted) -> tuple[Any, ...]:
    """What questions of one statement have in common, as something that can be sorted."""
    where = item.filters.replace(since=None, until=None, compare="none")
    return metric.number, item.period if metric.kind == "last" else "", repr(where)


def _cut(told: list[tuple[Metric, Wanted]]) -> Iterator[Bundle]:
    """Questions with all but dates in common: one statement where two periods do not overlap, else one a period."""
    metric = told[0][0]
    slices = tuple(dict.fromkeys(item.filters.replace(compare="none") for _, item in told))
    for part in at_once(metric, slices):
        mine = [item for _, item in told if item.filters.replace(compare="none") in part]
        sets = tuple(dict.fromkeys((item.groups, item.period) for item in mine))
        statistics = tuple(dict.fromkeys(item.statistic for item in mine))
        for first in range(0, len(sets), MOST_SETS):
            yield Bundle(metric, sets[first : first + MOST_SETS], statistics, part)
