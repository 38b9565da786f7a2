"""What a publish catches, and when: torn copies, hurt blocks, and marts whose rows do not give their digest."""

from __future__ import annotations

import os
import shutil
from datetime import date, timedelta
from io import FileIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl import build_fold, copying, proof
from etl.build_digest import recount
from etl.copying import BLOCK, HEADER
from etl.errors import CheckFailedError
from etl.faults import explain
from etl.publish import POINTER, current, publish
from tests.installation import Installation
from tests.night import Night

EVENTS = "fct_exam_event"


@pytest.fixture(scope="module")
def loaded(night: Night, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A home with one half published and the other loaded; `copied` it."""
    home = night.copy(tmp_path_factory.mktemp("proof") / "loaded")
    home.stages("ingest")
    return home


@pytest.fixture(scope="module")
def built(loaded: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The same with both halves built."""
    home = copied(loaded, tmp_path_factory.mktemp("built") / "home")
    home.stages("build")
    return home


def copied(home: Installation, root: Path) -> Installation:
    shutil.copytree(home.root, root, symlinks=True)
    return Installation(root, home.settings)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were counted whole."""
    found: list[str] = []

    def count(con: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[str, tuple[int, int]]:
        found.extend(tables)
        return recount(con, tables)

    monkeypatch.setattr(proof, "recount", count)
    return found


def tables(home: Installation) -> dict[str, int]:
    """Rows of all marts that have a digest."""
    return dict(home.rows("SELECT table_name, n_rows FROM meta_table"))


def check_refused(home: Installation, text: str) -> None:
    """Publishing fails in these words, and the old snapshot is served."""
    before = current(home.home)
    with pytest.raises((CheckFailedError, duckdb.Error)) as caught:
        publish(home.home)
    known = explain(caught.value)
    assert isinstance(known, CheckFailedError)
    assert text in str(known)
    assert current(home.home) == before


def test_a_snapshot_is_the_marts_byte_for_byte(built: Installation, tmp_path: Path, counted: list[str]) -> None:
    home = copied(built, tmp_path / "home")
    note, n_rows = proof.noted(home.home.marts), tables(home)
    assert note is not None
    assert 0 < note.written["fct_exam_event"][0] < n_rows["fct_exam_event"]
    made = publish(home.home)
    assert made.path.read_bytes() == home.home.marts.read_bytes()
    assert set(counted) == {table for table, (n, _) in note.written.items() if 0 < n == n_rows[table]}
    after = proof.noted(home.home.marts)
    assert after is not None
    assert after.written == {}, "what was read back is not read again"


def test_all_rows_are_counted_within_a_week(
    built: Installation, monkeypatch: pytest.MonkeyPatch, counted: list[str]
) -> None:
    by_day, start = [], proof.today()
    with duckdb.connect(str(built.home.marts), read_only=True) as con:
        note = proof.prove(con, None)
        for number in range(1, proof.DAYS + 1):
            counted.clear()
            monkeypatch.setattr(proof, "today", lambda n=number: start + timedelta(days=n))
            note = proof.prove(con, note)
            by_day.append(list(counted))
    assert sorted(table for day in by_day for table in day) == sorted(tables(built)), "each once"
    assert max(map(len, by_day)) < len(tables(built)) / 2, "in turn"


def test_tables_counted_out_of_turn_do_not_all_come_again_on_one_day(built: Installation) -> None:
    """As after a publish that failed: what the build before it wrote has no day."""
    with duckdb.connect(str(built.home.marts), read_only=True) as con:
        week = proof.prove(con, None).due
        own = min(week, key=lambda table: (week[table], table))
        after = proof.prove(con, proof.Note({own: week[own]})).due
    assert after[own] == week[own], "what was not counted keeps its day"
    assert len({day for table, day in after.items() if table != own}) == proof.DAYS


def test_weights_share_the_week_and_days_keep_their_place() -> None:
    monday = date(2026, 3, 2)
    due = proof._spread({"big": 60, "other": 50, **{f"t{n:02}": 10 for n in range(10)}}, monday)
    assert {(day - monday).days for day in due.values()} == set(range(1, 8))
    assert [table for table in due if due[table] == due["big"]] == ["big"]
    assert proof._next(monday, monday) == monday + timedelta(days=7)
    assert proof._next(monday, monday + timedelta(days=9)) == monday + timedelta(days=14)
    assert proof._next(monday + timedelta(days=3), monday) == monday + timedelta(days=3)


class Torn(FileIO):
    """Claims to have written what it has not: the second block of a copy."""

    n = 0

    def write(self, data: Any) -> int:
        self.n += 1
        return super().write(bytes(len(data)) if self.n == 3 else data)


def cut(number: int) -> None:
    """A sync after which the end is missing."""
    os.ftruncate(number, os.fstat(number).st_size - 4096)


def test_a_torn_copy_is_caught_at_once(built: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = copied(built, tmp_path / "home")
    monkeypatch.setattr(copying, "_is_cloned", lambda _old, _new: False)
    with monkeypatch.context() as patched:
        patched.setattr(copying, "FileIO", Torn)
        check_refused(home, "not like its source")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", cut)
        check_refused(home, "not like its source")
    assert publish(home.home).is_new


def test_a_hurt_block_is_caught_at_once(built: Installation, tmp_path: Path) -> None:
    """Also one of a table whose turn it is not: the engine's sums of all blocks are checked as they are copied."""
    home = copied(built, tmp_path / "home")
    (number,) = home.rows("""
        SELECT max(block_id) FROM pragma_storage_info('fct_exam_event') WHERE segment_type = 'VARCHAR'""")[0]
    with home.home.marts.open("r+b") as file:
        file.seek(HEADER + number * BLOCK + 9)
        hurt = file.read(1)[0] ^ 1
        file.seek(HEADER + number * BLOCK + 9)
        file.write(bytes([hurt]))
    assert proof.noted(home.home.marts) is not None, "nothing else tells of it"
    check_refused(home, "damaged")


def test_a_block_that_was_never_filled_costs_a_count_and_no_more(
    built: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[str]
) -> None:
    home = copied(built, tmp_path / "home")
    monkeypatch.setattr(copying, "_sums", lambda: lambda _block: False)
    assert publish(home.home).is_new
    assert set(counted) == set(tables(home))


def test_the_sums_are_those_of_the_engine(built: Installation, tmp_path: Path) -> None:
    assert copying.copy(built.home.marts, tmp_path / "copy")
    assert copying.copy(built.home.intake, tmp_path / "intake")


def test_rows_changed_by_others_are_caught_at_once(built: Installation, tmp_path: Path) -> None:
    home = copied(built, tmp_path / "home")
    with duckdb.connect(str(home.home.marts)) as con:
        con.execute("UPDATE fct_exam SET facility = 'X' WHERE rowid = (SELECT min(rowid) FROM fct_exam)")
    check_refused(home, "digest they claim")


def spoil_events(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """A build that does something to its events after it made them; `first` and `last` are rows."""
    derive = build_fold.Fold._derive

    def wrong(fold: build_fold.Fold, model: Any) -> None:
        derive(fold, model)
        if model.name == EVENTS:
            first, last = fold.con.execute(f"SELECT min(rowid), max(rowid) FROM {EVENTS}").fetchall()[0]
            fold.con.execute(change.format(EVENTS, first=first, last=last))

    monkeypatch.setattr(build_fold.Fold, "_derive", wrong)


def test_a_build_that_wrote_another_row_than_it_counted_is_caught_at_once(
    loaded: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(loaded, tmp_path / "home")
    spoil_events(monkeypatch, "UPDATE {} SET code = 'X' WHERE rowid = {last}")
    home.stages("build")
    assert proof.noted(home.home.marts) is not None
    check_refused(home, "digest they claim")


def test_a_build_that_lost_an_old_row_is_stopped_by_its_checks(
    loaded: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(loaded, tmp_path / "home")
    spoil_events(monkeypatch, "DELETE FROM {} WHERE rowid = {first}")
    with pytest.raises(CheckFailedError, match=f"rows of {EVENTS}: [0-9]+ instead of [0-9]+"):
        home.stages("build")


def test_a_sum_that_was_carried_wrongly_is_caught_within_a_week(
    loaded: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of the build are right and so is their number: only to count the table whole can tell."""
    home = copied(loaded, tmp_path / "home")
    forget = build_fold.Fold._forget

    def wrong(fold: build_fold.Fold, model: Any, is_any: bool) -> tuple[int, int]:
        n, total = forget(fold, model, is_any)
        return n, total + (model.name == EVENTS)

    monkeypatch.setattr(build_fold.Fold, "_forget", wrong)
    home.stages("build")
    publish(home.home)
    week = proof.today() + timedelta(days=proof.DAYS)
    monkeypatch.setattr(proof, "today", lambda: week)
    (home.home.published / POINTER).unlink()
    with pytest.raises(CheckFailedError, match="digest they claim"):
        publish(home.home)


def test_what_a_build_after_a_build_wrote_is_counted_whole(
    built: Installation, tmp_path: Path, counted: list[str]
) -> None:
    home = copied(built, tmp_path / "home")
    first = proof.noted(home.home.marts)
    assert first is not None
    wrote = {table for table, (n, _) in first.written.items() if n}
    assert "fct_exam" in wrote
    proof.after_build(home.home.marts, first, {"fct_exam": (0, 0)})
    publish(home.home)
    assert wrote <= set(counted)


@pytest.mark.parametrize("what", ["engine", "state", "due", "nonsense"])
def test_a_note_of_other_marts_tells_nothing(what: str, built: Installation, tmp_path: Path) -> None:
    for name in (proof.NOTE, "marts.duckdb"):
        shutil.copyfile(built.root / name, tmp_path / name)
    marts, note = tmp_path / "marts.duckdb", tmp_path / proof.NOTE
    text = note.read_text("ascii")
    assert proof.noted(marts) is not None
    note.write_text("[1, 2]" if what == "nonsense" else text.replace(f'"{what}": ', f'"{what}": 1, "x": '), "ascii")
    assert proof.noted(marts) is None
    note.write_text(text, "ascii")
    marts.with_name("marts.duckdb.wal").touch()
    assert proof.noted(marts) is None, "a log that is not yet taken up"


def test_a_full_build_is_counted_whole(loaded: Installation, tmp_path: Path, counted: list[str]) -> None:
    home = copied(loaded, tmp_path / "home")
    home.stages("build", full=True)
    assert proof.noted(home.home.marts) is None
    publish(home.home)
    assert set(counted) == set(tables(home))
