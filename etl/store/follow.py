"""Following a place as long as a server runs: one process of a host pulls, and another when that one dies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from etl.errors import AlreadyRunningError
from etl.faults import explain, place
from etl.home import Home
from etl.lock import writer_lock
from etl.log import Log
from etl.store.place import open_place
from etl.store.pull import Pulled, pull

#: Seconds between two tries at most, however often they failed.
LONGEST = 3600.0
#: Beside the lock of the one who writes: held by the process that pulls, as long as it lives.
LOCK = "pull.lock"


def pull_once(home: Home) -> Pulled:
    """Pull from the place that the settings name. Raises StoreError, SettingsError and AlreadyRunningError."""
    return pull(home, open_place(home.settings.pull_from, home.settings.s3_endpoint))


def follow(home: Home, wait: Callable[[float], None] = time.sleep) -> None:
    """Pull again and again, for ever; waits while another process of this host does. What fails is told in the log."""
    every = home.settings.pull_seconds
    while True:
        try:
            with writer_lock(home.root / LOCK):
                told = Told(Log(home.log, is_quiet=True))
                while True:
                    wait(min(every * 2**told.failures, max(every, LONGEST)) if told.look(home) else every)
        except AlreadyRunningError:
            wait(every)


@dataclass
class Told:
    """Tells the log what a look brought: a new snapshot, a failure that was not told yet, and the end of one."""

    log: Log
    failures: int = 0
    _last: str | None = None

    def look(self, home: Home) -> bool:
        """Pull; True where it failed. A writer at work in this home is no failure."""
        started = time.monotonic()
        try:
            done = pull_once(home)
        except AlreadyRunningError:
            return False
        except Exception as error:  # noqa: BLE001 - a server goes on with what it has, whatever a look brings
            known = explain(error)
            self._tell(error=str(known) if known else place(error))
            self.failures = min(self.failures + 1, 12)
            return True
        self.failures = 0
        seconds = round(time.monotonic() - started, 2)
        news = {"taken": len(done.taken), "removed": len(done.removed), "seconds": seconds} if done.taken else {}
        self._tell(snapshot=done.snapshot_id, **news)
        return False

    def _tell(self, **facts: object) -> None:
        line = str(facts)
        if line != self._last:
            self.log.stage("pull", **facts)
        self._last = line if "seconds" not in facts else str({"snapshot": facts["snapshot"]})
