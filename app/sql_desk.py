"""Where statements of persons are run: a few at once a process, each cancelled under a token that only its asker knows.

A server has several processes, and a cancellation may reach another one than the run: it leaves a mark, a file named by
person and token, in a private folder of all of them, and the process that waits looks for it some times a second.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import weakref
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from threading import BoundedSemaphore

from app.gate import Busy
from app.guard import Person
from sql.adhoc import Rows, run
from sql.adhoc_limits import Limits
from sql.snapshot import Snapshot

#: Statements that one process runs at once.
AT_ONCE = 2
#: Marks that wait for a run at most, and seconds after which one has missed it.
MAX_MARKS, MARK_SECONDS = 200, 120
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Desk:
    """Runs and cancels. `folder` is private to the server's user (0700) and shared by its processes; a server of one
    process has one of its own, which goes with it."""

    def __init__(self, folder: Path | None = None, limits: Limits | None = None, at_once: int = AT_ONCE) -> None:
        self._folder = folder or Path(mkdtemp(prefix="radops-"))
        if folder is None:
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._limits, self._free = limits or Limits(), BoundedSemaphore(at_once)

    @property
    def limits(self) -> Limits:
        """The bounds of each statement."""
        return self._limits

    def run(self, person: Person, snapshot: Snapshot, statement: str, token: str) -> Rows:
        """The rows of a statement. Raises Busy where as many run as may, AdhocError, and ValueError for the token."""
        mark = self._mark(person, token)
        if not self._free.acquire(blocking=False):
            raise Busy
        try:
            return run(snapshot.path, statement, self._limits, mark.exists)
        finally:
            self._free.release()
            mark.unlink(missing_ok=True)

    def cancel(self, person: Person, token: str) -> None:
        """Leave a mark for whoever runs a person's statement under a token. Raises ValueError for the token."""
        mark = self._mark(person, token)
        if self._clear() < MAX_MARKS:
            mark.touch(0o600)

    def _mark(self, person: Person, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise ValueError("no token")
        return self._folder / sha256(f"{person.name}\n{token}".encode()).hexdigest()

    def _clear(self) -> int:
        """Remove marks that nobody came for; how many are left."""
        left = 0
        with os.scandir(self._folder) as found:
            for entry in found:
                with suppress(OSError):
                    if time.time() - entry.stat().st_mtime > MARK_SECONDS:
                        os.unlink(entry)
                    else:
                        left += 1
        return left
