"""A snapshot is held back until answers are put down beside it, where a store is asked to: not for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

import sql.snapshot
from sql.asked_before import Recorder
from sql.snapshot import Store
from tests.app.test_views import publish


def test_one_is_held_back_until_there_are_answers_or_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql.snapshot, "LARGE", 0)
    held, short = (Store(tmp_path, holds=seconds) for seconds in (1e9, 0.0))
    publish(tmp_path, 1, 30)
    assert held.current().seq == short.current().seq == 1
    publish(tmp_path, 2, 30)
    assert (held.current().seq, held.newest().seq, short.current().seq) == (1, 2, 2)
    with Recorder(held.newest().path, held.newest().id) as recorder:
        recorder.offer()
    assert held.current().seq == 2
    publish(tmp_path, 3, 30)
    assert held.current().seq == 2
    held._held_until = 0.0  # so much later
    assert held.current().seq == 3
    publish(tmp_path, 4, 30)
    assert held.current().seq == 3
    until = held._held_until
    publish(tmp_path, 5, 30)
    assert held.current().seq == 3
    assert held._held_until == until, "where publishes follow each other, it is not held back for longer"
    held.take_over()
    assert held.current().seq == 5


def test_a_small_one_is_shown_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, holds=1e9)
    publish(tmp_path, 1, 30)
    store.current()
    publish(tmp_path, 2, 30)
    assert store.current().seq == 2
    monkeypatch.setattr(sql.snapshot, "LARGE", store.current().path.stat().st_size)
    publish(tmp_path, 3, 30)
    assert store.current().seq == 2
