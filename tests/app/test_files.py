"""Files of the browser: for ever under names of their content, compressed, and no chart library but our own part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from plotly.offline import get_plotlyjs_version

from app.files import ASSETS, CHARTS
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
    """All files, the layout and a page with charts, as they are sent: 1.2 MB at most."""
    more = ["/", "/_dash-layout", "/_dash-dependencies", "/_dash-component-suites/dash/dcc/async-graph.js",
            "/view/workload"]  # fmt: skip
    sent = {path: len(client.get(path, headers=BROWSER).data) for path in [*files(client), *more]}
    assert sum(sent.values()) < 1_200_000
    assert sum("plotly" in path for path in sent) == 1


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


def test_the_part_of_plotly_is_of_the_version_that_python_writes_for() -> None:
    assert f"plotly-{get_plotlyjs_version()}.min.js" == CHARTS
    assert [path.name for path in ASSETS.glob("plotly*")] == [CHARTS]
    assert get_plotlyjs_version() in (ASSETS / CHARTS).read_text("utf-8")


def test_the_part_of_plotly_has_every_kind_of_trace_that_a_figure_draws() -> None:
    text = (ASSETS / CHARTS).read_text("utf-8")
    drawn = {
        kind
        for path in (REPO / "app" / "figures").glob("*.py")
        for kind in re.findall(r"made\.add\(\s*\"(\w+)\"", path.read_text("utf-8"))
    }
    assert drawn >= {"scatter", "bar", "heatmap"}
    assert {kind for kind in drawn if f'moduleType:"trace",name:"{kind}"' not in text} == set()
