"""The marts of a snapshot as Parquet at a place: for engines elsewhere that read neither DuckDB files nor our macros.

Each mart is one file, sorted as the mart is, below the snapshot that it was first written for. Files come first, then
the manifest that names all of the snapshot's marts, last the pointer, which is the newest manifest. A mart that has the
rows of the manifest before is named again where it lies and not written.
"""

from __future__ import annotations

import re
from collections.abc import Set
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from etl.build_digest import columns_of, measure, stored
from etl.errors import StoreError
from etl.home import Home
from etl.publish import Meta, current, number, pinned_numbers, read_meta, snapshot_paths
from etl.store import shelf
from etl.store.manifest import instant, now, sha256_of
from etl.store.mart_manifest import FILE, MartFile, MartManifest, read_mart_manifest
from etl.store.place import Place

_MANIFEST = re.compile(rf"\d{{6,}}-[0-9a-z]{{1,12}}/{re.escape(FILE)}")
_PART = re.compile(r"(\d{6,})-[0-9a-z]{1,12}/\w+\.parquet")
#: Types that Parquet has no word for -> the one that holds their values; a value that does not fit stops the mart.
_HELD = {"HUGEINT": "DECIMAL(38,0)", "UHUGEINT": "DECIMAL(38,0)"}
#: What a file is written as: small, and the same for every reader.
_COPY = "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v1, USE_TMP_FILE false)"
Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Written:
    """Outcome: the snapshot whose marts are the place's newest, marts written now and named again, files removed."""

    snapshot_id: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    removed: int


def newest(place: Place) -> MartManifest | None:
    """The marts that the pointer names; None before the first. Raises StoreError."""
    data = place.read(shelf.POINTER)
    return None if data is None else read_mart_manifest(data, place.url_of(shelf.POINTER))


def manifests(place: Place) -> list[MartManifest]:
    """All that the place has, the oldest first. Raises StoreError."""
    found = ((name, place.read(name)) for name in place.names() if _MANIFEST.fullmatch(name))
    known = [read_mart_manifest(data, place.url_of(name)) for name, data in found if data is not None]
    return sorted(known, key=lambda manifest: manifest.seq)


def offer(home: Home, place: Place) -> Written | None:
    """Bring a place up to date with the newest snapshot of a home; None before the first publish. Raises StoreError."""
    path = current(home)
    meta = read_meta(path) if path else None
    if path is None or meta is None:
        return None
    before = newest(place)
    if before is not None and before.seq >= number(path) and before.snapshot_id != meta.snapshot_id:
        raise shelf.foreign(place, before)
    if before is not None and before.snapshot_id == meta.snapshot_id and _is_whole(place, before):
        return Written(meta.snapshot_id, (), tuple(before.marts), 0)
    manifest, written = _put(place, path, meta, before, home.settings.memory_limit)
    place.write(manifest.name, manifest.to_bytes())
    shelf.point(place, manifest, read_mart_manifest)
    local = {number(path) for path in snapshot_paths(home)}
    removed = _retire(place, home.settings.keep_snapshots, local | pinned_numbers(home))
    return Written(meta.snapshot_id, written, tuple(name for name in manifest.marts if name not in written), removed)


def told(home: Home, place: Place) -> dict[str, object]:
    """What `offer` did, for the log; raises StoreError."""
    done = offer(home, place)
    return {} if done is None else {
        "snapshot": done.snapshot_id, "written": len(done.written), "kept": len(done.kept),
        "removed": done.removed}  # fmt: skip


def _is_whole(place: Place, manifest: MartManifest) -> bool:
    return all(place.size(mart.path) == mart.size for mart in manifest.marts.values())


def _put(
    place: Place, path: Path, meta: Meta, before: MartManifest | None, memory_limit: str
) -> tuple[MartManifest, tuple[str, ...]]:
    """Write the marts that the place has not; the manifest of all, and the names of those that were written."""
    known, marts, written = ({} if before is None else before.marts), {}, []
    with closing(duckdb.connect(str(path), read_only=True)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET memory_limit = '{memory_limit}'")
        for table, (n_rows, total) in sorted(stored(con).items()):
            columns = tuple(columns_of(con, table))
            old = known.get(table)
            if old is not None and old.holds(n_rows, str(total), columns) and place.size(old.path) == old.size:
                marts[table] = old
                continue
            name = f"{meta.snapshot_id}/{table}.parquet"
            marts[table] = _write(con, place, name, table, MartFile(name, n_rows, str(total), columns, 0, ""))
            written.append(table)
    manifest = MartManifest(
        meta.snapshot_id, number(path), meta.digest, meta.signature, instant(meta.built_at),
        instant(meta.data_through), now(), marts,
    )  # fmt: skip
    return manifest, tuple(written)


def _write(con: duckdb.DuckDBPyConnection, place: Place, name: str, table: str, mart: MartFile) -> MartFile:
    """Write one mart, read it back, and put it once its rows have the sum that the snapshot tells."""
    held = ", ".join(f'CAST("{c}" AS {_HELD.get(kind, kind)}) AS "{c}"' for c, kind in mart.columns)
    with place.writing(name) as file:
        rows = f"read_parquet('{file.name}')"
        try:
            con.execute(f"COPY (SELECT {held} FROM {table}) TO '{file.name}' {_COPY}")
        except (duckdb.ConversionException, duckdb.NotImplementedException) as error:
            raise StoreError(f"{table} has a value or a type that Parquet does not hold") from error
        if columns_of(con, f"SELECT * FROM {rows}") != [(c, _HELD.get(kind, kind)) for c, kind in mart.columns]:
            raise StoreError(f"{table} has a column of a type that Parquet does not hold")
        if measure(con, rows, list(mart.columns)) != (mart.n_rows, int(mart.digest)):
            raise StoreError(f"{table} as Parquet is not what the snapshot has; it was not put")
        made = Path(file.name)
        return replace(mart, size=made.stat().st_size, sha256=sha256_of(made))


def _retire(place: Place, keep: int, pinned: Set[int]) -> int:
    """Remove what the policy of snapshots lets go: manifests first, then the files that no other one names."""
    known = manifests(place)
    stay, _ = shelf.let_go(place, known, keep, pinned)
    named = {mart.path for manifest in stay for mart in manifest.marts.values()}
    last = max(manifest.seq for manifest in known)
    gone = [
        name for name in place.names()
        if (match := _PART.fullmatch(name)) and name not in named and int(match[1]) <= last
    ]  # fmt: skip
    for name in gone:
        place.remove(name)
    place.prune()
    return len(gone)
