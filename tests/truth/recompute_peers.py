"""Facilities against their peers in plain Python: strata, observed, expected, chance, and weighted percentiles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from typing import Any

from tests.truth.department import Row
from tests.truth.recompute_parts import mixture_percentile

#: facility, words of the strata, day, what is summed, what it is divided by, size as cases.
Case = tuple[str, tuple[str, ...], Any, float, float, float]


def strata_of(cases: Sequence[Case], floor: float) -> list[tuple[int, tuple[str, ...]]]:
    """Stratum of each case: all its words, or as many of the leading ones as give enough cases among the rest."""
    found: list[tuple[int, tuple[str, ...]] | None] = [None] * len(cases)
    for depth in range(len(cases[0][1]), -1, -1):
        left = [number for number, stratum in enumerate(found) if stratum is None]
        sizes: dict[tuple[str, ...], float] = defaultdict(float)
        for number in left:
            sizes[cases[number][1][:depth]] += cases[number][5]
        for number in left:
            if depth == 0 or sizes[cases[number][1][:depth]] >= floor:
                found[number] = (depth, cases[number][1][:depth])
    return [stratum for stratum in found if stratum is not None]


def compared(cases: Sequence[Case], is_share: bool, floor: float) -> dict[str, Row]:
    """By facility: observed, expected, z, dispersion, share_alone, share_pooled."""
    strata = strata_of(cases, floor)
    depth = len(cases[0][1])
    members: dict[Any, list[Case]] = defaultdict(list)
    for case, stratum in zip(cases, strata, strict=True):
        members[stratum].append(case)
    usual = {s: sum(c[3] for c in m) / sum(c[4] for c in m) for s, m in members.items()}
    within = {}
    for s, m in members.items():
        size = sum(c[4] for c in m)
        if is_share:
            within[s] = usual[s] * (1 - usual[s]) * size / (size - 1) if size > 1 else 0.0
        else:
            within[s] = sum((c[3] - usual[s]) ** 2 for c in m) / (len(m) - 1) if len(m) > 1 else 0.0
    answer = {}
    for facility in {case[0] for case in cases}:
        own = [(c, s) for c, s in zip(cases, strata, strict=True) if c[0] == facility]
        total = sum(c[4] for c, _ in own)
        mine = {s: sum(c[4] for c in members[s] if c[0] == facility) / sum(c[4] for c in members[s]) for _, s in own}
        peered = [(c, s) for c, s in own if mine[s] < 1]
        answer[facility] = {
            "share_alone": 1 - sum(c[4] for c, _ in peered) / total,
            "share_pooled": sum(c[4] for c, s in own if s[0] < depth) / total,
        }
        if peered:
            answer[facility] |= _chance(peered, usual, within, mine)
    return answer


def _chance(peered: list[Any], usual: dict[Any, float], within: dict[Any, float], mine: dict[Any, float]) -> Row:
    observed = sum(c[3] for c, _ in peered)
    expected = sum(c[4] * usual[s] for c, s in peered)
    own = (observed - expected) / sum(c[4] for c, _ in peered)
    days: dict[Any, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for c, s in peered:
        days[c[2]][0] += c[3] - c[4] * (usual[s] + own)
        days[c[2]][1] += c[4] * (1 - mine[s]) * within[s]
    squares = [excess**2 / variance for excess, variance in days.values() if variance > 0]
    dispersion = max(1.0, sum(squares) / (len(squares) - 1)) if len(squares) > 1 else 1.0
    variance = sum(v for _, v in days.values()) * dispersion
    z = (observed - expected) / sqrt(variance) if variance > 0 else None
    return {"observed": observed, "expected": expected, "z": z, "dispersion": dispersion if squares else None}


def at_the_network_s_mix(
    values: Sequence[tuple[Case, float]], p: float, floor: float
) -> dict[str, tuple[float, float]]:
    """By facility: its percentile with each of its strata weighing as in the network, and the share that it lacks."""
    strata = strata_of([case for case, _ in values], floor)
    sizes: dict[Any, int] = defaultdict(int)
    for stratum in strata:
        sizes[stratum] += 1
    found = {}
    for facility in {case[0] for case, _ in values}:
        own: dict[Any, list[float]] = defaultdict(list)
        for (case, value), stratum in zip(values, strata, strict=True):
            if case[0] == facility:
                own[stratum].append(value)
        n = sum(len(v) for v in own.values())
        parts = [(float(sizes[s]), v) for s, v in own.items()]
        found[facility] = (mixture_percentile(parts, n, p), 1 - sum(sizes[s] for s in own) / len(values))
    return found
