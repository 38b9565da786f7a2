"""What the replay needs to know of the reading room, learned from who read what and when.

Known are an exam's end and the begin of its reading; when it was ready in between (listed, transferred, complete) is
not. It cannot have been before a reader who saw its list took something less urgent, or was idle: that bounds it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist, fmean, median

from sql.planning.cases import Case

Group = tuple[str, str, bool]  # class, priority, signature
List = tuple[str, str, bool]  # facility, class, signature under what another reader read first
#: Minutes without a read that end a reader's stretch at work.
BRIDGE_MIN = 120.0
#: Share of a shift's reads below which a list is not one that the shift reads.
LEAST_SHARE = 0.02
#: A pause of so many usual ones had nothing to read in it.
IDLE_PAUSES = 3.0
FEWEST, ROUNDS = 20, 12
#: Minutes after which a most urgent case is taken to be ready; pauses are not believed to shrink below a share of them.
SURELY_READY_MIN, LEAST_HURRY = 15.0, 0.2
#: Reads looked through for one that shows a case was not ready.
LOOK_BACK = 400
_NORMAL = NormalDist()


@dataclass(slots=True)
class Window:
    """A reader's stretch at work: what the reader sees, the mean pause between reads (minutes), and how much of it is
    left while one of the most urgent cases waits."""

    begin: float
    end: float
    shift: str
    sees: frozenset[List] = frozenset()
    pause: float = 10.0
    hurry: float = 1.0


@dataclass(frozen=True, slots=True)
class Room:
    """The reading room as learned: windows, rank of a (class, priority), and how long until ready: log mean, spread.

    `read_in` is the shift in which each case was read.
    """

    windows: list[Window]
    ranks: dict[tuple[str, str], int]
    delays: dict[Group, tuple[float, float]]
    read_in: list[str]

    def like(self, begin: float, end: float, facility: str = "") -> Window:
        """One more window, like those of the shift that is at work for most of it; with one facility's lists only."""
        overlap: Counter[str] = Counter()
        for window in self.windows:
            overlap[window.shift] += max(0, round(min(window.end, end) - max(window.begin, begin)))
        shift = overlap.most_common(1)[0][0]
        usual = next(window for window in self.windows if window.shift == shift)
        sees = frozenset(name for name in usual.sees if facility in ("", name[0]))
        return Window(begin, end, shift, sees, usual.pause, usual.hurry)


def group(case: Case) -> Group:
    """The group whose delay until ready is learned together."""
    return case.patient_class, case.priority, case.is_signature


def listed(case: Case) -> List:
    """The list on which the case waits."""
    return case.facility, case.patient_class, case.is_signature


def learn(cases: list[Case], shift_at: Callable[[float], str]) -> Room:
    """Learn from cases by begin of reading; sets `lowest` of each. `shift_at` names the shift at a minute."""
    ranks = _ranks(cases)
    windows, at_work, idle = _windows(cases, shift_at, ranks)
    _bound(cases, ranks, at_work)
    _bound_idle(cases, idle)
    members: dict[Group, list[Case]] = defaultdict(list)
    for case in cases:
        members[group(case)].append(case)
    delays = {name: _delay(found) for name, found in members.items()}
    return Room(windows, ranks, delays, [at_work[id(case)].shift for case in cases])


def _ranks(cases: list[Case]) -> dict[tuple[str, str], int]:
    """(class, priority) by median wait: what waits least goes first."""
    waits: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case in cases:
        if not case.is_signature:
            waits[case.patient_class, case.priority].append(case.begun - case.entered)
    order = sorted(waits, key=lambda name: (median(waits[name]), name))
    return {name: number for number, name in enumerate(order)}


def _windows(
    cases: list[Case], shift_at: Callable[[float], str], ranks: dict[tuple[str, str], int]
) -> tuple[list[Window], dict[int, Window], list[tuple[float, frozenset[List]]]]:
    """Stretches of reading, gaps below `BRIDGE_MIN` bridged; the one of each case (by id); ends of idle time."""
    by_reader: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_reader[case.reader].append(case)
    windows: list[Window] = []
    at_work: dict[int, Window] = {}
    inside: dict[int, list[Case]] = {}
    for reads in by_reader.values():
        stretches: list[list[Case]] = []
        end = -math.inf
        for case in reads:
            if case.begun - end > BRIDGE_MIN:
                stretches.append([])
            stretches[-1].append(case)
            end = max(end, case.begun + case.service)
        for stretch in stretches:
            begin, end = stretch[0].begun, max(c.begun + c.service for c in stretch)
            shift = shift_at((begin + end) / 2)
            window = Window(begin, end, shift)
            windows.append(window)
            inside[id(window)] = stretch
            at_work.update((id(case), window) for case in stretch)
    _describe(windows, inside)
    hurry = _hurry(windows, inside, ranks)
    for window in windows:
        window.hurry = hurry
    idle = [
        (case.begun, window.sees)
        for window in windows
        for case, gap in zip(inside[id(window)][1:], _gaps(inside[id(window)]), strict=True)
        if gap > IDLE_PAUSES * window.pause
    ]
    windows.sort(key=lambda window: window.begin)
    return windows, at_work, sorted(idle, key=lambda stretch: stretch[0])


def _describe(windows: list[Window], inside: dict[int, list[Case]]) -> None:
    """Lists and pause of each shift; the pause is that of its busier half, in which there was always something."""
    shifts: dict[str, list[Window]] = defaultdict(list)
    for window in windows:
        shifts[window.shift].append(window)
    for members in shifts.values():
        lists = Counter(listed(c) for w in members for c in inside[id(w)])
        least = LEAST_SHARE * lists.total()
        sees = frozenset(name for name, n in lists.items() if n > least)
        full = [w for w in members if len(inside[id(w)]) >= 5]
        rate = {id(w): len(inside[id(w)]) / max(w.end - w.begin, 1.0) for w in full}
        busy = sorted(full, key=lambda w: -rate[id(w)])[: max(1, len(full) // 2)]
        gaps = [gap for w in busy for gap in _gaps(inside[id(w)])]
        for window in members:
            window.sees = sees
            window.pause = fmean(gaps) if len(gaps) >= FEWEST else window.pause
            window.end = max(window.begin + 1.0, window.end)


def _hurry(windows: list[Window], inside: dict[int, list[Case]], ranks: dict[tuple[str, str], int]) -> float:
    """Pauses before the most urgent cases that certainly waited, as a share of those before the others of a shift."""
    gaps: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for window in windows:
        reads, end = inside[id(window)], window.begin
        for case, gap in zip(reads[1:], _gaps(reads), strict=True):
            is_urgent = ranks.get((case.patient_class, case.priority), 1) == 0 and not case.is_signature
            end = case.begun - gap
            if not is_urgent or case.entered + SURELY_READY_MIN <= end:
                gaps[window.shift, is_urgent].append(min(gap, BRIDGE_MIN))
    seen = before = 0.0
    for (shift, is_urgent), found in gaps.items():
        others = gaps.get((shift, False), [])
        if is_urgent and len(others) >= FEWEST:
            seen, before = seen + sum(found), before + len(found) * fmean(others)
    n_urgent = sum(len(found) for (_, is_urgent), found in gaps.items() if is_urgent)
    return min(1.0, max(LEAST_HURRY, seen / before)) if before > 0 and n_urgent >= FEWEST else 1.0


def _gaps(reads: list[Case]) -> list[float]:
    found, end = [], reads[0].begun
    for case in reads:
        found.append(max(0.0, case.begun - end))
        end = max(end, case.begun + case.service)
    return found[1:]


def _bound(cases: list[Case], ranks: dict[tuple[str, str], int], at_work: dict[int, Window]) -> None:
    """Not ready before someone who saw the list took something less urgent, or its like that became ready later."""
    last: dict[tuple[Group, str], float] = defaultdict(float)
    for number, case in enumerate(cases):
        case.lowest = max(case.entered, last[group(case), case.facility])
        own, name = ranks.get((case.patient_class, case.priority), 0), listed(case)
        for other in reversed(cases[max(0, number - LOOK_BACK) : number]):
            if other.begun <= case.lowest:
                break
            if ranks.get((other.patient_class, other.priority), 0) > own and name in at_work[id(other)].sees:
                case.lowest = other.begun
                break
        case.lowest = min(case.lowest, case.begun)
        for facility, *kind in at_work[id(case)].sees | {name}:
            if kind == [case.patient_class, case.is_signature]:
                last[group(case), facility] = max(case.lowest, last[group(case), facility])


def _bound_idle(cases: list[Case], idle: list[tuple[float, frozenset[List]]]) -> None:
    """Not ready while someone who saw the list had nothing to do; `idle` are ends of such stretches in order."""
    ends = [end for end, _ in idle]
    for case in cases:
        name = listed(case)
        for number in range(bisect_right(ends, case.begun) - 1, -1, -1):
            end, sees = idle[number]
            if end <= case.lowest:
                break
            if name in sees:
                case.lowest = end
                break


def _delay(cases: list[Case]) -> tuple[float, float]:
    """Log mean and spread of the delay until ready, from intervals: expectation maximization of a log-normal."""
    spans = [(math.log(max(c.lowest - c.entered, 0.1)), math.log(max(c.begun - c.entered, 0.2))) for c in cases]
    centre, spread = fmean(high for _, high in spans) - 0.5, 1.0
    for _ in range(ROUNDS):
        first, second = 0.0, 0.0
        for low, high in spans:
            mean, square = _within(centre, spread, low, high)
            first, second = first + mean, second + square
        centre = first / len(spans)
        spread = min(2.0, max(0.2, math.sqrt(max(second / len(spans) - centre * centre, 0.0))))
    return centre, spread


def _within(centre: float, spread: float, low: float, high: float) -> tuple[float, float]:
    """Mean and mean square of a normal value known to lie between two bounds."""
    a, b = (low - centre) / spread, (high - centre) / spread
    mass = _NORMAL.cdf(b) - _NORMAL.cdf(a)
    if mass < 1e-6 or b - a < 1e-3:
        middle = (low + high) / 2 if b > 0 > a or b - a < 1.0 else (high if b < 0 else low)
        return middle, middle * middle
    pa, pb = _NORMAL.pdf(a), _NORMAL.pdf(b)
    mean = (pa - pb) / mass
    square = 1 + (a * pa - b * pb) / mass
    return centre + spread * mean, centre * centre + 2 * centre * spread * mean + spread * spread * square
