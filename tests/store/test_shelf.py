"""Snapshots at a place: whole before they are named, proven before they are used, kept by one policy."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from etl.errors import StoreError
from etl.home import Home
from etl.publish import retire
from etl.store import Place, shelf
from etl.store.manifest import read_manifest
from etl.store.offer import offer
from tests.store.snapshots_made import home_of, publish_made


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(tmp_path / "home", keep_snapshots=2)


def test_a_snapshot_comes_back_byte_for_byte(home: Home, shared: Place, tmp_path: Path) -> None:
    path = publish_made(home, 1, filling=50_000)
    assert shelf.newest(shared) is None
    done = offer(home, shared)
    assert done is not None
    assert (done.put, done.removed) == ((1,), ())
    manifest = shelf.newest(shared)
    assert manifest is not None
    assert manifest == shelf.manifests(shared)[0]
    assert (manifest.file_name, manifest.size) == (path.name, path.stat().st_size)
    meta = shelf.fetch(shared, manifest, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert (meta.snapshot_id, meta.digest) == (manifest.snapshot_id, manifest.digest)
    assert shared.names() == [manifest.object_name, "radops-000001.json", "radops.json"]


def test_what_is_there_is_not_put_again(home: Home, shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_made(home, 1)
    offer(home, shared)
    monkeypatch.setattr(shelf, "sha256_of", lambda _path: pytest.fail("read again"))
    again = offer(home, shared)
    assert again is not None
    assert again.put == ()


def test_what_a_night_could_not_put_the_next_one_does(home: Home, shared: Place) -> None:
    for number in (1, 2, 3):
        publish_made(home, number, datetime(2026, 10, number))
    done = offer(home, shared)
    assert done is not None
    assert done.put == (3, 2, 1), "the newest first"
    named = shelf.newest(shared)
    assert named is not None
    assert named.seq == 3
    assert {manifest.seq for manifest in shelf.manifests(shared)} == {1, 2, 3}


def test_a_put_that_died_is_taken_up_again(home: Home, shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the object, after the manifest: the pointer still names the old one, and the next start ends the work."""
    publish_made(home, 1)
    offer(home, shared)
    publish_made(home, 2)
    for name in ("write", "swap"):
        with monkeypatch.context() as patched:
            patched.setattr(Place, name, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                offer(home, shared)
        named = shelf.newest(shared)
        assert named is not None
        assert named.seq == 1
    done = offer(home, shared)
    named = shelf.newest(shared)
    assert done is not None
    assert done.put == (2,)
    assert named is not None
    assert named.seq == 2


def test_old_ones_go_by_the_policy_of_publish(home: Home, shared: Place) -> None:
    for number in range(3, 8):
        path = publish_made(home, number, datetime(2026, 9 + number // 4, number))
        retire(home, path)
        offer(home, shared)
    local = [int(path.stem[-6:]) for path in sorted(home.published.glob("radops-*.duckdb"))]
    assert local == [3, 6, 7], "September's last and the newest two"
    assert [manifest.seq for manifest in shelf.manifests(shared)] == local
    objects = [name for name in shared.names() if name.endswith(".duckdb")]
    assert objects == [manifest.object_name for manifest in shelf.manifests(shared)]


def test_those_of_editions_stay(home: Home, shared: Place) -> None:
    pack = home.exports / "2026-09"
    for number in (1, 2, 3, 4):
        if number == 2:
            pack.mkdir()
            (pack / "manifest.json").write_text(json.dumps({"snapshot": {"id": "000001-abc"}}))
        path = publish_made(home, number, datetime(2026, 10, number))
        retire(home, path)
        offer(home, shared)
    assert [manifest.seq for manifest in shelf.manifests(shared)] == [1, 3, 4]


@pytest.mark.parametrize("hurt", ["short", "other", "gone"])
def test_a_hurt_object_is_refused(home: Home, shared: Place, tmp_path: Path, hurt: str) -> None:
    path = publish_made(home, 1, filling=10_000)
    offer(home, shared)
    manifest = shelf.newest(shared)
    assert manifest is not None
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if hurt == "gone":
        shared.remove(manifest.object_name)
    else:
        shared.write(manifest.object_name, bytes(data[:-1] if hurt == "short" else data))
    with pytest.raises(StoreError, match="torn or hurt"):
        shelf.fetch(shared, manifest, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    if hurt != "other":  # of that only a reader can tell
        offer(home, shared)
        shelf.fetch(shared, manifest, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == path.read_bytes()


def test_what_is_no_snapshot_is_refused(home: Home, shared: Place, tmp_path: Path) -> None:
    publish_made(home, 1)
    other = replace(shelf.describe(publish_made(home, 2)), snapshot_id="000002-ffffffffffff")
    shared.put(other.object_name, home.published / "radops-000002.duckdb")
    with pytest.raises(StoreError, match="no snapshot"):
        shelf.fetch(shared, other, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("change", [{"format": 2}, {"sha256": "../../x"}, {"size": "1"}, {"seq": 4}, {"extra": 1}])
def test_a_manifest_of_another_form_is_refused(home: Home, change: dict[str, object]) -> None:
    told = json.loads(shelf.describe(publish_made(home, 1)).to_bytes())
    assert read_manifest(json.dumps(told).encode(), "x").seq == 1
    with pytest.raises(StoreError, match="no manifest"):
        read_manifest(json.dumps({**told, **change}).encode(), "x")


def test_two_homes_do_not_share_a_place(home: Home, shared: Place, tmp_path: Path) -> None:
    publish_made(home, 1)
    publish_made(home, 2)
    offer(home, shared)
    other = home_of(tmp_path / "other")
    for number in (1, 2):
        publish_made(other, number, filling=9)
        with pytest.raises(StoreError, match="of another home"):
            offer(other, shared)
    named = shelf.newest(shared)
    assert named is not None
    assert named.is_same(shelf.describe(home.published / "radops-000002.duckdb"))
