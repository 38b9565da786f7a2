"""Bounded, disposable parser processes: if one dies, its files are tried again alone, and twice dead is quarantined."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from etl.inbox import Candidate, UnsafeFileError, read_file
from etl.parsing import KEEP_BYTES, FileResult, JobResult, limit_process, message_hash, run_job
from etl.records import Rejected
from etl.settings import Settings
from etl.site import Site

#: A job is small enough to balance two processes and large enough to hide the hand-over.
JOB_FILES, JOB_BYTES = 200, 4 * 1024 * 1024
AHEAD = 2  # jobs in flight a process: bounds memory


@dataclass(frozen=True)
class Parser:
    """Parses candidates in processes as the settings bound them."""

    settings: Settings
    site: Site

    def _executor(self, n_files: int) -> ProcessPoolExecutor:
        wanted = self.settings.workers or os.cpu_count() or 1
        return ProcessPoolExecutor(
            max_workers=max(1, min(wanted, -(-n_files // JOB_FILES))),
            mp_context=multiprocessing.get_context("spawn"),  # a forked child would inherit the writer's lock
            initializer=limit_process,
            initargs=(self.settings.worker_memory_mb,),
        )

    def parse(self, candidates: list[Candidate]) -> Iterator[JobResult]:
        """Results in the order of `candidates`, a job at a time."""
        jobs = list(_jobs(candidates))
        executor = self._executor(len(candidates))
        width = AHEAD * (self.settings.workers or os.cpu_count() or 1)
        waiting: list[tuple[list[Candidate], Future[JobResult]]] = []
        try:
            while jobs or waiting:
                while jobs and len(waiting) < width:
                    job = jobs.pop(0)
                    waiting.append((job, executor.submit(run_job, job, self.site, self.settings.file_seconds)))
                job, future = waiting.pop(0)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    executor.shutdown(wait=False, cancel_futures=True)
                    yield from self._one_by_one([c for j in (job, *(j for j, _ in waiting)) for c in j])
                    waiting.clear()
                    executor = self._executor(len(candidates))
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _one_by_one(self, candidates: list[Candidate]) -> Iterator[JobResult]:
        executor = self._executor(1)
        try:
            for candidate in candidates:
                try:
                    yield executor.submit(run_job, [candidate], self.site, self.settings.file_seconds).result()
                except BrokenProcessPool:
                    executor.shutdown(wait=False)
                    executor = self._executor(1)
                    yield JobResult([_crashed(candidate)])
        finally:
            executor.shutdown(wait=True)


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


def _crashed(candidate: Candidate) -> FileResult:
    try:
        data = read_file(candidate)
    except UnsafeFileError as error:
        return FileResult(candidate, skipped=error.reason)
    rejected = [(Rejected(0, "parser_crashed"), data[:KEEP_BYTES])]
    file_id = hashlib.sha256(data).hexdigest()
    return FileResult(candidate, file_id, "unknown", n_read=1, hashes=[message_hash(data)], rejected=rejected)
