"""The store: one SQLite file that several server processes and hosts write at once, made on the first write.

It keeps SQLite's rollback journal: a write-ahead log needs memory that all who write share, which two hosts on one disk
do not have. Writers take turns for some milliseconds; the file's own change counter says whether anything was written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, RowMapping, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sql.team.tables import VERSION, metadata

#: In a home, beside the published folder.
FOLDER, FILE = "team", "team.sqlite"
#: Seconds that one waits for others' writes.
PATIENCE = 10.0
#: Where SQLite's header has the number of writes (file format, 1.3.7).
_COUNTER = slice(24, 28)
#: How each transaction begins, as the two ways in set it.
_BEGIN = "begin"


class TeamError(ValueError):
    """What was asked cannot be done; `problem` is a key of the catalogue of texts, safe to show."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Team:
    """The store of one home. Usable from any thread and after a fork: each use opens the file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._engine: Engine | None = None

    @classmethod
    def beside(cls, published: Path) -> Team:
        """The store of the home that a folder of snapshots belongs to."""
        return cls(published.parent / FOLDER)

    def revision(self) -> int:
        """Number of writes so far; 0 before the first."""
        try:
            with self.path.open("rb") as file:
                return int.from_bytes(file.read(_COUNTER.stop)[_COUNTER], "big")
        except OSError:
            return 0

    def state(self) -> tuple[int, int, int]:
        """What differs where anything was written, also where another file was put in place of this one."""
        try:
            found = self.path.stat()
        except OSError:
            return 0, 0, 0
        return self.revision(), found.st_ino, found.st_mtime_ns

    def rows(self, statement: Executable) -> Sequence[RowMapping]:
        """Rows of one statement that reads; none before the first write. Raises TeamError."""
        if not self.path.exists():
            return []
        with self._connected("BEGIN") as connection:
            if int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()) >= VERSION:
                return connection.execute(statement).mappings().all()
        with self.writing() as connection:  # an older radops made it: the tables that it lacks are added
            return connection.execute(statement).mappings().all()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes, alone while it lasts: committed at the end, undone by an error.

        Raises TeamError where the file cannot be written, others write for too long, or a newer radops made it.
        """
        self._make()
        with self._connected("BEGIN IMMEDIATE") as connection:
            found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if found > VERSION:
                raise TeamError("newer")
            if found < VERSION:
                metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
            yield connection

    def _make(self) -> None:
        """The folder and the file, for nobody else's eyes, where they are missing."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise TeamError("unwritable") from error

    @contextmanager
    def _connected(self, begin: str) -> Iterator[Connection]:
        if self._engine is None:
            self._engine = _engine(self.path)
        try:
            with self._engine.connect() as connection:
                connection.info[_BEGIN] = begin
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            raise TeamError("busy" if "locked" in str(error.orig) else "unwritable") from error


def _engine(path: Path) -> Engine:
    """An engine whose transactions begin as SQLAlchemy says and not at the first statement that writes."""
    made = create_engine(
        f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": PATIENCE, "isolation_level": None}
    )

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.info.get(_BEGIN, "BEGIN"))

    @event.listens_for(made, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    return made


def now() -> datetime:
    """The present in UTC, to the second, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
