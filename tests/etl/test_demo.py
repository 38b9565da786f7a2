"""`demo` as a new user sees it: one verb, and pages come."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from tests.conftest import REPO


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def get(port: int, path: str) -> int:
    """Status of a page; 0 while nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return 0
    finally:
        connection.close()


def test_demo_serves_what_it_published(tmp_path: Path) -> None:
    port = free_port()
    settings = {"RADOPS_HOME": str(tmp_path / "home"), "RADOPS_WORKERS": "1"}
    own = {key: value for key, value in os.environ.items() if not key.startswith("RADOPS_")}
    command = [sys.executable, "-m", "etl.cli", "demo", "--exams", "40", "--days", "3", "--port", str(port)]
    with (
        (tmp_path / "out").open("wb") as out,
        subprocess.Popen(command, cwd=REPO, env=own | settings, stdout=out, stderr=out) as server,
    ):
        try:
            while get(port, "/healthz") == 0:
                assert server.poll() is None, (tmp_path / "out").read_text()
                time.sleep(0.2)
            assert (tmp_path / "home" / "published" / "radops.duckdb").exists()
            assert {path: get(port, path) for path in ("/", "/turnaround")} == {"/": 200, "/turnaround": 200}
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
    assert f"http://127.0.0.1:{port}" in (tmp_path / "out").read_text()
