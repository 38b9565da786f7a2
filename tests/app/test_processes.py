"""The web processes of one server share a machine."""

from __future__ import annotations

import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import server


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_all_processes_together_take_half_of_the_machine_s_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Each alone would take four fifths of it: two of them more than there is. One is for what puts answers down."""
    told: list[float] = []

    def create_app(*_published: Path, share: float, **_options: Any) -> SimpleNamespace:
        told.append(share)
        return SimpleNamespace(server=None)

    monkeypatch.setattr(server, "create_app", create_app)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    server._Gunicorn(tmp_path, tmp_path, {"workers": workers}, None).load()
    assert (workers + 1) * told[0] * 4 / 5 == pytest.approx(1 / 2)
