"""A bounded cache, least recently used first out, safe between threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

import polars as pl

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """Values by key, kept up to a size in bytes. Values are shared: treat them as read-only."""

    def __init__(self, size: Callable[[Value], int], max_bytes: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, Future[Value]] = {}
        self._lock = Lock()
        self._bytes = 0
        self._max_bytes = max_bytes
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable) -> Value | None:
        """The value of a key, None where it is not kept."""
        with self._lock:
            value = self._kept.get(key)
            if value is None:
                self.misses += 1
                return None
            self.hits += 1
            self._kept.move_to_end(key)
            return value

    def made(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not kept: by one thread, while the others that ask for it wait.

        What `make` raises is raised in all of them. `make` must not ask for another value in this way.
        """
        with self._lock:
            value, coming = self._kept.get(key), self._making.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            if value is not None or coming is not None:
                self.hits += 1
            else:
                self.misses += 1
                mine = self._making[key] = Future()
        if value is not None:
            return value
        if coming is not None:
            return coming.result()
        try:
            value = make()
            self.put(key, value)
            mine.set_result(value)
            return value
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._making[key]

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; one larger than a quarter of the cache is not kept."""
        size = self._size(value)
        if size > self._max_bytes // 4:
            return
        with self._lock:
            old = self._kept.pop(key, None)
            self._bytes += size - (0 if old is None else self._size(old))
            self._kept[key] = value
            while self._bytes > self._max_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= self._size(dropped)

    def __len__(self) -> int:
        return len(self._kept)


def _frame_size(frame: pl.DataFrame) -> int:
    return int(frame.estimated_size())


class ResultCache(BoundedCache[pl.DataFrame]):
    """Frames by key."""

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        super().__init__(_frame_size, max_bytes)
