"""Find files and read them safely: regular files only, never through a link, whole and unchanged while read."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

from etl import files_twin
from etl.errors import UnreadableInputError

Answer = TypeVar("Answer")
Given = TypeVar("Given")
#: Names of folders and files that are being written: rename makes them visible.
PARTIAL_SUFFIXES = (".part", ".tmp", ".partial", ".filepart")


class Candidate(NamedTuple):
    """A file seen by a scan, with what tells whether it changed. Its path may be a URL, with its service's address."""

    path: str
    size: int
    modified_ns: int
    endpoint: str = ""

    @property
    def name(self) -> str:
        """The path as text that can be stored: octets that are no UTF-8 are written out."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")


class UnsafeFileError(Exception):
    """Not a plain file of its own, or it changed while it was read. Carries a reason word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLargeError(Exception):
    """More bytes than a parser process may hold."""


def named(text: str) -> Path | str:
    """An input as the command line names it: a path, or a URL that is none."""
    if "://" not in text:
        return Path(text)
    kind, _, rest = text.partition("://")
    return Path(unquote(rest)) if kind == "file" else text


def scan(paths: Iterable[Path | str], endpoint: str = "") -> Iterator[Candidate]:
    """Regular files below `paths`, sorted by path within a folder. Raises UnreadableInputError for a path not there.

    Paths are told from the root, so that a file is known again from whichever folder it is named. A string is a URL, as
    `named` tells; `endpoint` is the address of an S3 service other than Amazon's.
    """
    for path in paths:
        if isinstance(path, str):
            from etl.store.inputs import listed  # noqa: PLC0415 - only who keeps files elsewhere needs it

            start = len(path.rstrip("/"))
            yield from (Candidate(*one, endpoint) for one in listed(path, endpoint) if not _is_partial(one[0][start:]))
        else:
            yield from _scan_path(Path(os.path.abspath(path)))  # links are not followed


def _is_partial(names: str) -> bool:
    return any(name.startswith(".") or name.endswith(PARTIAL_SUFFIXES) for name in names.split("/"))


def _scan_path(path: Path) -> Iterator[Candidate]:
    try:
        info = path.stat(follow_symlinks=False)
    except OSError as error:
        raise UnreadableInputError(f"{path}: {error.strerror}") from error
    if stat.S_ISDIR(info.st_mode):
        yield from _scan_folder(str(path))
    elif stat.S_ISREG(info.st_mode):
        yield Candidate(str(path), info.st_size, info.st_mtime_ns)
    else:
        raise UnreadableInputError(f"{path}: not a regular file or folder")


def _scan_folder(folder: str) -> Iterator[Candidate]:
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda e: e.name)
    except OSError as error:
        raise UnreadableInputError(f"{folder}: {error.strerror}") from error
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith(PARTIAL_SUFFIXES):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _scan_folder(entry.path)
            elif entry.is_file(follow_symlinks=False):
                info = entry.stat(follow_symlinks=False)
                yield Candidate(entry.path, info.st_size, info.st_mtime_ns)
        except FileNotFoundError:  # taken away between listing and looking: the next scan sees what is there
            continue


def read_file(candidate: Candidate, most_bytes: int) -> bytes:
    """All bytes of a file. Raises TooLargeError beyond `most_bytes`, else UnsafeFileError as `Opened`."""
    if candidate.size > most_bytes:
        raise TooLargeError
    return read_head(candidate, candidate.size)


def read_head(candidate: Candidate, most_bytes: int) -> bytes:
    """The first bytes of a file that is as the scan saw it. Raises UnsafeFileError as `Opened`."""
    with opened(candidate) as file:
        return file.head(most_bytes)


def opened(candidate: Candidate) -> Opened:
    """The file of a path or URL, as `Opened`."""
    return Opened(candidate) if candidate.path.startswith("/") else Elsewhere(candidate)


#: Reads on: position and number of octets -> octets, fewer where the file ends or too many were asked for.
Fetch = Callable[[int, int], bytes]


def begun(
    candidate: Candidate, most_bytes: int, work: Callable[[bytes, int, Given, Fetch], Answer | None], given: Given
) -> tuple[Answer, bytes] | Opened:
    """What `work` (first octets, size, `given`, fetch) tells of a file that is as the scan saw it before and after.

    With it the octets. The file, open, where it tells nothing or was not asked. Raises UnsafeFileError as `Opened`.
    """
    if (kernel := files_twin.KERNEL) is None or not candidate.path.startswith("/"):
        return opened(candidate)
    size = candidate.size
    try:
        told = kernel.begin(candidate.path, min(size, most_bytes), size, candidate.modified_ns, work, given)
    except Exception:  # noqa: BLE001 - whoever reads on meets it, too
        return opened(candidate)
    if isinstance(told, str):
        raise UnsafeFileError(told)
    answer, first = told
    return Opened(candidate, (answer, first)) if isinstance(answer, int) else (answer, first)


class Opened:
    """A file, open for reading, that is as the scan saw it when it is opened and when it is closed.

    Raises UnsafeFileError: `vanished`, `not_regular`, `linked`, `changing` or `read_error`.
    """

    __slots__ = ("candidate", "first", "handle")

    def __init__(self, candidate: Candidate, begun: tuple[int, bytes] | None = None) -> None:
        self.candidate, self.first = candidate, b""
        if begun is not None:
            self.handle, self.first = begun
            return
        if (kernel := files_twin.KERNEL) is not None:
            self.handle = kernel.open(candidate.path)
            if isinstance(self.handle, str):
                raise UnsafeFileError(self.handle)
            return
        try:
            self.handle = os.open(candidate.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise UnsafeFileError("vanished") from error
        except OSError as error:
            raise UnsafeFileError("not_regular") from error
        try:
            info = os.fstat(self.handle)
            if not stat.S_ISREG(info.st_mode):
                raise UnsafeFileError("not_regular")
            if info.st_nlink != 1:
                raise UnsafeFileError("linked")
        except BaseException:
            os.close(self.handle)
            raise

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_raised: object) -> None:
        seen = self.candidate
        if (kernel := files_twin.KERNEL) is not None:
            is_same = kernel.close(self.handle, seen.size, seen.modified_ns)
        else:
            try:
                info = os.fstat(self.handle)
            finally:
                os.close(self.handle)
            is_same = (info.st_size, info.st_mtime_ns) == (seen.size, seen.modified_ns)
        if kind is None and not is_same:
            raise UnsafeFileError("changing")

    def head(self, most_bytes: int) -> bytes:
        """The first bytes, up to `most_bytes`."""
        n_bytes = min(self.candidate.size, most_bytes)
        data = self.first if len(self.first) == n_bytes else self.part(0, n_bytes)
        if len(data) != n_bytes:
            raise UnsafeFileError("changing")
        return data

    def part(self, at: int, n_bytes: int) -> bytes:
        """The bytes from `at`; fewer where the file ends. One call of the system is enough unless it is huge."""
        try:
            if (kernel := files_twin.KERNEL) is not None:
                told: bytes = kernel.read(self.handle, n_bytes, at)
                return told
            data = os.pread(self.handle, n_bytes, at)
            if len(data) == n_bytes or not data:
                return data
            parts, n = [data], len(data)
            while n < n_bytes and (data := os.pread(self.handle, n_bytes - n, at + n)):
                parts.append(data)
                n += len(data)
        except OSError as error:
            raise UnsafeFileError("read_error") from error
        return b"".join(parts)


class Elsewhere(Opened):
    """A file at a URL, read through fsspec; as `Opened`."""

    __slots__ = ("remote",)

    def __init__(self, candidate: Candidate) -> None:
        from etl.store.inputs import Remote  # noqa: PLC0415 - only who keeps files elsewhere needs it

        self.candidate, self.first = candidate, b""
        self.remote = Remote(candidate.path, candidate.endpoint, (candidate.size, candidate.modified_ns))

    def __exit__(self, kind: type[BaseException] | None, *_raised: object) -> None:
        if kind is None:
            self._told(self.remote.check)

    def part(self, at: int, n_bytes: int) -> bytes:
        """The bytes from `at`; fewer where the file ends."""
        return self._told(lambda: self.remote.part(at, n_bytes))

    @staticmethod
    def _told(ask: Callable[[], Answer]) -> Answer:
        from etl.store.inputs import RemoteError  # noqa: PLC0415

        try:
            return ask()
        except RemoteError as error:
            raise UnsafeFileError(error.reason) from error


def settle(candidates: list[Candidate], seconds: float) -> None:
    """Wait until the youngest file is `seconds` old, so that one still being written is seen to change when read."""
    youngest = max((c.modified_ns for c in candidates), default=0)
    time.sleep(min(max(youngest / 1e9 + seconds - time.time(), 0), seconds))
