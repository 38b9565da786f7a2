"""Bounded, disposable parser processes: one that dies or hangs is replaced, and a file that cost two is quarantined."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from etl.errors import SettingsError
from etl.handover import hand_over, taken
from etl.inbox import Candidate
from etl.parsing import JOB_BYTES, MARK_BYTES, READY, JobResult, rejected_unread, serve, unpacked
from etl.settings import Settings
from etl.site import Site

#: A job is small enough to balance two processes and large enough to hide the hand-over. What is read of a file may be
#: far less than its size, so a process ends a job where it holds enough, and the rest is cut into jobs by size.
JOB_FILES = 400
AHEAD = 2  # jobs begun and not yet handed on, a process: bounds memory
DEATHS = 2  # processes that one file may cost
START_SECONDS = 60.0
GRACE_SECONDS = 1.0  # beyond twice the time limit of a file, for work that no signal interrupts


@dataclass(slots=True, eq=False)
class _Job:
    """Files to parse, what they became so far, and those that its process left for other jobs."""

    candidates: list[Candidate]
    n_pieces: int = 0
    is_begun: bool = False
    done: list[JobResult] = field(default_factory=list)
    rest: list[Candidate] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    """Files to parse, and the job they belong to."""

    job: _Job
    candidates: list[Candidate]


@dataclass(slots=True)
class _Worker:
    """One parser process, the piece it has, the file it is at and since when."""

    process: BaseProcess
    connection: Connection
    marks: Connection
    piece: _Piece | None = None
    at: int = 0
    since: float = field(default_factory=time.monotonic)
    is_ready: bool = False

    def look(self) -> None:
        """Read which file it has begun, if it has begun one since the last look."""
        read = b""
        with contextlib.suppress(OSError):  # nothing new
            while more := os.read(self.marks.fileno(), 1 << 16):
                read += more
        if read:
            self.at = int.from_bytes(read[-MARK_BYTES:], "little")
            self.since = time.monotonic()

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.look()
        self.connection.close()
        self.marks.close()


@dataclass(frozen=True)
class Parser:
    """Parses candidates in processes as the settings bound them."""

    settings: Settings
    site: Site

    def parse(self, candidates: list[Candidate]) -> Iterator[JobResult]:
        """Results in the order of `candidates`. Raises SettingsError where no parser process can start."""
        n_parts = max(-(-len(candidates) // JOB_FILES), sum(1 for _ in _parts(candidates)))
        n_workers = min(self.settings.workers or os.cpu_count() or 1, n_parts)
        most = min(JOB_FILES, -(-len(candidates) // max(n_workers, 1)))
        jobs = [_Job(candidates[at : at + most]) for at in range(0, len(candidates), most or 1)]
        crew = _Crew(self, n_workers)
        gc.freeze()  # candidates may be millions and live as long: no collection need look at them
        try:
            yield from crew.work(jobs)
        finally:
            gc.unfreeze()
            crew.stop()

    def start(self) -> _Worker:
        """A new process. It ends by itself when this one is gone: each pipe has one end here and one there."""
        context = multiprocessing.get_context("spawn")  # a forked child would inherit the writer's lock
        here, there = context.Pipe()
        marks, marking = context.Pipe(duplex=False)
        os.set_blocking(marks.fileno(), False)
        arguments = (there, marking, self.site, self.settings.worker_memory_mb, self.settings.file_seconds)
        process = context.Process(target=serve, args=arguments, daemon=True)
        process.start()
        there.close()
        marking.close()
        return _Worker(process, here, marks)


class _Crew:
    """The processes of one call of `parse`, and what is left to do."""

    def __init__(self, parser: Parser, n_workers: int) -> None:
        self.parser = parser
        self.workers = [parser.start() for _ in range(n_workers)]
        self.todo: deque[_Piece] = deque()
        self.deaths: Counter[str] = Counter()
        limit = parser.settings.file_seconds
        self.seconds = 2 * limit + GRACE_SECONDS

    def work(self, jobs: list[_Job]) -> Iterator[JobResult]:
        waiting = deque(jobs)
        while waiting:
            self._begin(waiting)
            job = waiting[0]
            while job.n_pieces:
                self._turn()
            waiting.popleft()
            while job.done:  # what is handed on is not held
                yield job.done.pop(0)
            waiting.extendleft(reversed([_Job(part) for part in _parts(job.rest)]))

    def _begin(self, waiting: deque[_Job]) -> None:
        """Hand out the first of the jobs, and of the others as many as may be in flight."""
        most = AHEAD * len(self.workers)
        for number, job in enumerate(islice(waiting, most)):
            n_begun = sum(other.is_begun for other in islice(waiting, 2 * most))
            if not job.is_begun and (n_begun < most or number < len(self.workers)):
                job.is_begun = True
                self._add(_Piece(job, job.candidates))

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()

    def _add(self, piece: _Piece) -> None:
        self.todo.append(piece)
        piece.job.n_pieces += 1

    def _turn(self) -> None:
        """Give idle processes work, hear what the others say, replace those that died or hang."""
        for worker in self.workers:
            if worker.piece is None and self.todo:
                worker.piece, worker.at, worker.since = self.todo.popleft(), 0, time.monotonic()
                self._tell(worker)
        heard = wait([worker.connection for worker in self.workers if worker.piece], timeout=0.5)
        for number, worker in enumerate(self.workers):
            if worker.connection in heard:
                is_alive = self._hear(worker)
            else:
                worker.look()
                limit = self.seconds if worker.is_ready else START_SECONDS
                is_alive = worker.piece is None or time.monotonic() - worker.since < limit
            if not is_alive:
                self.workers[number] = self._replace(worker)

    def _tell(self, worker: _Worker) -> None:
        assert worker.piece is not None  # noqa: S101 - the caller just set it
        with contextlib.suppress(OSError):  # it died while idle: hearing from it says so
            hand_over(worker.connection, list(zip(*worker.piece.candidates, strict=True)))

    def _hear(self, worker: _Worker) -> bool:
        """Take one message of a process: that it is ready, or its piece's result. False: it died."""
        try:
            message = taken(worker.connection)
        except (EOFError, OSError):
            return False
        worker.look()  # its marks are of this piece
        worker.since = time.monotonic()
        worker.is_ready = True
        if message != READY:
            assert worker.piece is not None  # noqa: S101 - only a process with a piece is listened to
            result = unpacked(message, worker.piece.candidates)
            worker.piece.job.rest += worker.piece.candidates[len(result.files) :]
            self._finish(worker.piece.job, result)
            worker.piece = None
        return True

    def _finish(self, job: _Job, *results: JobResult) -> None:
        job.done += results
        job.n_pieces -= 1

    def _replace(self, worker: _Worker) -> _Worker:
        """A new process for one that died or hung; its files are parsed again, the last one on its own."""
        worker.stop()
        piece = worker.piece
        if not worker.is_ready:
            raise SettingsError(
                f"a parser process cannot start within {self.parser.settings.worker_memory_mb} MB; "
                "raise RADOPS_WORKER_MEMORY_MB"
            )
        if piece is not None:
            culprit = piece.candidates[worker.at]
            others = piece.candidates[: worker.at] + piece.candidates[worker.at + 1 :]
            if others:
                self._add(_Piece(piece.job, others))
            self.deaths[culprit.path] += 1
            if self.deaths[culprit.path] < DEATHS:
                self._add(_Piece(piece.job, [culprit]))
                self._finish(piece.job)
            else:
                self._finish(piece.job, JobResult([rejected_unread(culprit, "parser_crashed")]))
        return self.parser.start()


def _parts(candidates: list[Candidate]) -> Iterator[list[Candidate]]:
    """Files of as many octets as a process may hold, or a single one."""
    part: list[Candidate] = []
    size = 0
    for candidate in candidates:
        if part and size + candidate.size > JOB_BYTES:
            yield part
            part, size = [], 0
        part.append(candidate)
        size += candidate.size
    if part:
        yield part
