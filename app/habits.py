"""What a page asked the last time it was made, so that it is asked at once the next time, of any snapshot and filters.

Nothing that is shown depends on it: a page asks its own questions, and finds those answered that were foreseen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from app import failure
from sql.filters import Filters
from sql.noted import Call, listening
from sql.snapshot import Snapshot
from sql.together import ask_all


class Mark(Enum):
    """What a remembered question has in place of the snapshot and of filters that differ from time to time."""

    SNAPSHOT = "snapshot"
    NOW = "the page's filters"
    BEFORE = "those of the period before"
    OPEN = "those without dates"
    GRAIN = "the period of the page's courses"


class Grain(str):
    """A period that a page takes by the length of its dates, so that it is another one under other dates."""

    __slots__ = ()


#: What differs from time to time.
_MARKED = (Filters, Snapshot, Grain)


class Habits:
    """The questions of the last time, by page."""

    def __init__(self) -> None:
        self._known: dict[Hashable, list[Call]] = {}

    @contextmanager
    def of(self, page: Hashable, snapshot: Snapshot, filters: Filters, grain: Grain) -> Iterator[None]:
        """Ask what the page asked the last time, and remember what it asks this time."""
        values = _values(snapshot, filters, grain)
        known = [call for call in self._known.get(page, [])
                 if values[Mark.BEFORE] is not None or Mark.BEFORE not in _given(call)]  # fmt: skip
        ask_ahead(snapshot, [_changed(call, lambda given: _value(given, values)) for call in known])
        with listening() as calls:
            yield
        marked = (_changed(call, lambda given: _mark(given, values)) for call in calls)
        self._known[page] = [call for call in marked if not any(map(_is_other, _given(call)))]


def ask_ahead(snapshot: Snapshot, calls: Iterable[Call]) -> None:
    """Ask questions at once; one that fails is logged, and fails again where it is asked, if it is wrong by itself."""
    for error in ask_all(snapshot, calls):
        failure.LOG.warning("a question could not be asked beforehand: %s", failure.told(error))


def _is_other(given: Any) -> bool:
    """Whether a question was about another snapshot, or under filters of its own."""
    return isinstance(given, _MARKED)


def _values(snapshot: Snapshot, filters: Filters, grain: Grain) -> dict[Mark, Snapshot | Filters | Grain | None]:
    return {
        Mark.SNAPSHOT: snapshot, Mark.NOW: filters, Mark.BEFORE: filters.before(),
        Mark.OPEN: filters.replace(since=None, until=None, compare="none"), Mark.GRAIN: grain,
    }  # fmt: skip


def _mark(given: Any, values: dict[Mark, Any]) -> Any:
    """What stands for a value; the value itself where nothing does."""
    if not isinstance(given, _MARKED):
        return given
    return next((mark for mark, value in values.items() if type(value) is type(given) and value == given), given)


def _value(given: Any, values: dict[Mark, Any]) -> Any:
    return values[given] if isinstance(given, Mark) else given


def _changed(call: Call, change: Callable[[Any], Any]) -> Call:
    return Call(call.ask, tuple(map(change, call.args)), {key: change(value) for key, value in call.options.items()})


def _given(call: Call) -> tuple[Any, ...]:
    return (*call.args, *call.options.values())
