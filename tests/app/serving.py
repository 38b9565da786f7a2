"""Servers over the homes of tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import REPO
from tests.sharing import used_together

#: A server that makes no view before somebody asks for it: to make all takes longer than most tests.
UNASKED = "from app.warm import Warmer; Warmer.start = lambda *_: None; "


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


#: Ports of servers that this process has ended.
_LEFT: list[int] = []


def same_port() -> int:
    """The port of a server before, so that a browser has this one's files already; a free one where that is taken."""
    while _LEFT:
        port = _LEFT.pop()
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself does
            probe.bind(("127.0.0.1", port))
            return port
    return free_port()


def started(published: Path, port: int, *, workers: int = 2, is_warm: bool = True) -> subprocess.Popen[bytes]:
    """A server over a folder of snapshots, once it answers."""
    code = "" if is_warm else UNASKED
    code += "from pathlib import Path; from app.server import serve; "
    code += f"serve(Path({str(published)!r}), port={port}, workers={workers})"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=REPO)
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                assert answer.status == 200
                return process
        except (urllib.error.URLError, TimeoutError):
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
    process.terminate()
    raise AssertionError("the server does not answer")


@contextmanager
def serving(published: Path) -> Iterator[str]:
    """Address of a small server for the block; it must end well."""
    port = same_port()
    process = started(published, port, workers=1, is_warm=False)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0
        _LEFT.append(port)


@contextmanager
def serving_all(base: Path, published: Path) -> Iterator[str]:
    """Address of a server of two processes that all test workers of this run share."""

    def begin() -> str:
        port = free_port()
        _BEGUN.append(started(published, port, is_warm=False))
        return f"{_BEGUN[-1].pid} {port}"

    with used_together(base, "app-server", begin, lambda told: os.kill(int(told.split()[0]), signal.SIGTERM)) as told:
        yield f"http://127.0.0.1:{told.split()[1]}"


#: Servers that this process has begun; another one may end them.
_BEGUN: list[subprocess.Popen[bytes]] = []
