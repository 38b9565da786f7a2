"""Views that are made before anybody asks: after a publish, the first look at each page in the languages that were
asked for last, what was asked before, the other periods that the filter bar offers, and all days of what is filtered
most and of metrics.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple

from app import failure, filterbar
from app.gate import Busy, Gate
from app.guard import Person
from app.pages import BY_PATH, MENU
from app.questions import CHOSEN
from app.state import State
from sql.filters import Filters
from sql.query import counts
from sql.snapshot import Snapshot, SnapshotError, Store
from sql.words import ENGLISH

#: Seconds between two looks for a new snapshot, and while somebody waits.
LOOK_EVERY, STEP_ASIDE = 5.0, 0.05
#: Seconds for which a view of another period waits until nothing else is made.
PATIENCE = 10.0
#: While somebody has asked within so many seconds, they are made in one part of the time in so many.
ASKED_WITHIN, PART = 60.0, 16
#: Views of persons that are remembered.
REMEMBERED = 40
#: Pages that take long over many days.
LONG = ("/", "/turnaround", "/utilization", "/repeats", "/workload", "/mappings", "/exams", "/interoperability")
#: The period of the bar that is asked of every modality and metric, and of so many facilities.
LONGEST, FACILITIES = "all", 8
#: Other periods are made in at most one part of the time in so many: where publishes follow each other, not of each.
SHARE = 4


#: Is given a snapshot, and asks whether that is the newest still: yields when what all look at is prepared, and ends
#: when all is.
Prepare = Callable[[Snapshot, Callable[[], bool]], Generator[None]]


class Asked(NamedTuple):
    """A view that a person asked for: the state's query string, dates only where they were chosen."""

    person: Person
    path: str
    query: str
    scheme: str
    language: str = ENGLISH


class Recent:
    """The views that were asked last, the newest first; the same one once."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._asked: OrderedDict[Asked, None] = OrderedDict()
        self._lock, self._most, self._last = Lock(), most, float("-inf")

    @property
    def is_quiet(self) -> bool:
        """Whether nobody has asked lately."""
        return monotonic() - self._last > ASKED_WITHIN

    def note(self, asked: Asked) -> None:
        """Remember a view."""
        with self._lock:
            self._last = monotonic()
            self._asked[asked] = None
            self._asked.move_to_end(asked)
            if len(self._asked) > self._most:
                self._asked.popitem(last=False)

    def all(self) -> list[Asked]:
        """What is remembered."""
        with self._lock:
            return list(reversed(self._asked))


class Warmer:
    """Makes views of each new snapshot, one at a time and behind those whom somebody waits for.

    `prepare` is called before those are made that take long; what the store holds back is shown from when it has what
    all look at. `between` is called when that was made here.
    """

    def __init__(
        self, store: Store, gate: Gate, recent: Recent, make: Callable[[Asked], object],
        prepare: Prepare | None = None, between: Callable[[], object] | None = None,
    ) -> None:  # fmt: skip
        self._store, self._gate, self._recent, self._make = store, gate, recent, make
        self._prepare, self._between = prepare or _unprepared, between or _nothing
        self._first_of, self._long_of, self._long_from = "", "", 0.0

    def start(self, person: Person) -> None:
        """Look for new snapshots for as long as the process lives; `person` is who looks at a page first."""

        def run() -> None:
            while True:
                self.look(person)
                sleep(LOOK_EVERY)

        Thread(target=run, name="warm", daemon=True).start()

    def look(self, person: Person) -> None:
        """Make the views of the newest snapshot, unless they are made; ends where another one is published. Those that
        take long are made once they are due."""
        try:
            newest, is_due = self._store.newest(), monotonic() >= self._long_from
            if newest.id != self._long_of and (is_due or newest.id != self._first_of):
                self._make_all(newest, person, is_due)
        except SnapshotError:
            return

    def _make_all(self, newest: Snapshot, person: Person, is_due: bool) -> None:
        prepare, began = self._prepare if is_due else _unprepared, monotonic()
        with closing(prepare(newest, lambda: self._store.newest().id == newest.id)) as prepared:
            if self._store.current().id != newest.id:
                next(prepared, None)
                self._store.take_over()
            recent = self._recent.all()
            spoken = dict.fromkeys(asked.language for asked in recent) or {ENGLISH: None}
            first = [Asked(person, page.path, "", "light", language) for language in spoken for page in MENU]
            if not self._all([*first, *recent], newest.id):
                return
            self._first_of = newest.id
            if is_due:
                for _ in prepared:
                    pass
                if self._long(newest, person, list(spoken)):
                    self._long_of = newest.id
                self._long_from = began + SHARE * (monotonic() - began)

    def _long(self, newest: Snapshot, person: Person, languages: list[str]) -> bool:
        """Make what takes long; whether the snapshot is the newest still."""
        if not self._all(list(_periods(person, languages, newest)), newest.id, can_wait=True):
            return False
        self._between()
        return self._all(list(_parts(person, languages, newest)), newest.id, can_wait=True)

    def _all(self, views: list[Asked], of: str, *, can_wait: bool = False) -> bool:
        """Make views, each once, while the newest snapshot is the one of that id; whether it still is.

        Each steps aside for those who wait; if it `can_wait`, also for those who are served, who then have most of the
        time for themselves.
        """
        for asked in dict.fromkeys(views):
            until = monotonic() + PATIENCE * can_wait
            while self._gate.is_full or (not self._gate.is_idle and monotonic() < until):
                sleep(STEP_ASIDE)
            if self._store.newest().id != of:
                return False
            began = monotonic()
            self._one(asked)
            if can_wait and not self._recent.is_quiet:
                sleep((PART - 1) * (monotonic() - began))
        return True

    def _one(self, asked: Asked) -> None:
        try:
            self._make(asked)
        except Busy:  # it is made when somebody asks for it
            return
        except Exception as error:  # noqa: BLE001 - who asks for the view is told; the log says where
            failure.LOG.warning("a view could not be made beforehand: %s", failure.told(error))


def _unprepared(_newest: Snapshot, _is_newest: Callable[[], bool]) -> Generator[None]:
    """Prepare nothing."""
    yield from ()


def _nothing() -> None:
    """Do nothing between."""


def _periods(person: Person, languages: list[str], newest: Snapshot) -> Iterator[Asked]:
    """What takes long and all look at: all days, and the other periods of the bar, the shorter ones first."""
    scopes = [_after(newest, period=period) for period in dict.fromkeys((LONGEST, *filterbar.PERIODS))]
    yield from _each(person, languages, [(path, state) for state in scopes for path in LONG])


def _parts(person: Person, languages: list[str], newest: Snapshot) -> Iterator[Asked]:
    """All days of each modality and of the largest facilities; and of each metric that has a card, whose peers the
    facilities' own pages of it show too."""
    scopes = [_after(newest, period=LONGEST, modality=[name]) for name in _by_exams(person, newest, "modality")]
    facilities = _by_exams(person, newest, "facility")[:FACILITIES]
    scopes += [_after(newest, period=LONGEST, facility=[name]) for name in facilities]
    views = [(path, state) for state in scopes for path in LONG]
    views += [("/metric", _after(newest, period=LONGEST).having(metric=metric)) for metric in _metrics()]
    yield from _each(person, languages, views)


def _after(newest: Snapshot, **chosen: Any) -> State:
    """The first state of the bar, after controls of it were used."""
    first = State.read("", newest.data_through)
    return filterbar.after({f"filter-{key}": value for key, value in chosen.items()}, first, newest.data_through)


def _each(person: Person, languages: list[str], views: list[tuple[str, State]]) -> Iterator[Asked]:
    """Views in each language, but those that are looked at first."""
    for path, state in views:
        if query := state.query():
            yield from (Asked(person, path, query, "light", language) for language in languages)


def _by_exams(person: Person, newest: Snapshot, key: str) -> list[str]:
    """What has exams, the one with the most first; none where that cannot be asked, which the log tells."""
    try:
        exams = counts(newest, "fct_exam", by=(key,), filters=Filters().within(person.facilities))
    except Exception as error:  # noqa: BLE001 - who asks for a view is told; the log says where
        failure.LOG.warning("exams by %s could not be counted beforehand: %s", key, failure.told(error))
        return []
    return exams[key].drop_nulls().to_list()


def _metrics() -> list[str]:
    """Those that the cards of pages which take long are about."""
    about = (question.metric for path in LONG for question in BY_PATH[path].questions)
    return [metric for metric in dict.fromkeys(about) if metric not in ("", CHOSEN)]
