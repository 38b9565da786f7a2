"""Several questions about one metric as one: sets of groups, statistics and one or two periods of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sql.asked import ask_of
from sql.catalog import Metric
from sql.filters import Filters
from sql.fine import OPEN, Set
from sql.shape import Ask


@dataclass(frozen=True)
class Bundle:
    """Questions that one statement answers: every set of groups with every statistic in every slice (filters that
    differ by their dates, which do not overlap). In each `step` minutes of the hour one shift works.
    """

    metric: Metric
    sets: tuple[Set, ...]
    statistics: tuple[str, ...]
    slices: tuple[Filters, ...]
    step: int = 1

    @cached_property
    def keys(self) -> dict[str, str]:
        """The column of each group."""
        groups = dict.fromkeys(group for names, _ in self.sets for group in names)
        return {group: f"g{number}" for number, group in enumerate(groups)}

    @cached_property
    def starts(self) -> dict[str, str]:
        """The column of each grain's first day."""
        grains = dict.fromkeys(grain for _, grain in self.sets if grain != "all")
        return {grain: f"d{number}" for number, grain in enumerate(grains)}

    @cached_property
    def is_open(self) -> bool:
        """Whether the days of some period are those of its rows."""
        return not self.metric.has_dates or any(None in (each.since, each.until) for each in self.slices)

    @property
    def days(self) -> int:
        """About how many days the longest slice has."""
        return max((each.until - each.since).days if each.since and each.until else OPEN for each in self.slices)

    def columns(self, part: Set) -> list[str]:
        """The columns that a set is grouped by."""
        names, grain = part
        return [*([self.starts[grain]] if grain != "all" else []), *(self.keys[name] for name in names)]

    def dates(self, key: str) -> list[str]:
        """SQL of a slice's first day (`since`) or of the day behind its last, NULL where it is open."""
        return [f"${key}_{number}" if getattr(each, key) and self.metric.has_dates else "NULL"
                for number, each in enumerate(self.slices)]  # fmt: skip


def at_once(metric: Metric, slices: tuple[Filters, ...]) -> list[tuple[Filters, ...]]:
    """Slices that one statement answers: two whose dates do not overlap, else each alone."""
    found: list[tuple[Filters, ...]] = []
    for each in slices:
        beside = next((pair for pair in found if len(pair) == 1 and metric.has_dates and _is_apart(pair[0], each)), ())
        if beside:
            found[found.index(beside)] = (*beside, each)
        else:
            found.append((each,))
    return found


def _is_apart(one: Filters, other: Filters) -> bool:
    first, second = sorted((each.since or date.min, each.until or date.max) for each in (one, other))
    return first[1] <= second[0]


def asked(bundle: Bundle) -> tuple[Ask, dict[str, Any]]:
    """What the rows of all slices are asked, with its parameters; the end of the dates is that of a row's slice."""
    metric, slices = bundle.metric, bundle.slices
    dates = [(each.since, each.until) for each in slices]
    whole = slices[0]
    if len(slices) > 1:  # dates that do not overlap are known on either side
        whole = whole.replace(since=min(since for since, _ in dates if since), until=max(u for _, u in dates if u))
    _, grain = bundle.sets[0]
    ask, params = ask_of(metric, (), grain if metric.kind == "last" else "all", whole, bundle.statistics[0])
    if len(slices) == 1 or not metric.has_dates:
        return ask, params | {f"{key}_0": params[key] for key in ("since", "until") if key in params}
    for number, (since, until) in enumerate(dates):
        params[f"since_{number}"], params[f"until_{number}"] = (
            datetime(day.year, day.month, day.day) for day in (since, until) if day is not None
        )
    until_of = f"CASE WHEN {_in_slice(0)} THEN $until_0 ELSE $until_1 END"
    meet = dates[0][0] == dates[1][1] or dates[0][1] == dates[1][0]
    apart = "" if meet else f" AND ({_in_slice(0)} OR {_in_slice(1)})"
    return replace(ask, where=f"{ask.where}{apart}", until=until_of), params


def _in_slice(number: int) -> str:
    return f"b.period_local >= $since_{number} AND b.period_local < $until_{number}"


def slice_sql(bundle: Bundle) -> str:
    return "0" if len(bundle.slices) == 1 else f"CASE WHEN {_in_slice(0)} THEN 0 ELSE 1 END"


def of_slice(row: str, values: list[str]) -> str:
    """SQL of what a row has by its slice, of one value or two."""
    return values[0] if len(values) == 1 else f"CASE {row}.slice WHEN 0 THEN {values[0]} ELSE {values[1]} END"
