"""Answers that one process puts down beside a snapshot, and others find: the same ones, or none."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sql import asked_before
from sql.answer_files import beside, drop_others, part
from sql.asked_before import AskedBefore, Recorder
from sql.filters import Filters
from sql.query import metric
from sql.snapshot import POINTER, Snapshot, Store, open_snapshot
from tests.snapshots import exam_row, write_snapshot

THROUGH = datetime(2026, 3, 31, 12)
COUNT = "SELECT count(*) AS n FROM fct_exam WHERE facility = $facility"


class Colour(Enum):
    RED = 1


class Shade(Enum):
    RED = 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = [exam_row(30.0 + n, facility=("NORTH", "EAST")[n % 2]) for n in range(20)]
    return write_snapshot(tmp_path / "radops-000001.duckdb", {"fct_exam": rows}, THROUGH)


def asked(snapshot: Snapshot) -> list[pl.DataFrame]:
    """Some answers: of a statement, of a metric, and of what is kept under a key."""
    return [
        snapshot.execute(COUNT, {"facility": "NORTH"}),
        metric(snapshot, "report_final", groups=("facility",), filters=Filters(facility=("EAST",))),
        snapshot.keep(("own", Filters(since=date(2026, 3, 1))), lambda: pl.DataFrame({"n": [len(snapshot.id)]})),
    ]


def put_down(path: Path) -> list[pl.DataFrame]:
    """Answers, put down."""
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        with closing(open_snapshot(path, recorder)) as snapshot:
            answers = asked(snapshot)
        recorder.finish()
    return answers


def no_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> pl.DataFrame:
        raise AssertionError("asked again")

    monkeypatch.setattr(Snapshot, "_run", run)


def test_they_are_found_by_another_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = put_down(path)
    with closing(open_snapshot(path)) as snapshot:
        assert snapshot.has_answers()
        no_statement(monkeypatch)
        for before, now in zip(first, asked(snapshot), strict=True):
            assert_frame_equal(before, now)
        with pytest.raises(AssertionError, match="asked again"):
            snapshot.execute(COUNT, {"facility": "EAST"})


def test_they_are_found_from_when_somebody_looks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_snapshot(path)) as snapshot:
        assert not snapshot.has_answers()
        put_down(path)
        assert snapshot.kept(("own", Filters(since=date(2026, 3, 1)))) is None
        assert snapshot.has_answers()
        beside(path).unlink()  # who has it open reads on
        no_statement(monkeypatch)
        assert snapshot.execute(COUNT, {"facility": "NORTH"}).item() == 10


def test_they_are_found_by_who_serves_and_not_by_who_exports(path: Path) -> None:
    put_down(path)
    (path.parent / POINTER).symlink_to(path.name)
    key = ("own", Filters(since=date(2026, 3, 1)))
    with closing(Store(path.parent).current()) as served, closing(open_snapshot(path)) as exported:
        assert served.kept(key) is not None
        assert exported.kept(key) is None


def test_frames_come_back_as_they_were(path: Path) -> None:
    at = datetime(2026, 3, 29, 2, 30, 0, 1)
    frame = pl.DataFrame({
        "text": ["", None, "Ä | \U0001f600"], "count": [1, None, -(2**62)], "value": [0.1, None, float("nan")],
        "sum": pl.Series([Decimal("1.000000001"), None, Decimal(-3)], dtype=pl.Decimal(38, 9)),
        "day": [date(1970, 1, 1), None, date(9999, 12, 31)], "at": [at, None, at],
        "zoned": pl.Series([at, None, at], dtype=pl.Datetime("us", "UTC")), "is_it": [True, None, False],
        "took": [timedelta(microseconds=1), None, timedelta(-1)], "list": [["a", None], None, []],
        "kind": pl.Series(["b", None, "a"], dtype=pl.Enum(["b", "a"])), "small": pl.Series([1, None, 3], dtype=pl.Int8),
        "of": pl.Series(["x", None, "y"], dtype=pl.Categorical), "none": [None, None, None],
        "part": [{"a": 1}, None, {"a": None}], "bytes": [b"\0", None, b""],
        "huge": pl.Series([1, None, 3], dtype=pl.UInt64),
    })  # fmt: skip
    frames = {"rows": frame, "none": frame.clear(), "one": frame.slice(1, 1), "bare": pl.DataFrame()}
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        for name, one in frames.items():
            recorder.put((looked.id, name), one)
        recorder.finish()
        before = AskedBefore(path, looked.id)
        assert before.look()
        for name, one in frames.items():
            found = before.get((looked.id, name))
            assert found is not None
            assert found.schema == one.schema
            assert_frame_equal(found, one)
        assert before.get((looked.id, "other")) is None


def test_keys_are_told_apart(path: Path) -> None:
    keys = ["1", 1, 1.0, True, None, "None", ("a", "b"), ("a,b",), ("a", ("b",)), (("a",), "b"), ("a','b",), (), ("",),
            Colour.RED, Shade.RED, "Colour.RED", date(2026, 3, 1), datetime(2026, 3, 1), "2026-03-01", Filters(),
            Filters(facility=("A",)), Filters(modality=("A",)), Filters(scope=()), frozenset({"a", "b"}),
            frozenset({"ab"}), float("inf"), "\ud800"]  # fmt: skip
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        for number, key in enumerate(keys):
            recorder.put((looked.id, key), pl.DataFrame({"n": [number]}))
        recorder.finish()
        before = AskedBefore(path, looked.id)
        before.look()
        for number, key in enumerate(keys):
            found = before.get((looked.id, key))
            assert found is not None
            assert found.item() == number, key
        assert before.get((looked.id, frozenset({"b", "a"}))) is not None


def test_what_cannot_be_told_is_asked_again(path: Path) -> None:
    other = ("elsewhere", "x")
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        unknown, things = (looked.id, object()), (looked.id, "things")
        for key in (unknown, other, "no tuple"):
            recorder.put(key, pl.DataFrame({"n": [1]}))
        recorder.put(things, pl.DataFrame({"n": pl.Series([object()], dtype=pl.Object)}))
        recorder.finish()
        with sqlite3.connect(beside(path)) as written:
            assert written.execute("SELECT count(*) FROM answer").fetchall() == [(0,)]
        written.close()
        before = AskedBefore(path, looked.id)
        assert before.look()
        assert before.get(unknown) is None
        assert recorder.get(unknown) is not None, "it is kept all the same"


def test_those_of_another_snapshot_or_of_other_code_are_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_down(path)
    assert not AskedBefore(path, "000001-other").look()
    with closing(open_snapshot(path)) as snapshot:
        assert snapshot.has_answers()
    monkeypatch.setattr(asked_before, "_code", lambda: "newer")
    with closing(open_snapshot(path)) as snapshot:
        assert not snapshot.has_answers()
        assert len(asked(snapshot)) == 3


@pytest.mark.parametrize("hurt", ["frame", "file", "rows", "end"])
def test_hurt_ones_are_asked_again_and_told(path: Path, hurt: str, caplog: pytest.LogCaptureFixture) -> None:
    first = put_down(path)
    written = beside(path)
    body = bytearray(written.read_bytes())
    if hurt == "frame":
        with sqlite3.connect(written) as changed:
            frames = changed.execute("SELECT key, frame FROM answer").fetchall()
            for key, frame in frames:
                changed.execute("UPDATE answer SET frame = ? WHERE key = ?", [frame[:-1] + bytes([frame[-1] ^ 1]), key])
        changed.close()
    elif hurt == "file":
        written.write_bytes(b"no database at all")
    elif hurt == "rows":
        written.write_bytes(body[:4096] + bytes(len(body) - 4096))
    else:
        written.write_bytes(body[: len(body) // 2])
    with closing(open_snapshot(path)) as snapshot:
        snapshot.has_answers()
        for before, now in zip(first, asked(snapshot), strict=True):
            assert_frame_equal(before, now)
    assert [record.levelname for record in caplog.records] == ["WARNING"], "the disk may be failing: it is told once"
    assert f"answers of snapshot {snapshot.id} are damaged" in caplog.text


def test_some_are_found_before_all_are(path: Path) -> None:
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        before = AskedBefore(path, looked.id)
        recorder.put((looked.id, 1), pl.DataFrame({"n": [1]}))
        assert not before.look()
        recorder.offer()
        recorder.put((looked.id, 2), pl.DataFrame({"n": [2]}))
        assert (before.look(), before.look(whole=True)) == (True, False)
        found = [before.get((looked.id, number)) for number in (1, 2)]
        assert [frame is None for frame in found] == [False, True]
        recorder.finish()
        assert before.look(whole=True)
        found = [before.get((looked.id, number)) for number in (1, 2)]
        assert [frame.item() for frame in found if frame is not None] == [1, 2]


def test_a_file_of_others_does_not_take_the_place_of_what_is_read(path: Path) -> None:
    put_down(path)
    before = AskedBefore(path, "000001-test")
    assert before.look(whole=True)
    with closing(sqlite3.connect(beside(path).with_suffix(".new"))) as other, other:
        other.execute("CREATE TABLE made_of (told TEXT, is_whole INTEGER)")
        other.execute("INSERT INTO made_of VALUES ('000001-test of other code', 0)")
    beside(path).with_suffix(".new").rename(beside(path))
    assert before.look(whole=True)


def test_a_full_disk_is_told_at_the_end_and_leaves_nothing(path: Path) -> None:
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        recorder._open.execute("PRAGMA max_page_count = 4")
        for number in range(40):
            key = (looked.id, number)
            recorder.put(key, pl.DataFrame({"n": [number]}))
            assert recorder.get(key) is not None
        with pytest.raises(sqlite3.OperationalError, match="full"):
            recorder.finish()
    assert not list(path.parent.glob(".*"))


def test_those_of_another_file_of_that_name_are_left_alone(path: Path) -> None:
    put_down(path)
    state = path.stat()
    assert AskedBefore(path, "000001-test").look()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert not AskedBefore(path, "000001-test").look()


def test_of_a_snapshot_that_is_gone_none_are_found(path: Path) -> None:
    put_down(path)
    path.unlink()
    assert not AskedBefore(path, "000001-test").look()


def test_an_answer_under_another_s_key_is_not_found(path: Path) -> None:
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        for number in range(2):
            recorder.put((looked.id, number), pl.DataFrame({"n": [number]}))
        recorder.finish()
        with sqlite3.connect(beside(path)) as changed:
            (one, other) = changed.execute("SELECT key, frame, hash FROM answer").fetchall()
            changed.execute("DELETE FROM answer")
            changed.executemany("INSERT INTO answer VALUES (?, ?, ?)", [(one[0], *other[1:]), (other[0], *one[1:])])
        changed.close()
        before = AskedBefore(path, looked.id)
        assert before.look()
        assert [before.get((looked.id, number)) for number in range(2)] == [None, None]


def test_what_is_not_finished_leaves_nothing(path: Path) -> None:
    with closing(open_snapshot(path)) as looked:
        with Recorder(path, looked.id) as recorder:
            recorder.put((looked.id, "x"), pl.DataFrame({"n": [1]}))
            assert part(path).exists()
        assert not part(path).exists()
        assert not beside(path).exists()
        part(path).write_bytes(b"left by one that was killed")
        put_down(path)
        assert not part(path).exists()


def test_who_may_not_read_the_snapshot_may_not_read_its_answers(path: Path) -> None:
    path.chmod(0o440)
    put_down(path)
    assert stat.S_IMODE(beside(path).stat().st_mode) == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_a_file_has_a_size_at_most(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_before, "MOST_BYTES", 1000)
    with closing(open_snapshot(path)) as looked, Recorder(path, looked.id) as recorder:
        for number in range(10):
            recorder.put((looked.id, number), pl.DataFrame({"n": [number]}))
        recorder.finish()
        before = AskedBefore(path, looked.id)
        before.look()
        found = [before.get((looked.id, number)) is not None for number in range(10)]
    assert found[0]
    assert not found[9]


def test_those_of_snapshots_that_are_gone_go(tmp_path: Path) -> None:
    stays, goes = tmp_path / "radops-000002.duckdb", tmp_path / "radops-000001.duckdb"
    for snapshot in (stays, goes):
        beside(snapshot).touch()
        part(snapshot).touch()
    drop_others(tmp_path, stays)
    assert {found.name for found in tmp_path.iterdir()} == {beside(stays).name, part(stays).name}
