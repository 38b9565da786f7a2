"""What an executor does with a task: parse its files as a parser process does, and hand the parts over.

The first attempt parses in the executor's own Python, under the limits of a parser process. Where it was lost, the next
one parses in a disposable process beside it (`etl.pool`), which finds the file at fault and quarantines it as
`radops ingest` does without Spark. An attempt that died with its machine is made up for so too: the result is the same.
"""

from __future__ import annotations

import faulthandler
import gc
import hashlib
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import etl
from etl.inbox import Candidate
from etl.parsing import FileResult, JobResult, merged, run_job
from etl.pool import GRACE_SECONDS, Parser
from etl.settings import Settings
from etl.site import Site
from etl.sources import STANDARDS, source
from etl.spark.folder import Folder, quiet
from etl.spark.parts import Part, write

#: The number of a task and its files.
Task = tuple[int, list[Candidate]]
#: Octets of messages after which a part is written: bounds the memory of a task.
PART_BYTES = 16 << 20
#: Least seconds between two starts of the watch over a file.
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What all tasks of a run share: where parts go, limits, the site, and what the driver's code is."""

    folder: Folder
    settings: Settings
    site: Site
    code: str


class Told(NamedTuple):
    """One row for the driver: a part of a task, or the reason why there is none."""

    task: int
    part: str
    rows: str
    problem: str


@cache
def code() -> str:
    """SHA-256 over radops' code and tables: an executor with another would mean something else by the same file."""
    folder = Path(etl.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".c", ".csv")):
        digest.update(f"\0{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def done(orders: Orders, task: Task, attempt: tuple[int, int]) -> Iterator[Told]:
    """Parse the files of a task and tell of each part. `attempt`: its number, 0 the first, and an id of its own.

    Raises RuntimeError that says where it failed and no value, since Spark writes it to its logs.
    """
    with quiet():
        yield from _done(orders, task, attempt)


def _done(orders: Orders, task: Task, attempt: tuple[int, int]) -> Iterator[Told]:
    number, candidates = task
    if code() != orders.code:
        yield Told(number, "", "", "other code")
        return
    n_before, own_id = attempt
    results = _here(orders, candidates) if n_before == 0 else _apart(orders, candidates)
    for n, result in enumerate(_gathered(results)):
        part: Part = write(orders.folder, f"{number:08}-{own_id}-{n:04}", result, candidates)
        yield Told(number, part.name, part.rows, "")


def _here(orders: Orders, candidates: list[Candidate]) -> Iterator[JobResult]:
    _load()
    limits = orders.settings
    rest = candidates
    while rest:
        with _memory(limits.worker_memory_mb << 20), _Watch(2 * limits.file_seconds + GRACE_SECONDS) as watch:
            result = run_job(rest, orders.site, limits.file_seconds, limits.worker_memory_mb << 19, watch.begin)
        yield result
        rest = rest[len(result.files) :]


def _apart(orders: Orders, candidates: list[Candidate]) -> Iterator[JobResult]:
    return Parser(orders.settings.model_copy(update={"workers": 1}), orders.site).parse(candidates)


def _gathered(results: Iterator[JobResult]) -> Iterator[JobResult]:
    """Results together until they hold enough for a part, so that parts are few."""
    held: list[JobResult] = []
    for result in results:
        held.append(result)
        files: list[FileResult] = [file for one in held for file in one.files]
        if sum(file.n_bytes for file in files) >= PART_BYTES:
            yield merged(held)
            held = []
    if held:
        yield merged(held)


@cache
def _load() -> None:
    """Load what parses, once a process: it is no file's fault."""
    for standard in STANDARDS:
        source(standard)
    gc.freeze()


@contextmanager
def _memory(n_bytes: int) -> Iterator[None]:
    """Bound what the block may take of the address space: this process serves other tasks too, and Spark and Arrow have
    reserved more of it than files need."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


class _Watch:
    """Ends this process where a file takes longer than `seconds`, even if no signal interrupts what reads it."""

    __slots__ = ("nowhere", "seconds", "since")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.since = -WATCH_SECONDS
        self.nowhere = os.open(os.devnull, os.O_WRONLY)

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_raised: object) -> None:
        faulthandler.cancel_dump_traceback_later()
        os.close(self.nowhere)

    def begin(self, _number: int) -> None:
        """A file is begun."""
        now = time.monotonic()
        if now - self.since >= WATCH_SECONDS:
            self.since = now
            faulthandler.dump_traceback_later(self.seconds, exit=True, file=self.nowhere)
