"""Files of the browser: for ever under names of their content, compressed, and no chart library but our own part."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from plotly.offline import get_plotlyjs_version

from app.files import PART, charts
from app.server import create_app
from tests.conftest import REPO

FOR_EVER = "public, max-age=31536000, immutable"
BROWSER = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture(scope="module")
def client(home: Path) -> FlaskClient:
    return create_app(home / "published").server.test_client()


def files(client: FlaskClient) -> list[str]:
    """What the page around everything loads, and the charts."""
    page = client.get("/").get_data(as_text=True)
    return re.findall(r'(?:src|href|data-charts)="(/[^"]+)"', page)


def test_every_file_of_the_page_is_kept_for_ever_and_compressed(client: FlaskClient) -> None:
    asked = files(client)
    assert len(asked) > 12
    for path in asked:
        answer = client.get(path, headers=BROWSER)
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == FOR_EVER, path
        assert answer.headers["Content-Encoding"] == "br", path
        again = client.get(path, headers={**BROWSER, "If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


def test_a_first_load_with_charts_is_small(client: FlaskClient) -> None:
    """All files, the layout and a page with charts, as they are sent: beside plotly.js, which comes once, 0.6 MB."""
    more = ["/", "/_dash-layout", "/_dash-dependencies", "/_dash-component-suites/dash/dcc/async-graph.js",
            "/view/workload"]  # fmt: skip
    sent = {path: len(client.get(path, headers=BROWSER).data) for path in [*files(client), *more]}
    (charts_path,) = (path for path in sent if "plotly" in path)
    assert sum(sent.values()) - sent[charts_path] < 600_000
    assert sent[charts_path] < 1_300_000


def test_a_name_of_another_content_is_not_kept(client: FlaskClient) -> None:
    path = next(path for path in files(client) if path.endswith("radops.js"))
    assert re.fullmatch(r"/files/[0-9a-f]{24}/radops.js", path)
    old = client.get("/files/000000000000000000000000/radops.js")
    assert old.data == client.get(path).data
    assert old.headers["Cache-Control"] == "private, no-cache"
    assert client.get("/files/0/nothing.js").status_code == 404
    assert b"create_app" not in client.get("/files/0/..%2Fserver.py").data  # the page around everything


def test_a_file_without_a_version_in_its_name_is_asked_for_again(client: FlaskClient) -> None:
    answer = client.get("/_dash-component-suites/dash/dcc/async-graph.js", headers=BROWSER)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["ETag"]


def test_a_part_of_plotly_is_sent_only_where_it_is_of_the_version_that_python_writes_for(tmp_path: Path) -> None:
    whole = charts(tmp_path)
    assert get_plotlyjs_version() in whole[:300].decode()
    part = tmp_path / PART
    part.write_text(f"/*! plotly.js v{get_plotlyjs_version()}, the parts */")
    assert charts(tmp_path) == part.read_bytes()
    part.write_text("/*! plotly.js v1.0.0, the parts */")
    assert charts(tmp_path) == whole


def test_the_part_of_plotly_has_every_kind_of_trace_that_a_figure_draws() -> None:
    bundled = {
        "scatter",
        *re.findall(r"plotly\.js/lib/(\w+)", (REPO / "app" / "charts" / "charts.js").read_text("utf-8")),
    }
    drawn = {
        kind
        for path in (REPO / "app" / "figures").glob("*.py")
        for kind in re.findall(r"made\.add\(\s*\"(\w+)\"", path.read_text("utf-8"))
    }
    assert drawn >= {"scatter", "bar", "heatmap"}
    assert drawn <= bundled


def test_the_part_is_made_of_the_version_that_python_writes_for_from_packages_with_hashes() -> None:
    own = REPO / "app" / "charts"
    asked = json.loads((own / "package.json").read_text("utf-8"))["dependencies"]
    assert asked["plotly.js"] == get_plotlyjs_version()
    locked = json.loads((own / "package-lock.json").read_text("utf-8"))["packages"]
    assert locked.pop("")["dependencies"] == asked
    assert all("integrity" in package and "resolved" not in package for package in locked.values())
