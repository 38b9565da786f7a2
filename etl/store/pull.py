"""Taking snapshots from a place: this home then has what the place has, each proven before it is used.

The newest comes first and is pointed at as a publish points; then the older ones that are not here, so that hosts that
pull from one place answer alike. What the place has let go goes here too.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from etl.errors import StoreError
from etl.home import Home
from etl.lock import writer_lock
from etl.publish import clear, current, number, pinned_numbers, point, put_in_place, snapshot_paths
from etl.store import shelf
from etl.store.manifest import Manifest
from etl.store.place import Place
from sql.answer_files import drop_others

#: Bytes that stay free on the disk.
SPARE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pulled:
    """Outcome: the newest snapshot of the place, which is served now, and the numbers taken and removed."""

    snapshot_id: str
    taken: tuple[int, ...]
    removed: tuple[int, ...]


def pull(home: Home, place: Place) -> Pulled:
    """Take what is new. Raises StoreError, keeping what is served, and AlreadyRunningError."""
    with writer_lock(home.lock_file):
        clear(home.published)
        named = shelf.newest(place)
        if named is None:
            raise StoreError(f"{place.url}: no snapshot was put there yet")
        taken = _newest(home, place, named)
        there = shelf.numbers(place)
        for manifest in _missing(home, place, there):
            put_in_place(home, _fetched(home, place, manifest), manifest.file_name, is_newest=False)
            taken.append(manifest.seq)
        return Pulled(named.snapshot_id, tuple(taken), _removed(home, there | {named.seq}))


def _newest(home: Home, place: Place, named: Manifest) -> list[int]:
    """Serve the newest one; its number where it was taken now."""
    served = current(home)
    here = home.published / named.file_name
    if served is not None and number(served) > named.seq:
        raise StoreError(f"{place.url}: {named.snapshot_id} is older than {served.name}, which is served here")
    if not here.exists():
        put_in_place(home, _fetched(home, place, named), named.file_name)
        return [named.seq]
    if here.stat().st_size != named.size:
        raise StoreError(f"{place.url}: {named.snapshot_id} is not the {here.name} that is here")
    if served != here:  # killed before it was pointed at
        point(home.published, here.name)
    return []


def _missing(home: Home, place: Place, there: set[int]) -> list[Manifest]:
    """Older snapshots of the place that are not here, the newest first."""
    wanted = there - {number(path) for path in snapshot_paths(home)}
    return [found for found in reversed(shelf.manifests(place)) if found.seq in wanted] if wanted else []


def _fetched(home: Home, place: Place, manifest: Manifest) -> Path:
    free = shutil.disk_usage(home.published).free
    if free < manifest.size + SPARE:
        raise StoreError(f"{manifest.snapshot_id} needs {manifest.size:,} bytes, and the disk has {free:,}")
    temporary = home.published / f".{manifest.file_name}.tmp"
    shelf.fetch(place, manifest, temporary)
    return temporary


def _removed(home: Home, there: set[int]) -> tuple[int, ...]:
    """Remove what the place does not have any more, but what is served and what editions here were made from."""
    served, stay = current(home), there | pinned_numbers(home)
    gone = [path for path in snapshot_paths(home) if path != served and number(path) not in stay]
    for path in gone:
        path.unlink()
    drop_others(home.published, *snapshot_paths(home))
    return tuple(map(number, gone))
