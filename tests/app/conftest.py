"""One home of the committed sample, made once for all workers, and one server over it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import plotly.graph_objects as go
import pytest

from app.context import Context
from app.figures.base import template
from app.figures.chart import Chart
from app.guard import Person
from app.state import State
from sql.snapshot import Store
from tests.app.serving import serving, serving_all
from tests.app.watching import Tabs, Watched
from tests.conftest import REPO
from tests.sharing import made_once, shared_base

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


@pytest.fixture(scope="session")
def address(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over the home, for all workers."""
    with serving_all(shared_base(tmp_path_factory), home / "published") as at:
        yield at


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


@pytest.fixture
def watched(tabs: Tabs, address: str) -> Iterator[Watched]:
    """A wide page in light colours and English; nothing may have gone wrong on it in the end."""
    with tabs.watched(address) as seen:
        yield seen


class Apart(NamedTuple):
    """A home that a test may change, and a page over it."""

    home: Path
    seen: Watched


@pytest.fixture
def apart(tabs: Tabs, home: Path, tmp_path: Path) -> Iterator[Apart]:
    """A copy of the home with a server of its own; nothing may have gone wrong on the page in the end."""
    own = tmp_path / "home"
    shutil.copytree(home, own, symlinks=True)
    with serving(own / "published") as at, tabs.watched(at) as seen:
        yield Apart(own, seen)
