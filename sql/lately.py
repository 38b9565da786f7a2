"""Counts at an instant from the last hours of a period alone: of earlier ones they say no more than that a group is
there, with 0 where nothing is left of it. So where each facility has its row they are told of a few hours, else of all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl

from sql.bundle import Bundle
from sql.bundle_statement import bundle_statement
from sql.filters import Filters
from sql.snapshot import Snapshot

#: Days before the end of a period, or of the data, that hold its last full hour by the clock of any facility.
DAYS = 2


def counted_lately(snapshot: Snapshot, bundle: Bundle) -> pl.DataFrame | None:
    """The rows of `bundle_statement`; None where they cannot be told of the last hours, or are no counts at an instant.

    A facility of which nothing waits has no row at all, so all that there may be are looked for.
    """
    sets = [groups for groups, period in bundle.sets if period == "all" and groups in ((), ("facility",))]
    short = tuple(_end_of(snapshot, each) for each in bundle.slices)
    if bundle.metric.kind != "last" or bundle.is_open or len(sets) < len(bundle.sets) or short == bundle.slices:
        return None
    found = snapshot.execute(*bundle_statement(replace(bundle, slices=short)))
    there = found.group_by("slice", "statistic", "group_name").agg("group_value")
    wanted = {"all": {"all"}, "facility": _facilities(snapshot, bundle.slices[0])}
    is_whole = all(wanted[name] <= {*values} for _, _, name, values in there.iter_rows())
    if not is_whole or there.height < len(bundle.slices) * len(bundle.statistics) * len(sets):
        return None
    since = dict(enumerate(each.since for each in bundle.slices))
    return found.with_columns(period_start=pl.col("slice").replace_strict(since, return_dtype=pl.Date))


def _end_of(snapshot: Snapshot, filters: Filters) -> Filters:
    """The last days of a period; the period where it is no longer, or open."""
    if filters.since is None or filters.until is None:
        return filters
    end = min(filters.until, snapshot.data_through.date())
    return filters.replace(since=max(filters.since, end - timedelta(days=DAYS)))


def _facilities(snapshot: Snapshot, filters: Filters) -> set[str]:
    """The facilities that the filters leave of those whose clocks are known: others are not counted."""
    known = {*snapshot.execute("SELECT facility FROM dim_facility")["facility"].to_list()}
    for kept in (filters.facility or None, filters.scope):
        known &= known if kept is None else {*kept}
    return known
