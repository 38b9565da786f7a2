"""A callback that fails is told to the reader and to the log, without a value and without a lost page."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from app import answers
from app.server import create_app


def test_a_failed_callback_says_so_and_keeps_the_page(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("patient SECRET")

    app = create_app(home / "published")
    monkeypatch.setattr(answers, "snapshot_id", broken)
    asked = {
        "output": "snapshot.data", "outputs": {"id": "snapshot", "property": "data"}, "changedPropIds": [],
        "inputs": [{"id": "look", "property": "n_intervals", "value": 1}],
        "state": [{"id": "snapshot", "property": "data", "value": None}],
    }  # fmt: skip
    with caplog.at_level(logging.ERROR):
        answer = app.server.test_client().post("/_dash-update-component", json=asked)
    assert answer.status_code == 200
    told = json.loads(answer.data)
    assert "snapshot" not in told.get("response", {})
    assert "could not be answered" in json.dumps(told["sideUpdate"]["banner"])
    assert "RuntimeError at callbacks.py" in caplog.text
    assert "SECRET" not in caplog.text
