"""Snapshots as readers see them. This is the only place that opens DuckDB for readers.

A snapshot never changes, so every answer may be cached under (snapshot, statement, parameters) for ever.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from sql.asked_before import AskedBefore
from sql.cache import ResultCache
from sql.engine import LATE_SETTINGS, SETTINGS, memory
from sql.fetched import fetched, frame_of
from sql.macros import MACROS

POINTER = "radops.duckdb"
#: Bytes from which on a snapshot may be held back: of a smaller one, any view is made in 0.6 s.
LARGE = 256 * 2**20
#: Older snapshots that stay open.
MOST_OLDER = 2
#: Rows of an answer that are folded at once: what is made of them on the way stays near the core. And of a frame.
ROWS_AT_ONCE, ROWS_OF_FRAME = 1 << 14, 1 << 17
#: What makes the frame of an answer's rows.
Fold = Callable[[pa.RecordBatchReader], pl.DataFrame]


class SnapshotError(RuntimeError):
    """A snapshot that cannot be opened or is not one of ours; names the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One open snapshot. Usable from any thread: each statement runs on its own cursor.

    `data_through` is the latest event, UTC; of a snapshot without events, the time it was built. `signature` is that of
    the definitions of metrics that it was published under.
    """

    path: Path
    id: str
    seq: int
    built_at: datetime
    data_through: datetime
    digest: str
    signature: str
    _connection: duckdb.DuckDBPyConnection = field(repr=False)
    _cache: ResultCache = field(repr=False)
    _before: AskedBefore = field(repr=False)
    _columns: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def execute(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        has_macros: bool = False,
        fold: Fold | None = None,
        of: Hashable = None,
    ) -> pl.DataFrame:
        """Result of a statement with named parameters (`$name`), from the cache where it was asked before; asked once
        where several threads ask for it at the same time. With `has_macros` it may use those of the models
        (`sql.macros`). `fold` makes the frame of the result's rows as they come, of which nothing else is kept; `of`
        says what for, where it is not always the same.

        Raises duckdb.Error for a wrong statement. Treat the frame as read-only.
        """
        bound = dict(params or {})
        key = (self.id, sql, tuple(sorted((name, repr(value)) for name, value in bound.items())), of)

        def made() -> pl.DataFrame:
            known = self._before.get(key)
            return known if known is not None else self._run(sql, bound, fold, has_macros=has_macros)

        return self._cache.made(key, made)

    def _run(self, sql: str, bound: dict[str, Any], fold: Fold | None, *, has_macros: bool) -> pl.DataFrame:
        with self._connection.cursor() as cursor:
            for macro in MACROS if has_macros else ():
                if macro.name in sql:
                    cursor.execute(macro.create_duckdb())
            if fold is not None:
                return fold(fetched(cursor, sql, bound, ROWS_AT_ONCE))
            return frame_of(fetched(cursor, sql, bound, ROWS_OF_FRAME).read_all())

    def keep(self, key: Hashable, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What `make` gives for this snapshot, from the cache where it was made before. Treat it as read-only."""
        frame = self.kept(key)
        if frame is None:
            frame = make()
            self.put(key, frame)
        return frame

    def kept(self, key: Hashable) -> pl.DataFrame | None:
        """What was put under a key for this snapshot, None where it is not kept any more."""
        known = self._cache.get((self.id, key))
        if known is None:
            known = self._before.get((self.id, key))
            if known is not None:
                self.put(key, known)
        return known

    def has_answers(self, *, whole: bool = False) -> bool:
        """Whether answers were put down beside the file by a process with this code, which are found from here on;
        whether all were, if asked for the `whole`."""
        return self._before.look(whole=whole)

    def put(self, key: Hashable, frame: pl.DataFrame) -> None:
        """Keep an answer under a key of its own."""
        self._cache.put((self.id, key), frame)

    def columns(self, table: str) -> dict[str, str]:
        """Columns of a mart with their SQL types in order, read-only; empty where there is no such table."""
        if not self._columns:
            told = self.execute(
                """SELECT table_name, column_name, data_type FROM information_schema.columns
                   WHERE table_schema = 'main' ORDER BY table_name, ordinal_position"""
            )
            tables: dict[str, dict[str, str]] = {}
            for name, column, kind in told.iter_rows():
                tables.setdefault(name, {})[column] = kind
            self._columns.update(tables)
        return self._columns.get(table, {})

    def close(self) -> None:
        """Close now; otherwise the file is closed when nobody holds the snapshot."""
        self._connection.close()


def open_snapshot(path: Path, cache: ResultCache | None = None, share: float = 1.0) -> Snapshot:
    """Open a snapshot read-only, following the pointer to the file it names. Raises SnapshotError.

    Answers that lie beside it are found from when `has_answers` was asked, as a `Store` does; who exports asks the
    file itself. `share`: of the memory that an engine takes when it is alone, four fifths of the machine's.
    """
    real = path.resolve()
    if not real.is_file():
        raise SnapshotError(f"no snapshot at {path}")
    try:
        connection = duckdb.connect(str(real), read_only=True, config=SETTINGS)
        # A file that this process has open already is the same engine, with its settings locked.
        if connection.execute("SELECT current_setting('lock_configuration')").fetchone() != (True,):
            for setting in (memory(connection, share), *LATE_SETTINGS):
                connection.execute(setting)
    except duckdb.Error as error:
        raise SnapshotError(f"cannot open {real.name}: {error}") from error
    try:
        row = connection.execute(
            "SELECT snapshot_id, seq, built_at, coalesce(data_through, built_at), digest, signature FROM meta_snapshot"
        ).fetchone()
    except duckdb.Error as error:
        connection.close()
        raise SnapshotError(f"{real.name} is not a snapshot: {error}") from error
    if row is None:
        connection.close()
        raise SnapshotError(f"{real.name} is not a snapshot: meta_snapshot is empty")
    snapshot_id, seq, built_at, through, digest, signature = row
    kept = cache if cache is not None else ResultCache()
    before = AskedBefore(real, snapshot_id)
    return Snapshot(real, snapshot_id, seq, built_at, through, digest, signature, connection, kept, before)


class Store:
    """The published folder of one installation: gives the newest snapshot, opened once, and those kept beside it.

    When the pointer moves, the next `current` opens the new file; an answer in progress keeps the old one, which is
    closed when the last holder lets go. Of the older ones those asked for last stay open while they are kept: each has
    an engine of its own, and the room of one that was removed is only free, and can only be taken by the next to be
    published, once nobody has it open.

    With `holds`, the one before a `LARGE` one stays the `current` one for so many seconds at most, until answers are
    put down beside the new one.
    """

    def __init__(
        self, published: Path, share: float = 1.0, cache: ResultCache | None = None, holds: float = 0.0
    ) -> None:
        self._pointer, self._share, self._holds = published / POINTER, share, holds
        self._lock = Lock()
        self._cache = ResultCache() if cache is None else cache
        self._current: Snapshot | None = None
        self._newest: Snapshot | None = None
        self._identity: tuple[str, int, int] | None = None
        self._held_until = 0.0
        self._older: OrderedDict[int, Snapshot] = OrderedDict()

    @property
    def folder(self) -> Path:
        """The published folder."""
        return self._pointer.parent

    def current(self) -> Snapshot:
        """The newest snapshot that is not held back. Raises SnapshotError before the first publish."""
        with self._lock:
            newest = self._published()
            if self._current is None or (
                self._current is not newest and (newest.has_answers() or monotonic() >= self._held_until)
            ):
                self._current = newest
            for seq in [seq for seq, older in self._older.items() if not older.path.exists()]:
                del self._older[seq]
            return self._current

    def newest(self) -> Snapshot:
        """The newest snapshot, held back or not. Raises SnapshotError before the first publish."""
        with self._lock:
            return self._published()

    def take_over(self) -> None:
        """Hold the newest one back no longer. Raises SnapshotError before the first publish."""
        with self._lock:
            self._current = self._published()

    def _published(self) -> Snapshot:
        real = self._pointer.resolve()
        try:
            status = os.stat(real)
        except OSError as error:
            raise SnapshotError(f"nothing is published yet at {self._pointer}") from error
        identity = (str(real), status.st_ino, status.st_mtime_ns)
        if self._newest is None or identity != self._identity:
            opened = open_snapshot(real, self._cache, self._share)
            if self._newest is self._current:  # none is held back already
                self._held_until = monotonic() + self._holds if status.st_size >= LARGE else 0.0
            self._newest, self._identity = opened, identity
            opened.has_answers()
        return self._newest

    def at(self, seq: int) -> Snapshot:
        """The kept snapshot of a number. Raises SnapshotError where it is not kept."""
        for newest in (self.current(), self.newest()):
            if seq == newest.seq:
                return newest
        with self._lock:
            path = self._pointer.parent / f"radops-{seq:06d}.duckdb"
            found = self._older.get(seq) or open_snapshot(path, self._cache, self._share)
            self._older[seq] = found
            self._older.move_to_end(seq)
            if len(self._older) > MOST_OLDER:
                self._older.popitem(last=False)
            return found

    def numbers(self) -> tuple[int, ...]:
        """The numbers of the snapshots that are kept, the highest first."""
        paths = self._pointer.parent.glob("radops-*.duckdb")
        return tuple(sorted((int(path.stem.removeprefix("radops-")) for path in paths), reverse=True))

    def kept(self) -> Iterator[Snapshot]:
        """The snapshots that are kept, the newest first; one that cannot be opened is passed over."""
        for number in self.numbers():
            with suppress(SnapshotError):
                yield self.at(number)
