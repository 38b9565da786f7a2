"""Cases of facilities beside those of the whole network (`sql.cases`), of very many rows (`sql.seconds`)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod

import numpy as np
import numpy.typing as npt
import polars as pl

from sql.bundle import Bundle
from sql.cases import COMPARED, beside, in_strata
from sql.ranked import Ranked, ranked
from sql.seconds import Read, UnfitError, is_many, minutes_of, read
from sql.sets_of_seconds import AT_ONCE, Axis, Ordered, Sets, Shifts, groups_of, shifts, sizes_of
from sql.shape import SHAPE
from sql.snapshot import Snapshot

#: Puts down the answers to all together and to each facility.
Put = Callable[[pl.DataFrame, pl.DataFrame], None]
#: Of a number: a day since 1970, as it was read, and all.
_DAY_BITS, _BITS = 16, 64
_KIND = np.dtype(np.uint64)


def many_compared(snapshot: Snapshot, bundle: Bundle, p: float | None, put: Put | None) -> pl.DataFrame | None:
    """As `sql.cases.compared`, of the first set of a bundle of one percentile, which has all together and each facility
    as others: `put` gets the answers to these. None where rows are few or are no whole seconds."""
    if p is None or not is_many(bundle):
        return None
    fold = partial(_folded, bundle, p, put, shifts(snapshot, bundle))
    try:
        return read(snapshot, bundle, fold, ("peers", bundle.sets, p))
    except UnfitError:
        return None


def _folded(bundle: Bundle, p: float, put: Put | None, shifts: Shifts, rows: Read) -> pl.DataFrame:
    sets = Sets(bundle, shifts, rows)
    with ThreadPoolExecutor(2) as pool:  # millions of rows, which a core orders in a tenth of a second
        ordered = pool.submit(_Cases, sets.axes(bundle.sets[0]), rows)
        whole = sets.answer(1).select(SHAPE)
        if put is not None:
            put(whole, sets.answer(2).select(SHAPE))
        cases, at = ordered.result(), whole["value"][0]
        if at is None:
            return pl.DataFrame(schema=COMPARED)
        found = list(pool.map(partial(cases.of, _beyond(at)), range(cases.n_facilities)))
    there = [(cells, part) for cells, part in found if part is not None]
    # They lie so; polars sums what it knows to be in order in another way, to the last digit.
    cells = pl.concat([cells for cells, _ in there]).sort(list(bundle.keys.values()))
    return beside(bundle.metric, p, in_strata(cells, [part for _, part in there]))


class _Cases:
    """Rows in the order of their facility, length, cell (the number of the other groups) and day: each is a number in
    which these lie one below the other."""

    def __init__(self, axes: list[Axis], rows: Read) -> None:
        """Of columns of one slice, the facility behind it. Raises UnfitError where the numbers are too large."""
        first, _, *others = sizes_of(axes)
        one, self._facility, *strata = axes
        self._strata, self._sizes = [one, *strata], (first, *others)
        self._below = _DAY_BITS + prod(self._sizes).bit_length()
        self._bits = max(int(rows.lengths.max(initial=0)).bit_length(), 1)
        if self.n_facilities.bit_length() + self._bits + self._below > _BITS:
            raise UnfitError
        self._numbers = np.empty(len(rows.lengths), _KIND)
        for first in range(0, len(rows.lengths), AT_ONCE):
            mine = slice(first, first + AT_ONCE)
            number = self._facility.numbers(mine).astype(_KIND) << self._bits | rows.lengths[mine]
            number = number << (self._below - _DAY_BITS) | groups_of(self._strata, mine, _KIND)
            np.bitwise_or(number << _DAY_BITS, rows.days[mine], out=self._numbers[mine])
        self._numbers.sort()

    @property
    def n_facilities(self) -> int:
        """How many facilities rows may be of."""
        return len(self._facility.values)

    def of(self, beyond: int, facility: int) -> tuple[pl.DataFrame, Ranked | None]:
        """A facility's cells that have cases (g0, g1, ... and n), and the cases; those from the length `beyond` on lie
        beyond the percentile."""
        first, at, last = self._at(facility, 1), self._at(facility, beyond), self._at(facility + 1, 0)
        numbers = self._numbers[first:last]
        mask = (1 << (self._below - _DAY_BITS)) - 1
        cell = (numbers >> _DAY_BITS & mask).astype(np.intp)
        n = np.bincount(cell, minlength=prod(self._sizes))
        there = np.flatnonzero(n)
        places = np.unravel_index(there, self._sizes)
        cells = {axis.name: axis.values.gather(place) for axis, place in zip(self._strata, places, strict=True)}
        mine = self._facility.values.gather(np.full(len(there), facility))
        told = pl.DataFrame({self._facility.name: mine, **cells, "n": n[there]})
        if not len(numbers):
            return told, None
        values = Ordered(numbers, _KIND.type(self._below), _KIND.type((1 << self._bits) - 1))
        days = (numbers & ((1 << _DAY_BITS) - 1)).astype(np.intp)
        return told, ranked(values, cell, days, n, at - first)

    def _at(self, facility: int, length: int) -> int:
        """Where a facility's rows of a length and above begin; one above all others may have a bit more."""
        number = ((facility << self._bits) + length) << self._below
        return int(np.searchsorted(self._numbers, _KIND.type(number)))


def _beyond(at: float) -> int:
    """The first length whose value lies beyond one."""
    around: npt.NDArray[np.int64] = np.arange(-1, 3, dtype=np.int64) + int(at * 60) + 1
    return int(around[(minutes_of(around) > at).argmax()])
