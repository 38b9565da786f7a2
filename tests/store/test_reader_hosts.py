"""Hosts that read: `radops serve` takes what was published to S3, and each shows it; a torn object changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from etl.home import Home
from etl.store import open_place, shelf
from etl.store.follow import LOCK
from etl.store.offer import offer
from tests.app.boards import exams, later, publish
from tests.app.serving import free_port, serving
from tests.app.watching import LOADED, Tabs
from tests.conftest import REPO
from tests.s3_server import BUCKET
from tests.store.snapshots_made import home_of


class Host(NamedTuple):
    """One that reads: its home and where its dashboard is."""

    home: Home
    address: str

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=60) as answer:  # noqa: S310 - our own server
                return answer.status, answer.read().decode("utf-8")
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""


def _until(condition: Callable[[], bool], seconds: float = 120) -> None:
    for _ in range(int(seconds * 10)):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


@pytest.fixture
def host(tmp_path: Path, s3: str) -> Iterator[Host]:
    """A host with two processes that has nothing yet."""
    home, port = home_of(tmp_path / "host"), free_port()
    own = {
        "RADOPS_HOME": str(home.root), "RADOPS_PULL_FROM": f"s3://{BUCKET}/hosts", "RADOPS_S3_ENDPOINT": s3,
        "RADOPS_PULL_SECONDS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "etl.cli", "serve", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, cwd=REPO, env=os.environ | own, stderr=subprocess.DEVNULL)
    yield Host(home, f"http://127.0.0.1:{port}")
    process.terminate()
    assert process.wait(60) == 0


def test_a_host_follows_and_never_serves_what_is_torn(host: Host, tmp_path: Path, s3: str) -> None:
    writer, place = home_of(tmp_path / "writer"), open_place(f"s3://{BUCKET}/hosts", s3)
    publish(writer.published, exams(), 1)
    offer(writer, place)
    _until(lambda: host.get("/snapshot") == (200, "000001-test"))
    publish(writer.published, later(), 2, 10)
    path = writer.published / "radops-000002.duckdb"
    torn = shelf.describe(path)
    data = path.read_bytes()
    place.write(torn.object_name, data[: len(data) // 2] + bytes(len(data) - len(data) // 2 - 1) + b"x")
    place.write(torn.name, torn.to_bytes())
    place.write(shelf.POINTER, torn.to_bytes())
    log = host.home.log / "radops.log"
    _until(lambda: "torn or hurt" in log.read_text("ascii"))
    assert host.get("/snapshot") == (200, "000001-test")
    assert host.get("/view/live?_seen=2")[0] == 503, "who has seen a newer one asks another host"
    assert host.get("/view/live?_seen=1")[0] == 200
    os.kill(int((host.home.root / LOCK).read_text("ascii")), 9)  # of the two processes the one that pulls
    place.put(torn.object_name, path)
    _until(lambda: host.get("/snapshot") == (200, "000002-test"))
    assert "000002-test" in host.get("/view/live?_seen=2")[1]
    assert (host.home.published / path.name).read_bytes() == path.read_bytes()
    told = [json.loads(line) for line in log.read_text("ascii").splitlines()]
    assert [line["snapshot"] for line in told if line.get("taken")] == ["000001-test", "000002-test"]


def test_a_page_does_not_go_back_to_a_host_that_lags(tabs: Tabs, tmp_path: Path) -> None:
    """A balancer may send each look to another host: what one has seen is not taken back by one that has it not yet."""
    publish(tmp_path, exams(), 1)
    publish(tmp_path, later(), 2, 10)
    with serving(tmp_path) as at, tabs.watched(at) as seen:
        page, looks, views = seen.page, list[str](), list[str]()
        page.on("request", lambda request: views.append(request.url) if "/view/" in request.url else None)

        def lag(route: object) -> None:
            looks.append("lagged")
            route.fulfill(status=200, body="000001-test")  # type: ignore[attr-defined]

        page.route("**/snapshot*", lag)
        seen.open("/live", "live")
        expect(page.locator("#snapshot-id")).to_have_text("000002-test", timeout=LOADED)
        views.clear()
        _until(lambda: page.wait_for_timeout(100) is None and len(looks) >= 3)
        assert views == []
        assert page.locator("#snapshot-id").inner_text() == "000002-test"
        page.unroute("**/snapshot*")
        publish(tmp_path, exams(), 3, 30)
        expect(page.locator("#snapshot-id")).to_have_text("000003-test", timeout=LOADED)
        assert "_seen=3" in views[0], "a host without it is told to say so"
