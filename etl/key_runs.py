"""Sorted runs of numbers beside a database: where a table that only grows tells a key, without reading the table.

The engine finds a key without order in a table only by reading its column, so that the cost of a night would grow with
the warehouse. A run is a file with the keys of a stretch of rows in order, each with the place of its row; it is never
changed. Its rows are told again by the table itself, so a run is a copy that may be lost: what no run covers is read
from the table, and runs are made again when so much has come that reading it takes longer than looking up.

A run counts only where the database names it: its file is on the disk before the transaction that names it ends. So a
killed run, a restored database or a copied one never sees a run that tells more or other than its rows.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from etl.durable import sync

Keys = npt.NDArray[np.uint64]
Places = npt.NDArray[np.uint32]

#: Folder beside the database in which the runs lie.
FOLDER = "runs"
#: Rows without a run that are read from the table rather than looked up.
MOST_LOOSE = 65_536
#: A run is made one with the next where it is less than so many times as long; so each row is written a few times.
GROWTH = 4
#: Keys that are made one at a time.
BLOCK = 4 << 20
_ENTRY = 12
_NONE = np.empty(0, np.uint64), np.empty(0, np.uint32)


def registry(table: str) -> str:
    """SQL for the table that names the runs; with each, the places that it covers: after `since`, up to `upto`."""
    return f"CREATE TABLE IF NOT EXISTS {table} (file VARCHAR, n BIGINT, since BIGINT, upto BIGINT);"


@dataclass(frozen=True, slots=True)
class _Run:
    file: str
    n: int
    since: int
    upto: int


class KeyRuns:
    """The runs that the table `named` of `catalog` names, as far as their files are there."""

    def __init__(self, con: duckdb.DuckDBPyConnection, catalog: str, named: str) -> None:
        self.con, self.named = con, f"{catalog}.{named}"
        told = con.execute("SELECT path FROM duckdb_databases() WHERE database_name = ?", [catalog]).fetchall()
        path = told[0][0] if told else None
        self.folder = Path(path).parent / FOLDER if path else None
        rows = con.execute(f"SELECT file, n, since, upto FROM {self.named} ORDER BY since").fetchall()
        self.runs = self._present([_Run(*row) for row in rows])

    @property
    def upto(self) -> int:
        """The last place that is covered; 0 without a run."""
        return self.runs[-1].upto if self.runs else 0

    def _present(self, runs: list[_Run]) -> list[_Run]:
        """The runs up to the first whose file is not there, or not whole."""
        there: list[_Run] = []
        for run in runs:
            path = self._path(run)
            if path is None or not path.is_file() or path.stat().st_size != run.n * _ENTRY:
                break
            there.append(run)
        return there

    def _path(self, run: _Run) -> Path | None:
        return self.folder / run.file if self.folder else None

    def find(self, keys: Keys) -> tuple[Keys, Places]:
        """Each of `keys` with each covered place that has it: two arrays of one length."""
        asked = np.unique(keys)
        parts = [found(asked, *_opened(path, run.n)) for run in self.runs if (path := self._path(run)) and run.n]
        return _joined(parts)

    def extend(self, keys: Keys, places: Places, upto: int) -> None:
        """Cover the places after the last covered one up to `upto`, within the caller's transaction.

        `keys` and `places` are of one length, in any order. Leaves everything as it is where there is no folder.
        """
        if self.folder is None:
            return
        self._sweep()
        order = np.argsort(keys)
        parts = [(keys[order], places[order])]
        size, since, kept = len(keys), self.upto, list(self.runs)
        while kept and kept[-1].n < GROWTH * size:
            last = kept.pop()
            parts.append(_opened(self.folder / last.file, last.n))
            size, since = size + last.n, last.since
        made = _Run(f"{self.named.rpartition('.')[2]}-{uuid.uuid4().hex}", size, since, upto)
        _write(self.folder / made.file, parts, size)
        self.runs = [*kept, made]
        self.con.execute(f"DELETE FROM {self.named}")
        for run in self.runs:
            self.con.execute(f"INSERT INTO {self.named} VALUES (?, ?, ?, ?)", [run.file, run.n, run.since, run.upto])

    def _sweep(self) -> None:
        """Make the folder, and remove files of it that no run names: of runs made one, and of one that was killed."""
        assert self.folder is not None  # noqa: S101 - asked by the caller
        self.folder.mkdir(mode=0o700, exist_ok=True)
        named = {run.file for run in self.runs}
        for path in self.folder.glob(f"{self.named.rpartition('.')[2]}-*"):
            if path.name not in named:
                path.unlink()


def _opened(path: Path, n: int) -> tuple[Keys, Places]:
    """Keys and places of a run, read from the disk as they are looked at."""
    if not n:
        return _NONE
    data = np.memmap(path, np.uint8, "r", shape=(n * _ENTRY,))
    return data[: n * 8].view(np.uint64), data[n * 8 :].view(np.uint32)


def found(asked: Keys, keys: Keys, places: Places) -> tuple[Keys, Places]:
    """Each of `asked` with each place that it has in the entries `keys` and `places`; `asked` and `keys` are sorted."""
    low, high = np.searchsorted(keys, asked, "left"), np.searchsorted(keys, asked, "right")
    n = high - low
    starts = np.repeat(low - np.cumsum(n) + n, n)
    return np.repeat(asked, n), places[starts + np.arange(n.sum())]


def _joined(parts: list[tuple[Keys, Places]]) -> tuple[Keys, Places]:
    if not parts:
        return _NONE
    return np.concatenate([keys for keys, _ in parts]), np.concatenate([places for _, places in parts])


def _merged(parts: list[tuple[Keys, Places]]) -> Iterator[tuple[Keys, Places]]:
    """The entries of sorted parts in one order, block by block."""
    longest = max(parts, key=lambda part: len(part[0]))[0]
    cuts = [*longest[BLOCK::BLOCK], None]
    starts = [0] * len(parts)
    for cut in cuts:
        ends = [len(keys) if cut is None else int(np.searchsorted(keys, cut)) for keys, _ in parts]
        keys, places = _joined([(k[a:b], p[a:b]) for (k, p), a, b in zip(parts, starts, ends, strict=True)])
        order = np.argsort(keys)
        yield keys[order], places[order]
        starts = ends


def _write(path: Path, parts: list[tuple[Keys, Places]], size: int) -> None:
    """Write a run and wait until it is on the disk."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "r+b") as file:
        at = 0
        for keys, places in _merged(parts):
            file.seek(at * 8)
            file.write(keys.tobytes())
            file.seek(size * 8 + at * 4)
            file.write(places.tobytes())
            at += len(keys)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
