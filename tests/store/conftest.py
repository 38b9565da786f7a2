"""Places of every kind, among them an S3-compatible server (moto) that a test worker starts on loopback."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.home import Home
from etl.store import Place, open_place
from tests.published import Published
from tests.s3_server import BUCKET, s3_server
from tests.sharing import made_once, shared_base
from tests.store.scopes_made import publish_scopes_of, scoped_home


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Address of a server of S3's protocol with an empty bucket."""
    with s3_server() as address:
        yield address


@pytest.fixture(params=["path", "file", "memory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place, of each kind in turn."""
    return _empty(request, tmp_path)


@pytest.fixture(params=["path", "s3"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place that several hosts can reach: a folder, then S3."""
    return _empty(request, tmp_path)


def _empty(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    unique = secrets.token_hex(6)
    if request.param == "s3":
        return open_place(f"s3://{BUCKET}/{unique}", request.getfixturevalue("s3"))
    urls = {"path": str(tmp_path / "place"), "file": f"file://{tmp_path}/place", "memory": f"memory://{unique}"}
    return open_place(urls[request.param])


@pytest.fixture(scope="session")
def scoped(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the published network with its scopes; read only."""
    base = shared_base(tmp_path_factory)
    return scoped_home(published, made_once(base, "scoped", lambda root: publish_scopes_of(published, root)))
