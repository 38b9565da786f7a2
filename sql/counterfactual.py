"""Percentiles of mixtures that never were: one period's groups in another period's shares or with its values.

The counterfactual distributions are those of DiNardo, Fortin and Lemieux (Econometrica 1996;64:1001), reweighted by
group. What each group moves is its Shapley value (1953; for decompositions Shorrocks, J Econ Inequality 2013;11:99).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial

import numpy as np
import numpy.typing as npt

from sql.ordered import Held

Floats = npt.NDArray[np.float64]
Members = npt.NDArray[np.bool_]
Game = Callable[[Members], Floats]

#: Groups up to which every coalition is asked; above, twice as many orders of the groups as there are groups.
EXACT = 10
#: Slack of a sum of shares that should reach a rank exactly.
_SLACK = 1e-12


def ranks(size: Floats, p: float) -> tuple[Floats, Floats, Floats]:
    """Ranks (0-1) of the two neighbours of a percentile among `size` values, and the weight of the upper one.

    Hyndman and Fan's type 7, as for equal weights; each neighbour is asked in the middle of its step.
    """
    position = (size - 1) * p
    whole = np.floor(position)
    return (whole + 0.5) / size, np.minimum((whole + 1.5) / size, 1.0), position - whole


class Weighted:
    """Weighted values in order; not without any."""

    def __init__(self, values: Held, weights: Floats, total: float) -> None:
        """Of values in order, with the sum of the weights."""
        self._values, self._reached = values, np.cumsum(weights) / total + _SLACK

    def at(self, rank: Floats) -> Floats:
        """First values at which ranks (0-1) are reached."""
        told: Floats = self._values[np.minimum(np.searchsorted(self._reached, rank), len(self._values) - 1)]
        return told

    def percentile(self, p: float, size: float | None = None) -> float:
        """Percentile p: for equal weights type 7. `size` is how many values there are in effect (without it as many as
        there are), which matters between neighbours only."""
        low, high, above = ranks(np.array([size or len(self._values)], dtype=np.float64), p)
        below, over = self.at(np.concatenate([low, high]))
        return float(below + (over - below) * above[0])


class Mixtures:
    """Values of K groups in two periods (0 earlier, 1 now); a group absent from a period has a share of 0 in it and
    the other period's values, so that it moves the mix only."""

    def __init__(self, earlier: Sequence[Floats], now: Sequence[Floats], p: float) -> None:
        self.p = p
        self.counts = np.array([[len(v) for v in earlier], [len(v) for v in now]], dtype=np.float64)
        self.sizes = self.counts.sum(axis=1)
        self.shares = self.counts / self.sizes[:, None]
        self._values = np.unique(np.concatenate([*earlier, *now]))
        pairs = [(a if len(a) else b, b if len(b) else a) for a, b in zip(earlier, now, strict=True)]
        # Of each value what all groups have reached lies together: a mixture asks for it at once.
        self._reached = np.empty((2, len(self._values), len(pairs)))
        for group, pair in enumerate(pairs):
            for period, values in enumerate(pair):
                self._reached[period, :, group] = self._reach(values)
        both = (self.counts > 0).all(axis=0)
        middle = np.where(both, self.shares.sum(axis=0), 0.0) if both.any() else self.shares.sum(axis=0)
        self._grown = (self.sizes[1] - self.sizes[0]) * middle / middle.sum()

    def _reach(self, values: Floats) -> Floats:
        return np.searchsorted(np.sort(values), self._values, side="right") / len(values)

    def groups(self, period: int) -> list[float | None]:
        """Each group's own percentile in a period; None where it has no value."""
        alone = np.eye(self.counts.shape[1])
        state = np.full(alone.shape, bool(period))
        found = self.percentile(alone, state, np.maximum(self.counts[period], 1.0))
        return [float(v) if n else None for v, n in zip(found, self.counts[period], strict=True)]

    def effects(self) -> tuple[Floats, Floats]:
        """What each group moved, mix and rate: (K), (K). They add up to the change of the whole percentile.

        Mix: its share goes from the earlier to the present one, the values staying; rate: its values change, the shares
        staying. Both are asked under either period's other half and averaged, so neither comes first. How far apart
        neighbours are taken, which depends on n, counts as rate.
        """
        keys = self._keys()
        mix = sum(_shapley(self._mix(t), keys) for t in (0, 1)) / 2
        rate = sum(_shapley(self._rate(t), keys) for t in (0, 1)) / 2
        return np.asarray(mix), np.asarray(rate)

    def _mix(self, values_of: int) -> Game:
        def game(members: Members) -> Floats:
            shares = np.where(members, self.shares[1], self.shares[0])
            shares = np.where(shares.sum(axis=1, keepdims=True) > 0, shares, self.shares[0])
            state = np.full(members.shape, bool(values_of))
            return self.percentile(shares, state, np.full(len(members), self.sizes[values_of]))

        return game

    def _rate(self, shares_of: int) -> Game:
        def game(members: Members) -> Floats:
            shares = np.broadcast_to(self.shares[shares_of], members.shape)
            return self.percentile(shares, members, self.sizes[0] + members @ self._grown)

        return game

    def percentile(self, shares: Floats, is_now: Members, sizes: Floats) -> Floats:
        """The percentile of C mixtures at once: shares and period of values by group (C, K), number of values (C)."""
        low, high, above = ranks(sizes, self.p)
        below, over = (self._values[self._place(rank, shares, is_now)] for rank in (low, high))
        return np.asarray(below + (over - below) * above)

    def _place(self, rank: Floats, shares: Floats, is_now: Members) -> npt.NDArray[np.intp]:
        """First value at which each mixture reaches its rank, by bisection."""
        total = shares.sum(axis=1)
        first, last = np.zeros(len(rank), dtype=np.intp), np.full(len(rank), len(self._values) - 1)
        while (first < last).any():
            middle = (first + last) // 2
            reached = np.where(is_now, self._reached[1][middle], self._reached[0][middle])
            is_there = (shares * reached).sum(axis=1) / total >= rank - _SLACK
            first, last = np.where(is_there, first, np.minimum(middle + 1, last)), np.where(is_there, middle, last)
        return first

    def _keys(self) -> Floats:
        """What orders the groups without their names: counts, area under each distribution, and a weighed one, (6, K).

        Different distributions may have the same area; the golden ratio's multiples tell them apart. Each is summed by
        itself: in a product of matrices the last digit of a sum depends on the place of its row.
        """
        weights = np.arange(1, len(self._values) + 1)[:, None] * 0.6180339887498949 % 1
        return np.concatenate([self.counts, self._reached.sum(axis=1), (self._reached * weights).sum(axis=1)])


def _shapley(game: Game, keys: Floats) -> Floats:
    """Shapley value of each of K players; their sum is game(all) - game(none)."""
    return _all_coalitions(game, keys.shape[1]) if keys.shape[1] <= EXACT else _some_orders(game, keys)


def _all_coalitions(game: Game, players: int) -> Floats:
    masks = np.arange(2**players)
    members = (masks[:, None] >> np.arange(players)) & 1 == 1
    values, sizes = game(members), members.sum(axis=1)
    weights = np.array([factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)])
    found = np.zeros(players)
    for player in range(players):
        without = ~members[:, player]
        gains = values[masks[without] | (1 << player)] - values[without]
        found[player] = np.sum(weights[sizes[without]] * gains)
    return found


def _some_orders(game: Game, keys: Floats) -> Floats:
    """Mean gain over the rotations of one order of the players and of its reverse: each stands at each place twice.

    The order is by the players' data; players whose data are equal share their gains.
    """
    players = keys.shape[1]
    order = np.lexsort(keys)
    turns = [np.roll(o, -turn) for o in (order, order[::-1]) for turn in range(players)]
    place = np.argsort(np.stack(turns), axis=1)  # of each player in each order
    members = place[:, None, :] < np.arange(players + 1)[None, :, None]
    values = game(members.reshape(-1, players)).reshape(len(turns), players + 1)
    gains = np.take_along_axis(np.diff(values, axis=1), place, axis=1).mean(axis=0)
    _, same = np.unique(keys, axis=1, return_inverse=True)
    same = same.reshape(-1)
    return np.asarray((np.bincount(same, gains) / np.bincount(same))[same])
