"""`rebalance`: the moves of studies between facilities that lower target misses most, each replayed as a what-if.

A move takes nothing new: studies are read by another facility's readers, or patients examined at another facility.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import polars as pl

from sql.filters import KEYS, Filters
from sql.planning.answer import RUNS, SEED, what_if
from sql.planning.cases import Case
from sql.planning.change import Change, ChangeError
from sql.planning.learn import listed
from sql.planning.model import Model, model
from sql.snapshot import Snapshot

#: Filters that say which studies may move; any other would hide whom a move harms.
MOVABLE = ("facility", "modality", "service_line")
#: Moves of a kind that are replayed: those that would save most if all were as late as where they go.
TRIED = 4
_IN_MINUTES = ("report_final_p50", "report_final_p90", "wait_p50", "wait_p90")
SCHEMA = {"move": pl.String, "n_moved": pl.Int64, "n_late": pl.Int64, "share_from": pl.Float64, "share_to": pl.Float64,
          "n": pl.Int64, "before": pl.Float64, "after": pl.Float64, "change": pl.Float64, "lower": pl.Float64,
          "upper": pl.Float64, **{f"{name}_change_min": pl.Float64 for name in _IN_MINUTES}, "is_valid": pl.Boolean,
          "is_clear": pl.Boolean}  # fmt: skip


class Candidate(NamedTuple):
    """A move before it is tried: counted exams that move, those past target, and the share past target there."""

    change: Change
    n: int
    n_late: int
    share_to: float

    @property
    def saved(self) -> float:
        """Misses that would go if what moves were late as often as its like is where it goes."""
        return self.n_late - self.n * self.share_to


def rebalance(
    snapshot: Snapshot, filters: Filters | None = None, *, runs: int = RUNS, seed: int = SEED
) -> pl.DataFrame:
    """One row a move that was tried, best first: `move` as `what_if` takes it, and its evidence.

    `n_moved` counted exams move; of them `n_late` missed their target (`share_from`), of their like there `share_to`.
    `before`, `after` and `change` (95 % interval `lower`, `upper`) are target misses of all `n` exams of the period,
    not only of those that move: a move must not lower here what it raises there. `is_clear`: the replay is valid and
    the whole interval lies below 0. No row is clear where no move clearly helps; none is there where none is worth a
    try. Each interval is that of its move alone: the best of several looks better than it is.

    The filters' dates, facility, modality and service line say which studies may move; the scope, what is seen and
    counted. Raises ChangeError for other filters.
    """
    asked = filters or Filters.default(snapshot.data_through)
    if other := [key for key in KEYS if key not in MOVABLE and getattr(asked, key)]:
        raise ChangeError(f"rebalance takes no filter on {', '.join(other)}")
    whole = asked.replace(**dict.fromkeys(KEYS, ()))
    tried = candidates(model(snapshot, whole), asked)
    found = [_row(move, what_if(snapshot, move.change, whole, runs=runs, seed=seed)) for move in tried]
    frame = pl.DataFrame(found, schema=SCHEMA)
    return frame.sort("is_clear", "change", "move", descending=[True, False, False])


def candidates(made: Model, asked: Filters) -> list[Candidate]:
    """The `TRIED` most promising moves of each kind, from where targets are missed to where fewer of the like are."""
    found = sorted([*_routes(made, asked), *_sends(made, asked)], key=lambda move: (-move.saved, str(move.change)))
    return [move for kind in ("route", "send") for move in [m for m in found if m.change.kind == kind][:TRIED]]


Pair = tuple[str, str, str, list[Case], list[Case]]


def _routes(made: Model, asked: Filters) -> Iterator[Candidate]:
    """Reading of a modality or a service line; where the same readers read both lists anyway, it changes nothing."""
    for key in ("modality", "service_line"):
        for value, facility, to, moved, alike in _pairs(made.cases, key, asked):
            if _is_read_by_others(made, moved, to):
                change = Change.parse(f"route:facility={facility},to={to},{key}={value}")
                yield from _promising(change, moved, alike)


def _sends(made: Model, asked: Filters) -> Iterator[Candidate]:
    """Patients of a modality, between facilities that both have a queue for it."""
    examined = sorted({n for queue in made.queues.values() for visit in queue for n in visit.members})
    cases = [made.cases[number] for number in examined]
    for modality, facility, to, moved, alike in _pairs(cases, "modality", asked):
        yield from _promising(Change("send", facility, to, modality=modality), moved, alike)


def _pairs(cases: Sequence[Case], key: str, asked: Filters) -> Iterator[Pair]:
    """(value of `key`, facility, another that has the value too, counted cases of both), where all of them may move."""
    groups: dict[str, dict[str, list[Case]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        if case.is_counted and getattr(case, key):
            groups[getattr(case, key)][case.facility].append(case)
    for value, by_facility in groups.items():
        for facility, moved in by_facility.items():
            if all(_may_move(case, asked) for case in moved):
                yield from ((value, facility, to, moved, alike) for to, alike in by_facility.items() if to != facility)


def _may_move(case: Case, asked: Filters) -> bool:
    return all(not values or getattr(case, key) in values for key in MOVABLE if (values := getattr(asked, key)))


def _is_read_by_others(made: Model, moved: Sequence[Case], to: str) -> bool:
    """Whether all lists that the cases would join are read, and not all by just those who read theirs now."""
    lists = {(listed(case), listed(replace(case, facility=to))) for case in moved}
    sees = [window.sees for window in made.room.windows]
    is_read = all(any(joined in seen for seen in sees) for _, joined in lists)
    return is_read and any((own in seen) != (joined in seen) for seen in sees for own, joined in lists)


def _promising(change: Change, moved: Sequence[Case], alike: Sequence[Case]) -> Iterator[Candidate]:
    made = Candidate(change, len(moved), _late(moved), _late(alike) / len(alike))
    if made.saved > 0:
        yield made


def _late(cases: Sequence[Case]) -> int:
    return sum(case.target is not None and case.final - case.ended > case.target for case in cases)


def _row(move: Candidate, answer: pl.DataFrame) -> dict[str, Any]:
    told = {row["measure"]: row for row in answer.iter_rows(named=True)}
    misses = told["target_misses"]
    return {
        "move": str(move.change), "n_moved": move.n, "n_late": move.n_late, "share_from": move.n_late / move.n,
        "share_to": move.share_to, "n": misses["n"], "before": misses["baseline"], "after": misses["changed"],
        "change": misses["delta"], "lower": misses["lower"], "upper": misses["upper"],
        **{f"{name}_change_min": told[name]["delta"] if name in told else None for name in _IN_MINUTES},
        "is_valid": misses["is_valid"], "is_clear": misses["is_valid"] and misses["upper"] < 0,
    }  # fmt: skip
