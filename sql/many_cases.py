"""Cases of facilities beside those of the whole network (`sql.cases`), of very many rows (`sql.seconds`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl

from sql.bundle import Bundle
from sql.cases import COMPARED, Part, beside, in_strata
from sql.seconds import Read, UnfitError, is_many, minutes_of, read
from sql.sets_of_seconds import Sets, Shifts, shifts
from sql.shape import SHAPE
from sql.snapshot import Snapshot

#: Puts down the answers to all together and to each facility.
Put = Callable[[pl.DataFrame, pl.DataFrame], None]
#: What a part has in place of values where it has lengths.
_TOLD_BY_LENGTHS = np.empty(0)


def many_compared(snapshot: Snapshot, bundle: Bundle, p: float | None, put: Put | None) -> pl.DataFrame | None:
    """As `sql.cases.compared`, of the first set of a bundle of one percentile, which has all together and each facility
    as others: `put` gets the answers to these. None where rows are few or are no whole seconds."""
    if p is None or not is_many(bundle):
        return None
    fold = partial(_folded, bundle, p, put, shifts(snapshot, bundle))
    try:
        return read(snapshot, bundle, fold, ("peers", p))
    except UnfitError:
        return None


def _folded(bundle: Bundle, p: float, put: Put | None, shifts: Shifts, rows: Read) -> pl.DataFrame:
    sets = Sets(bundle, shifts, rows)
    whole = sets.answer(1).select(SHAPE)
    if put is not None:
        put(whole, sets.answer(2).select(SHAPE))
    at = whole["value"][0]
    if at is None:
        return pl.DataFrame(schema=COMPARED)
    cells, held = sets.cases(0)
    # They lie so; polars sums what it knows to be in order in another way, to the last digit.
    cells = cells.filter(pl.col("n") > 0).sort(list(bundle.keys.values()))
    beyond = _beyond(at)
    parts = []
    for mine in cells.partition_by("g0", maintain_order=True):
        sizes = mine["n"].to_numpy()
        numbers = held.numbers[int(mine["first"][0]) : int(mine["first"][-1] + sizes[-1])]
        numbers = numbers[held.lengths(numbers) > 0]
        lengths, days = held.lengths(numbers).astype(np.uint32), held.days(numbers)
        days -= days.min()
        one = np.broadcast_to(np.float64(1.0), lengths.shape)
        parts.append(Part(sizes, days, (lengths >= beyond).astype(np.float64), one, one, _TOLD_BY_LENGTHS, lengths))
    return beside(bundle.metric, p, in_strata(cells, parts))


def _beyond(at: float) -> int:
    """The first length whose value lies beyond one."""
    around = np.arange(-1, 3, dtype=np.int64) + int(at * 60) + 1
    return int(around[(minutes_of(around) > at).argmax()])
