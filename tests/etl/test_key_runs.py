"""Runs tell what the table tells, through merges, lost files and transactions that were taken back."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from etl import key_runs, run_file, run_search
from etl.intake import open_intake
from etl.key_runs import KeyRuns, registry
from etl.keyed_rows import KeyedTable, Lookup, cover
from etl.known_messages import NAMED, cover_messages, known_hashes
from etl.transaction import transaction

RNG = random.Random(3)  # noqa: S311


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    con = open_intake(tmp_path / "intake.duckdb")
    yield con
    con.close()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_runs, "BLOCK", 7)
    monkeypatch.setattr(key_runs, "MOST_LOOSE", 10)


def runs_of(con: duckdb.DuckDBPyConnection) -> KeyRuns:
    return KeyRuns(con, "intake", f"main.{NAMED}")


def extended(con: duckdb.DuckDBPyConnection, entries: list[tuple[int, int]], upto: int) -> None:
    with transaction(con):
        runs_of(con).extend(
            np.array([k for k, _ in entries], np.uint64), np.array([p for _, p in entries], np.uint32), upto
        )


def found(con: duckdb.DuckDBPyConnection, keys: list[int]) -> list[tuple[int, int]]:
    told, places = runs_of(con).find(np.array(keys, np.uint64))
    return sorted(zip(told.tolist(), places.tolist(), strict=True))


@pytest.mark.parametrize("page", [1, 2, 3, 5, 64])
def test_pages_tell_what_all_keys_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(run_file, "PAGE", page)
    monkeypatch.setattr(run_search, "PAGE", page)
    monkeypatch.setattr(run_search, "_BLOCK", 3)
    for n in sorted({1, page, 2 * page, 19, 20, 21, 41}):
        keys = np.sort(np.array([RNG.choice((0, 4, 5, 9, 2**64 - 1, 50 + place)) for place in range(n)], np.uint64))
        places = np.array(RNG.sample(range(900), n), np.uint32)
        run, path = run_file.Run("one", n, 0, n), tmp_path / f"{n}"
        run_file.write(path, run, [(keys[a : a + 4], places[a : a + 4]) for a in range(0, n, 4)])
        assert run_file.is_sound(path, run)
        for asked in ([0], [3], [4, 5], [5, 9, 2**64 - 1], range(110), [*range(50, 95), 2**64 - 1], []):
            want = run_search.found(np.array(asked, np.uint64), keys, places)
            told = run_search.look_up(path, run, np.array(asked, np.uint64))
            assert [(k.tolist(), k.dtype) for k in told] == [(k.tolist(), k.dtype) for k in want]


@pytest.mark.parametrize("n", [1, 500, 4096, 5000])
def test_a_tenth_of_the_keys_that_are_not_there_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    numbers = np.random.default_rng(7).integers(0, 2**64 - 1, 2 * n, np.uint64)
    there, others = np.sort(numbers[:n]), np.sort(numbers[n:])
    run, path, read = run_file.Run("one", n, 0, n), tmp_path / "one", list[int]()
    run_file.write(path, run, [(there, np.arange(n, dtype=np.uint32))])
    monkeypatch.setattr(run_search, "_looked_up", lambda *given: read.append(len(given[-1])) or run_file.NO_ENTRIES)
    run_search.look_up(path, run, others)
    assert sum(read) <= n / 7
    run_search.look_up(path, run, there)
    assert sum(read) >= n


def test_every_place_of_a_key_is_found_through_all_merges(intake: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    keys = [0, 2**64 - 1, *(RNG.getrandbits(64) for _ in range(40))]
    told: list[tuple[int, int]] = []
    sizes = [60, 3, 1, 0, 25, 300, 2, 9]
    for upto, size in enumerate(sizes, 1):
        new = [(RNG.choice(keys), len(told) + n) for n in range(size)]
        told += new
        extended(intake, new, upto)
        asked = RNG.sample(keys, 20) + [RNG.getrandbits(64) for _ in range(5)]
        assert found(intake, asked) == sorted((k, p) for k, p in told if k in asked)
    runs = runs_of(intake).runs
    assert len(runs) < len(sizes)
    assert runs[0].since == 0
    assert runs[-1].upto == len(sizes)
    folder = tmp_path / key_runs.FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_what_was_taken_back_is_not_told_and_removed(intake: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    extended(intake, [(5, 1)], 1)
    intake.begin()
    runs_of(intake).extend(np.array([6, 7, 8, 9, 5], np.uint64), np.arange(5, dtype=np.uint32), 2)
    intake.rollback()
    assert found(intake, [5, 6, 7]) == [(5, 1)]
    assert len(list((tmp_path / key_runs.FOLDER).iterdir())) == 2
    extended(intake, [(4, 2)], 3)
    assert found(intake, [4, 5, 6]) == [(4, 2), (5, 1)]
    extended(intake, [(3, 3)], 4)
    assert {path.name for path in (tmp_path / key_runs.FOLDER).iterdir()} >= {run.file for run in runs_of(intake).runs}
    assert len(list((tmp_path / key_runs.FOLDER).iterdir())) <= 3


def test_runs_end_before_one_that_is_lost_or_cut(intake: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    extended(intake, [(n, n) for n in range(100)], 5)
    extended(intake, [(n, n) for n in range(3)], 8)
    first, last = runs_of(intake).runs
    (tmp_path / key_runs.FOLDER / last.file).write_bytes(b"cut")
    assert runs_of(intake).upto == 5
    (tmp_path / key_runs.FOLDER / first.file).unlink()
    assert runs_of(intake).upto == 0
    assert found(intake, [1]) == []


def hurt(path: Path, at: int) -> None:
    """Turn one bit, and leave the file as old as it was."""
    about = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 4]))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def of_the_week(path: Path, weeks: int) -> None:
    then = datetime.now(UTC) - timedelta(weeks=weeks)
    os.utime(path, (then.timestamp(), then.timestamp()))


#: Octets before the first keys of pages in the file of twenty keys, which has one page; and before its sieve.
FIRSTS = run_file.HEAD + 8 * 20
SIEVE = FIRSTS + 8 + 4 * 20


@pytest.mark.parametrize(
    "at", [0, 9, 30, 41, 44, run_file.HEAD, FIRSTS - 1, FIRSTS, FIRSTS + 7, FIRSTS + 8, SIEVE - 1, SIEVE, SIEVE + 31]
)
def test_a_hurt_run_is_as_good_as_lost_once_it_is_looked_at(
    intake: duckdb.DuckDBPyConnection, tmp_path: Path, at: int
) -> None:
    extended(intake, [(n, n) for n in range(20)], 5)
    (run,) = runs_of(intake).runs
    path = tmp_path / key_runs.FOLDER / run.file
    of_the_week(path, 1)
    assert runs_of(intake).upto == 5
    assert path.stat().st_mtime == pytest.approx(datetime.now(UTC).timestamp(), abs=60)  # it was its turn
    hurt(path, at)
    is_of_header = at < run_file.HEAD
    assert runs_of(intake).upto == (0 if is_of_header else 5)  # what it tells is read in turn
    if not is_of_header:
        of_the_week(path, 1)
    assert runs_of(intake).upto == 0
    assert not path.exists()


def test_each_run_has_its_turn_on_a_day_of_the_week() -> None:
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(14)]
    found = set()
    for name in map(str, range(60)):
        due = [day for day in days if run_file._is_due(name, day - timedelta(days=1), day)]
        assert len(due) == 2
        assert due[1] - due[0] == timedelta(days=7)
        assert all(run_file._is_due(name, due[0] - timedelta(days=1), day) for day in days if day >= due[0])
        assert not any(run_file._is_due(name, due[0], day) for day in days if due[0] <= day < due[1])
        assert run_file._is_due(name, due[0] + timedelta(days=1), due[0])  # a clock that was set back
        found.add(due[0])
    assert len(found) == 7


def test_a_hurt_run_does_not_become_part_of_another(intake: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    kept = KeyedTable("main.kept", "main.kept_run", ("one",))
    intake.execute("CREATE TABLE kept (one UBIGINT);" + registry("main.kept_run"))
    for number in range(2):
        intake.execute(f"INSERT INTO kept SELECT i FROM range({number * 20}, {number * 20 + 20}) t(i)")
        if number:
            (run,) = KeyRuns(intake, "intake", kept.named).runs
            hurt(tmp_path / key_runs.FOLDER / run.file, run_file.HEAD + 8 * 3)
        cover(intake, kept)
    (run,) = KeyRuns(intake, "intake", kept.named).runs
    assert (run.since, run.upto, run.n) == (0, 40, 40)
    assert Lookup(intake, kept).find(np.array([3, 30, 99], np.uint64)).to_list() == [3, 30]


def put(con: duckdb.DuckDBPyConnection, batch: int, hashes: list[bytes]) -> None:
    for position, hashed in enumerate(hashes):
        con.execute("INSERT INTO raw_message VALUES (?, ?, ?, ?)", [hashed, f"f{batch}", position, batch])
    con.execute("INSERT INTO raw_batch (batch_id, n_kept, n_rejected) VALUES (?, ?, 0)", [batch, len(hashes)])


def test_messages_are_known_as_the_table_knows_them(intake: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    stored = [[RNG.randbytes(16) for _ in range(8)] for _ in range(6)]
    for batch, hashes in enumerate(stored, 1):
        put(intake, batch, hashes)
        cover_messages(intake)
    assert runs_of(intake).upto == 6
    taken = stored[0][3]
    intake.execute("DELETE FROM raw_message WHERE message_hash = ?", [taken])
    alike = [hashed[:8] + RNG.randbytes(8) for hashed in stored[1]]
    every = [hashed for hashes in stored for hashed in hashes]
    asked = [*every, *alike, *(RNG.randbytes(16) for _ in range(50))]
    for lost in (False, True):
        if lost:
            for path in (tmp_path / key_runs.FOLDER).iterdir():
                path.unlink()
        known = known_hashes(intake, pl.Series(asked, dtype=pl.Binary))
        assert set(known) == set(every) - {taken}
        assert set(known_hashes(intake, pl.Series(asked[20:60], dtype=pl.Binary))) == set(asked[20:60]) & set(every)
    cover_messages(intake)
    assert runs_of(intake).upto == 6
    assert set(known_hashes(intake, pl.Series(asked, dtype=pl.Binary))) == set(every) - {taken}
    assert known_hashes(intake, pl.Series([], dtype=pl.Binary)).is_empty()


def test_rows_are_found_by_any_key_and_where_rows_went_away_too(intake: duckdb.DuckDBPyConnection) -> None:
    kept = KeyedTable("main.kept", "main.kept_run", ("one", "two"))
    intake.execute("CREATE TABLE kept (one UBIGINT, two UBIGINT);" + registry("main.kept_run"))
    for number in range(6):
        rows = f"SELECT i % 9, CASE WHEN i % 3 = 0 THEN 100 + i % 4 END FROM range({number * 8}, {number * 8 + 8}) t(i)"
        intake.execute(f"INSERT INTO kept {rows}")
        cover(intake, kept)
    assert KeyRuns(intake, "intake", kept.named).upto == 48
    moved = "CREATE OR REPLACE TABLE kept AS SELECT * FROM kept WHERE rowid"
    for change in ("FROM kept", "DELETE FROM kept WHERE rowid IN (5, 20)", f"{moved} <> 11", f"{moved} < 40"):
        intake.execute(change)
        for keys in ([3, 102], [100], [8], [50], []):
            told = intake.execute(
                "SELECT rowid FROM kept WHERE list_has_any([one, two], CAST($keys AS UBIGINT[])) ORDER BY 1",
                {"keys": keys},
            ).fetchall()
            places = Lookup(intake, kept).find(np.array(keys, np.uint64)).to_list()
            there = {row[0] for row in intake.execute("SELECT rowid FROM kept").fetchall()}
            assert [place for place in places if place in there] == [row[0] for row in told]


def test_new_keys_are_looked_for_where_they_can_be(
    intake: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 rows in a run, 11 in another and two in none: keys that are not before the 62nd row are not in the first."""
    kept = KeyedTable("main.kept", "main.kept_run", ("one",))
    intake.execute("CREATE TABLE kept (one UBIGINT);" + registry("main.kept_run"))
    for since, upto in ((0, 60), (60, 71), (71, 73)):
        intake.execute(f"INSERT INTO kept SELECT i FROM range({since}, {upto}) t(i)")
        cover(intake, kept)
    assert [(run.since, run.upto) for run in runs_of_kept(intake)] == [(0, 60), (60, 71)]
    looked: list[tuple[int, list[int]]] = []

    def watched(path: Path, run: run_file.Run, asked: run_file.Keys) -> run_file.Entries:
        looked.append((run.upto, asked.tolist()))
        return run_search.look_up(path, run, asked)

    monkeypatch.setattr(key_runs, "look_up", watched)
    stored, old, new = Lookup(intake, kept), np.array([5, 99], np.uint64), np.array([62, 72, 99], np.uint64)
    for since, runs in ((61, [71]), (71, [])):
        looked.clear()
        told = stored.find(old, new, since).to_list()
        assert looked == [(60, [5, 99]), (71, [5, 99]), *((upto, [62, 72, 99]) for upto in runs)]
        assert told == ([5, 62, 72] if runs else [5, 72])


def runs_of_kept(con: duckdb.DuckDBPyConnection) -> list[run_file.Run]:
    return KeyRuns(con, "intake", "main.kept_run").runs


def test_numbers_are_told_once_in_order() -> None:
    for dtype in (np.uint64, np.int64, np.uint32):
        for numbers in ([], [5], [3, 1, 3, 2**31, 1, 0]):
            told = run_search.distinct(np.array(numbers, dtype))
            assert told.tolist() == sorted(set(numbers))
            assert told.dtype == dtype
