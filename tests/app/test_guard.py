"""Nothing answers without a person, and nothing of a page comes from another machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dash import Dash
from flask import Request
from flask.testing import FlaskClient

from app.guard import PUBLIC_ENDPOINTS, Person, is_loopback
from app.server import create_app
from tests.app.conftest import taking

#: Values for the variable parts of routes.
PARTS = {"question_id": "overview.facilities", "package_name": "dash_mantine_components", "path": "anything",
         "fingerprinted_path": "dash_mantine_components.js", "tag": "0", "name": "radops.js",
         "filename": "radops.js", "edition": "2026-10"}  # fmt: skip


def nobody(_: Request) -> Person | None:
    return None


@pytest.fixture(scope="module")
def guarded(home: Path) -> Dash:
    """An application that knows no one."""
    return create_app(home / "published", sign=nobody)


@pytest.fixture(scope="module")
def client(home: Path) -> FlaskClient:
    """A client of the application in local mode, with its errors let through."""
    app = create_app(home / "published")
    app.server.config["PROPAGATE_EXCEPTIONS"] = True
    return app.server.test_client()


def test_every_route_is_behind_the_guard(guarded: Dash) -> None:
    client, open_routes, seen = guarded.server.test_client(), set(), 0
    with guarded.server.test_request_context():
        adapter = guarded.server.create_url_adapter(None) or guarded.server.url_map.bind("localhost")
        for rule in guarded.server.url_map.iter_rules():
            url = adapter.build(rule.endpoint, {name: PARTS[name] for name in rule.arguments})
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                seen += 1
                if client.open(url, method=method).status_code != 403:
                    open_routes.add(rule.endpoint)
    assert open_routes == set(PUBLIC_ENDPOINTS)
    assert seen > 10


def test_every_callback_is_behind_the_guard(guarded: Dash, client: FlaskClient) -> None:
    listed = client.get("/_dash-dependencies").get_json()
    server_side = [entry["output"] for entry in listed if entry["clientside_function"] is None]
    assert len(server_side) == 1
    for output in server_side:
        answer = guarded.server.test_client().post("/_dash-update-component", json={"output": output, "inputs": []})
        assert answer.status_code == 403


def test_a_public_endpoint_says_nothing_of_the_data(guarded: Dash) -> None:
    assert guarded.server.test_client().get("/healthz").data == b"ok\n"


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("127.0.0.1:8050", True), ("localhost", True), ("[::1]:8050", True), ("radops.example:8050", False),
     ("10.0.0.5", False), ("127.0.0.1.example", False), ("", False)],
)  # fmt: skip
def test_only_loopback_names_are_this_machine(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


def test_a_foreign_name_that_resolves_here_gets_nothing(client: FlaskClient) -> None:
    assert client.get("/", headers={"Host": "rebound.example"}).status_code == 403
    assert client.get("/", headers={"Host": "127.0.0.1:8050"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
     ({"Origin": "https://elsewhere.example"}, 403), ({"Sec-Fetch-Site": "same-origin"}, 200)],
)  # fmt: skip
def test_callbacks_only_from_our_own_page(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    asked = taking()
    answer = client.post("/_dash-update-component", data=json.dumps(asked), content_type="application/json",
                         headers=headers)  # fmt: skip
    assert answer.status_code == status


def test_the_page_names_no_other_machine_and_no_unhashed_script(client: FlaskClient) -> None:
    answer = client.get("/")
    page = answer.get_data(as_text=True)
    assert "http://" not in page
    assert "https://" not in page
    policy = answer.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert scripts.startswith("script-src 'self' 'sha256-")
    assert "default-src 'none'" in policy


def test_a_scope_keeps_other_facilities_out_of_pages_options_and_files(home: Path) -> None:
    app = create_app(home / "published", sign=lambda _: Person("east", facilities=("EAST",)))
    client = app.server.test_client()
    layout = client.get("/_dash-layout").get_data(as_text=True)
    assert "N-CT1" not in layout
    assert "E-CT1" in layout
    rows = client.get("/csv/overview.facilities.csv?facility=NORTH").get_data(as_text=True)
    assert "NORTH" not in rows
    exams = client.get("/csv/exams.list.csv").get_data(as_text=True)
    assert "EAST" in exams
    assert "NORTH" not in exams
