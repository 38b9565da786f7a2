"""Bundles of questions asked of a snapshot: each answer in the standard shape, kept where `sql.query.metric` looks."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from itertools import groupby

import polars as pl

from sql import drawn, ordered
from sql.asked import answer_key
from sql.bundle import Bundle
from sql.bundle_statement import bundle_statement
from sql.lately import counted_lately
from sql.ranges import ranges_key
from sql.sets_of_seconds import answered
from sql.shape import SHAPE
from sql.shifts import with_step
from sql.snapshot import Snapshot


def answers(snapshot: Snapshot, bundle: Bundle) -> dict[Hashable, pl.DataFrame]:
    """The answer to each question of a bundle by its key (`sql.asked.answer_key`); they are kept."""
    kind, of = bundle.metric.kind, (bundle.sets, bundle.statistics)
    if kind == "percentile":
        ranges: dict[int, pl.DataFrame] = {}
        many, fold = answered(snapshot, bundle, ranges), partial(ordered.told, bundle, ranges)
        whole = snapshot.execute(*ordered.lists_statement(bundle), fold=fold, of=of) if many is None else many
        for slice_, told in ranges.items():  # of none where another thread read the rows
            snapshot.put(ranges_key(bundle.metric.id, bundle.slices[slice_]), told)
    elif kind == "forecast":
        whole = snapshot.execute(*drawn.rows_statement(bundle), fold=partial(drawn.told, bundle), of=of)
    else:
        lately = counted_lately(snapshot, bundle)
        whole = snapshot.execute(*bundle_statement(with_step(snapshot, bundle))) if lately is None else lately
    found: dict[Hashable, pl.DataFrame] = {}
    if len(bundle.slices) == len(bundle.sets) == len(bundle.statistics) == 1:
        (groups, period), filters = bundle.sets[0], bundle.slices[0]
        key = answer_key(bundle.metric.id, groups, period, bundle.statistics[0], filters)
        found[key] = whole[list(SHAPE)]
        snapshot.put(key, found[key])
        return found
    parts = parted(whole)
    none = whole.clear().select(SHAPE)
    for slice_, filters in enumerate(bundle.slices):
        for part, (groups, period) in enumerate(bundle.sets):
            for statistic in bundle.statistics:
                key = answer_key(bundle.metric.id, groups, period, statistic, filters)
                found[key] = parts.get((slice_, part, statistic), none)
                snapshot.put(key, found[key])
    return found


def parted(whole: pl.DataFrame) -> dict[tuple[int, int, str], pl.DataFrame]:
    """The answers by slice, part and statistic. Their rows come one behind the other, so that they are cut where these
    change: to look rows up takes the frames' threads, which have to wake."""
    found: dict[tuple[int, int, str], pl.DataFrame] = {}
    answers_of, first = whole[list(SHAPE)], 0
    for key, rows in groupby(zip(*(whole[name].to_list() for name in ("slice", "part", "statistic")), strict=True)):
        many = sum(1 for _ in rows)
        mine = answers_of.slice(first, many)
        found[key] = pl.concat([found[key], mine]) if key in found else mine
        first += many
    return found
