"""Control charts in plain Python, from the points of a course and the values behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

#: As in Shewhart's tables, Western Electric's rules, and `sql.control`.
D2, RUN, MIN_POINTS, MIN_WEEKDAYS, EXPECTED = 1.128, 8, 8, 3, 5

Point = Mapping[str, Any]


class Told(NamedTuple):
    """What a chart says of a point."""

    center: float | None = None
    low: float | None = None
    high: float | None = None
    widened: float | None = None
    signal: str | None = None
    run_since: date | None = None


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Interpolated between order statistics; None outside 0-1."""
    if not 0 < share < 1:
        return None
    position = (len(ordered) - 1) * share
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def moving_range(values: Sequence[float]) -> float:
    """Standard deviation as the mean moving range tells it."""
    return sum(abs(b - a) for a, b in pairwise(values)) / (len(values) - 1) / D2


@dataclass
class Chart:
    """One group's points in order of time (period_start, value, n, numerator, denominator, is_partial), charted as
    individuals, share or quantile; `behind` are the values of each period, `p` the percentile."""

    points: Sequence[Point]
    kind: str
    is_daily: bool = False
    p: float = 0.5
    behind: Mapping[date, Sequence[float]] = field(default_factory=dict)

    def told(self) -> list[Told]:
        """What the chart says of each point, in their order."""
        used = self._used()
        if len(used) < MIN_POINTS:
            return [Told()] * len(self.points)
        bounds = self._individuals(used) if self.kind == "individuals" else self._shares(used)
        if min(x["value"] for x in used) >= 0:
            bounds = [(c, None if low is None else max(low, 0.0), high, wide) for c, low, high, wide in bounds]
        if self.kind == "share":
            bounds = [(c, low, None if high is None else min(high, 1.0), wide) for c, low, high, wide in bounds]
        said = dict(zip([x["period_start"] for x in used], _judged(used, bounds), strict=True))
        return [said.get(x["period_start"], Told()) for x in self.points]

    def _stratum(self, x: Point) -> int:
        return int(x["period_start"].isoweekday()) if self.is_daily else 0

    def _strata(self, points: Sequence[Point]) -> dict[int, list[Point]]:
        found: dict[int, list[Point]] = defaultdict(list)
        for x in points:
            found[self._stratum(x)].append(x)
        return found

    def _used(self) -> list[Point]:
        """Points that are judged: whole periods, on enough trials, of weekdays that come often enough."""
        whole = [x for x in self.points if x["value"] is not None and not x["is_partial"]]
        if self.kind == "quantile":
            whole = [x for x in whole if x["n"] * min(self.p, 1 - self.p) >= EXPECTED]
        if self.kind == "share":
            shares = {k: _share(v) for k, v in self._strata(whole).items()}
            whole = [x for x in whole if x["denominator"] * min(s := shares[self._stratum(x)], 1 - s) >= EXPECTED]
        sizes = {k: len(v) for k, v in self._strata(whole).items()}
        return [x for x in whole if not self.is_daily or sizes[self._stratum(x)] >= MIN_WEEKDAYS]

    def _individuals(self, used: Sequence[Point]) -> list[tuple[Any, ...]]:
        means = {k: sum(x["value"] for x in v) / len(v) for k, v in self._strata(used).items()}
        reach = 3 * moving_range([x["value"] - means[self._stratum(x)] for x in used])
        return [(m, m - reach, m + reach, 1.0) for m in (means[self._stratum(x)] for x in used)]

    def _shares(self, used: Sequence[Point]) -> list[tuple[Any, ...]]:
        strata = self._strata(used)
        if self.kind == "share":
            shares = {k: _share(v) for k, v in strata.items()}
            of = [shares[self._stratum(x)] for x in used]
            sigmas = [(s * (1 - s) / x["denominator"]) ** 0.5 for s, x in zip(of, used, strict=True)]
            z = [(x["value"] - s) / sigma for x, s, sigma in zip(used, of, sigmas, strict=True)]
            wide = max(1.0, moving_range(z))
            return [(s, s - 3 * wide * sigma, s + 3 * wide * sigma, wide) for s, sigma in zip(of, sigmas, strict=True)]
        pools = {k: sorted(y for x in v for y in self.behind[x["period_start"]]) for k, v in strata.items()}
        z = []
        for x in used:
            middle, own = quantile(pools[self._stratum(x)], self.p), self.behind[x["period_start"]]
            below = sum((y < middle) + (y == middle) / 2 for y in own) / len(own)  # type: ignore[operator]
            z.append((below - self.p) / (self.p * (1 - self.p) / len(own)) ** 0.5)
        wide, found = max(1.0, moving_range(z)), []
        for x in used:
            # The k-th of n values stands at a share that is Beta(k, n + 1 - k) distributed.
            n, k = x["n"], (x["n"] - 1) * self.p + 1
            rank = k / (n + 1)
            reach = 3 * wide * (rank * (1 - rank) / (n + 2)) ** 0.5
            found.append((*(quantile(pools[self._stratum(x)], at) for at in (rank, rank - reach, rank + reach)), wide))
        return found


def _share(points: Sequence[Point]) -> float:
    return float(sum(x["numerator"] for x in points) / sum(x["denominator"] for x in points))


def _judged(used: Sequence[Point], bounds: Sequence[tuple[Any, ...]]) -> list[Told]:
    """Limits with the signals: outside, else in a run of eight or more on one side."""
    said: list[Told] = []
    run: list[Point] = []
    side = 0
    for x, (center, low, high, wide) in zip(used, bounds, strict=True):
        now = (x["value"] > center) - (x["value"] < center)
        run = [*run, x] if now == side else [x]
        side = now
        is_run = side != 0 and len(run) >= RUN
        is_outside = (low is not None and x["value"] < low) or (high is not None and x["value"] > high)
        signal = "outside" if is_outside else "run" if is_run else None
        said.append(Told(center, low, high, wide, signal, run[0]["period_start"] if is_run else None))
    return said
