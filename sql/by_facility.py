"""Questions about one facility each as one by facility, so that rows are read once; its answer is told apart again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import polars as pl

from sql.asked import Wanted, answer_key
from sql.definitions import definition
from sql.filters import Filters
from sql.shape import SHAPE
from sql.snapshot import Snapshot

#: What is between the groups of a value.
_BETWEEN = " | "


class Joined(NamedTuple):
    """One question for several, and these by their facility."""

    asked: Wanted
    parts: dict[str, Wanted]


def joined(snapshot: Snapshot, wanted: Iterable[Wanted]) -> tuple[list[Wanted], list[Joined]]:
    """Questions, one by facility in place of those that differ by their facility alone, and what is so joined; those
    that are known are left out."""
    alike: dict[tuple[object, ...], dict[str, Wanted]] = {}
    asked: list[Wanted] = []
    for each in dict.fromkeys(wanted):
        if snapshot.kept(answer_key(*each)) is not None:
            continue
        if _can_be_joined(snapshot, each):
            (facility,) = each.filters.facility
            alike.setdefault((*each[:4], _elsewhere(each.filters)), {})[facility] = each
        else:
            asked.append(each)
    found = []
    for parts in alike.values():
        one = next(iter(parts.values()))
        if len(parts) > 1:
            filters = one.filters.replace(facility=tuple(sorted(parts)))
            found.append(Joined(one._replace(groups=("facility", *one.groups), filters=filters), parts))
        else:
            asked.append(one)
    return [*asked, *(each.asked for each in found)], found


def _elsewhere(filters: Filters) -> Filters:
    return filters.replace(facility=(), compare="none")


def _can_be_joined(snapshot: Snapshot, each: Wanted) -> bool:
    """Whether it is about one facility, by a metric that tells facilities apart, in a period with both its dates."""
    asked, filters = definition(snapshot, each.metric), each.filters
    return (
        len(filters.facility) == 1 and _BETWEEN not in filters.facility[0]
        and "facility" in asked.groups and "facility" in asked.filters and "facility" not in each.groups
        and asked.kind != "forecast" and asked.has_dates and None not in (filters.since, filters.until)
    )  # fmt: skip


def part(snapshot: Snapshot, answered: Sequence[Joined]) -> None:
    """Keep the answer to each of the questions that were joined; of one that failed there is none."""
    for asked, parts in answered:
        whole = snapshot.kept(answer_key(*asked))
        if whole is None:
            continue
        value = pl.col("group_value").str.splitn(_BETWEEN, 2)
        frames = whole.with_columns(value.struct[0].alias("facility")).partition_by(
            "facility", as_dict=True, include_key=False, maintain_order=True
        )  # fmt: skip
        none = whole.clear()
        for facility, each in parts.items():
            groups = _BETWEEN.join(each.groups) or "all"
            rest = value.struct[1] if each.groups else pl.lit("all")
            frame = frames.get((facility,), none)
            told = frame.with_columns(group_name=pl.lit(groups), group_value=rest)
            snapshot.put(answer_key(*each), told.select(SHAPE))
