"""What Spark's executors write and read elsewhere, without Spark: files of one attempt each, whole and swept."""

from __future__ import annotations

import gc
import stat
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from etl.errors import ClusterError, SettingsError, StoreError
from etl.home import Home
from etl.spark import files
from etl.spark.files import Part, Rows, get_batches, hand_over, part_of, put_batches, taken
from etl.spark.folder import Folder, folder_of, keep_loaded, quiet, said
from etl.store import Place
from tests.installation import Installation
from tests.s3_server import BUCKET, SECRETS

ROWS = pa.table({"n": pa.array(range(10), pa.int64()), "at": pa.array(range(10), pa.timestamp("us", "UTC")),
                 "of": [[1, 2], None, []] * 3 + [[3]]})  # fmt: skip


def elsewhere(place: Place, here: Path) -> Folder:
    """A folder of a run at a place, of whichever kind."""
    return Folder(here, place.url, getattr(place.fs, "endpoint_url", None) or "")


def home_with(tmp_path: Path, folder: str, endpoint: str = "") -> Home:
    return Installation(tmp_path / "home", {"spark_folder": folder, "s3_endpoint": endpoint}).home


def test_rows_go_there_and_back(shared: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By groups, of which a task may read some; a file of no row is none."""
    monkeypatch.setattr(files, "GROUP_ROWS", 4)
    folder = elsewhere(shared, tmp_path)
    part = put_batches(folder, "a.rows/00000-1.parquet", ROWS.to_batches(max_chunksize=3))
    assert part == Part("a.rows/00000-1.parquet", 2, 10, shared.size("a.rows/00000-1.parquet"))
    assert put_batches(folder, "a.rows/00001-2.parquet", ROWS.schema.empty_table().to_batches()).n_groups == 0
    assert shared.names() == ["a.rows/00000-1.parquet"]
    for most in (files.SMALL_BYTES, 0):
        monkeypatch.setattr(files, "SMALL_BYTES", most)
        assert pa.Table.from_batches(get_batches(folder, [(part, 0), (part, 1)])).equals(ROWS)
        assert pa.Table.from_batches(get_batches(folder, [(part, 1)])).equals(ROWS.slice(6))
    with taken(Rows(folder, "a.rows", None, (part,))) as here:
        assert [part_of(path, part.name) for path in here.glob("*.parquet")] == [part]
    assert not here.exists()


def test_a_file_of_this_machine_is_handed_over(shared: Place, tmp_path: Path) -> None:
    folder = elsewhere(shared, tmp_path)
    pa.parquet.write_table(ROWS, tmp_path / "t.parquet", row_group_size=5)
    rows = hand_over(tmp_path / "t.parquet", "n BIGINT", folder)
    assert not (tmp_path / "t.parquet").exists()
    assert [(part.name, part.n_groups, part.n_rows) for part in rows.parts] == [("t.parquet", 2, 10)]
    assert shared.size("t.parquet") == rows.parts[0].n_bytes


def test_only_own_leftovers_are_swept(s3: str, tmp_path: Path) -> None:
    """Of another run of this stage and home, here and there; nothing of another home or stage."""
    home = home_with(tmp_path, f"s3://{BUCKET}/swept", s3)
    other = home_with(tmp_path / "other", f"s3://{BUCKET}/swept", s3)
    home.key_file.write_bytes(other.key_file.read_bytes())
    with folder_of(home, "build") as left, folder_of(other, "build") as foreign, folder_of(home, "ingest") as apart:
        left.put("left", memoryview(b"x"))
        foreign.put("kept", memoryview(b"x"))
        apart.put("kept", memoryview(b"x"))
        with folder_of(home, "build") as folder:
            assert not left.here.exists()
            assert left.place.names() == []
            assert foreign.get("kept") == apart.get("kept") == b"x"
            assert stat.S_IMODE(folder.here.stat().st_mode) == 0o700
        assert folder.place.names() == []
        assert not folder.here.exists()
    assert list((home.root / "spark").iterdir()) == []


def test_parts_lie_in_a_folder_for_its_owner_alone(tmp_path: Path) -> None:
    home = home_with(tmp_path, f"file://{tmp_path}/mounted")
    with folder_of(home, "ingest") as folder:
        assert (folder.url, folder.here.parent) == ("", tmp_path / "mounted")
        folder.put("part", memoryview(b"x"))
        assert stat.S_IMODE((folder.here / "part").stat().st_mode) == 0o600
        with pytest.raises(FileExistsError):
            folder.put("part", memoryview(b"y"))
        folder.remove("part")
        with pytest.raises(ClusterError, match="do all hosts see the same"):
            folder.get("part")


def test_a_place_that_cannot_be_is_told_before_anything_starts(s3: str, tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match="no such bucket"),
        folder_of(home_with(tmp_path, "s3://none-such/x", s3), "build"),
    ):
        pass
    with pytest.raises(SettingsError, match="no kind of place"), folder_of(home_with(tmp_path, "nowhere://x"), "build"):
        pass


def test_what_fails_there_tells_no_text(s3: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path, "s3://none-such/PATIENT^NAME", s3)
    with pytest.raises(RuntimeError) as raised, quiet():
        put_batches(folder, "a", ROWS.to_batches())
    assert said(raised.value).startswith("StoreError at ")
    assert not any(word in str(raised.value) for word in ("PATIENT", *SECRETS))
    assert said(ValueError("radops of PATIENT")) == ""


def test_what_is_loaded_is_looked_through_for_garbage_once() -> None:
    keep_loaded.cache_clear()
    try:
        for _ in range(3):
            with quiet():
                pass
        assert (keep_loaded.cache_info().misses, keep_loaded.cache_info().hits) == (1, 2)
        assert gc.get_freeze_count() > len(sys.modules)
    finally:
        gc.unfreeze()
