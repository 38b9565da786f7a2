"""Verbs of the command line in processes forked from one that has loaded it, one such process a test worker."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Fork:
    """A running verb: it leads a process group, and its output goes to two files."""

    pid: int
    out: Path
    err: Path

    def wait(self) -> int:
        """Its exit code, or the signal that ended it as a negative number."""
        return int(_server().ask({"wait": self.pid})["code"])


class _Server:
    def __init__(self) -> None:
        # One thread, so that the fork of a process is whole.
        environment = os.environ | {"PYTHONPATH": str(REPO), "OPENBLAS_NUM_THREADS": "1"}
        self.folder = tempfile.TemporaryDirectory(prefix="radops-forks-")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"], cwd=REPO, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.number = 0
        self._answer()
        atexit.register(self.stop)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline() or '{"ended": true}')
        assert "ended" not in answer, "the process that forks has ended"
        return dict(answer)

    def files(self) -> tuple[Path, Path]:
        """New empty files for what a verb says."""
        self.number += 1
        found = (Path(self.folder.name, f"{self.number}-out"), Path(self.folder.name, f"{self.number}-err"))
        for path in found:
            path.touch()
        return found

    def stop(self) -> None:
        self.process.communicate()
        self.folder.cleanup()


@cache
def _server() -> _Server:
    return _Server()


def start(arguments: Sequence[str], environment: Mapping[str, str], crash: Mapping[str, object] | None = None) -> Fork:
    """Start a verb; `crash` (at, modules, log) kills it before a line, or writes down its lines where `at` is 0; with
    `states` (folder, functions, every) it also leaves copies of its home as kills would."""
    out, err = _server().files()
    request = {"arguments": list(arguments), "environment": dict(environment), "out": str(out), "err": str(err),
               "crash": dict(crash) if crash else None}  # fmt: skip
    return Fork(int(_server().ask({"start": request})["pid"]), out, err)


def run(
    arguments: Sequence[str], environment: Mapping[str, str], crash: Mapping[str, object] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    fork = start(arguments, environment, crash)
    code = fork.wait()
    told = fork.out.read_text("utf-8"), fork.err.read_text("utf-8")
    fork.out.unlink()
    fork.err.unlink()
    return subprocess.CompletedProcess(list(arguments), code, *told)
