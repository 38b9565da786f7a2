"""Bounded, disposable parser processes: one that dies or hangs is replaced, and a file that cost two is quarantined."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from etl.errors import SettingsError
from etl.inbox import Candidate
from etl.parsing import READY, JobResult, rejected_unread, serve
from etl.settings import Settings
from etl.site import Site

#: A job is small enough to balance two processes and large enough to hide the hand-over.
JOB_FILES, JOB_BYTES = 200, 4 * 1024 * 1024
AHEAD = 2  # jobs in flight or done but not yet handed on, a process: bounds memory
DEATHS = 2  # processes that one file may cost
START_SECONDS = 60.0
GRACE_SECONDS = 1.0  # beyond twice the time limit of a file, for work that no signal interrupts


@dataclass(slots=True)
class _Piece:
    """Files to parse, and the number of the job they belong to."""

    job: int
    candidates: list[Candidate]


@dataclass(slots=True)
class _Worker:
    """One parser process, the piece it has, the file it is at and since when."""

    process: BaseProcess
    connection: Connection
    piece: _Piece | None = None
    at: int = 0
    since: float = field(default_factory=time.monotonic)
    is_ready: bool = False

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


@dataclass(frozen=True)
class Parser:
    """Parses candidates in processes as the settings bound them."""

    settings: Settings
    site: Site

    def parse(self, candidates: list[Candidate]) -> Iterator[JobResult]:
        """Results in the order of `candidates`. Raises SettingsError where no parser process can start."""
        jobs = list(_jobs(candidates))
        crew = _Crew(self, min(self.settings.workers or os.cpu_count() or 1, len(jobs)), len(jobs))
        try:
            yield from crew.work(jobs)
        finally:
            crew.stop()

    def start(self) -> _Worker:
        """A new process. It ends by itself when this one is gone: each pipe has one end here and one there."""
        context = multiprocessing.get_context("spawn")  # a forked child would inherit the writer's lock
        here, there = context.Pipe()
        arguments = (there, self.site, self.settings.worker_memory_mb, self.settings.file_seconds)
        process = context.Process(target=serve, args=arguments, daemon=True)
        process.start()
        there.close()
        return _Worker(process, here)


class _Crew:
    """The processes of one call of `parse`, and what is left to do."""

    def __init__(self, parser: Parser, n_workers: int, n_jobs: int) -> None:
        self.parser = parser
        self.workers = [parser.start() for _ in range(n_workers)]
        self.todo: deque[_Piece] = deque()
        self.done: dict[int, list[JobResult]] = {number: [] for number in range(n_jobs)}
        self.pieces: Counter[int] = Counter()
        self.deaths: Counter[str] = Counter()
        limit = parser.settings.file_seconds
        self.seconds = 2 * limit + GRACE_SECONDS

    def work(self, jobs: list[list[Candidate]]) -> Iterator[JobResult]:
        handed_out = 0
        for number in range(len(jobs)):
            while handed_out < len(jobs) and handed_out < number + AHEAD * len(self.workers):
                self._add(_Piece(handed_out, jobs[handed_out]))
                handed_out += 1
            while self.pieces[number]:
                self._turn()
            yield from self.done.pop(number)

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()

    def _add(self, piece: _Piece) -> None:
        self.todo.append(piece)
        self.pieces[piece.job] += 1

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
                limit = self.seconds if worker.is_ready else START_SECONDS
                is_alive = worker.piece is None or time.monotonic() - worker.since < limit
            if not is_alive:
                self.workers[number] = self._replace(worker)

    def _tell(self, worker: _Worker) -> None:
        assert worker.piece is not None  # noqa: S101 - the caller just set it
        with contextlib.suppress(OSError):  # it died while idle: hearing from it says so
            worker.connection.send(worker.piece.candidates)

    def _hear(self, worker: _Worker) -> bool:
        """Take one message of a process: the number of the file it begins, or its piece's result. False: it died."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            return False
        worker.since = time.monotonic()
        worker.is_ready = True
        if isinstance(message, JobResult):
            assert worker.piece is not None  # noqa: S101 - only a process with a piece is listened to
            self._finish(worker.piece.job, message)
            worker.piece = None
        elif message != READY:
            worker.at = message
        return True

    def _finish(self, job: int, *results: JobResult) -> None:
        self.done[job] += results
        self.pieces[job] -= 1

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


def _jobs(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    job: list[Candidate] = []
    size = 0
    for candidate in candidates:
        if job and (len(job) >= JOB_FILES or size + candidate.size > JOB_BYTES):
            yield job
            job, size = [], 0
        job.append(candidate)
        size += candidate.size
    if job:
        yield job
