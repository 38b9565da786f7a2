"""Counts at an instant from the last hours of a period alone: of earlier ones they say no more than that a group is
there, with 0 where nothing is left of it. So where each facility has its row they are told of a few hours, else of all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from sql.asked import ask_of
from sql.bundle import Bundle
from sql.bundle_statement import bundle_statement
from sql.filters import Filters
from sql.grouped import picked
from sql.snapshot import Snapshot

#: Days before the end of a period, or of the data, that hold its last full hour by the clock of any facility.
DAYS = 2


def counted_lately(snapshot: Snapshot, bundle: Bundle) -> pl.DataFrame | None:
    """The rows of `bundle_statement`; None where they cannot be told of the last hours, or are no counts at an instant.

    A facility of which nothing waits has no row at all, so all that there may be are looked for.
    """
    sets = [groups for groups, period in bundle.sets if period == "all" and groups in ((), ("facility",))]
    short = tuple(_end_of(snapshot, each) for each in bundle.slices)
    if bundle.metric.kind != "last" or len(sets) < len(bundle.sets) or short == bundle.slices:
        return None
    if bundle.is_open and len(bundle.slices) > 1:
        return None
    found = snapshot.execute(*bundle_statement(replace(bundle, slices=short)))
    there = found.group_by("slice", "statistic", "group_name").agg("group_value")
    wanted = {"all": {"all"}, "facility": _facilities(snapshot, bundle.slices[0])}
    is_whole = all(wanted[name] <= {*values} for _, _, name, values in there.iter_rows())
    if not is_whole or there.height < len(bundle.slices) * len(bundle.statistics) * len(sets):
        return None
    since = {number: each.since or _first_day(snapshot, bundle, each) for number, each in enumerate(bundle.slices)}
    return found.with_columns(period_start=pl.col("slice").replace_strict(since, return_dtype=pl.Date))


def _end_of(snapshot: Snapshot, filters: Filters) -> Filters:
    """The last days of a period; the period where it is no longer."""
    end = min(filters.until or date.max, snapshot.data_through.date())
    return filters.replace(since=max(filters.since or date.min, end - timedelta(days=DAYS)))


def _first_day(snapshot: Snapshot, bundle: Bundle, filters: Filters) -> date:
    """The day of the first row, of which there is one; the engine looks for it no further than where it may lie."""
    ask, params = ask_of(bundle.metric, (), "all", filters, bundle.statistics[0])
    first = f"{picked(bundle, ask, params, {})}\nSELECT CAST(p.at AS DATE) AS day FROM picked p ORDER BY p.at LIMIT 1"
    day: date = snapshot.execute(first, params)["day"].item()
    return day


def _facilities(snapshot: Snapshot, filters: Filters) -> set[str]:
    """The facilities that the filters leave of those whose clocks are known: others are not counted."""
    known = {*snapshot.execute("SELECT facility FROM dim_facility")["facility"].to_list()}
    for kept in (filters.facility or None, filters.scope):
        known &= known if kept is None else {*kept}
    return known
