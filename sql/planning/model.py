"""The department as learned from one snapshot and period: both queues calibrated, and replayed as they were."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from math import exp, log1p
from statistics import fmean
from threading import Lock
from zoneinfo import ZoneInfo

from sql.filters import Filters
from sql.planning.cases import Case, Period, load
from sql.planning.learn import Room, Window, learn
from sql.planning.reading import Draw, read
from sql.planning.scanning import Visit, starts, visits
from sql.rows import rows
from sql.snapshot import Snapshot

WEEK_MIN = 7 * 1440
#: Rounds of calibration, how strongly one corrects, and how far the pauses may move from those first seen.
ROUNDS, GAIN, LEAST, MOST = 4, 1.5, 0.2, 1.6
#: Chance numbers of calibration lie apart from those of the runs.
CALIBRATION_SEED = 1_000_003
KEPT = 4


@dataclass(slots=True)
class Model:
    """What a change is tried on. `finals` are the runs of the department as it was, by seed."""

    period: Period
    room: Room
    queues: dict[str, list[Visit]]  # by device
    begun: dict[str, dict[Visit, float]]  # as replayed without a change
    draws: dict[int, Draw] = field(default_factory=dict)
    finals: dict[int, list[float | None]] = field(default_factory=dict)

    @property
    def cases(self) -> list[Case]:
        """All cases of the replay, by begin of reading."""
        return self.period.cases

    def run(self, seed: int) -> tuple[Draw, list[float | None]]:
        """Chance of a run, and the finals of the department as it was."""
        if seed not in self.finals:
            self.draws[seed] = Draw(self.cases, self.room, seed)
            self.finals[seed] = read(self.cases, self.room, self.draws[seed])
        return self.draws[seed], self.finals[seed]


_models: OrderedDict[tuple[str, Filters], Model] = OrderedDict()
_lock = Lock()


def model(snapshot: Snapshot, filters: Filters) -> Model:
    """The calibrated model; the latest ones are kept, without the snapshot. Has no cases where nothing was read."""
    key = snapshot.id, filters
    with _lock:
        if key not in _models:
            _models[key] = _made(snapshot, filters)
            while len(_models) > KEPT:
                _models.popitem(last=False)
        _models.move_to_end(key)
        return _models[key]


def _made(snapshot: Snapshot, filters: Filters) -> Model:
    period = load(snapshot, filters)
    known = rows(snapshot, "dim_shift", columns=("minute_of_week", "shift"), limit=WEEK_MIN)
    shifts = {minute: shift or "" for minute, shift in known.rows()}
    zone = period.zones[home(period.cases)] if period.cases else ZoneInfo("UTC")

    def shift_at(at: float) -> str:
        wall = (period.origin + timedelta(minutes=at)).replace(tzinfo=UTC).astimezone(zone)
        return shifts.get((wall.isoweekday() - 1) * 1440 + wall.hour * 60 + wall.minute, "")

    room = learn(period.cases, shift_at)
    queues: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits(period.cases):
        queues[visit.device].append(visit)
    made = Model(period, room, dict(queues), {device: starts(queue) for device, queue in queues.items()})
    _calibrate(made)
    return made


def home(cases: list[Case]) -> str:
    """The facility with most exams, whose wall clock is taken for the readers': one shift reads for several zones."""
    return min(Counter(case.facility for case in cases).items(), key=lambda item: (-item[1], item[0]))[0]


def _calibrate(made: Model) -> None:
    """Set the pauses of each shift so that what it read waits as long in the replay as it did."""
    by_shift: dict[str, list[Window]] = defaultdict(list)
    for window in made.room.windows:
        by_shift[window.shift].append(window)
    first = {shift: windows[0].pause for shift, windows in by_shift.items()}
    share = dict.fromkeys(by_shift, 1.0)
    for number in range(ROUNDS if made.cases else 0):
        off: dict[str, list[float]] = defaultdict(list)
        finals = read(made.cases, made.room, Draw(made.cases, made.room, CALIBRATION_SEED + number))
        for case, final, shift in zip(made.cases, finals, made.room.read_in, strict=True):
            if final is not None:
                wait = final - case.after - case.service - case.entered
                off[shift].append(log1p(max(0.0, wait)) - log1p(case.begun - case.entered))
        for shift, values in off.items():
            share[shift] = min(MOST, max(LEAST, share[shift] * exp(-GAIN * fmean(values))))
            for window in by_shift[shift]:
                window.pause = first[shift] * share[shift]
