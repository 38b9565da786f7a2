"""Rows of a table of the raw store by their keys: by its runs where they cover it, by a look at the rest.

Such a table only grows: its rows are never deleted, so that the place of a row (`rowid`) stays. Columns that are no key
may change in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from etl import key_runs
from etl.frames import query, table
from etl.key_runs import KeyRuns
from etl.run_file import NO_ENTRIES, Entries, Keys
from etl.run_search import distinct, found
from etl.transaction import transaction

#: Rows whose keys are read at once to make a run.
_STEP = 2 << 20
_NONE = NO_ENTRIES[0]


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """A table of catalog `intake`, the table that names its runs, and its keys: SQL for numbers, NULL for none."""

    name: str
    named: str
    keys: tuple[str, ...]


class Lookup:
    """The rows of a keyed table as they are committed when this is made."""

    def __init__(self, con: duckdb.DuckDBPyConnection, keyed: KeyedTable) -> None:
        self.con = con
        self.runs = KeyRuns(con, "intake", keyed.named)
        n_rows, loose = self._count(keyed)
        if n_rows != self.runs.upto + loose:  # rows lie otherwise than the runs tell
            self.runs.runs = []
        self._loose = _entries(con, keyed, f"rowid >= {self.runs.upto}")

    def _count(self, keyed: KeyedTable) -> tuple[int, int]:
        n = f"SELECT count(*) FROM intake.{keyed.name}"
        row = self.con.execute(f"SELECT ({n}), ({n} WHERE rowid >= {self.runs.upto})").fetchall()[0]
        return int(row[0]), int(row[1])

    def find(self, keys: Keys, new: Keys = _NONE, since: int = 0) -> pl.Series:
        """Places of the rows that have one of `keys`, whichever key it is: look again at what is read there. Those of
        `new` keys are not before the place `since`."""
        places = [self.runs.find(keys)[1], self.runs.find(new, since)[1]]
        places.append(found(distinct(np.concatenate([keys, new])), *self._loose)[1])
        return pl.Series("place", distinct(np.concatenate(places)).astype(np.int64))

    def find_places(self, name: str, keys: str) -> None:
        """Temp table `name` (place): rows that have one of the numbers that the SQL `keys` gives."""
        table(self.con, name, self.find(numbers_of(self.con, keys)).to_frame())


def _entries(con: duckdb.DuckDBPyConnection, keyed: KeyedTable, within: str) -> Entries:
    """Keys of the rows that the SQL `within` takes by their place, sorted, with the places."""
    columns = ", ".join(f"{sql} AS k{number}" for number, sql in enumerate(keyed.keys))
    rows = query(con, f"SELECT CAST(rowid AS UINTEGER) AS place, {columns} FROM intake.{keyed.name} WHERE {within}")
    told = [rows.select("place", key=f"k{number}").drop_nulls() for number in range(len(keyed.keys))]
    keys, places = (np.concatenate([part[name].to_numpy() for part in told]) for name in ("key", "place"))
    order = np.argsort(keys)
    return keys[order], places[order]


def cover(con: duckdb.DuckDBPyConnection, keyed: KeyedTable) -> None:
    """Make runs where many rows have none yet, in transactions of their own."""
    while True:
        runs = KeyRuns(con, "intake", keyed.named)
        n = int(con.execute(f"SELECT count(*) FROM intake.{keyed.name}").fetchall()[0][0])
        if runs.folder is None or n - runs.upto <= key_runs.MOST_LOOSE:
            return
        upto = min(n, runs.upto + _STEP)
        with transaction(con):
            runs.extend(*_entries(con, keyed, f"rowid >= {runs.upto} AND rowid < {upto}"), upto)


def numbers_of(con: duckdb.DuckDBPyConnection, sql: str) -> Keys:
    """The numbers that `sql` gives, in one or several columns, without NULL."""
    frame = query(con, sql)
    told = pl.concat([column.cast(pl.UInt64).rename("key") for column in frame]).drop_nulls().unique()
    return np.asarray(told.to_numpy(), np.uint64)
