"""A time limit for work that may hang: an alarm of the system interrupts it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from types import FrameType

#: When the work at hand has taken too long, and when the alarm goes, by the monotonic clock. To set it is a call of the
#: system: one that goes before is left alone, and set anew when it goes, for the work that is at hand then.
_UNTIL, _GOES = 0, 1
_CLOCK = [inf, -inf]


class TooSlow(BaseException):
    """Not an Exception: no handler inside a parser may swallow it."""


@contextmanager
def alarm() -> Iterator[None]:
    """Within, `Deadline` can interrupt."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        left = _CLOCK[_UNTIL] - monotonic()
        if left <= 0:
            _CLOCK[_GOES] = inf
            raise TooSlow
        _CLOCK[_GOES] = _CLOCK[_UNTIL]
        signal.setitimer(signal.ITIMER_REAL, left if left < inf else 0)

    before = signal.signal(signal.SIGALRM, stop)
    _CLOCK[:] = [inf, inf]
    try:
        yield
    finally:
        _CLOCK[:] = [inf, -inf]
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Deadline:
    """Raises `TooSlow` within after so many seconds, where there is an `alarm`."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        until = _CLOCK[_UNTIL] = monotonic() + self.seconds
        if until < _CLOCK[_GOES]:
            _CLOCK[_GOES] = until
            signal.setitimer(signal.ITIMER_REAL, max(self.seconds, 1e-6))

    def __exit__(self, *_raised: object) -> None:
        _CLOCK[_UNTIL] = inf
