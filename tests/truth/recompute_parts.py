"""Parts of a change in plain Python: Kitagawa's for what adds up, Shapley's over whole mixtures for a percentile.

Written from the definitions, without arrays and without the product's code: each counterfactual is a sorted list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate, combinations
from math import comb, floor

#: group -> (mix, rate).
Parts = dict[str, tuple[float, float]]
#: group -> (weight, value) of a period.
Rates = dict[str, tuple[float, float]]
Values = dict[str, list[float]]


def kitagawa(then: Rates, now: Rates) -> Parts:
    """Mix and rate by group of a weighted mean; a group of one period has the same value in the other."""
    before, after = (sum(weight for weight, _ in side.values()) for side in (then, now))
    sides = {}
    for group in then.keys() | now.keys():
        (w0, v0), (w1, v1) = then.get(group, (0.0, None)), now.get(group, (0.0, None))
        sides[group] = (w0 / before, w1 / after, v1 if v0 is None else v0, v0 if v1 is None else v1)
    middle = sum(s0 * v0 + s1 * v1 for s0, s1, v0, v1 in sides.values()) / 2
    return {
        group: ((s1 - s0) * ((v0 + v1) / 2 - middle), (v1 - v0) * (s0 + s1) / 2)
        for group, (s0, s1, v0, v1) in sides.items()
    }


def mixture_percentile(parts: Sequence[tuple[float, list[float]]], size: float, p: float) -> float:
    """Type 7 between the two neighbouring ranks of `size` values; each part is (share, values)."""
    total = sum(share for share, _ in parts)
    weighted = [(value, share / total / len(values)) for share, values in parts for value in values]
    weighted.sort()
    reached = list(accumulate(weight for _, weight in weighted))
    place = (size - 1) * p

    def at(rank: float) -> float:
        """The first value whose weight and that of all before it reach the rank."""
        return weighted[min(bisect_left(reached, min(rank, 1.0) - 1e-12), len(weighted) - 1)][0]

    low, high = at((floor(place) + 0.5) / size), at((floor(place) + 1.5) / size)
    return low + (high - low) * (place - floor(place))


def shapley(game: Callable[[frozenset[str]], float], players: Sequence[str]) -> dict[str, float]:
    """Mean gain of each player over all orders, by the sizes of the coalitions that it joins."""
    known = cache(game)
    found = {}
    for player in players:
        others = [other for other in players if other != player]
        found[player] = sum(
            (known(frozenset(some) | {player}) - known(frozenset(some))) / comb(len(others), size) / len(players)
            for size in range(len(players))
            for some in combinations(others, size)
        )
    return found


def percentile_parts(then: Values, now: Values, p: float) -> Parts:
    """Mix and rate by group of a percentile: each under both halves of the other, averaged."""
    groups = sorted(then.keys() | now.keys())
    sizes = [sum(len(v) for v in side.values()) for side in (then, now)]
    shares = [{g: len(side.get(g, [])) / size for g in groups} for side, size in zip((then, now), sizes, strict=True)]
    values = [{g: sorted(then.get(g) or now[g]) for g in groups}, {g: sorted(now.get(g) or then[g]) for g in groups}]
    both = [g for g in groups if then.get(g) and now.get(g)] or groups
    middle = {g: shares[0][g] + shares[1][g] if g in both else 0.0 for g in groups}

    def mix_under(t: int) -> Callable[[frozenset[str]], float]:
        def game(changed: frozenset[str]) -> float:
            mixed = {g: shares[1 if g in changed else 0][g] for g in groups}
            mixed = mixed if sum(mixed.values()) > 0 else shares[0]
            return mixture_percentile([(mixed[g], values[t][g]) for g in groups], sizes[t], p)

        return game

    def rate_under(t: int) -> Callable[[frozenset[str]], float]:
        def game(changed: frozenset[str]) -> float:
            grown = sum(middle[g] for g in changed) / sum(middle.values())
            size = sizes[0] + (sizes[1] - sizes[0]) * grown
            return mixture_percentile([(shares[t][g], values[1 if g in changed else 0][g]) for g in groups], size, p)

        return game

    mixes, rates = ([shapley(of(t), groups) for t in (0, 1)] for of in (mix_under, rate_under))
    return {g: ((mixes[0][g] + mixes[1][g]) / 2, (rates[0][g] + rates[1][g]) / 2) for g in groups}
