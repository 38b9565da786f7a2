"""Answers that a process of its own asks of a new snapshot and puts down beside it, for all that serve it, now and
after a restart: `python -m app.beforehand PUBLISHED SHARE`, started by those that serve.

It runs behind all else that the machine has to do, asks what `app.warm` asks, and ends with whoever started it. Of
several that are started at the same time one asks, and the others wait for what it puts down.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

from app import failure
from app.gate import Gate
from app.guard import LOCAL
from app.views import Views
from sql.asked_before import Recorder
from sql.snapshot import Snapshot, Store

#: Seconds between two looks at the process, and how little of the processor it gets where others want it.
LOOK_EVERY, NICE = 0.5, 19
#: Seconds after which it is waited for no longer: it stands still.
PATIENCE = 3600.0


class Beforehand:
    """Lets the answers of snapshots of a folder be put down, with a share of the memory of an engine that is alone."""

    def __init__(self, published: Path, share: float) -> None:
        self._command = [sys.executable, "-P", "-m", __name__, str(published), str(share)]

    def __call__(self, newest: Snapshot, is_newest: Callable[[], bool]) -> Generator[None]:
        """Yield once there are those that all look at; end when all are put down, cannot be, or the snapshot is not the
        newest any more."""
        if newest.has_answers(whole=True):
            return
        try:
            code = yield from self._ended(newest, is_newest)
        except OSError as error:
            failure.LOG.warning("answers could not be put down: %s", failure.told(error))
            return
        if code:
            failure.LOG.warning("answers could not be put down (%d): each process keeps its own", code)
        newest.has_answers(whole=True)

    def _ended(self, newest: Snapshot, is_newest: Callable[[], bool]) -> Generator[None, None, int]:
        """What the process ended with; 0 too where it was ended, because nobody waits for its answers any more."""
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        until = monotonic() + PATIENCE
        some = False
        with subprocess.Popen(  # noqa: S603 - our own words; its input is open for as long as this process lives
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
        ) as process:
            try:
                while process.poll() is None and is_newest():
                    if monotonic() > until:
                        process.kill()
                    if not some and newest.has_answers():
                        some = True
                        yield
                    sleep(LOOK_EVERY)
                code = process.returncode
            finally:
                process.kill()
        return code or 0


def put_down(published: Path, share: float) -> None:
    """Ask and put down what is not there yet of the newest snapshot. Raises OSError, sqlite3.Error, SnapshotError."""
    folder = os.open(published, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        store = Store(published, share)
        newest = store.current()
        if newest.has_answers(whole=True):
            return
        with Recorder(newest.path, newest.id) as recorder:
            store = Store(published, share, recorder)
            Views(store, Gate(1, 1, 0.0)).warmer(between=recorder.offer).look(LOCAL)
            if store.current().id == newest.id:
                recorder.finish()
    finally:
        os.close(folder)


def _end_with_parent() -> None:
    """End at once where nobody waits any more."""
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> None:
    """Put down the answers of the folder that the command line names."""
    Thread(target=_end_with_parent, daemon=True).start()
    os.nice(NICE)
    try:
        put_down(Path(sys.argv[1]), float(sys.argv[2]))
    except Exception as error:  # noqa: BLE001 - the log says where, and nothing that an exception may quote
        failure.LOG.error("answers were not put down: %s", failure.told(error))
        os._exit(1)
    os._exit(0)  # what the engine would still tidy up goes with the process


if __name__ == "__main__":
    main()
