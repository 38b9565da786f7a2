"""What waits for its file: bytes by the day on which they are sent, on disk once memory is short."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

SPOOL_BYTES = 96 * 1024 * 1024
_HEAD = struct.Struct("<qqBI")  # second, number, kind, length
EPOCH = datetime(1970, 1, 1)

Item = tuple[int, int, bytes]


class Spool:
    """`add` what was sent at an instant; `days` gives it back in time order, one day in memory at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waiting: dict[int, list[bytes]] = defaultdict(list)
        self.seen: set[int] = set()
        self.size = self.number = 0

    def add(self, at: datetime, kind: int, data: bytes) -> None:
        """Take one message of a kind (0 to 255)."""
        second = int((at - EPOCH).total_seconds())
        day = second // 86400
        self.waiting[day].append(_HEAD.pack(second, self.number, kind, len(data)) + data)
        self.seen.add(day)
        self.number += 1
        self.size += len(data)
        if self.size > SPOOL_BYTES:
            self._spill()

    def _spill(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for day, parts in self.waiting.items():
            with (self.folder / str(day)).open("ab") as file:
                file.writelines(parts)
        self.waiting.clear()
        self.size = 0

    def days(self) -> Iterator[tuple[datetime, list[Item]]]:
        """Midnight (UTC) of each day and its (second, kind, data), in time order; equal times as they were added."""
        for day in sorted(self.seen):
            items = sorted(self._of_day(day))
            yield EPOCH + timedelta(days=day), [(second, kind, data) for second, _, kind, data in items]
        if self.folder.exists():
            self.folder.rmdir()
        self.seen.clear()

    def _of_day(self, day: int) -> Iterator[tuple[int, int, int, bytes]]:
        path = self.folder / str(day)
        data = path.read_bytes() if path.exists() else b""
        path.unlink(missing_ok=True)
        data += b"".join(self.waiting.pop(day, []))
        at = 0
        while at < len(data):
            second, number, kind, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            yield second, number, kind, data[at : at + length]
            at += length
