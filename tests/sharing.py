"""What is slow to make is made once for all test workers of a run."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def shared_base(factory: pytest.TempPathFactory) -> Path:
    """The folder that all test workers of this run share."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def made_once(base: Path, name: str, make: Callable[[Path], None]) -> Path:
    """`base/name`, filled by the first worker that asks; the others wait for it and must only read it."""
    folder = base / name
    with _alone(base / f"{name}.lock"):
        if not (base / f"{name}.done").exists():
            make(folder)
            (base / f"{name}.done").touch()
    return folder


@contextmanager
def used_together(base: Path, name: str, begin: Callable[[], str], end: Callable[[str], None]) -> Iterator[str]:
    """What `begin` tells of what it began, for the block; the first worker that asks begins it, the last that goes
    ends it with what was told."""
    told = base / f"{name}.told"
    with (base / f"{name}.use").open("w") as use:
        with _alone(base / f"{name}.lock"):
            fcntl.flock(use, fcntl.LOCK_SH)
            if not told.exists():
                told.write_text(begin(), "utf-8")
        try:
            yield told.read_text("utf-8")
        finally:
            with _alone(base / f"{name}.lock"), suppress(BlockingIOError):  # others use it still
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                end(told.read_text("utf-8"))
                told.unlink()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
