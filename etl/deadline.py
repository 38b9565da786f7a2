"""A time limit for work that may hang: an alarm of the system interrupts it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from etl import files_twin


class TooSlow(BaseException):
    """Not an Exception: no handler inside a parser may swallow it."""


@contextmanager
def alarm() -> Iterator[None]:
    """Within, `Deadline` can interrupt."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


class Deadline:
    """Raises `TooSlow` within after so many seconds."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        if (kernel := files_twin.KERNEL) is not None:
            kernel.limit(self.seconds)
        else:
            signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_raised: object) -> None:
        if (kernel := files_twin.KERNEL) is not None:
            kernel.limit(0)
        else:
            signal.setitimer(signal.ITIMER_REAL, 0)
