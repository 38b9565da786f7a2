"""A bounded cache of results, least recently used first out, safe between threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

import polars as pl


class ResultCache:
    """Frames by key, kept up to a size in bytes. Frames are shared: treat them as read-only."""

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._frames: OrderedDict[Hashable, pl.DataFrame] = OrderedDict()
        self._lock = Lock()
        self._bytes = 0
        self._max_bytes = max_bytes
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable) -> pl.DataFrame | None:
        """The frame of a key, None where it is not kept."""
        with self._lock:
            frame = self._frames.get(key)
            if frame is None:
                self.misses += 1
                return None
            self.hits += 1
            self._frames.move_to_end(key)
            return frame

    def put(self, key: Hashable, frame: pl.DataFrame) -> None:
        """Keep a frame; one larger than a quarter of the cache is not kept."""
        size = int(frame.estimated_size())
        if size > self._max_bytes // 4:
            return
        with self._lock:
            old = self._frames.pop(key, None)
            self._bytes += size - (0 if old is None else int(old.estimated_size()))
            self._frames[key] = frame
            while self._bytes > self._max_bytes:
                _, dropped = self._frames.popitem(last=False)
                self._bytes -= int(dropped.estimated_size())

    def __len__(self) -> int:
        return len(self._frames)
