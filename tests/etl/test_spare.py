"""The room of a retired snapshot: only what differs is written over it, and never under somebody who reads it."""

from __future__ import annotations

import os
import shutil
import sys
from io import FileIO
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from etl import block_hashes, copying, spare
from etl.copying import BLOCK, HEADER, TURNS, renew
from etl.errors import CheckFailedError
from etl.publish import current, publish, read_meta
from tests.installation import Installation
from tests.night import Night

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks the system who has a file open")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With an old file of blocks `old`, and `new`, of which some blocks are others; their sums are not right."""
    random = Random(7)  # noqa: S311 - only bytes
    blocks = [random.randbytes(BLOCK) for _ in range(9)]
    (tmp_path / "old").write_bytes(b"o" * HEADER + b"".join(blocks))
    blocks[2], blocks[5] = random.randbytes(BLOCK), blocks[5][:-1] + b"!"
    (tmp_path / "new").write_bytes(b"n" * HEADER + b"".join(blocks))
    return tmp_path


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Where something was written, and how many bytes."""
    found: list[tuple[int, int]] = []

    class Watched(FileIO):
        def write(self, data: Any) -> int:
            found.append((self.tell(), len(data)))
            return super().write(data)

    monkeypatch.setattr(copying, "FileIO", Watched)
    return found


def test_only_blocks_that_differ_are_written(folder: Path, written: list[tuple[int, int]]) -> None:
    assert not renew(folder / "new", folder / "old").is_sound
    assert (folder / "old").read_bytes() == (folder / "new").read_bytes()
    assert written == [(0, HEADER), (HEADER + 2 * BLOCK, BLOCK), (HEADER + 5 * BLOCK, BLOCK)]
    del written[:]
    assert renew(folder / "new", folder / "old").is_sound, "blocks that the copy has were proven when they were written"
    assert written == [(0, HEADER)]


def of_blocks(path: Path) -> bytes:
    octets = path.read_bytes()
    return b"".join(block_hashes.of_block(octets[at : at + BLOCK]) for at in range(HEADER, len(octets), BLOCK))


def test_hashes_tell_which_blocks_differ(folder: Path, written: list[tuple[int, int]]) -> None:
    found = renew(folder / "new", folder / "old", of_blocks(folder / "old"))
    assert (folder / "old").read_bytes() == (folder / "new").read_bytes()
    assert written == [(0, HEADER), (HEADER + 2 * BLOCK, BLOCK), (HEADER + 5 * BLOCK, BLOCK)]
    assert found.hashes == of_blocks(folder / "new") == copying.copy(folder / "new", folder / "whole").hashes


def test_a_block_that_is_not_what_its_hash_tells_is_mended_in_its_turn(folder: Path) -> None:
    hashes = renew(folder / "new", folder / "old").hashes
    damaged = bytearray((folder / "new").read_bytes())
    places = [HEADER + number * BLOCK for number in (0, 4, 8)]  # each in another piece
    for at in places:
        damaged[at] ^= 1
    mended = set()
    for turn in range(TURNS):
        (folder / "old").write_bytes(damaged)
        renew(folder / "new", folder / "old", hashes, turn)
        octets = (folder / "old").read_bytes()
        mended |= {at for at in places if octets[at] != damaged[at]}
        assert len(mended) == min(turn + 1, 3), "one piece in so many is compared, none of the others"
    assert mended == set(places)


@pytest.mark.parametrize("size", [0, 100, HEADER, HEADER + 3 * BLOCK, HEADER + 4 * BLOCK + 9, HEADER + 8 * BLOCK + 1])
@pytest.mark.parametrize("is_longer", [True, False])
def test_a_file_that_grew_or_shrank_is_renewed(folder: Path, size: int, *, is_longer: bool) -> None:
    os.truncate(folder / ("old" if is_longer else "new"), size)
    shutil.copy(folder / "old", folder / "other")
    renew(folder / "new", folder / "old")
    assert (folder / "old").read_bytes() == (folder / "new").read_bytes()
    renew(folder / "new", folder / "other", of_blocks(folder / "other"))
    assert (folder / "other").read_bytes() == (folder / "new").read_bytes()


def test_what_was_not_written_as_told_is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Torn(FileIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(len(data)) if len(data) == BLOCK else data)

    monkeypatch.setattr(copying, "FileIO", Torn)
    with pytest.raises(CheckFailedError, match="not like its source"):
        renew(folder / "new", folder / "old")


def test_a_spare_is_taken_once(folder: Path) -> None:
    assert spare.take(folder, folder / "target") is None
    block_hashes.note(folder / "new", b"of new")
    spare.keep(folder / "new")
    spare.keep(folder / "old")
    assert (folder / spare.NAME).stat().st_mode & 0o777 == 0o600
    assert spare.take(folder, folder / "target") == b"", "the hashes that are there are those of another"
    assert (folder / "target").read_bytes()[:1] == b"o"
    block_hashes.drop_orphans(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["target"]


@pytest.mark.parametrize("how", ["as it was", "written", "grown", "other hashes"])
def test_hashes_are_told_of_the_file_that_they_were_noted_of(folder: Path, how: str) -> None:
    block_hashes.note(folder / "old", b"of old")
    at = (folder / "old").stat().st_mtime_ns
    if how == "written":
        os.utime(folder / "old", ns=(at, at + 1))
    elif how == "grown":
        os.truncate(folder / "old", 12 * BLOCK)
        os.utime(folder / "old", ns=(at, at))
    elif how == "other hashes":
        block_hashes.beside(folder / "old").write_bytes(b"of old")
    assert block_hashes.told(folder / "old") == (b"of old" if how == "as it was" else b"")
    spare.keep(folder / "old")
    assert spare.take(folder, folder / "target") == (b"of old" if how == "as it was" else b"")


@pytest.mark.parametrize("how", ["open", "mapped", "linked", "not ours"])
def test_a_spare_that_may_be_read_is_not_taken(folder: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = (folder / "old").open("rb")
    spare.keep(folder / "old")
    if how == "linked":
        (folder / "backup").hardlink_to(folder / spare.NAME)
    elif how == "mapped":
        import mmap  # noqa: PLC0415

        mapped = mmap.mmap(reader.fileno(), 0, prot=mmap.PROT_READ)
    elif how == "not ours":
        monkeypatch.setattr(spare, "FileIO", lambda *_: (_ for _ in ()).throw(PermissionError()))
    if how != "open":
        reader.close()
    assert spare.take(folder, folder / "target") is None
    assert not (folder / spare.NAME).exists()
    assert not (folder / "target").exists()
    if how == "open":
        assert reader.read(HEADER) == b"o" * HEADER, "a reader keeps what it opened"
        reader.close()
    elif how == "mapped":
        assert mapped[:HEADER] == b"o" * HEADER
        mapped.close()


@pytest.fixture
def home(night: Night, tmp_path: Path) -> Installation:
    """Of which one half is published and all is built."""
    made = night.copy(tmp_path / "home")
    made.stages("ingest", "build")
    return made


@pytest.mark.parametrize("is_hashed", [False, True])
def test_a_published_file_is_the_same_by_either_way(night: Night, home: Installation, *, is_hashed: bool) -> None:
    first = current(home.home)
    assert first
    shutil.copy2(first, first.with_name(spare.NAME))
    if is_hashed:
        hashes = block_hashes.beside(first)
        shutil.copy(hashes, hashes.with_stem(".spare"))
        assert block_hashes.told(first.with_name(spare.NAME)) == of_blocks(first)
    made = publish(home.home)
    assert made.path.read_bytes() == home.home.marts.read_bytes()
    assert block_hashes.told(made.path) == of_blocks(made.path)
    assert not first.with_name(spare.NAME).exists()
    assert sorted(path.name for path in home.home.published.glob(".*")) == [
        block_hashes.beside(path).name for path in (first, made.path)
    ], "hashes stay as long as their snapshot"
    meta = read_meta(made.path)
    assert meta
    assert meta.digest == night.digests[1]
    assert made.path.stat().st_mode & 0o777 == 0o440


def test_an_analyst_keeps_reading_what_was_opened(night: Night, home: Installation) -> None:
    first = current(home.home)
    assert first
    with duckdb.connect(str(first), read_only=True) as con:
        os.rename(first, first.with_name(spare.NAME))
        made = publish(home.home)
        assert con.execute("SELECT digest FROM meta_snapshot").fetchall() == [(night.digests[0],)]
    assert made.path.read_bytes() == home.home.marts.read_bytes()


def test_a_build_of_everything_gives_its_room_back(home: Installation) -> None:
    aside = home.home.published / spare.NAME
    aside.touch()
    home.stages("build")
    assert aside.exists()
    home.digest(full=True)
    assert not aside.exists()
