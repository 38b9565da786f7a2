"""Files appear whole under their names, at each kind of place, and failures are told without a secret."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.errors import SettingsError, StoreError
from etl.store import Place, Seen, open_place
from tests.s3_server import BUCKET, SECRETS


def test_what_is_written_is_read(place: Place, tmp_path: Path) -> None:
    assert (place.read("a/b"), place.size("a/b"), place.names()) == (None, None, [])
    place.write("a/b", b"one")
    place.write("a/b", b"two!")
    source = tmp_path / "source"
    source.write_bytes(b"\0\xff" * 700_000)
    place.put("c", source)
    place.below("a").write("d", b"")
    assert (place.read("a/b"), place.size("a/b"), place.read("a/d")) == (b"two!", 4, b"")
    assert place.names() == ["a/b", "a/d", "c"]
    assert (place.names("a/"), place.below("a").names()) == (["a/b", "a/d"], ["b", "d"])
    assert (place.sizes("a/"), place.sizes("none/")) == ({"a/b": 4, "a/d": 0}, {})
    place.get("c", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    with place.reading("c") as file:
        assert file.read() == source.read_bytes()
    place.remove("c")
    place.remove("c")
    assert place.names() == ["a/b", "a/d"]
    with pytest.raises(FileNotFoundError):
        place.get("c", tmp_path / "gone")


def test_a_folder_is_cleared_and_what_lies_beside_it_stays(place: Place) -> None:
    assert place.entries() == []
    for name in ("a/b", "a/c/d", "ab", "e/f"):
        place.write(name, b"x")
    assert place.entries() == ["a", "ab", "e"]
    place.clear("a")
    place.clear("a")
    assert place.names() == ["ab", "e/f"]
    for name in ("", "/", "."):
        with pytest.raises(ValueError, match="not removed"):
            place.clear(name)
    assert place.names() == ["ab", "e/f"]


def test_a_taken_name_is_not_written(place: Place) -> None:
    place.write("m", b"first", is_new=True)
    with pytest.raises(FileExistsError):
        place.write("m", b"second", is_new=True)
    assert place.read("m") == b"first"


def test_the_slower_of_two_writers_is_refused(place: Place) -> None:
    nothing = place.seen("p")
    assert nothing == Seen(None, nothing.mark)
    place.swap("p", b"1", nothing)
    with pytest.raises(StoreError, match="another writer was faster"):
        place.swap("p", b"x", nothing)
    seen = place.seen("p")
    place.swap("p", b"2", seen)
    with pytest.raises(StoreError, match="another writer was faster"):
        place.swap("p", b"x", seen)
    assert place.read("p") == b"2"


def test_of_many_swaps_at_once_one_wins_where_the_store_has_conditions(s3: str) -> None:
    place = open_place(f"s3://{BUCKET}/race", s3)
    place.write("p", b"0")
    seen, won = place.seen("p"), []

    def swap(number: int) -> None:
        try:
            place.swap("p", b"%d" % number, seen)
        except StoreError:
            return
        won.append(number)

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert place.read("p") == b"%d" % won[0]


def test_what_fails_in_between_is_not_there(place: Place) -> None:
    place.write("x", b"old")

    def fail() -> None:
        with place.writing("x") as file:
            file.write(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (place.read("x"), place.names()) == (b"old", ["x"])


def test_a_killed_write_leaves_the_old_file(tmp_path: Path) -> None:
    place = open_place(str(tmp_path))
    place.write("x", b"old")
    code = f"""
import os
from pathlib import Path
from etl.store import place
place.sync = lambda path: os._exit(9)
place.open_place({str(tmp_path)!r}).write("x", b"new")
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert (place.read("x"), place.names()) == (b"old", ["x"])
    assert len(list(tmp_path.iterdir())) == 2, "the test killed nothing"


def test_parquet_goes_through(place: Place) -> None:
    table = pa.table({"exam": ["a", "b"], "n": [1, 2]})
    with place.writing("batch=1/part-0.parquet") as file:
        pq.write_table(table, file)
    assert pq.read_table(place.path("batch=1/part-0.parquet"), filesystem=place.fs, partitioning=None).equals(table)


def test_failures_tell_the_place_and_no_secret(s3: str) -> None:
    told = []
    for url, endpoint in ((f"s3://{BUCKET}/x", "http://127.0.0.1:9"), ("s3://no-such-bucket/x", s3)):
        with pytest.raises(StoreError) as caught:
            open_place(url, endpoint).write("a", b"b")
        told.append(str(caught.value))
    assert told == [
        f"s3://{BUCKET}/x: EndpointConnectionError", "s3://no-such-bucket/x: there is no such bucket or folder",
    ]  # fmt: skip
    assert not any(secret in text for secret in SECRETS for text in told)


@pytest.mark.parametrize(
    "url", ["s3://key:secret@bucket/x", "s3://bucket/x?versionId=1", "simplecache::s3://bucket/x", "", "nowhere://x"]
)
def test_urls_that_cannot_be_told_or_used_are_refused(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_place(url)
    assert "secret@" not in str(caught.value)


def test_a_full_or_forbidden_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="FileExistsError"):
        open_place(str(tmp_path / "file")).write("a", b"b")
