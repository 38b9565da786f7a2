"""Find files and read them safely: regular files only, never through a link, whole and unchanged while read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.errors import UnreadableInputError

#: Names of folders and files that are being written: rename makes them visible.
PARTIAL_SUFFIXES = (".part", ".tmp", ".partial", ".filepart")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file seen by a scan, with what tells whether it changed."""

    path: str
    size: int
    modified_ns: int


class UnsafeFileError(Exception):
    """Not a plain file of its own, or it changed while it was read. Carries a reason word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def scan(paths: Iterable[Path]) -> Iterator[Candidate]:
    """Regular files below `paths`, sorted by path within a folder. Raises UnreadableInputError for a path not there."""
    for path in paths:
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


def read_file(candidate: Candidate) -> bytes:
    """All bytes of a file. Raises UnsafeFileError: `vanished`, `not_regular`, `linked` or `changing`."""
    try:
        handle = os.open(candidate.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise UnsafeFileError("vanished") from error
    except OSError as error:
        raise UnsafeFileError("not_regular") from error
    with os.fdopen(handle, "rb") as file:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise UnsafeFileError("not_regular")
        if before.st_nlink != 1:
            raise UnsafeFileError("linked")
        data = file.read(before.st_size + 1)
        after = os.fstat(handle)
    if len(data) != candidate.size or (after.st_size, after.st_mtime_ns) != (candidate.size, candidate.modified_ns):
        raise UnsafeFileError("changing")
    return data
