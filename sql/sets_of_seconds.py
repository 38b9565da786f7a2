"""Percentiles of a bundle from rows that were read as whole seconds (`sql.seconds`).

A group and a length make one number, and numpy orders ten million of these in a fiftieth of a second; the values that
lie behind each other are those of `sql.ordered`, which makes the answers of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from sql.bundle import Bundle
from sql.catalog import CLOCK_GROUPS
from sql.filters import NO_VALUE
from sql.fine import MINUTES_OF_WEEK, Set
from sql.ordered import Numbers, named, ordered, shaped
from sql.seconds import Read, UnfitError, is_many, minutes_of, read
from sql.shape import SHAPE
from sql.snapshot import Snapshot

Counts = npt.NDArray[np.int64]
#: The shift of each minute of the week.
Shifts = list[str | None]
#: Groups of one set.
MOST_GROUPS = 1 << 18
#: Rows that are worked on at once: what is made of them stays near the core.
AT_ONCE = 1 << 15
#: The number of rows of one slice.
_ONE = np.zeros(1, np.uint8)
#: A grain's first day as polars tells it.
_GRAINS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}


@dataclass(frozen=True, slots=True)
class Axis:
    """A column that a set is grouped by: of a stretch of rows the number of each one's value, and the values."""

    name: str
    numbers: Callable[[slice], npt.NDArray[Any]]
    values: pl.Series


def answered(snapshot: Snapshot, bundle: Bundle, ranges: dict[int, pl.DataFrame]) -> pl.DataFrame | None:
    """As `sql.ordered.told`; None where rows are few or are no whole seconds."""
    if not is_many(bundle):
        return None
    fold = partial(_told, bundle, shifts(snapshot, bundle), ranges)
    try:
        return read(snapshot, bundle, fold, (bundle.sets, bundle.statistics))
    except UnfitError:
        return None


def with_values(
    snapshot: Snapshot, bundle: Bundle, fold: Callable[[pl.DataFrame, list[Numbers]], pl.DataFrame]
) -> pl.DataFrame | None:
    """What `fold` makes of the answer to a bundle of one set and one statistic and the values of each of its rows in
    order; None where rows are few or are no whole seconds."""

    def folded(rows: Read) -> pl.DataFrame:
        sets = Sets(bundle, of_week, rows)
        found, values = sets.grouped(0)
        places = zip(found["first"].to_list(), found["n"].to_list(), strict=True)
        return fold(shaped(bundle, 0, found, values).select(SHAPE), [values[first : first + n] for first, n in places])

    if not is_many(bundle):
        return None
    of_week = shifts(snapshot, bundle)
    try:
        return read(snapshot, bundle, folded, ("values", bundle.sets, bundle.statistics))
    except UnfitError:
        return None


def shifts(snapshot: Snapshot, bundle: Bundle) -> Shifts:
    """The shift of each minute of the week, where one is asked for."""
    held: Shifts = [None] * MINUTES_OF_WEEK
    if "shift" in bundle.keys:
        for minute, shift in snapshot.execute("SELECT minute_of_week, shift FROM dim_shift").iter_rows():
            held[minute] = shift
    return held


def _told(bundle: Bundle, shifts: Shifts, ranges: dict[int, pl.DataFrame], rows: Read) -> pl.DataFrame:
    sets = Sets(bundle, shifts, rows)
    parts = [sets.answer(number, ranges) for number in range(len(bundle.sets))]
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort("slice", "part", maintain_order=True)


@dataclass(frozen=True, slots=True)
class Ordered:
    """Lengths in order, group behind group: minutes where they are asked for, below 0 where nothing is known. In each
    number they lie above `below` bits."""

    numbers: npt.NDArray[Any]
    below: np.unsignedinteger[Any]
    mask: np.unsignedinteger[Any]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, places: Any, /) -> Any:
        return minutes_of((self.numbers[places] >> self.below) & self.mask)


class Sets:
    """The sets of a bundle over rows that were read, one after the other in the same room."""

    def __init__(self, bundle: Bundle, shifts: Shifts, rows: Read) -> None:
        self._bundle, self._shifts, self._rows = bundle, shifts, rows
        self._bits = max(int(rows.lengths.max(initial=0)).bit_length(), 1)
        self._room = np.empty(len(rows.lengths), np.uint64)  # of which a half is used where numbers are small

    def answer(self, number: int, ranges: dict[int, pl.DataFrame] | None = None) -> pl.DataFrame:
        """The answers of a set with slice, part, statistic and the shape, and the ranges of all values together."""
        found, values = self.grouped(number)
        return shaped(self._bundle, number, found, values, ranges)

    def grouped(self, number: int) -> tuple[pl.DataFrame, Ordered]:
        """The groups of a set in the order of an answer with where their values lie (`sql.ordered.shaped`), and these
        until the next set is asked for."""
        bundle, part = self._bundle, self._bundle.sets[number]
        axes = self.axes(part)
        is_small = prod(len(axis.values) for axis in axes) << self._bits <= 1 << 32
        found, values = self._ordered(axes, np.dtype(np.uint32 if is_small else np.uint64))
        found = found.join(self._dates(), on="slice", how="left", maintain_order="left")
        return ordered(bundle, part, named(bundle, part, found)), values

    def _ordered(self, axes: list[Axis], kind: np.dtype[Any]) -> tuple[pl.DataFrame, Ordered]:
        """The groups that have rows, by their columns; their lengths in order, one group behind the other."""
        sizes = sizes_of(axes)
        lengths, bits = self._rows.lengths, kind.type(self._bits)
        room = self._room.view(kind)[: len(lengths)]
        for first in range(0, len(lengths), AT_ONCE):
            mine = slice(first, first + AT_ONCE)
            np.bitwise_or(groups_of(axes, mine, kind) << bits, lengths[mine], out=room[mine])
        room.sort()
        begins = np.arange(prod(sizes)).astype(kind) << bits
        firsts, known = (np.searchsorted(room, each).astype(np.int64) for each in (begins, begins | kind.type(1)))
        ends = np.append(firsts[1:], len(lengths))
        there = ends > firsts
        places = np.unravel_index(np.flatnonzero(there), sizes)
        found = {axis.name: axis.values.gather(at) for axis, at in zip(axes, places, strict=True)}
        counts = {"first": known, "n": ends - known, "many": ends - firsts}
        found |= {name: pl.Series(each[there]) for name, each in counts.items()}
        return pl.DataFrame(found), Ordered(room, kind.type(0), kind.type((1 << self._bits) - 1))

    def axes(self, part: Set) -> list[Axis]:
        """The columns of a set's groups, the slice first."""
        (groups, grain), rows = part, self._rows
        slices = np.arange(len(self._bundle.slices))
        axes = [Axis("slice", lambda mine: rows.slices[mine] if len(slices) > 1 else _ONE, pl.Series(slices))]
        if grain != "all":
            first = int(rows.days.min())
            days = pl.Series(range(first, int(rows.days.max()) + 1), dtype=pl.Int32).cast(pl.Date)
            axes.append(_looked_up(self._bundle.starts[grain], days.dt.truncate(_GRAINS[grain]), rows.days, first))
        for group in groups:
            name = self._bundle.keys[group]
            if group in CLOCK_GROUPS:
                axes.append(_looked_up(name, self._clock(group), rows.minutes))
            else:
                texts, held = rows.texts[group], rows.places[group]
                axes.append(Axis(name, held.__getitem__, pl.Series(texts, dtype=pl.String).fill_null(NO_VALUE)))
        return axes

    def _clock(self, group: str) -> pl.Series:
        """What each minute of the week is told as."""
        minutes = range(MINUTES_OF_WEEK)
        told = {
            "weekday": lambda: [str(minute // 1440 + 1) for minute in minutes],
            "hour": lambda: [str(minute // 60 % 24) for minute in minutes],
            "shift": lambda: [shift or NO_VALUE for shift in self._shifts],
        }
        return pl.Series(told[group](), dtype=pl.String)

    def _dates(self) -> pl.DataFrame:
        """The dates of each slice, and the days of its rows where these are open."""
        bundle, days = self._bundle, self._rows.days
        given = [(each.since, each.until) if bundle.metric.has_dates else (None, None) for each in bundle.slices]
        dates = pl.DataFrame(given, schema={"since": pl.Date, "until": pl.Date}, orient="row")
        dates = dates.with_columns(pl.Series("slice", range(len(given)), dtype=pl.Int64))
        if not bundle.is_open:
            return dates
        mine = [days if len(given) == 1 else days[self._rows.slices == number] for number in range(len(given))]
        ends = {"first_at": [int(each.min()) if len(each) else None for each in mine],
                "last_at": [int(each.max()) if len(each) else None for each in mine]}  # fmt: skip
        of_days = (pl.Series(name, each, dtype=pl.Int32).cast(pl.Date).cast(pl.Datetime) for name, each in ends.items())
        return dates.with_columns(of_days)


def sizes_of(axes: list[Axis]) -> tuple[int, ...]:
    """How many values each column has. Raises UnfitError where that makes too many groups."""
    sizes = tuple(len(axis.values) for axis in axes)
    if prod(sizes) > MOST_GROUPS:
        raise UnfitError
    return sizes


def groups_of(axes: list[Axis], mine: slice, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """The number of each row's group."""
    group = np.zeros(1, kind)
    for axis in axes:
        group = group * kind.type(len(axis.values)) + axis.numbers(mine).astype(kind)
    return group


def _looked_up(name: str, told: pl.Series, held: npt.NDArray[np.uint16], first: int = 0) -> Axis:
    """The column of what each number from `first` on is told as."""
    values = told.unique().sort()
    place = dict(zip(values.to_list(), range(len(values)), strict=True))
    places = np.array([place[each] for each in told.to_list()], dtype=np.uint32)
    return Axis(name, lambda mine: places[held[mine] - np.uint16(first)], values)
