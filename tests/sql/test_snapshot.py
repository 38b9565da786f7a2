"""Snapshots as readers see them: settings, the swap of the newest, the cache, and rows for drilling down."""

from __future__ import annotations

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from threading import Barrier
from time import sleep

import duckdb
import polars as pl
import pytest

from sql.cache import BoundedCache, ResultCache
from sql.filters import Filters
from sql.query import counts, facts, metric, rows
from sql.rows import ANCHORS, MAX_ROWS, RowsError
from sql.snapshot import MOST_OLDER, POINTER, Snapshot, SnapshotError, Store, open_snapshot
from tests.snapshots import exam_row, snapshot_of, write_snapshot

THROUGH = datetime(2026, 3, 31, 12)


def publish(folder: Path, seq: int, n_exams: int) -> Path:
    """A new file under a new name and an atomic swap, as the pipeline does it."""
    path = write_snapshot(folder / f"radops-{seq:06d}.duckdb", {"fct_exam": [exam_row(1.0)] * n_exams}, THROUGH, seq)
    temporary = folder / ".pointer"
    temporary.symlink_to(path.name)
    os.replace(temporary, folder / POINTER)
    return path


def n_exams(snapshot: Snapshot) -> int:
    return int(snapshot.execute("SELECT count(*) AS n FROM fct_exam")["n"][0])


def test_store_opens_the_newest_and_lets_go_of_the_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(tmp_path, 1, 3)
    first = store.current()
    assert store.current() is first
    publish(tmp_path, 2, 4)
    second = store.current()
    assert (first.seq, second.seq) == (1, 2)
    assert (n_exams(first), n_exams(second)) == (3, 4), "an answer in progress keeps the old snapshot"
    path = first.path
    del first
    gc.collect()
    path.unlink()
    assert n_exams(store.current()) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system which files are open")
def test_of_older_ones_the_last_asked_for_stay_open_while_they_are_kept(tmp_path: Path) -> None:
    """An engine each; and nobody may have a removed one open, or its room is lost and the next cannot take it."""
    store = Store(tmp_path)
    paths = [publish(tmp_path, seq, seq) for seq in (1, 2, 3, 4, 5)]
    assert [n_exams(snapshot) for snapshot in store.kept()] == [5, 4, 3, 2, 1]
    assert MOST_OLDER == 2
    assert still_open(tmp_path) == {paths[0], paths[1], paths[4]}
    assert store.at(2) is store.at(2)
    assert n_exams(store.at(3)) == 3
    assert still_open(tmp_path) == {paths[1], paths[2], paths[4]}
    newest = publish(tmp_path, 6, 6)
    assert n_exams(store.current()) == 6
    assert still_open(tmp_path) == {paths[1], paths[2], newest}
    paths[1].unlink()  # a publish removes it once its own is there
    store.current()
    assert still_open(tmp_path) == {paths[2], newest}
    with pytest.raises(SnapshotError, match="no snapshot at"):
        store.at(2)


def still_open(folder: Path) -> set[Path]:
    """Files of a folder that this process has open, also such as were removed."""
    links = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return {Path(link.removesuffix(" (deleted)")) for link in links if link.startswith(str(folder))}


def test_engines_share_the_memory(tmp_path: Path) -> None:
    """One that is alone takes four fifths of the machine's; those of several processes, and of older snapshots, not."""
    publish(tmp_path, 1, 1)
    publish(tmp_path, 2, 1)
    alone, store = memory_of(Store(tmp_path).current()), Store(tmp_path, share=0.25)
    assert memory_of(store.current()) == memory_of(store.at(1)) == pytest.approx(alone / 4, rel=0.02)


def memory_of(snapshot: Snapshot) -> int:
    return int(snapshot.execute("SELECT parse_formatted_bytes(current_setting('memory_limit')) AS n")["n"][0])


def test_store_is_shared_by_threads(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(tmp_path, 1, 5)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: n_exams(store.current()), range(40))) == {5}
        assert len({id(s) for s in pool.map(lambda _: store.current(), range(40))}) == 1


def test_before_the_first_publish(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="nothing is published yet"):
        Store(tmp_path).current()
    with pytest.raises(SnapshotError, match="no snapshot at"):
        open_snapshot(tmp_path / "no.duckdb")


def test_what_is_no_snapshot_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.duckdb"
    path.write_bytes(b"x" * 4096)
    with pytest.raises(SnapshotError, match=r"cannot open bad.duckdb"):
        open_snapshot(path)
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    with pytest.raises(SnapshotError, match=r"other.duckdb is not a snapshot"):
        open_snapshot(other)
    empty = tmp_path / "empty.duckdb"
    with duckdb.connect(str(write_snapshot(empty, {}, THROUGH))) as con:
        con.execute("DELETE FROM meta_snapshot")
    with pytest.raises(SnapshotError, match="meta_snapshot is empty"):
        open_snapshot(empty)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM fct_exam",
        "COPY fct_exam TO '{folder}/out.csv'",
        "SELECT * FROM read_csv('/etc/hostname')",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET TimeZone = 'Asia/Tokyo'",
    ],
)
def test_a_reader_can_only_read(tmp_path: Path, sql: str) -> None:
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=[exam_row(1.0)])
    with snapshot._connection.cursor() as cursor, pytest.raises(duckdb.Error):
        cursor.execute(sql.format(folder=tmp_path)).fetchall()
    assert n_exams(snapshot) == 1


def test_instants_do_not_depend_on_the_machine_zone(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, THROUGH)
    assert snapshot.execute("SELECT current_setting('TimeZone') AS zone")["zone"].to_list() == ["UTC"]


def test_answers_are_cached_by_statement_and_parameters(tmp_path: Path) -> None:
    cache = ResultCache()
    path = write_snapshot(tmp_path / "a.duckdb", {"fct_exam": [exam_row(1.0)]}, THROUGH)
    snapshot = open_snapshot(path, cache)
    north, west = Filters(facility=("NORTH",)), Filters(facility=("WEST",))
    assert metric(snapshot, "wait", filters=north) is metric(snapshot, "wait", filters=north)
    assert metric(snapshot, "wait", filters=west).height == 0
    # Each question looks for its answer before it is asked by its statement; both are kept, and its values by range.
    assert (cache.hits, cache.misses, len(cache)) == (1, 2 + 2, 2 + 2 + 2)


def test_cache_drops_the_least_recently_used() -> None:
    frame = pl.DataFrame({"x": [0] * 100})
    size = int(frame.estimated_size())
    cache = ResultCache(max_bytes=size * 4)
    for key in "abcd":
        cache.put(key, frame.clone())
    assert cache.get("a") is not None
    cache.put("e", frame.clone())
    assert [key for key in "abcde" if cache.get(key) is not None] == ["a", "c", "d", "e"]
    cache.put("e", frame.clone())
    assert len(cache) == 4, "the same key twice takes its room once"


def test_cache_does_not_keep_what_would_empty_it() -> None:
    frame = pl.DataFrame({"x": [0] * 100})
    cache = ResultCache(max_bytes=int(frame.estimated_size()) * 4 - 1)
    cache.put("a", frame)
    assert len(cache) == 0


@pytest.fixture
def exams(tmp_path: Path) -> Snapshot:
    fct_exam = [
        exam_row(5.0, "2026-03-01", exam_key="E1", modality="CT"),
        exam_row(9.0, "2026-03-02", exam_key="E2", modality="MR"),
        exam_row(7.0, "2026-03-03", exam_key="E3", modality=None),
        exam_row(1.0, "2026-03-04", exam_key="E4", facility="WEST"),
    ]
    places = {"E1": "NORTH", "E4": "WEST"}
    events = [{"exam_key": key, "facility": at, "event_number": n} for key, at in places.items() for n in (2, 1)]
    versions = [{"exam_key": key} for key in places]
    return snapshot_of(tmp_path, THROUGH, fct_exam=fct_exam, fct_exam_event=events, fct_report_version=versions)


def test_rows_filter_sort_and_page(exams: Snapshot) -> None:
    asked = {"columns": ("exam_key",), "order_by": ("-report_final_min",)}
    north = Filters(facility=("NORTH",), since=date(2026, 3, 1), until=date(2026, 3, 4))
    assert rows(exams, "fct_exam", filters=north, **asked)["exam_key"].to_list() == ["E2", "E3", "E1"]
    assert rows(exams, "fct_exam", filters=north, limit=1, offset=1, **asked)["exam_key"].to_list() == ["E3"]
    assert rows(exams, "fct_exam", where={"modality": None}, columns=("exam_key",)).rows() == [("E3",)]
    assert rows(exams, "fct_exam", where={"exam_key": "E1' OR 1=1 --"}).height == 0
    late = rows(exams, "fct_exam", filters=Filters(since=date(2026, 3, 4)), anchor="", columns=("exam_key",))
    assert late.height == 4


@pytest.mark.parametrize(
    ("table", "asked", "told"),
    [
        ("fct_secret", {}, "no table 'fct_secret'"),
        ("fct_exam", {"columns": ("colour",)}, "fct_exam has no column colour"),
        ("fct_exam", {"order_by": ("-colour",)}, "fct_exam has no column colour"),
        ("fct_exam", {"where": {'x" OR 1=1': 1}}, "fct_exam has no column"),
        ("fct_exam", {"anchor": "colour"}, "fct_exam has no column colour"),
        ("fct_exam", {"limit": 0}, "limit is 1 to"),
        ("fct_exam", {"limit": MAX_ROWS + 1}, "limit is 1 to"),
        ("fct_exam", {"offset": -1}, "offset not negative"),
    ],
)
def test_rows_that_cannot_be_asked(exams: Snapshot, table: str, asked: dict[str, object], told: str) -> None:
    with pytest.raises(RowsError, match=told):
        rows(exams, table, **asked)


def test_every_anchor_is_a_column_of_its_table(exams: Snapshot) -> None:
    assert {t: a for t, a in ANCHORS.items() if a not in exams.columns(t)} == {}


def test_counts_with_shares_and_sums(exams: Snapshot) -> None:
    found = counts(exams, "fct_exam", by=("facility",), sums=("report_final_min",))
    assert found.rows() == [("NORTH", 3, 0.75, 21.0), ("WEST", 1, 0.25, 1.0)]
    assert counts(exams, "fct_exam", by=()).rows() == [(4, 1.0)]


def test_scope_reaches_tables_without_a_facility(exams: Snapshot) -> None:
    assert "facility" not in exams.columns("fct_report_version")
    found = rows(exams, "fct_report_version", filters=Filters().within(["WEST"]))
    assert set(found["exam_key"]) == {"E4"}
    assert rows(exams, "dq_unmapped", filters=Filters().within([])).height == 0


def test_facts_of_a_snapshot(exams: Snapshot) -> None:
    assert facts(exams) == {
        "id": "000001-test", "seq": 1, "built_at": THROUGH, "data_through": THROUGH, "digest": "d",
    }  # fmt: skip


def test_threads_that_ask_the_same_at_once_ask_it_once() -> None:
    cache: BoundedCache[int] = BoundedCache(lambda _: 1, 100)
    started, made = Barrier(8), []

    def make() -> int:
        made.append(1)
        sleep(0.05)
        if len(made) == 1:
            raise ValueError("the first time")
        return 7

    def ask() -> int | str:
        started.wait()
        try:
            return cache.made("key", make)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        assert [each.result() for each in [pool.submit(ask) for _ in range(8)]] == ["the first time"] * 8
        assert [each.result() for each in [pool.submit(ask) for _ in range(8)]] == [7] * 8
    assert len(made) == 2
    assert (cache.misses, cache.hits) == (2, 14)
