"""A callback that fails is told to the reader and to the log, without a value and without a lost page."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from app import answers, shell
from app.server import create_app
from tests.app.conftest import taking


def broken(*_: Any) -> None:
    raise RuntimeError("patient SECRET")


def test_a_failed_callback_says_so_and_keeps_the_page(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(home / "published")
    monkeypatch.setattr(answers, "decided", broken)
    with caplog.at_level(logging.ERROR):
        answer = app.server.test_client().post("/_dash-update-component", json=taking(clicks=1))
    assert answer.status_code == 200
    told = json.loads(answer.data)
    assert "file" not in told.get("response", {})
    assert "could not be answered" in json.dumps(told["sideUpdate"]["banner"])
    assert "RuntimeError at callbacks.py" in caplog.text
    assert "SECRET" not in caplog.text


def test_a_failed_view_says_where_and_no_value(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(home / "published")
    monkeypatch.setattr(shell, "page_body", broken)
    with caplog.at_level(logging.ERROR):
        answer = app.server.test_client().get("/view/?facility=NORTH")
    assert (answer.status_code, answer.data) == (500, b"failed\n")
    assert "RuntimeError at " in caplog.text
    assert "SECRET" not in caplog.text
    monkeypatch.undo()
    assert app.server.test_client().get("/view/?facility=NORTH").status_code == 200


@pytest.mark.parametrize("chosen", ["{", "[1]", "3", '{"filter-dates":["never","never"]}', '{"filter-facility":7}'])
def test_what_no_browser_sends_is_refused(home: Path, chosen: str) -> None:
    client = create_app(home / "published").server.test_client()
    assert client.get("/view/", query_string={"_chosen": chosen}).status_code == 400
