"""Readers pull: what a place has is here, proven, and whatever goes wrong, what is served stays."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from etl.errors import AlreadyRunningError, StoreError
from etl.home import Home
from etl.lock import writer_lock
from etl.log import Log
from etl.publish import current, retire
from etl.status import last_stages
from etl.store import Place, follow, shelf
from etl.store.follow import Told
from etl.store.offer import offer
from etl.store.pull import pull
from sql.answer_files import beside
from tests.store.snapshots_made import home_of, publish_made


@pytest.fixture
def writer(tmp_path: Path) -> Home:
    return home_of(tmp_path / "writer", keep_snapshots=2)


@pytest.fixture
def reader(tmp_path: Path, shared: Place) -> Home:
    return home_of(tmp_path / "reader", pull_from=shared.url, s3_endpoint=_endpoint(shared), pull_seconds=1)


def _endpoint(place: Place) -> str:
    return str(getattr(place.fs, "endpoint_url", None) or "")


def files(home: Home) -> dict[str, bytes]:
    """The snapshots of a home by name; the pointer, and nothing else but answers, beside them."""
    found = {path.name: path.read_bytes() for path in home.published.iterdir() if path.suffix != ".answers"}
    pointer = found.pop("radops.duckdb")
    served = current(home)
    assert served is not None
    assert pointer == found[served.name]
    return found


def test_readers_have_what_the_place_has(writer: Home, reader: Home, shared: Place) -> None:
    with pytest.raises(StoreError, match="no snapshot was put there yet"):
        pull(reader, shared)
    told: dict[Path, Path] = {}
    for number in range(1, 6):
        path = publish_made(writer, number, datetime(2026, 9 + number // 3, number), filling=number * 5000)
        retire(writer, path)
        offer(writer, shared)
        if number != 2:
            done = pull(reader, shared)
            assert all(answered.exists() == snapshot.exists() for snapshot, answered in told.items())
            assert done.snapshot_id == shelf.describe(path).snapshot_id
            assert files(reader) == files(writer)
            served = current(reader)
            assert served is not None
            told[served] = beside(served)
            told[served].touch()
    assert any(not snapshot.exists() for snapshot in told)
    assert done.taken == (5,)
    assert pull(reader, shared).taken == ()
    assert all(path.stat().st_mode & 0o777 == 0o440 for path in reader.published.glob("radops-*.duckdb"))


@pytest.mark.parametrize("hurt", ["short", "other", "gone", "manifest"])
def test_a_hurt_snapshot_is_not_served(writer: Home, reader: Home, shared: Place, hurt: str) -> None:
    publish_made(writer, 1)
    offer(writer, shared)
    pull(reader, shared)
    before = files(reader)
    path = publish_made(writer, 2, filling=20_000)
    offer(writer, shared)
    manifest = shelf.describe(path)
    data = bytearray(path.read_bytes())
    data[-5000] ^= 1
    if hurt == "manifest":
        shared.write(shelf.POINTER, b'{"format": 1, "snapshot_id": ')
    elif hurt == "gone":
        shared.remove(manifest.object_name)
    else:
        shared.write(manifest.object_name, bytes(data[:-1] if hurt == "short" else data))
    told = Told(Log(reader.log, is_quiet=True))
    assert [told.look(reader) for _ in range(3)] == [True, True, True]
    assert files(reader) == before
    said = "no manifest" if hurt == "manifest" else "torn or hurt"
    assert said in last_stages(reader)["pull"]["error"]
    assert (reader.log / "radops.log").read_text("ascii").count(said) == 1, "the same failure is told once"
    shared.put(manifest.object_name, path)
    shared.write(shelf.POINTER, manifest.to_bytes())
    assert not told.look(reader)
    assert files(reader) == files(writer)
    assert "error" not in last_stages(reader)["pull"]


def test_an_older_newest_is_refused(writer: Home, reader: Home, shared: Place, tmp_path: Path) -> None:
    publish_made(writer, 2)
    offer(writer, shared)
    pull(reader, shared)
    shutil.rmtree(writer.root)
    for name in shared.names():
        shared.remove(name)
    other = home_of(tmp_path / "anew")
    publish_made(other, 1)
    offer(other, shared)
    with pytest.raises(StoreError, match="is older than"):
        pull(reader, shared)
    publish_made(other, 2, filling=50_000)
    offer(other, shared)
    with pytest.raises(StoreError, match="is not the"):
        pull(reader, shared)
    assert list(files(reader)) == ["radops-000002.duckdb"]


@pytest.mark.parametrize("step", ["put_in_place", "point"])
def test_killed_between_copy_and_pointer(
    writer: Home, reader: Home, shared: Place, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_made(writer, 1)
    offer(writer, shared)
    pull(reader, shared)
    before = files(reader)
    publish_made(writer, 2)
    offer(writer, shared)
    with monkeypatch.context() as patched:
        where = "etl.store.pull.put_in_place" if step == "put_in_place" else "etl.publish.point"
        patched.setattr(where, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            pull(reader, shared)
    served = current(reader)
    assert served is not None
    assert served.read_bytes() == before["radops-000001.duckdb"]
    pull(reader, shared)
    assert files(reader) == files(writer)


def test_a_full_disk_is_told_before_it_is_full(
    writer: Home, reader: Home, shared: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_made(writer, 1)
    offer(writer, shared)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage(1000))
    with pytest.raises(StoreError, match="the disk has 1,000"):
        pull(reader, shared)


class Usage(NamedTuple):
    free: int


def test_two_pulls_at_once_are_one(writer: Home, reader: Home, shared: Place) -> None:
    publish_made(writer, 1)
    offer(writer, shared)
    with writer_lock(reader.lock_file), pytest.raises(AlreadyRunningError):
        pull(reader, shared)
    pull(reader, shared)
    assert files(reader) == files(writer)


def test_failures_make_the_next_look_later(reader: Home) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow.follow(reader, wait)
    assert waits == [min(2.0**n, 3600.0) for n in range(1, 13)] + [3600.0] * 2


def _until(condition: object, seconds: float = 60) -> None:
    for _ in range(int(seconds * 20)):
        if callable(condition) and condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def test_of_several_processes_one_pulls_and_another_takes_over(writer: Home, tmp_path: Path) -> None:
    place = tmp_path / "place"
    reader = home_of(tmp_path / "reader", pull_from=str(place), pull_seconds=1)
    publish_made(writer, 1)
    offer(writer, follow.open_place(str(place)))
    started = multiprocessing.get_context("spawn")
    processes = [started.Process(target=follow.follow, args=(reader,), daemon=True) for _ in range(2)]
    for process in processes:
        process.start()
    try:
        _until((reader.published / "radops-000001.duckdb").exists)
        first = int((reader.root / follow.LOCK).read_text("ascii"))
        assert first in [process.pid for process in processes]
        os.kill(first, signal.SIGKILL)
        publish_made(writer, 2)
        offer(writer, follow.open_place(str(place)))
        _until(lambda: files(reader) == files(writer))
        second = int((reader.root / follow.LOCK).read_text("ascii"))
        assert second in {process.pid for process in processes} - {first}
    finally:
        for process in processes:
            process.kill()
            process.join()
