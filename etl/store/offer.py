"""Putting the published snapshots of a home to a place, after a publish and apart from it.

The newest goes first, so that readers have it soon; then those that an earlier night could not put. Nothing here
changes what is published on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from etl.home import Home
from etl.publish import current, number, pinned_numbers, read_meta, snapshot_paths
from etl.store import shelf
from etl.store.manifest import read_manifest
from etl.store.place import Place


@dataclass(frozen=True, slots=True)
class Offered:
    """Outcome: the newest snapshot of the place, and the numbers of those that were put and removed now."""

    snapshot_id: str
    put: tuple[int, ...]
    removed: tuple[int, ...]


def offer(home: Home, place: Place) -> Offered | None:
    """Bring a place up to date with a home; None before the first publish. Raises StoreError."""
    last = current(home)
    meta = read_meta(last) if last else None
    if last is None or meta is None:
        return None
    there, done = shelf.numbers(place), []
    if not shelf.is_there(place, meta.snapshot_id):
        shelf.point(place, shelf.put(place, last), read_manifest)
        done.append(number(last))
    local = [number(path) for path in snapshot_paths(home)]
    for path in reversed(snapshot_paths(home)):
        if path != last and number(path) not in there:
            shelf.put(place, path)
            done.append(number(path))
    removed = shelf.retire(place, home.settings.keep_snapshots, {*local, *pinned_numbers(home)}) if done else []
    return Offered(meta.snapshot_id, tuple(done), tuple(removed))


def told(home: Home, place: Place) -> dict[str, object]:
    """What `offer` did, for the log; raises StoreError."""
    done = offer(home, place)
    return {} if done is None else {
        "snapshot": done.snapshot_id, "put": len(done.put), "removed": len(done.removed)}  # fmt: skip
