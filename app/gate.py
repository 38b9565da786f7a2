"""Work that is let in: a few at a time, a bounded queue before it, the same work once; beyond that `Busy`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock, Semaphore
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Busy(RuntimeError):
    """There is more to do than can be done soon: come again later."""


class Gate:
    """At most `work` at once; `queue` more may wait, each for at most `patience` seconds."""

    def __init__(self, work: int, queue: int, patience: float) -> None:
        self.patience = patience
        self._free, self._lock = Semaphore(work), Lock()
        self._queue, self._waiting, self._working = queue, 0, 0

    @property
    def is_full(self) -> bool:
        """Whether somebody waits to be let in."""
        return self._waiting > 0

    @property
    def is_idle(self) -> bool:
        """Whether nobody is in it or waits."""
        return not self._working and not self._waiting

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A place in the queue. Raises Busy where it is full."""
        with self._lock:
            if self._waiting >= self._queue:
                raise Busy
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    @contextmanager
    def working(self) -> Iterator[None]:
        """A place among those who work, at once or after waiting. Raises Busy."""
        if not self._free.acquire(blocking=False):
            with self.waiting():
                if not self._free.acquire(timeout=self.patience):
                    raise Busy
        with self._lock:
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
            self._free.release()


class Once(Generic[Made]):
    """The same work, asked for while it is done, is done once for all who ask."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._lock = Lock()
        self._open: dict[Hashable, Future[Made]] = {}

    def make(self, key: Hashable, work: Callable[[], Made]) -> Made:
        """What the work gives, or raises. Raises Busy where the gate lets no more in, or the work takes too long."""
        with self._lock:
            done = self._open.get(key)
            is_first = done is None
            if done is None:
                done = self._open[key] = Future()
        if not is_first:
            with self._gate.waiting():
                try:
                    return done.result(self._gate.patience)
                except TimeoutError:
                    raise Busy from None
        try:
            with self._gate.working():
                made = work()
        except BaseException as error:
            done.set_exception(error)
            raise
        else:
            done.set_result(made)
            return made
        finally:
            with self._lock:
                del self._open[key]
