"""What is slow to make is made once for all test workers of a run."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def shared_base(factory: pytest.TempPathFactory) -> Path:
    """The folder that all test workers of this run share."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def made_once(base: Path, name: str, make: Callable[[Path], None]) -> Path:
    """`base/name`, filled by the first worker that asks; the others wait for it and must only read it."""
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / f"{name}.done").exists():
            make(folder)
            (base / f"{name}.done").touch()
    return folder
