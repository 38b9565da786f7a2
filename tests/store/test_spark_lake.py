"""The lake of raw rows, without Spark: each row once, whatever comes, is killed, hurt, restored or another's."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from etl.errors import StoreError
from etl.identity_nodes import EXAM_RECORDS
from etl.intake import open_intake
from etl.spark import lake
from etl.spark.lake import MANIFEST, bring_up
from etl.store import Place, open_place

NAME = "GEHEIM^PATIENT"
LOADED = datetime(2026, 3, 2, 1)


class Raw:
    """A raw store to which batches of events are added."""

    def __init__(self, root: Path, loaded: datetime = LOADED) -> None:
        path = root / "intake.duckdb"
        path.parent.mkdir(exist_ok=True)
        open_intake(path).close()
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute(f"ATTACH '{path}' AS intake")
        self.loaded, self.n = loaded, 0

    def add(self, *counts: int) -> None:
        """Batches of so many events each."""
        for count in counts:
            self.n += 1
            at = self.loaded + timedelta(hours=self.n)
            self.con.execute("INSERT INTO intake.raw_batch (batch_id, loaded_at) VALUES (?, ?)", [self.n, at])
            self.con.execute(f"""
                INSERT INTO intake.raw_event BY NAME
                SELECT {self.n} AS batch_id, 18446744073709551615 - range - {self.loaded.day} AS mention,
                       '{NAME}' AS patient_authority, TIMESTAMP '2026-03-02' AS at FROM range({count})""")

    def rows(self) -> list[tuple[int, int]]:
        """Batch and number of each event, as files have them."""
        moved = "CAST(mention::HUGEINT - 9223372036854775808 AS BIGINT)"
        return self.con.execute(f"SELECT batch_id, {moved} FROM intake.raw_event ORDER BY ALL").fetchall()


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Raw]:
    made = Raw(tmp_path / "home")
    with closing(made.con):
        made.add(400, 300, 0, 200)
        yield made


@pytest.fixture
def place_here(tmp_path: Path) -> Place:
    return open_place(str(tmp_path / "place"))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are put to any place from now on."""
    names, original = list[str](), Place.put
    monkeypatch.setattr(Place, "put", lambda self, name, path: (names.append(name), original(self, name, path)))
    return names


def brought_up(raw: Raw, place: Place) -> list[str]:
    """Bring the lake up; its files are those of the manifest, and hold each row once. Returns their names."""
    found = bring_up(raw.con, place.url, getattr(place.fs, "endpoint_url", None) or "")
    names = [stretch.part.name for stretch in found.stretches]
    assert place.names("raw/") == sorted(names)
    held = []
    for stretch in found.stretches:
        rows = pq.read_table(BytesIO(place.read(stretch.part.name) or b""))
        assert "patient_authority" not in rows.column_names
        assert (stretch.record, rows.num_rows) == ("event", stretch.part.n_rows)
        batches = rows["batch_id"].to_pylist()
        assert (stretch.first <= min(batches), max(batches) <= stretch.last) == (True, True)
        held += zip(batches, rows["mention"].to_pylist(), strict=True)
    assert sorted(held) == raw.rows()
    return names


def test_only_what_is_new_is_written(raw: Raw, shared: Place, written: list[str]) -> None:
    (first,) = brought_up(raw, shared)
    assert first.startswith("raw/event/1-4-")
    manifest = shared.read(MANIFEST)
    assert brought_up(raw, shared) == [first]
    assert (shared.read(MANIFEST), written) == (manifest, [first])
    raw.add(0, 50)
    assert brought_up(raw, shared) == written
    assert written[1].startswith("raw/event/6-6-")


def test_many_small_batches_are_few_files(raw: Raw, place_here: Place) -> None:
    for _ in range(20):
        raw.add(10)
        assert len(brought_up(raw, place_here)) <= 5


def test_long_stretches_stay_as_they_are(
    raw: Raw, place_here: Place, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "MOST_ROWS", 500)
    names = brought_up(raw, place_here)
    assert [name.rpartition("-")[0] for name in names] == ["raw/event/1-2", "raw/event/3-4"]
    raw.add(5_000)
    after = brought_up(raw, place_here)
    assert after[0] == names[0]
    assert written == [*names, after[1]]


@pytest.mark.parametrize("killed", ["put", "swap"])
def test_a_killed_write_is_in_no_manifest(
    raw: Raw, place_here: Place, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is swept by the next build."""
    before = brought_up(raw, place_here)
    manifest = place_here.read(MANIFEST)
    raw.add(5_000)
    original = getattr(Place, killed)

    def kill(self: Place, name: str, *rest: Any) -> None:
        if killed == "put":
            original(self, name, *rest)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Place, killed, kill)
        with pytest.raises(KeyboardInterrupt):
            bring_up(raw.con, place_here.url, "")
    assert place_here.read(MANIFEST) == manifest
    assert len(place_here.names("raw/")) == len(before) + 1
    brought_up(raw, place_here)


def _restored(raw: Raw, _place: Place) -> None:
    """The last batch is gone, and others came under its number and after."""
    raw.con.execute("DELETE FROM intake.raw_event WHERE batch_id = 4")
    raw.con.execute("DELETE FROM intake.raw_batch WHERE batch_id = 4")
    raw.n, raw.loaded = 3, LOADED + timedelta(days=1)
    raw.add(200, 7)


def _shorter(raw: Raw, _place: Place) -> None:
    for table in ("raw_event", "raw_batch"):
        raw.con.execute(f"DELETE FROM intake.{table} WHERE batch_id = 4")


def _rows_gone(raw: Raw, _place: Place) -> None:
    raw.con.execute("DELETE FROM intake.raw_event WHERE batch_id = 2 AND mention % 2 = 0")


def _file_gone(_raw: Raw, place: Place) -> None:
    place.remove(place.names("raw/")[0])


def _file_torn(_raw: Raw, place: Place) -> None:
    name = place.names("raw/")[0]
    place.write(name, (place.read(name) or b"")[:-1])


def _manifest_torn(_raw: Raw, place: Place) -> None:
    place.write(MANIFEST, (place.read(MANIFEST) or b"")[:-9])


def _manifest_of(**told: object) -> Callable[[Raw, Place], None]:
    def change(_raw: Raw, place: Place) -> None:
        place.write(MANIFEST, json.dumps(json.loads(place.read(MANIFEST) or b"") | told).encode())

    return change


@pytest.mark.parametrize(
    "hurt",
    [_restored, _shorter, _rows_gone, _file_gone, _file_torn, _manifest_torn, _manifest_of(format=0),
     _manifest_of(columns="of another radops"), _manifest_of(upto=3), _manifest_of(stretches=[["event", 1, 4, "../x"]]),
     _manifest_of(stretches=[])],
)  # fmt: skip
def test_what_does_not_fit_is_made_anew(
    raw: Raw, place_here: Place, hurt: Callable[[Raw, Place], None], written: list[str]
) -> None:
    brought_up(raw, place_here)
    hurt(raw, place_here)
    del written[:]
    assert brought_up(raw, place_here) == written
    raw.add(3)
    brought_up(raw, place_here)


def test_the_lake_of_another_home_is_refused_and_left(raw: Raw, place_here: Place, tmp_path: Path) -> None:
    names, manifest = brought_up(raw, place_here), place_here.read(MANIFEST)
    other = Raw(tmp_path / "other", LOADED + timedelta(microseconds=1))
    with closing(other.con):
        assert bring_up(other.con, place_here.url, "").stretches == ()  # nothing is loaded yet
        other.add(400, 300, 0, 200)
        with pytest.raises(StoreError, match="of another home") as raised:
            bring_up(other.con, place_here.url, "")
    assert NAME not in str(raised.value)
    assert (place_here.names("raw/"), place_here.read(MANIFEST)) == (names, manifest)


def test_what_lies_there_is_for_the_owner_and_other_files_stay(raw: Raw, tmp_path: Path) -> None:
    here = tmp_path / "lake"
    (here / "raw" / "event").mkdir(parents=True)
    (here / "raw" / "event" / "mine.parquet").write_bytes(b"x")
    bring_up(raw.con, f"file://{here}", "")
    files = [path for path in here.rglob("*.*") if path.name != "mine.parquet"]
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE((here / "raw" / record).stat().st_mode) for record in EXAM_RECORDS if record != "event"} == {
        0o700
    }
    assert (here / "raw" / "event" / "mine.parquet").read_bytes() == b"x"
    assert not any(NAME.encode() in path.read_bytes() for path in files)
