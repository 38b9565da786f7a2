"""Sorted runs of numbers beside a database: where a table that only grows tells a key, without reading the table.

The engine finds a key without order in a table only by reading its column, so that the cost of a night would grow with
the warehouse. A run is a file with the keys of a stretch of rows in order, each with the place of its row; it is never
changed. Its rows are told again by the table itself, so a run is a copy that may be lost: what no run covers is read
from the table, and runs are made again when so much has come that reading it takes longer than looking up. Sums tell
a hurt run (`etl/run_file.py`), which is as good as lost.

A run counts only where the database names it: its file is on the disk before the transaction that names it ends. So a
killed run, a restored database or a copied one never sees a run that tells more or other than its rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np

from etl import run_file
from etl.run_file import Entries, Keys, Places, Run, is_sound, is_whole, opened
from etl.run_search import distinct, joined, look_up

#: Folder beside the database in which the runs lie.
FOLDER = "runs"
#: Rows without a run that are read from the table rather than looked up.
MOST_LOOSE = 65_536
#: A run is made one with the next where it is less than so many times as long; so each row is written a few times.
GROWTH = 4
#: Keys that are made one at a time.
BLOCK = 4 << 20


def registry(table: str) -> str:
    """SQL for the table that names the runs; with each, the places that it covers: after `since`, up to `upto`."""
    return f"CREATE TABLE IF NOT EXISTS {table} (file VARCHAR, n BIGINT, since BIGINT, upto BIGINT);"


class KeyRuns:
    """The runs that the table `named` of `catalog` names, as far as their files are there."""

    def __init__(self, con: duckdb.DuckDBPyConnection, catalog: str, named: str) -> None:
        self.con, self.named = con, f"{catalog}.{named}"
        rows = con.execute(
            f"""SELECT d.path, r.file, r.n, r.since, r.upto FROM duckdb_databases() d LEFT JOIN {self.named} r ON TRUE
                WHERE d.database_name = ? ORDER BY r.since""",
            [catalog],
        ).fetchall()
        path = rows[0][0] if rows else None
        self.folder = Path(path).parent / FOLDER if path else None
        self.runs = self._present([Run(*row) for _, *row in rows if row[0] is not None])

    @property
    def upto(self) -> int:
        """The last place that is covered; 0 without a run."""
        return self.runs[-1].upto if self.runs else 0

    def _present(self, runs: list[Run]) -> list[Run]:
        """The runs up to the first that is lost; a hurt one is removed, so that it is lost to everybody."""
        there: list[Run] = []
        for run in runs:
            path = self._path(run)
            if path is None:
                break
            if not is_whole(path, run):
                path.unlink(missing_ok=True)
                break
            there.append(run)
        return there

    def _path(self, run: Run) -> Path | None:
        return self.folder / run.file if self.folder else None

    def find(self, keys: Keys, since: int = 0) -> Entries:
        """Each of `keys` with each covered place that has it: two arrays of one length. No key has one before `since`,
        so that no run that ends there is looked at."""
        asked = distinct(keys)
        later = (run for run in self.runs if run.upto > since)
        return joined([look_up(path, run, asked) for run in later if (path := self._path(run))])

    def extend(self, keys: Keys, places: Places, upto: int) -> None:
        """Cover the places after the last covered one up to `upto`, within the caller's transaction.

        `keys` and `places` are of one length, in any order. Leaves everything as it is where there is no folder, and
        where a run that would become one with the new is hurt, which is removed: ask again what is covered then.
        """
        if self.folder is None:
            return
        self._sweep()
        order = np.argsort(keys)
        parts = [(keys[order], places[order])]
        size, since, kept = len(keys), self.upto, list(self.runs)
        while kept and kept[-1].n < GROWTH * size:
            last = kept.pop()
            if not is_sound(self.folder / last.file, last):
                (self.folder / last.file).unlink(missing_ok=True)
                return
            parts.append(opened(self.folder / last.file, last))
            size, since = size + last.n, last.since
        made = Run(f"{self.named.rpartition('.')[2]}-{uuid.uuid4().hex}", size, since, upto)
        run_file.write(self.folder / made.file, made, _merged(parts))
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


def _merged(parts: list[Entries]) -> Iterator[Entries]:
    """The entries of sorted parts in one order, block by block."""
    longest = max(parts, key=lambda part: len(part[0]))[0]
    cuts = [*longest[BLOCK::BLOCK], None]
    starts = [0] * len(parts)
    for cut in cuts:
        ends = [len(keys) if cut is None else int(np.searchsorted(keys, cut)) for keys, _ in parts]
        keys, places = joined([(k[a:b], p[a:b]) for (k, p), a, b in zip(parts, starts, ends, strict=True)])
        order = np.argsort(keys)
        yield keys[order], places[order]
        starts = ends
