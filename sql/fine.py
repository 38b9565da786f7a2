"""Fine groups that are gathered once, and of which several sets of coarser groups are told without the rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import NamedTuple

#: Groups and the grain of the period.
Set = tuple[tuple[str, ...], str]
ALL_TOGETHER: Set = ((), "all")
#: How many values a column is taken to have.
_VALUES = {"facility": 20, "modality": 8, "priority": 3, "patient_class": 3, "service_line": 10, "shift": 3,
           "weekday": 7, "hour": 24}  # fmt: skip
_USUAL = 150
#: Days of a period, and of dates that are open.
_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
OPEN = 5 * 365


class Moment(NamedTuple):
    """A part of the week as a group: its name, its SQL over a row `b`, how many there are in an hour."""

    name: str
    sql: str
    per_hour: int


#: Microseconds that make a Monday of the first time that a stamp can have, so that none lies before it.
_MONDAY = (150_000 * 168 + 72) * 3_600_000_000
_SINCE_MONDAY = f"(epoch_us(CAST(b.period_local AS TIMESTAMP)) + {_MONDAY})"
MINUTES_OF_HOUR, MINUTES_OF_WEEK = 60, 10_080


def moment(step: int) -> Moment:
    """The part of the week of `step` minutes, a divisor of 60: weekday and hour are told of it, and the shift where no
    other begins within."""
    sql = f"{_SINCE_MONDAY} // {step * 60_000_000} % {MINUTES_OF_WEEK // step}"
    return Moment(f"{step} min of week", sql, MINUTES_OF_HOUR // step)


HOUR, MINUTE = moment(60), moment(1)
MOMENTS = {each.name: each for step in range(1, 61) if MINUTES_OF_HOUR % step == 0 for each in (moment(step),)}


def fine_sets(sets: Sequence[Set], days: int, most: int) -> list[tuple[Set, list[int]]]:
    """Sets of groups that are gathered at once, each with the numbers of the sets that are told of it: so few that
    rows are read for, and none so fine that its groups are no more than rows; about `most` groups in so many days."""
    made: list[tuple[dict[str, None], list[int]]] = []
    names = [dict.fromkeys([*groups, *([f"by {grain}"] if grain != "all" else [])]) for groups, grain in sets]
    n_groups = partial(_groups_of, days)
    for number in sorted(range(len(names)), key=lambda each: -n_groups(names[each])):
        mine = names[number]
        for place, (held, numbers) in enumerate(made):
            both = held | mine
            if _grains(both) < 2 and n_groups(both) <= max(most, n_groups(held)):
                made[place] = both, [*numbers, number]
                break
        else:
            made.append((mine, [number]))
    return [(_set(held), numbers) for held, numbers in made]


def _grains(names: dict[str, None]) -> int:
    return sum(name.startswith("by ") for name in names)


def _groups_of(days: int, names: dict[str, None]) -> int:
    """How many groups there may be of some names in so many days."""
    grains = [days // _DAYS[name.removeprefix("by ")] + 1 for name in names if name.startswith("by ")]
    moments = [MOMENTS[name].per_hour * 168 for name in names if name in MOMENTS]
    usual = (_VALUES.get(name, _USUAL) for name in names if not name.startswith("by ") and name not in MOMENTS)
    return prod([*grains, *moments, *usual])


def _set(names: dict[str, None]) -> Set:
    grains = [name.removeprefix("by ") for name in names if name.startswith("by ")]
    return tuple(name for name in names if not name.startswith("by ")), (grains or ["all"])[0]
