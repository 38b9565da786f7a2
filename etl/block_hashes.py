"""Hashes of a snapshot's blocks, kept beside it: which of them a later file has too is known without reading both.

They are told only of the file that they were noted of, by its size and the time of its last write. XXH3 of 128 bits (it
is no cipher: it tells blocks apart that nobody made alike on purpose) takes the processor less than to read a block.
"""

from __future__ import annotations

import os
from pathlib import Path

from xxhash import xxh3_128_digest as of_block

#: Octets of a hash.
SIZE = 16

__all__ = ["SIZE", "beside", "drop_orphans", "keep", "note", "of_block", "told"]


def beside(snapshot: Path) -> Path:
    """The file of a snapshot's hashes, under a name that no reader looks for."""
    return snapshot.with_name(f".{snapshot.stem.removeprefix('.')}.blocks")


def note(snapshot: Path, hashes: bytes) -> None:
    """Note the hashes of all blocks of a file, as this process leaves it."""
    aside = beside(snapshot).with_suffix(".tmp")
    aside.write_bytes(_state(snapshot) + hashes)
    os.replace(aside, beside(snapshot))


def told(snapshot: Path) -> bytes:
    """The hashes of all blocks of a file, one behind the other; none where they were not noted of it as it is."""
    try:
        found, state = beside(snapshot).read_bytes(), _state(snapshot)
    except FileNotFoundError:
        return b""
    return found.removeprefix(state) if found.startswith(state) else b""


def keep(snapshot: Path, name: Path) -> None:
    """Let the hashes of a file follow it to another name."""
    if beside(snapshot).exists():
        os.replace(beside(snapshot), beside(name))


def drop_orphans(folder: Path) -> None:
    """Remove hashes whose snapshot is gone."""
    for hashes in folder.glob(".*.blocks"):
        if not any((folder / f"{dot}{hashes.stem.removeprefix('.')}.duckdb").exists() for dot in ("", ".")):
            hashes.unlink()


def _state(snapshot: Path) -> bytes:
    found = snapshot.stat()
    return b"xxh3-128 %d %d\n" % (found.st_size, found.st_mtime_ns)
