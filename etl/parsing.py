"""What one parser process does: read files, tell their standard, parse, hash each message, and hand over columns.

Everything hostile happens here: in a disposable process with a memory limit, under a time limit a file. A file that
cannot be used becomes a `Rejected` row with a reason, never an exception.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from multiprocessing.connection import Connection
from operator import attrgetter
from typing import Any

import polars as pl

from etl.deadline import Deadline, TooSlow, alarm
from etl.handover import hand_over, taken
from etl.heads import SMALL_BYTES, header_of
from etl.inbox import Candidate, TooLargeError, UnsafeFileError, read_file, read_head
from etl.records import Parsed, Rejected
from etl.row_frames import Collected, collect, frames
from etl.site import Site
from etl.sources import STANDARDS, sniff, source

#: Why a whole file is unusable, beside the sources' own reasons.
REASONS: dict[str, str] = {
    "empty": "the file has no bytes",
    "unknown_format": "neither HL7 v2 nor DICOM nor FHIR by content",
    "too_slow": "parsing took longer than the time limit",
    "too_much_memory": "parsing needed more than the memory limit",
    "parser_failed": "the parser met something it does not handle; a bug to report",
    "parser_crashed": "two parser processes died or hung on this file",
    "too_large": "larger than half the memory limit of a parser process",
}
#: Octets of messages after which a job ends before its last file: bounds memory.
JOB_BYTES = 4 << 20
KEEP_BYTES = 16 * 1024 * 1024  # of a rejected message
HASH_BYTES = 16


@dataclass(slots=True)
class FileResult:
    """One file's outcome: the ledger's numbers, a hash a message, and what was rejected with its bytes.

    `n_bytes` are those of its messages, which of an image are those of its header; `hashed` are their hashes, one after
    the other. Files come in millions: nothing here is a container of its own where nothing was rejected.
    """

    candidate: Candidate
    file_id: str = ""
    standard: str | None = None
    skipped: str = ""
    n_read: int = 0
    n_bytes: int = 0
    hashed: bytes = b""
    rejected: tuple[tuple[Rejected, bytes], ...] = ()
    defects: tuple[tuple[int, str, str], ...] = ()

    @property
    def hashes(self) -> list[bytes]:
        """One of each message, by position."""
        return [self.hashed[at : at + HASH_BYTES] for at in range(0, len(self.hashed), HASH_BYTES)]


@dataclass(slots=True)
class JobResult:
    """Outcome of a job: its files, and their rows as one frame a record type with `file_id` as a column."""

    files: list[FileResult] = field(default_factory=list)
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)


#: A JobResult on its way to the writer, which has the candidates: the other values of its files by column, the frames.
Packed = tuple[list[tuple[Any, ...]], dict[str, pl.DataFrame]]
_TOLD = attrgetter(*(told.name for told in fields(FileResult)[1:]))


def packed(result: JobResult) -> Packed:
    """What tells the result to whoever has its candidates, in few objects."""
    return list(zip(*map(_TOLD, result.files), strict=True)), result.frames


def unpacked(told: Packed, candidates: list[Candidate]) -> JobResult:
    """The result of a job of these candidates, of which the last may not have been parsed."""
    return JobResult(list(map(FileResult, candidates, *told[0])), told[1])


#: What a process says first, when it can take work.
READY = -1
#: Octets of the number of a file in the pipe of marks.
MARK_BYTES = 4


def serve(connection: Connection, marks: Connection, site: Site, memory_mb: int, seconds: float) -> None:
    """Life of a parser process: lists of candidates in, packed results out, the number of each file begun to `marks`.

    Nobody need listen to these: they are read where a process died or may hang. Ends when the other side is gone.
    """
    limit_process(memory_mb)
    for standard in STANDARDS:  # loading them is no file's fault
        source(standard)
    handle = marks.fileno()
    os.set_blocking(handle, False)

    def begin(number: int) -> None:
        with contextlib.suppress(BlockingIOError):  # full: those before are enough
            os.write(handle, number.to_bytes(MARK_BYTES, "little"))

    try:
        hand_over(connection, READY)
        gc.freeze()  # what is loaded now lives as long as the process: no collection need look at it
        while True:
            candidates = list(map(Candidate, *taken(connection)))
            hand_over(connection, packed(run_job(candidates, site, seconds, memory_mb << 19, begin)))
    except (EOFError, OSError):  # the writer closed its end or was killed
        return


def limit_process(memory_mb: int) -> None:
    """Bound this process's address space; called once when a parser process starts."""
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def message_hash(data: bytes) -> bytes:
    """HASH_BYTES octets that name a message's content."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()


def parse_bytes(data: bytes, site: Site, seconds: float) -> tuple[Parsed, list[bytes]]:
    """Records of `data` and the bytes of each of its messages. What fails as a whole is one rejected message."""
    with alarm():
        return _parse_bytes(data, site, seconds)


def _parse_bytes(data: bytes, site: Site, seconds: float) -> tuple[Parsed, list[bytes]]:
    standard = sniff(data)
    if standard is None:
        return _whole("empty" if not data else "unknown_format", data, "unknown")
    try:
        with Deadline(seconds):
            chosen = source(standard)
            parsed = chosen.parse(data, site)
            messages = chosen.messages(data)
    except TooSlow:
        return _whole("too_slow", data, standard)
    except MemoryError:
        return _whole("too_much_memory", data, standard)
    except Exception as error:  # noqa: BLE001 - the night goes on; the file is kept with the kind of error as its reason
        return _whole("parser_failed", data, standard, type(error).__name__)
    if len(messages) != parsed.read:
        return _whole("parser_failed", data, standard, f"{parsed.read} read but {len(messages)} found")
    return parsed, messages


def _whole(reason: str, data: bytes, standard: str, detail: str = "") -> tuple[Parsed, list[bytes]]:
    return Parsed(standard, read=1, rejected=[Rejected(0, reason, detail)]), [data]


def run_job(
    candidates: list[Candidate],
    site: Site,
    seconds: float,
    most_bytes: int,
    begin: Callable[[int], None] = lambda _number: None,
    first: int = 0,
) -> JobResult:
    """Parse files one after the other until JOB_BYTES of messages; rows of these in one frame a record type.

    `begin` hears the number of each file before it is read; that of the first is `first`.
    """
    result = JobResult()
    collected: Collected = {}
    n_bytes = 0
    with alarm():
        for number, candidate in enumerate(candidates, first):
            begin(number)
            try:
                told = _from_head(candidate, site, seconds) if SMALL_BYTES < candidate.size <= most_bytes else None
                file_id, parsed, messages, hashed = told or _from_all(read_file(candidate, most_bytes), site, seconds)
            except TooLargeError:
                result.files.append(rejected_unread(candidate, "too_large"))
                continue
            except UnsafeFileError as error:
                result.files.append(FileResult(candidate, skipped=error.reason))
                continue
            result.files.append(file_result(candidate, file_id, parsed, messages, hashed))
            collect(collected, file_id, parsed)
            n_bytes += result.files[-1].n_bytes
            if n_bytes >= JOB_BYTES:
                break
    try:
        result.frames = frames(collected)
    except (ValueError, OverflowError, TypeError, pl.exceptions.PolarsError) as error:  # a value no column can hold
        done = candidates[: len(result.files)]
        if len(done) == 1:
            return JobResult([rejected_unread(done[0], "parser_failed", type(error).__name__)])
        return merged([run_job([c], site, seconds, most_bytes, begin, n) for n, c in enumerate(done)])
    return result


#: One file: its id, its records, the bytes of each message and, where they are known, their hashes in one.
_Told = tuple[str, Parsed, list[bytes], bytes]


def _from_all(data: bytes, site: Site, seconds: float) -> _Told:
    return hashlib.sha256(data).hexdigest(), *_parse_bytes(data, site, seconds), b""


def _from_head(candidate: Candidate, site: Site, seconds: float) -> _Told | None:
    """A file of which the first part says all: images, whose pixels are not read. None: read all of it.

    It is named by its header and its size; files that differ in their pixels alone are the same message anyway.
    """
    told = header_of(candidate, site, seconds)
    if told is None:
        return None
    hashed = message_hash(told[1])
    named = hashed + candidate.size.to_bytes(8, "big")
    return hashlib.sha256(named).hexdigest(), told[0], [told[1]], hashed


def merged(results: list[JobResult]) -> JobResult:
    """Results as one: their files in order, their rows together."""
    records = {record for result in results for record in result.frames}
    return JobResult(
        [file for result in results for file in result.files],
        {name: pl.concat([r.frames[name] for r in results if name in r.frames]) for name in records},
    )


def rejected_unread(candidate: Candidate, reason: str, detail: str = "") -> FileResult:
    """A file rejected as a whole, named by its first bytes and its size, kept as far as quarantine goes."""
    try:
        head = read_head(candidate, KEEP_BYTES)
    except UnsafeFileError as error:
        return FileResult(candidate, skipped=error.reason)
    named = head if candidate.size <= KEEP_BYTES else head + candidate.size.to_bytes(8, "big")
    return FileResult(
        candidate,
        file_id=hashlib.sha256(named).hexdigest(),
        standard="unknown",
        n_read=1,
        n_bytes=len(head),
        hashed=message_hash(named),
        rejected=((Rejected(0, reason, detail), head),),
    )


def file_result(
    candidate: Candidate, file_id: str, parsed: Parsed, messages: list[bytes], hashed: bytes = b""
) -> FileResult:
    """The ledger's view of a parsed file."""
    return FileResult(
        candidate,
        file_id=file_id,
        standard=parsed.standard,
        n_read=parsed.read,
        n_bytes=sum(map(len, messages)),
        hashed=hashed or b"".join(map(message_hash, messages)),
        rejected=tuple((r, messages[r.position][:KEEP_BYTES]) for r in parsed.rejected),
        defects=tuple((d.position, d.field, d.reason) for d in parsed.defects),
    )
