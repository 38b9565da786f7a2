"""What a forecast knows of the past: sums over its days, each of which counts less the longer ago it is.

They go on from origin to origin: a back-test costs the days between its origins, not all of the history at each.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Truth = npt.NDArray[np.bool_]

#: Kinds of day: Monday to Saturday, and Sundays with holidays.
KINDS = 7


class Faded:
    """Sums by kind of day (kind, series) over days whose weight halves every so many days.

    `days` are the weights of open days, `squares` those of their squares, `counts` those of the exams on them.
    """

    def __init__(self, half_life: float, n_series: int) -> None:
        self._half_life = half_life
        self.days, self.squares, self.counts = (np.zeros((KINDS, n_series)) for _ in range(3))

    def add(self, counts: Real, kind: Whole, is_open: Truth) -> None:
        """Go on by some days (day, series); the last of them has the weight 1."""
        n_days = len(counts)
        weight = 0.5 ** (np.arange(n_days)[::-1, None] / self._half_life) * is_open
        left = 0.5 ** (n_days / self._half_life)
        self.days *= left
        self.squares *= left * left
        self.counts *= left
        for number in range(KINDS):
            is_kind = kind == number
            some = is_kind.any(1).nonzero()[0]  # no other day adds anything
            if len(some):
                of_kind = weight[some] * is_kind[some]
                self.days[number] += of_kind.sum(0)
                self.squares[number] += (of_kind * of_kind).sum(0)
                self.counts[number] += (of_kind * counts[some]).sum(0)


class Past:
    """Days (day, series) up to an origin that only goes on: `n_days` of them are known.

    `kind` and `is_open` (False also before a series began) go beyond the last day of `counts`; exams of days that are
    not open do not count.
    """

    def __init__(self, counts: Real, kind: Whole, is_open: Truth, half_lives: Iterable[float]) -> None:
        self.n_days, self.kind, self.is_open = 0, kind, is_open
        self.counts = counts * is_open[: len(counts)]
        self.faded = {half_life: Faded(half_life, counts.shape[1]) for half_life in half_lives}

    def until(self, n_days: int) -> Past:
        """Go on to the origin that knows so many days."""
        days = slice(self.n_days, n_days)
        for faded in self.faded.values():
            faded.add(self.counts[days], self.kind[days], self.is_open[days])
        self.n_days = n_days
        return self

    def last(self, n_days: int) -> slice:
        """The last so many known days."""
        return slice(max(self.n_days - n_days, 0), self.n_days)
