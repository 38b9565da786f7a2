"""The expected counts and the back-test once more, in plain Python from the description alone, without shared code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from statistics import fmean

from tests.forecast.made import Ended, Mark

Series = tuple[str, str, int]  # facility, modality, band
Counts = dict[Series, list[int]]
Sums = dict[tuple[str, str, str, int], list[float]]  # level, group, model, week -> days, exams, error, scale
HORIZON = 28


def faded(age: int, half_life: float) -> float:
    return float(0.5 ** (age / half_life))


class Plain:
    """Counts by series and day from `first` on, as the forecast sees them."""

    def __init__(self, ended: Iterable[Ended], marks: Iterable[Mark], last: date) -> None:
        self.counts: Counts = {}
        rows = [row for row in ended if row[2].date() <= last]
        self.first = min(at.date() for _, _, at in rows)
        self.n_days = (last - self.first).days + 1
        self.began: dict[Series, int] = {}
        for facility, modality in sorted({row[:2] for row in rows}):
            days = [(at.date() - self.first).days for f, m, at in rows if (f, m) == (facility, modality)]
            for band in range(4):
                self.counts[facility, modality, band] = [0] * self.n_days
                self.began[facility, modality, band] = min(days)
        for facility, modality, at in rows:
            self.counts[facility, modality, at.hour // 6][(at.date() - self.first).days] += 1
        self.marks = {(facility, day): kind for facility, day, kind in marks}

    def kind(self, facility: str, day: int) -> int:
        on = self.first + timedelta(days=day)
        return 6 if (facility, on) in self.marks else on.weekday()

    def is_open(self, series: Series, day: int) -> bool:
        on = self.first + timedelta(days=day)
        return day >= self.began[series] and self.marks.get((series[0], on)) != "closed"

    def expected(self, origin: int) -> dict[Series, list[float]]:
        """Expected counts of the 28 days after the first `origin` days."""
        profile: dict[Series, list[float]] = {}
        usual: dict[Series, list[float]] = {}
        for s, counts in self.counts.items():
            sums = [[0.0, 0.0] for _ in range(7)]
            for day in range(origin):
                if self.is_open(s, day):
                    weight = faded(origin - 1 - day, 112)
                    sums[self.kind(s[0], day)][0] += weight * counts[day]
                    sums[self.kind(s[0], day)][1] += weight
            profile[s] = [above / below if below else 0.0 for above, below in sums]
            usual[s] = [profile[s][self.kind(s[0], d)] if self.is_open(s, d) else 0.0 for d in range(origin)]
        ratio, now = self._levels(origin, usual)
        grown = self._growth(origin, usual)
        ahead = range(origin, origin + HORIZON)
        return {
            s: [
                profile[s][self.kind(s[0], d)] * ratio[s[:2]] * now * grown[d - origin] * self.is_open(s, d)
                for d in ahead
            ]
            for s in self.counts
        }

    def _levels(self, origin: int, usual: dict[Series, list[float]]) -> tuple[dict[tuple[str, str], float], float]:
        fast, slow = [0.0, 0.0], [0.0, 0.0]
        facility: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        unit: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for s, counts in self.counts.items():
            for day in range(origin):
                pair = (counts[day] * self.is_open(s, day), usual[s][day])
                for number, value in enumerate(pair):
                    fast[number] += faded(origin - 1 - day, 10) * value
                    weighted = faded(origin - 1 - day, 56) * value
                    slow[number] += weighted
                    facility[s[0]][number] += weighted
                    unit[s[:2]][number] += weighted
        overall = slow[0] / slow[1]
        of_facility = {f: (a + 30 * overall) / (b + 30) for f, (a, b) in facility.items()}
        ratios = {u: (a + 30 * of_facility[u[0]]) / (b + 30) for u, (a, b) in unit.items()}
        return ratios, fast[0] / fast[1] / overall

    def _growth(self, origin: int, usual: dict[Series, list[float]]) -> list[float]:
        n_weeks = min(origin // 7, 16)
        weekly = []
        for week in range(n_weeks):
            days = range(origin - 7 * (n_weeks - week), origin - 7 * (n_weeks - week - 1))
            seen = sum(self.counts[s][d] * self.is_open(s, d) for s in self.counts for d in days)
            weekly.append(seen / sum(usual[s][d] for s in self.counts for d in days))
        slope = 0.0
        if n_weeks >= 5:
            mean, middle = fmean(weekly), (n_weeks - 1) / 2
            square = sum((x - middle) ** 2 for x in range(n_weeks))
            slope = sum((x - middle) * r for x, r in enumerate(weekly)) / square
            rest = sum((r - mean - slope * (x - middle)) ** 2 for x, r in enumerate(weekly))
            slope *= max(0.0, 1 - rest / (n_weeks - 2) / square / slope**2) / mean
        return [1 + slope * 0.9 * (1 - 0.9 ** (h / 7)) / (1 - 0.9) for h in range(1, HORIZON + 1)]

    def backtest(self) -> Sums:
        """Sums by level, group, model and week of the horizon, over all origins."""
        sums: Sums = defaultdict(lambda: [0.0] * 4)
        origin = self.n_days - 1
        while origin >= max(28, self.n_days - 56 - 28 + 1):
            self._one(origin, sums)
            origin -= 3
        return sums

    def _one(self, origin: int, sums: Sums) -> None:
        ours = self.expected(origin)
        known = [s for s in self.counts if origin - self.began[s] >= 28]
        groups: dict[tuple[str, str], list[Series]] = defaultdict(list)
        for s in known:
            for level, name in (("network", ""), ("facility", s[0]), ("facility_modality", "|".join(s[:2])),
                                ("hour_band", "|".join(map(str, s)))):  # fmt: skip
                groups[level, name].append(s)
        for (level, name), members in groups.items():
            total = [sum(self.counts[s][d] for s in members) for d in range(self.n_days)]
            scale = fmean(abs(total[d] - total[d - 7]) for d in range(7, origin))
            for day in range(max(origin, self.n_days - 56), min(origin + HORIZON, self.n_days)):
                ahead = day - origin
                told = {
                    "forecast": sum(ours[s][ahead] for s in members),
                    "seasonal_naive": total[origin - 7 + ahead % 7],
                    "last_4_weeks": fmean(total[origin - 7 * week + ahead % 7] for week in (1, 2, 3, 4)),
                }
                for model, value in told.items():
                    cell = sums[level, name, model, ahead // 7 + 1]
                    for number, part in enumerate((1, total[day], abs(total[day] - value), scale)):
                        cell[number] += part
