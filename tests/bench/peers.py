"""Who else could answer: DuckDB asked by hand or with the statement that is shown, pandas, SQLite and PostgreSQL, each
with the same rows.

A peer holds the columns of `questions.TABLES`; rows come from the snapshot, and loading is told apart from asking.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from typing import Any, Protocol

import duckdb
import polars as pl

from sql.query import SHAPE, explain
from tests.bench.questions import DAY, INDEXED, TABLES, Question, Window

Rows = list[tuple[Any, ...]]
SQL_TYPES = {"text": "TEXT", "time": "TIMESTAMP", "number": "DOUBLE PRECISION", "flag": "BOOLEAN"}
_BATCH = 50_000


class Peer(Protocol):
    """One peer; `is_inside` this process it works, so that its processor time is known; rows it `is_loaded` with."""

    name: str
    is_inside: bool
    is_loaded: bool

    def load(self, source: Source) -> None: ...
    def ask(self, question: Question, window: Window) -> Rows: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Source:
    """The snapshot's rows from a day on (None: all), as peers take them."""

    connection: duckdb.DuckDBPyConnection
    since: date | None

    def select(self, table: str, written: Callable[[str, str], str] = lambda name, _: name) -> str:
        """The statement for a table's rows; `written` writes a column of a kind."""
        columns = ", ".join(f"{written(name, kind)} AS {name}" for name, kind in TABLES[table].items())
        held = "" if self.since is None else f" WHERE {DAY[table]} >= '{self.since} 00:00:00'"
        return f"SELECT {columns} FROM {table}{held}"

    def batches(self, table: str, written: Callable[[str, str], str]) -> Iterator[pl.DataFrame]:
        """A table's rows in parts."""
        with self.connection.cursor() as cursor:
            reader = cursor.execute(self.select(table, written)).to_arrow_reader(_BATCH)
            for batch in reader:
                yield pl.DataFrame(batch)


class ByHand:
    """DuckDB on the snapshot itself, with statements written by hand."""

    name = "duckdb"
    is_inside = True
    is_loaded = False

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def load(self, source: Source) -> None:
        """There is nothing to load."""

    def ask(self, question: Question, window: Window) -> Rows:
        """The statement's rows."""
        return self._rows(question.statement("duckdb", window))

    def close(self) -> None:
        """The connection is not ours."""

    def _rows(self, sql: str) -> Rows:
        with self._connection.cursor() as cursor:
            return cursor.execute(sql).fetchall()


class Shown(ByHand):
    """The same with the statement that radops shows beside a number: as much as ours is told, by the engine alone."""

    name = "shown"

    def ask(self, question: Question, window: Window) -> Rows:
        """Groups, n and value of the statement's rows."""
        rows = self._rows(explain(question.metric, **question.asked(window)).text)
        start, group, n, value = (SHAPE.index(each) for each in ("period_start", "group_value", "n", "value"))
        return [(*question.keys(row[start], row[group]), row[n], row[value]) for row in rows]


class Pandas:
    """pandas.DataFrames of the columns."""

    name = "pandas"
    is_inside = True
    is_loaded = True

    def __init__(self) -> None:
        self._tables: dict[str, Any] = {}

    def load(self, source: Source) -> None:
        """Columns into frames, as DuckDB gives them to pandas; a flag that may be absent becomes a number."""
        for table in TABLES:
            with source.connection.cursor() as cursor:
                self._tables[table] = cursor.execute(source.select(table, _for_pandas)).df()

    def ask(self, question: Question, window: Window) -> Rows:
        """The frame's rows."""
        found = question.frame(self._tables, window)
        return list(found.itertuples(index=False, name=None))

    def close(self) -> None:
        """Let the frames go."""
        self._tables.clear()


class SQLite:
    """A database in memory, with indexes on the days."""

    name = "sqlite"
    is_inside = True
    is_loaded = True

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")

    def load(self, source: Source) -> None:
        """Rows in, times as text; then the indexes."""
        for table, columns in TABLES.items():
            self._connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            places = ", ".join("?" * len(columns))
            for batch in source.batches(table, _for_sqlite):
                self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", batch.iter_rows())
            for column in INDEXED[table]:
                self._connection.execute(f"CREATE INDEX {table}_{column} ON {table} ({column})")
        self._connection.execute("ANALYZE")
        self._connection.commit()

    def ask(self, question: Question, window: Window) -> Rows:
        """The statement's rows."""
        return self._connection.execute(question.statement("sqlite", window)).fetchall()

    def close(self) -> None:
        """Let the database go."""
        self._connection.close()


def _for_pandas(name: str, kind: str) -> str:
    return f"CAST({name} AS DOUBLE)" if kind == "flag" and name != "is_countable" else name


def _for_sqlite(name: str, kind: str) -> str:
    return f"CAST({name} AS {'VARCHAR' if kind == 'time' else 'INTEGER'})" if kind in ("time", "flag") else name


def has_pandas() -> bool:
    """Whether pandas is installed."""
    return find_spec("pandas") is not None
