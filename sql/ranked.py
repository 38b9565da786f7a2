"""A facility's cases of a percentile, in the order of their values: counts by cell and day, and the weighted values.

What is summed are counts of cases, so it does not depend on the order in which rows come.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from sql.counterfactual import Floats, Weighted
from sql.ordered import Held
from sql.shape import Z

Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Of each case in that order its value, its cell among those that the facility has, and its day since the first;
    how many cases each cell has; the first case whose value lies beyond the percentile of the network."""

    values: Held
    cell: Ints
    days: Ints
    n: Ints
    beyond: int

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """By cell: how many lie beyond the percentile, are compared, and count as cases."""
        n = self.n.astype(np.float64)
        return np.bincount(self.cell[self.beyond :], minlength=len(n)).astype(np.float64), n, n

    def by_day(self, is_peered: Floats, slope: Floats, noise: Floats) -> tuple[Floats, Floats, Floats]:
        """By day: how many with peers lie beyond the percentile, are expected to, and the variance of that; of a case
        of each cell whether it has peers, and what it adds to the other two."""
        width, many = int(self.days.max()) + 1, len(self.n)
        there = np.bincount(self.days * many + self.cell, minlength=width * many).astype(np.float64)
        expected, chance = (np.einsum("dc,c->d", there.reshape(width, many), each) for each in (slope, noise))
        is_beyond = is_peered[self.cell[self.beyond :]]
        beyond = np.bincount(self.days[self.beyond :], is_beyond, minlength=width)
        return np.asarray(beyond, np.float64), expected, chance

    def weighted(self, weights: Floats, p: float, dispersion: float, covered: int) -> dict[str, float | None]:
        """Percentile of a facility at the network's mix, with the ranks of its effective size (Kish 1965) as bounds:
        `weights` are those of a case of each cell; `covered` of the network's cases have a like among its own."""
        effective = covered**2 / float(np.sum(self.n * np.square(weights)))
        of = Weighted(self.values, weights[self.cell], float(np.sum(self.n * weights)))
        reach = Z * sqrt(p * (1 - p) * dispersion / effective)
        return {
            "standardized": of.percentile(p),
            "standardized_lower": _at(of, p - reach),
            "standardized_upper": _at(of, p + reach),
        }


def ranked(values: Held, cell: Ints, days: Ints, n: Ints, beyond: int) -> Ranked:
    """Cases in the order of their values and, within one, of their cells, of which there are as many as in `n`: how
    many cases each has."""
    place = np.cumsum(n > 0) - 1
    return Ranked(values, place[cell], days - days.min(), n[n > 0], beyond)


def _at(of: Weighted, rank: float) -> float | None:
    """The value at a rank; None for a rank outside."""
    return float(of.at(np.array([rank]))[0]) if 0 < rank < 1 else None
