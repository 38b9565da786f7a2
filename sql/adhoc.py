"""A person's own statement over a snapshot: one process a statement, limited, cancellable, ended by the clock.

The statement and its values are never logged: they go into the process by its input, and its answer comes back by a
pipe as Arrow.
"""

from __future__ import annotations

import io
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl

from sql.adhoc_limits import Limits, command, environment

#: Signs of a statement at most.
MAX_STATEMENT = 100_000
#: Bytes of an answer beyond those of its rows: names, types, and what Arrow adds.
_ROOM = 2 * 2**20
#: Seconds between two looks whether somebody cancelled.
_LOOK = 0.2


class AdhocError(RuntimeError):
    """A statement without an answer. `problem` says why: refused, engine, memory, too_large, seconds, cancelled, died.

    The text is the engine's own or says what is refused; `at` and `to` are its place in the statement, in UTF-16 units.
    """

    def __init__(self, problem: str, message: str = "", at: int | None = None, to: int | None = None) -> None:
        super().__init__(message)
        self.problem, self.at, self.to = problem, at, to


@dataclass(frozen=True, slots=True)
class Rows:
    """A statement's answer: a frame whose names differ, the names and types as the engine tells them, what cut it
    (empty, rows or bytes), and the seconds that the engine took."""

    frame: pl.DataFrame
    names: tuple[str, ...]
    types: tuple[str, ...]
    cut: str
    seconds: float


def _never() -> bool:
    return False


def run(
    snapshot: Path, statement: str, limits: Limits | None = None, is_cancelled: Callable[[], bool] = _never
) -> Rows:
    """The rows of a statement over a snapshot's file. Raises AdhocError.

    It takes at most `limits.seconds`, or until `is_cancelled`, which is asked some times a second; its process is gone
    when this returns.
    """
    limits = limits or Limits()
    if len(statement) > MAX_STATEMENT:
        raise AdhocError("refused", f"A statement has at most {MAX_STATEMENT:,} characters.")
    asked = json.dumps({"statement": statement, "limits": asdict(limits)}).encode("ascii") + b"\n"
    process = subprocess.Popen(  # noqa: S603 - our own words; the statement goes by the input
        command(snapshot), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment(), cwd="/", start_new_session=True, bufsize=0,
    )  # fmt: skip
    try:
        answer = _exchanged(process, asked, limits, is_cancelled)
    finally:
        _end(process)
    return _read(answer)


def _exchanged(
    process: subprocess.Popen[bytes], asked: bytes, limits: Limits, is_cancelled: Callable[[], bool]
) -> bytes:
    """All that a process answers. Its input stays open meanwhile: it ends where that is closed."""
    end = time.monotonic() + limits.seconds
    answer = bytearray()
    into, out = _pipes(process)
    with selectors.DefaultSelector() as ready:
        ready.register(out, selectors.EVENT_READ)
        ready.register(into, selectors.EVENT_WRITE)
        while True:
            if is_cancelled():
                raise AdhocError("cancelled")
            left = end - time.monotonic()
            if left <= 0:
                raise AdhocError("seconds")
            for key, _ in ready.select(min(left, _LOOK)):
                if key.fileobj is into:
                    asked = _written(into, asked)
                    if not asked:
                        ready.unregister(into)
                    continue
                part = os.read(out.fileno(), 2**16)
                if not part:
                    return bytes(answer)
                answer += part
            if len(answer) > limits.bytes + _ROOM:
                raise AdhocError("too_large")


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:  # pragma: no cover - both are asked for
        raise AdhocError("died")
    os.set_blocking(process.stdin.fileno(), False)
    return process.stdin, process.stdout


def _written(into: IO[bytes], asked: bytes) -> bytes:
    """What is left to write; nothing where the process is gone, which its output tells."""
    try:
        return asked[os.write(into.fileno(), asked[:4096]) :]
    except BlockingIOError:
        return asked
    except BrokenPipeError:
        return b""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it may have started, and let go of its pipes."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


def _read(answer: bytes) -> Rows:
    """The rows of an answer. Raises AdhocError where it says that there are none, or is cut off."""
    line, _, rows = answer.partition(b"\n")
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:  # it died: the system's bounds are the usual reason
        raise AdhocError("died") from None
    if "problem" in told:
        raise AdhocError(told["problem"], told["message"], told.get("at"), told.get("to"))
    try:
        frame = pl.read_ipc_stream(io.BytesIO(rows), use_pyarrow=False)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        raise AdhocError("died") from None
    return Rows(frame, tuple(told["names"]), tuple(told["types"]), told["cut"], float(told["seconds"]))
