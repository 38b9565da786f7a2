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
    parts = []
    for mine in cells.partition_by("g0", maintain_order=True):
        sizes = mine["n"].to_numpy()
        places = slice(int(mine["first"][0]), int(mine["first"][-1] + sizes[-1]))
        lengths, days = held.lengths(places), held.days(places)
        is_known = lengths > 0
        lengths, days = lengths[is_known], days[is_known]
        values, one = minutes_of(lengths), np.broadcast_to(np.float64(1.0), lengths.shape)
        y = (values > at).astype(np.float64)
        parts.append(Part(sizes, days - days.min(), y, one, one, values, lengths))
    return beside(bundle.metric, p, in_strata(cells, parts))
