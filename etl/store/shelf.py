"""Snapshots at a place: the object first, then its manifest, last the pointer, which is the manifest of the newest.

A reader goes by the pointer, so it never sees what is half there. Objects bear their content in their names and are
never replaced; a manifest is written once; the pointer is swapped under the condition that nobody else did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from datetime import datetime
from pathlib import Path

from etl.durable import sync
from etl.errors import StoreError
from etl.publish import Meta, read_meta
from etl.retention import Kept, kept
from etl.store.manifest import Made, Manifest, Numbered, instant, now, read_manifest, sha256_of
from etl.store.place import Place

POINTER = "radops.json"
_OBJECT = re.compile(r"radops-(\d{6,})-[0-9a-f]{16}\.duckdb")
_MANIFEST = re.compile(r"radops-(\d{6,})\.json")


def newest(place: Place) -> Manifest | None:
    """The snapshot that the pointer names; None before the first. Raises StoreError."""
    data = place.read(POINTER)
    return None if data is None else read_manifest(data, place.url_of(POINTER))


def numbers(place: Place) -> set[int]:
    """Numbers of the snapshots of the place. Raises StoreError."""
    return {int(match[1]) for name in place.names() if (match := _MANIFEST.fullmatch(name))}


def is_there(place: Place, snapshot_id: str) -> bool:
    """Whether a snapshot is the newest of the place, and its object has the right size. Raises StoreError."""
    named = newest(place)
    return named is not None and named.snapshot_id == snapshot_id and place.size(named.object_name) == named.size


def manifests(place: Place) -> list[Manifest]:
    """All snapshots of the place, the oldest first. Raises StoreError."""
    names = [name for name in place.names() if _MANIFEST.fullmatch(name)]
    found = ((name, place.read(name)) for name in names)
    return [read_manifest(data, place.url_of(name)) for name, data in found if data is not None]


def describe(path: Path) -> Manifest:
    """The manifest of a snapshot of this machine, as put now. Raises StoreError where it is none."""
    meta = read_meta(path)
    if meta is None:
        raise StoreError(f"{path.name} is damaged")
    return Manifest(
        meta.snapshot_id, int(meta.snapshot_id.partition("-")[0]), meta.digest, meta.signature, instant(meta.built_at),
        instant(meta.data_through), path.stat().st_size, sha256_of(path), now(),
    )  # fmt: skip


def put(place: Place, path: Path) -> Manifest:
    """Put a snapshot with its manifest, unless it is there, whole. Raises StoreError where another has its number."""
    manifest = describe(path)
    there = place.read(manifest.name)
    known = None if there is None else read_manifest(there, place.url_of(manifest.name))
    if known is not None and not known.is_same(manifest):
        raise foreign(place, known)
    if place.size(manifest.object_name) != manifest.size:
        place.put(manifest.object_name, path)
    if place.size(manifest.object_name) != manifest.size:
        raise StoreError(f"{place.url}: {manifest.object_name} did not arrive whole")
    if known is None:
        try:
            place.write(manifest.name, manifest.to_bytes(), is_new=True)
        except FileExistsError as error:
            raise StoreError(f"{place.url}: another writer was faster") from error
    return known or manifest


def point(place: Place, manifest: Made, read: Callable[[bytes, str], Made]) -> None:
    """Make what was put the newest. Raises StoreError where the place has a later one, or another of that number.

    `read` reads manifests of its kind.
    """
    seen = place.seen(POINTER)
    if seen.data is not None:
        current = read(seen.data, place.url_of(POINTER))
        if current.is_same(manifest):
            return
        if current.seq >= manifest.seq and current.snapshot_id != manifest.snapshot_id:
            raise foreign(place, current)
    place.swap(POINTER, manifest.to_bytes(), seen)


def foreign(place: Place, other: Numbered) -> StoreError:
    """That a place has what this home never put there."""
    return StoreError(
        f"{place.url}: {other.snapshot_id} lies there, of another home; each home needs a place of its own"
    )


def retire(place: Place, keep: int, pinned: Set[int]) -> list[int]:
    """Remove snapshots that the policy lets go, manifests first, and objects without one; their numbers.

    `pinned` are the numbers that editions were made from.
    """
    known = manifests(place)
    if not known:
        return []
    stay, gone = let_go(place, known, keep, pinned)
    named = {manifest.object_name for manifest in stay}
    last = max(manifest.seq for manifest in known)
    for name in place.names():
        match = _OBJECT.fullmatch(name)
        if match and name not in named and int(match[1]) <= last:
            place.remove(name)
    return [manifest.seq for manifest in gone]


def let_go(place: Place, known: list[Made], keep: int, pinned: Set[int]) -> tuple[list[Made], list[Made]]:
    """Remove the manifests that the policy lets go; those that stay, and those that went."""
    policy = kept([Kept(m.seq, datetime.fromisoformat(m.built_at)) for m in known], keep) | pinned
    stay, gone = ([m for m in known if (m.seq in policy) is has] for has in (True, False))
    for manifest in gone:
        place.remove(manifest.name)
    return stay, gone


def fetch(place: Place, manifest: Manifest, target: Path) -> Meta:
    """Copy a snapshot to this machine, proven and on the disk; returns what it says of itself.

    Raises StoreError where the object is not the one that the manifest tells, and then leaves nothing.
    """
    if place.size(manifest.object_name) != manifest.size:
        raise _hurt(place, manifest)
    try:
        target.touch(mode=0o600)
        place.get(manifest.object_name, target)
        if target.stat().st_size != manifest.size or sha256_of(target) != manifest.sha256:
            raise _hurt(place, manifest)
        meta = read_meta(target)
        if meta is None or (meta.snapshot_id, meta.digest) != (manifest.snapshot_id, manifest.digest):
            raise StoreError(f"{place.url}: {manifest.object_name} is no snapshot that this radops can open")
        sync(target)
    except FileNotFoundError as error:  # retired while it was copied
        target.unlink(missing_ok=True)
        raise _hurt(place, manifest) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return meta


def _hurt(place: Place, manifest: Manifest) -> StoreError:
    return StoreError(f"{place.url}: {manifest.object_name} is torn or hurt; it was not taken")
