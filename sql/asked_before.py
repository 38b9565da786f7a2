"""Answers of a snapshot on disk, beside it: what one process has asked, every other one and the next ones find.

An SQLite file with a row an answer: the hash of its key, its frame (Arrow) and a hash over both. It is of one file of a
snapshot and of the code that asked; any other leaves it alone.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Self
from weakref import finalize

import polars as pl

import sql
from sql.answer_files import beside, drop_others, part
from sql.cache import ResultCache
from sql.fingerprint import fingerprint

LOG = logging.getLogger("radops.sql")
#: Bytes of frames that a file has at most.
MOST_BYTES = 512 * 2**20
_TABLES = """CREATE TABLE made_of (told TEXT NOT NULL, is_whole INTEGER NOT NULL);
CREATE TABLE answer (key BLOB PRIMARY KEY, frame BLOB NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID"""
#: Values whose `repr` tells them apart.
_PLAIN = (type(None), bool, int, float, str, date, datetime)


class AskedBefore:
    """The answers that were put down of one snapshot; none as long as there is no file of them."""

    def __init__(self, snapshot: Path, snapshot_id: str) -> None:
        self._snapshot, self._id = snapshot, snapshot_id
        self._lock = Lock()
        self._open: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._close: Callable[[], object] = _nothing
        self._is_whole = self._is_told = False

    def look(self, *, whole: bool = False) -> bool:
        """Whether there are answers, which are found from here on; whether these are all, if asked for the `whole`."""
        with self._lock:
            with suppress(OSError):  # who has it open reads on
                state = beside(self._snapshot).stat()
                if (state.st_ino, state.st_mtime_ns) != self._file:
                    self._file = (state.st_ino, state.st_mtime_ns)
                    self._reopen(beside(self._snapshot))
            return self._open is not None and (self._is_whole or not whole)

    def get(self, key: Hashable) -> pl.DataFrame | None:
        """The answer of a key; None where there is none, or not as it was put down, which is told the first time."""
        hashed = None if self._open is None else _hash_of(key)
        if hashed is None:
            return None
        try:
            with self._lock:
                assert self._open is not None  # noqa: S101 - it is replaced, and never taken away
                found = self._open.execute("SELECT frame, hash FROM answer WHERE key = ?", [hashed]).fetchone()
        except sqlite3.Error as error:
            self._tell(type(error).__name__)
            return None
        if found is not None and _hash(hashed + found[0]) == found[1]:
            return pl.read_ipc_stream(io.BytesIO(found[0]))
        if found is not None:
            self._tell("one differs from its hash")
        return None

    def _tell(self, what: str) -> None:
        """Say once that a file is damaged: answers are right all the same, but the disk may not be."""
        if not self._is_told:
            LOG.warning("answers of snapshot %s are damaged, and asked again: %s", self._id, what)
        self._is_told = True

    def _reopen(self, path: Path) -> None:
        """Read from a file that came; where it is not of this snapshot and code, from what was read before."""
        close: Callable[[], object] = _nothing
        try:
            opened = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            close = finalize(self, opened.close)
            told = opened.execute("SELECT * FROM made_of").fetchall()
            if told[0][0] == _made_of(self._snapshot, self._id):
                close, self._close = self._close, close
                self._open, self._is_whole = opened, bool(told[0][1])
        except (sqlite3.Error, IndexError) as error:
            self._tell(type(error).__name__)
        except OSError:  # the snapshot is gone
            pass
        finally:
            close()


class Recorder(ResultCache):
    """A cache that puts down the answers of one snapshot too, for `AskedBefore`: they are found after `finish`.

    Raises OSError or sqlite3.Error where there can be no file of them.
    """

    def __init__(self, snapshot: Path, snapshot_id: str) -> None:
        super().__init__()
        self._snapshot, self._id = snapshot, snapshot_id
        self._aside = part(snapshot)
        self._aside.unlink(missing_ok=True)
        os.close(os.open(self._aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, snapshot.stat().st_mode & 0o666 | 0o600))
        self._open = _written(self._aside)
        self._open.executescript(_TABLES)
        self._open.execute("INSERT INTO made_of VALUES (?, 0)", [_made_of(snapshot, snapshot_id)])
        self._left, self._writing = MOST_BYTES, Lock()
        self._failed: sqlite3.Error | None = None

    def put(self, key: Hashable, value: pl.DataFrame) -> None:
        """Keep an answer, and put it down."""
        super().put(key, value)
        hashed = _hash_of(key) if isinstance(key, tuple) and key[:1] == (self._id,) else None
        if hashed is None or pl.Object in value.dtypes:
            return
        body = io.BytesIO()
        # A frame is locked while it is written, for which Python is needed; who looks at the same one then has Python
        # and waits for the lock. So another one with the same columns is written, which nobody else has.
        value.clone().write_ipc_stream(body, compression="lz4")
        frame = body.getvalue()
        with self._writing:
            self._left -= len(frame)
            if self._left < 0 or self._failed is not None:
                return
            try:
                row = (hashed, frame, _hash(hashed + frame))
                self._open.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", row)
            except sqlite3.Error as error:  # who asks has the answer all the same
                self._failed = error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._aside.unlink(missing_ok=True)

    def offer(self) -> None:
        """Let what is put down be found, while more is. Raises what a write failed with."""
        with self._writing:
            self._place()
            shutil.copy(beside(self._snapshot), self._aside)
            self._open = _written(self._aside)

    def finish(self) -> None:
        """Put the file in its place, whole, and remove those of other snapshots. Raises what a write failed with."""
        self._open.execute("UPDATE made_of SET is_whole = 1")
        self._place()
        drop_others(self._snapshot.parent, self._snapshot)

    def _place(self) -> None:
        self._open.close()
        if self._failed is not None:
            raise self._failed
        with self._aside.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(self._aside, beside(self._snapshot))


def _nothing() -> None:
    """Close no file."""


def _written(path: Path) -> sqlite3.Connection:
    opened = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    opened.execute("PRAGMA journal_mode = OFF")
    opened.execute("PRAGMA synchronous = OFF")
    return opened


def _made_of(snapshot: Path, snapshot_id: str) -> str:
    state = snapshot.stat()
    return f"{snapshot_id} {state.st_size} {state.st_mtime_ns} {_code()}"


@cache
def _code() -> str:
    """What an answer depends on beside the snapshot and the key."""
    return f"{fingerprint(Path(sql.__file__).parent)} polars {version('polars')}"


def _hash(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _hash_of(key: Hashable) -> bytes | None:
    """None where a key has parts that are not known to be told apart by their text."""
    try:
        return blake2b(_told(key).encode("utf-8", "surrogatepass"), digest_size=32).digest()
    except _UnknownKind:
        return None


class _UnknownKind(Exception):
    """A part of a key of another kind."""


def _told(key: object) -> str:
    if type(key) in _PLAIN:
        return repr(key)
    if isinstance(key, Enum):
        return f"{type(key).__qualname__}.{key.name}"
    if isinstance(key, str):
        return repr(str(key))
    if isinstance(key, tuple):
        return f"({','.join(map(_told, key))})"
    if isinstance(key, frozenset):
        return f"{{{','.join(sorted(map(_told, key)))}}}"
    if is_dataclass(key) and not isinstance(key, type):
        return f"{type(key).__qualname__}({','.join(_told(getattr(key, field.name)) for field in fields(key))})"
    raise _UnknownKind(type(key).__name__)
