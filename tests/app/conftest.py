"""One home of the committed sample, made once for all workers, and one server over it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, sync_playwright

from app.context import Context
from app.figures.base import template
from app.figures.chart import Chart
from app.guard import Person
from app.state import State
from sql.snapshot import Store
from tests.app.watching import ARGS
from tests.conftest import REPO, missing
from tests.sharing import made_once, shared_base

CHROMIUM = Path("/usr/bin/chromium")
SAMPLE = REPO / "sample_data" / "sample" / "files"
LOCAL = Person("local", sees_readers=True)


def radops(home: Path, *arguments: str) -> None:
    """Run the command line on a home."""
    done = subprocess.run(
        [sys.executable, "-m", "etl.cli", *arguments],
        cwd=REPO, env={**os.environ, "RADOPS_HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 12), done.stdout + done.stderr


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one snapshot; read only."""
    return made_once(shared_base(tmp_path_factory), "app-home", lambda made: radops(made, "run", str(SAMPLE)))


@pytest.fixture(scope="session")
def store(home: Path) -> Store:
    """The published folder of the home."""
    return Store(home / "published")


@pytest.fixture(scope="session")
def context(store: Store) -> Context:
    """The default view."""
    snapshot = store.current()
    return Context(snapshot, State.read("", snapshot.data_through), LOCAL)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(published: Path, port: int) -> subprocess.Popen[bytes]:
    """A server over a folder of snapshots, once it answers."""
    code = f"from pathlib import Path; from app.server import serve; serve(Path({str(published)!r}), port={port})"
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


@pytest.fixture(scope="session")
def address(home: Path) -> Iterator[str]:
    """Address of a server over the home."""
    port = free_port()
    process = started(home / "published", port)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(30) == 0


def taking(clicks: int = 0) -> dict[str, Any]:
    """What the browser sends for the one callback that the server answers: decisions as a file."""
    ids = [{"kind": "decide-go", "page": "mappings"}]
    return {
        "output": "..file.data...told.children..", "changedPropIds": [],
        "outputs": [{"id": "file", "property": "data"}, {"id": "told", "property": "children"}],
        "inputs": [[{"id": one, "property": "n_clicks", "value": clicks} for one in ids]],
        "state": [[], [], [{"id": {"kind": "decide-by", "part": part}, "property": "value", "value": ""}
                           for part in ("name", "day")],
                  {"id": "url", "property": "search", "value": ""}],
    }  # fmt: skip


def drawn(chart: Chart, scheme: str = "light") -> Any:
    """A chart as plotly's own figure, which refuses what plotly.js does not know."""
    return go.Figure({"data": chart.data, "layout": {**chart.layout, "template": template(scheme)}})


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    if not CHROMIUM.exists():
        missing("Chromium", "apt-get install chromium")
    return CHROMIUM


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    """The one browser of a process: playwright runs once in a thread, so no test starts another."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(chromium), args=ARGS)
        yield launched
        launched.close()
