"""Which blocks may have been written since the marts were published: more than the engine wrote, never fewer."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import duckdb
import pytest

from etl import block_hashes, block_writes, proof, publish, reading, spare
from etl.block_hashes import SIZE, of_block
from etl.block_writes import Watch, begin, free
from etl.build_digest import recount, stored
from etl.copying import BLOCK, HEADER, TURNS, _Older
from etl.publish import current
from tests.installation import Installation
from tests.night import Night

#: What a build does to marts: new rows behind the old ones, old ones away or changed, tables made and dropped.
CHANGES = (
    "INSERT INTO t SELECT range + {n}, hash(range * {n}), 'x' || hash(range + {n}) FROM range({many})",
    "DELETE FROM t WHERE i % 97 = {n} % 97",
    "UPDATE t SET s = 'y' || i WHERE i % 1013 = {n} % 1013",
    "CREATE OR REPLACE TABLE u AS SELECT hash(range + {n}) AS h FROM range({many})",
    "DROP TABLE IF EXISTS u",
)


def change(file: Path, random: Random, n_checkpoints: int = 1) -> None:
    """One opening of the file, with some changes before each checkpoint."""
    with duckdb.connect(str(file)) as con:
        con.execute("SET checkpoint_threshold = '1GB'")
        for _ in range(n_checkpoints):
            con.execute("BEGIN")
            for statement in random.sample(CHANGES, 3):
                con.execute(statement.format(n=random.randrange(10**6), many=random.choice([100, 20_000, 200_000])))
            con.execute("COMMIT")
            con.execute("CHECKPOINT")


def hashes(file: Path) -> list[bytes]:
    octets = file.read_bytes()
    return [of_block(octets[at : at + BLOCK]) for at in range(HEADER, len(octets), BLOCK)]


@pytest.fixture
def marts(tmp_path: Path) -> Path:
    """A file of some blocks, of which a copy was published; both are in the same state."""
    file = tmp_path / "marts.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("CREATE TABLE t AS SELECT range AS i, hash(range) AS h, 'x' || hash(range) AS s FROM range(500000)")
        con.execute("CREATE TABLE v AS SELECT hash(range) AS h FROM range(500000)")
    change(file, Random(1))  # noqa: S311 - so that there are free blocks
    published(file)
    return file


def published(marts: Path) -> Path:
    copy = marts.with_name("radops-000001.duckdb")
    shutil.copy(marts, copy)
    begin(marts, copy)
    return copy


def known(before: list[bytes], written: block_writes.Written) -> list[bytes]:
    """What is told of the blocks: their hashes of before, blank for those that may be others."""
    told = written.blank(b"".join(before))
    return [told[at : at + SIZE] for at in range(0, len(told), SIZE)]


def test_where_the_engine_may_write_is_what_it_says_itself(marts: Path) -> None:
    found = free(marts)
    assert found
    with duckdb.connect(str(marts), read_only=True) as con:
        total, n_free = con.execute("SELECT total_blocks, free_blocks FROM pragma_database_size()").fetchall()[0]
        own = {number for (number,) in con.execute("SELECT block_id FROM pragma_metadata_info()").fetchall()}
        used = {number for (number,) in con.execute("""
            SELECT block_id FROM pragma_storage_info('t') WHERE block_id >= 0
            UNION SELECT unnest(additional_block_ids) FROM pragma_storage_info('t')""").fetchall()}  # fmt: skip
    assert found.end == total
    assert own <= found.numbers
    assert len(found.numbers - own) == n_free > 0
    assert used
    assert not used & found.numbers


@pytest.mark.parametrize("seed", range(8))
def test_no_block_is_written_that_was_not_told(marts: Path, seed: int) -> None:
    random, before = Random(seed), hashes(marts)  # noqa: S311 - only which changes
    for _ in range(random.randrange(1, 4)):  # builds, each with a checkpoint, as many as between two publishes
        watch = Watch(marts)
        change(marts, random)
        watch.note()
    watch = Watch(marts)
    change(marts, random)  # as a publish tells the marts what they are published as
    written, after = watch.written(), hashes(marts)
    assert written
    assert written.origin == proof.state(marts.with_name("radops-000001.duckdb"))
    told = known(before, written)
    pairs = list(zip(told, after, strict=False))
    assert any(old != new for old, new in zip(before, after, strict=False)), "blocks were written over"
    assert sum(told != bytes(SIZE) for told, _ in pairs) > len(before) / 4, "of most is told what they are"
    assert all(told in (bytes(SIZE), new) for told, new in pairs)


def test_a_block_that_was_behind_the_end_is_not_told(marts: Path) -> None:
    n = len(hashes(marts))
    for number in (n + 5, n - 2):
        written = block_writes.Written("origin", frozenset({1, number}), n - 1)
        told = written.blank(b"h" * SIZE * n)
        assert len(told) == (n - 1) * SIZE
        assert told.count(b"h" * SIZE) == n - 2 - (number < n)


def test_blocks_behind_where_the_file_once_ended_may_have_been_written(marts: Path) -> None:
    """A file that shrank and grew again between two publishes."""
    ends = []

    def opened(*statements: str) -> Watch:
        watch = Watch(marts)
        with duckdb.connect(str(marts)) as con:
            for statement in statements:
                con.execute(statement)
            con.execute("CHECKPOINT")
        ends.append(len(hashes(marts)))
        return watch

    opened("CREATE TABLE w AS SELECT hash(range) AS h FROM range(900000)")
    published(marts)
    before = hashes(marts)
    opened("DROP TABLE w").note()
    opened("CREATE TABLE one AS SELECT 1 AS i").note()  # what was freed is given back now
    watch = opened("CREATE TABLE w AS SELECT hash(range + 7) AS h FROM range(900000)")
    assert ends[2] < ends[0], "it shrank"
    written = watch.written()
    assert written
    assert all(told in (bytes(SIZE), new) for told, new in zip(known(before, written), hashes(marts), strict=False))


def opened_twice(marts: Path) -> None:
    change(marts, Random(2), n_checkpoints=2)  # noqa: S311


def by_another(marts: Path) -> None:
    note = marts.with_name(block_writes.NOTE).read_text("ascii")
    change(marts, Random(2))  # noqa: S311
    marts.with_name(block_writes.NOTE).write_text(note, "ascii")


def left_a_log(marts: Path) -> None:
    with duckdb.connect(str(marts)) as con:
        con.execute("SET checkpoint_threshold = '1GB'; PRAGMA disable_checkpoint_on_shutdown")
        con.execute("DELETE FROM t WHERE i = 7")
    assert marts.with_name("marts.duckdb.wal").exists()


def of_another_engine(marts: Path) -> None:
    note = marts.with_name(block_writes.NOTE)
    note.write_text(json.dumps(json.loads(note.read_text("ascii")) | {"engine": "0.1"}), "ascii")


def no_note(marts: Path) -> None:
    marts.with_name(block_writes.NOTE).unlink()


@pytest.mark.parametrize("how", [by_another, left_a_log, of_another_engine, no_note])
def test_nothing_is_told_where_anything_else_may_have_happened(marts: Path, how: Callable[[Path], None]) -> None:
    how(marts)
    watch = Watch(marts)
    change(marts, Random(3))  # noqa: S311
    assert watch.written() is None
    watch.note()
    assert not marts.with_name(block_writes.NOTE).exists()


def test_nothing_is_told_of_an_opening_with_more_than_one_checkpoint(marts: Path) -> None:
    """What the first of them freed, the second may have written over."""
    watch = Watch(marts)
    opened_twice(marts)
    assert watch.written() is None


def test_an_opening_that_wrote_nothing_that_counts_may_have_written_all_the_same(marts: Path) -> None:
    """Rows that were rolled back are in blocks that were free."""
    watch = Watch(marts)
    before = hashes(marts)
    with duckdb.connect(str(marts)) as con:
        con.execute("BEGIN")
        con.execute("INSERT INTO t SELECT range, hash(range), 'z' || hash(range) FROM range(400000)")
        con.execute("ROLLBACK")
    written = watch.written()
    assert written
    at_first = free(marts)
    assert at_first
    assert at_first.numbers <= written.numbers
    assert all(told in (bytes(SIZE), new) for told, new in zip(known(before, written), hashes(marts), strict=False))


@pytest.mark.parametrize("how", ["other engine", "damaged", "cut", "missing"])
def test_a_file_that_cannot_be_read_here_tells_nothing(marts: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "other engine":
        monkeypatch.setattr(duckdb, "__version__", "2.0.2")
    elif how == "missing":
        marts.unlink()
    elif how == "cut":
        os.truncate(marts, HEADER + BLOCK)
    else:
        octets = bytearray(marts.read_bytes())
        for at in (4096, 8192):
            octets[at + 24 : at + 32] = (9 << 56 | 3).to_bytes(8, "little")  # leads to rows, not to a list
        marts.write_bytes(octets)
    assert free(marts) is None


def test_a_copy_in_another_state_is_not_the_begin(marts: Path) -> None:
    no_note(marts)
    copy = marts.with_name("radops-000001.duckdb")
    change(marts, Random(4))  # noqa: S311
    begin(marts, copy)
    assert not marts.with_name(block_writes.NOTE).exists()


@pytest.fixture(scope="module")
def built(night: Night, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Published twice, so that there are a spare and a note; the second half is built, not published."""
    made = night.copy(tmp_path_factory.mktemp("writes") / "home")
    first = current(made.home)
    assert first
    published = first.parent
    shutil.copy2(first, published / spare.NAME)
    shutil.copy(block_hashes.beside(first), block_hashes.beside(published / spare.NAME))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publish, "signature", lambda _root: "other definitions")
        publish.publish(made.home)
    made.stages("ingest", "build")
    newest = current(made.home)
    assert newest
    assert newest != first
    shutil.copy2(newest, published / spare.NAME)
    shutil.copy(block_hashes.beside(newest), block_hashes.beside(published / spare.NAME))
    return made


@pytest.fixture
def home(built: Installation, tmp_path: Path) -> Installation:
    shutil.copytree(built.root, tmp_path / "home", symlinks=True)
    return Installation(tmp_path / "home", built.settings)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, home: Installation) -> list[int]:
    """Pieces of the marts that were read."""
    found: list[int] = []
    usual, opened = reading.Pieces.read, reading.Pieces.__init__

    def open_file(pieces: reading.Pieces, path: Path) -> None:
        opened(pieces, path)
        pieces.is_marts = path == home.home.marts  # type: ignore[attr-defined]

    def noted(pieces: reading.Pieces, at: int) -> memoryview:
        if pieces.is_marts:  # type: ignore[attr-defined]
            found.append(at)
        return usual(pieces, at)

    monkeypatch.setattr(reading.Pieces, "__init__", open_file)
    monkeypatch.setattr(reading.Pieces, "read", noted)
    return found


def check_published(home: Installation) -> None:
    """The newest snapshot is the marts, byte for byte, and the hashes beside it are those of its blocks."""
    made = publish.publish(home.home)
    assert made.is_new
    assert made.path.read_bytes() == home.home.marts.read_bytes()
    assert block_hashes.told(made.path) == b"".join(hashes(made.path))


def test_what_nobody_can_have_written_is_not_read(home: Installation, read: list[int]) -> None:
    assert home.home.marts.with_name(block_writes.NOTE).exists(), "the build told what it may have written"
    check_published(home)
    n_pieces = home.home.marts.stat().st_size / reading.PIECE
    assert 0 < len(read) < n_pieces
    note = json.loads(home.home.marts.with_name(block_writes.NOTE).read_text("ascii"))
    assert note["numbers"] == []
    assert note["origin"] == note["state"] == proof.state(publish.current(home.home) or Path())


def untold(con: duckdb.DuckDBPyConnection, told: bytes, *, is_turn: bool) -> int:
    """A block of which it is told what it is: one with rows of a mart, or of a piece of which it is told of all."""
    n = reading.PIECE // BLOCK
    known = {number for number in range(len(told) // SIZE) if told[number * SIZE :][:SIZE] != bytes(SIZE)}
    of_rows = "SELECT block_id FROM pragma_storage_info('{}') WHERE block_id >= 0"
    in_use = con.execute(" UNION ".join(map(of_rows.format, stored(con)))).fetchall()
    alone = {number for number in known if known >= set(range(number // n * n, number // n * n + n))}
    return min({number for (number,) in in_use} & known if is_turn else alone)


def after_the_last_write(
    home: Installation, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytearray, int], None], *, is_turn: bool
) -> list[tuple[int, bytes]]:
    """Change a block that nobody can have written, in its turn or not, once the engine has read all rows and written
    its last; its number and the hash that it is told to have are found in the list that is returned."""
    take, unwritten = spare.take, publish._unwritten
    told: list[bytes] = []
    found: list[tuple[int, bytes]] = []

    def watched(newest: Path, written: block_writes.Written | None) -> bytes:
        told.append(unwritten(newest, written))
        return told[-1]

    def change_first(folder: Path, target: Path) -> bytes | None:
        with duckdb.connect(str(home.home.marts)) as con:
            recount(con, list(stored(con)))
            number = untold(con, told[-1], is_turn=is_turn)
        found.append((number, told[-1][number * SIZE : (number + 1) * SIZE]))
        in_turn(number, monkeypatch, is_turn=is_turn)
        octets = bytearray(home.home.marts.read_bytes())
        change(octets, HEADER + number * BLOCK + 8)
        with home.home.marts.open("r+b") as file:
            file.write(octets)
        return take(folder, target)

    monkeypatch.setattr(publish, "_unwritten", watched)
    monkeypatch.setattr(spare, "take", change_first)
    return found


def in_turn(number: int, monkeypatch: pytest.MonkeyPatch, *, is_turn: bool) -> None:
    """Make it the turn of a block, or of none."""
    piece = number * BLOCK // reading.PIECE
    monkeypatch.setattr(_Older, "_is_turn", lambda _, at: is_turn and at // reading.PIECE % TURNS == piece % TURNS)


def swap(octets: bytearray, at: int) -> None:
    """Swap two words of a block: its sum does not tell."""
    other = next(n for n in range(at + 8, at + BLOCK - 8, 8) if octets[n : n + 8] != octets[at : at + 8])
    octets[at : at + 8], octets[other : other + 8] = octets[other : other + 8], octets[at : at + 8]


def flip(octets: bytearray, at: int) -> None:
    octets[at] ^= 1


def test_a_block_that_was_written_all_the_same_is_found_in_its_turn(
    home: Installation, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is relied on then: all is read."""
    changed = after_the_last_write(home, monkeypatch, swap, is_turn=True)
    check_published(home)
    assert changed
    assert len(read) > home.home.marts.stat().st_size / reading.PIECE


def test_a_block_that_the_disk_lost_does_not_reach_a_snapshot(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose turn it is not: the snapshot keeps the block as it was when it was proven."""
    changed = after_the_last_write(home, monkeypatch, flip, is_turn=False)
    made = publish.publish(home.home)
    ((number, good),) = changed
    assert hashes(made.path)[number] == good != hashes(home.home.marts)[number]


def test_a_block_that_is_hurt_after_the_engine_has_read_it_is_not_published(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy would have it as it is on the disk, so the copy is counted, not what the engine remembers."""
    before = current(home.home)
    changed = after_the_last_write(home, monkeypatch, flip, is_turn=True)
    with pytest.raises(duckdb.Error, match="checksum"):
        publish.publish(home.home)
    assert changed
    assert current(home.home) == before


def test_all_is_read_where_the_newest_snapshot_is_another(home: Installation, read: list[int]) -> None:
    newest = current(home.home)
    assert newest
    newest.chmod(0o600)
    with newest.open("r+b") as file:
        file.seek(4096 + 100)
        file.write(b"other")
    block_hashes.note(newest, b"".join(hashes(newest)))
    check_published(home)
    assert len(read) > home.home.marts.stat().st_size / reading.PIECE
