"""Publish: an immutable snapshot under a new name, then one atomic swap of the pointer.

The marts say of themselves what they are published as, and are copied byte for byte under a temporary name; the copy is
compared, fsynced and renamed: a reader sees the old snapshot or the new one and nothing between. Publishing is the
privacy boundary: a snapshot holds marts only.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from etl import block_hashes, block_writes, proof, spare
from etl.build_digest import overall
from etl.copying import Copied, copy, renew
from etl.durable import sync
from etl.editions import pinned
from etl.home import Home
from etl.retention import Kept, kept
from etl.settings import Settings, shown
from etl.signatures import signature
from etl.transaction import transaction
from sql.answer_files import drop_others

__all__ = ["complete", "copy", "current", "prove", "publish", "read_meta", "snapshot_paths"]

POINTER = "radops.duckdb"
#: Which definitions the macros and comments of a file are of; all tables of it go when the marts are derived anew.
_EXPLAINED = "CREATE TABLE IF NOT EXISTS meta_explained (signature VARCHAR)"
#: What a snapshot says of itself; macros read it, so the work copy has it from the beginning, without a row.
_SNAPSHOT = """
    CREATE OR REPLACE TABLE meta_snapshot (snapshot_id VARCHAR, seq BIGINT, built_at TIMESTAMP, data_through TIMESTAMP,
                                           digest VARCHAR, signature VARCHAR);
    CREATE OR REPLACE TABLE meta_setting (name VARCHAR, "value" VARCHAR, usual VARCHAR, meaning VARCHAR)"""


@dataclass(frozen=True, slots=True)
class Published:
    """Outcome: the snapshot that readers see now, and whether this call made it."""

    snapshot_id: str
    path: Path
    digest: str
    is_new: bool


def current(home: Home) -> Path | None:
    """The snapshot the pointer names, None before the first."""
    pointer = home.published / POINTER
    return pointer.resolve() if pointer.exists() else None


def snapshot_paths(home: Home) -> list[Path]:
    """Snapshots, oldest first."""
    return sorted(home.published.glob("radops-*.duckdb"))


class Meta(NamedTuple):
    """What a snapshot says of itself; times are UTC."""

    snapshot_id: str
    digest: str
    signature: str
    data_through: datetime | None
    built_at: datetime


def read_meta(path: Path) -> Meta | None:
    """Identity of a snapshot; None where the file is damaged."""
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            rows = con.execute(
                "SELECT snapshot_id, digest, signature, data_through, built_at FROM meta_snapshot"
            ).fetchall()
    except (duckdb.IOException, duckdb.SerializationException, duckdb.CatalogException, duckdb.FatalException):
        return None
    return Meta(*rows[0])


def publish(home: Home, digest: str = "") -> Published:
    """Publish the marts if they or the metrics changed. Raises CheckFailedError, keeping the old snapshot.

    `digest` is that of the marts where a build under the same lock has told it and left them as they were: they are
    then not opened to ask. To open a snapshot takes as long as to copy some hundred megabytes, for the macros that it
    holds: the newest is not opened where the marts tell that they were others when it was made of them.
    """
    clear(home.published)
    newest, definitions = current(home), signature(home.root)
    if digest and newest and (stands := _standing(newest, digest, definitions)):
        return stands
    note, watch = proof.noted(home.marts), block_writes.Watch(home.marts)  # before anything opens the file
    with duckdb.connect(str(home.marts)) as con:
        digest = overall(con)
        if newest and _told(con, number(newest)) in (None, (digest, definitions)):
            stands = _standing(newest, digest, definitions)
            if stands:
                return stands
        sequence = max((number(path) for path in snapshot_paths(home)), default=0) + 1
        final = home.published / f"radops-{sequence:06d}.duckdb"
        temporary = home.published / f".{final.name}.tmp"
        snapshot_id = f"{sequence:06d}-{digest[:12]}"
        _tell(con, snapshot_id, sequence, digest, definitions, home.settings)  # from here on the file is only read
        told = _unwritten(newest, watch.written()) if newest else b""
        note, copied = _copy_proven(con, note, home.marts, temporary, sequence, told)
    put_in_place(home, temporary, final.name)
    proof.write(home.marts, note)
    if copied.hashes:
        block_hashes.note(final, copied.hashes)
        block_writes.begin(home.marts, final)
    retire(home, final, keeps_spare=not copied.is_shared)
    block_hashes.drop_orphans(home.published)
    return Published(snapshot_id, final, digest, is_new=True)


def _standing(newest: Path, digest: str, definitions: str) -> Published | None:
    """The newest snapshot where it is of these marts under these definitions, and not damaged."""
    meta = read_meta(newest)
    if meta is None or (digest, definitions) != (meta.digest, meta.signature):
        return None
    return Published(meta.snapshot_id, newest, digest, is_new=False)


def _told(con: duckdb.DuckDBPyConnection, sequence: int) -> tuple[str, str] | None:
    """Digest and signature with which the marts were published as this snapshot; None where they do not tell it."""
    try:
        rows = con.execute("SELECT digest, signature FROM meta_snapshot WHERE seq = ?", [sequence]).fetchall()
    except duckdb.CatalogException:  # not published since they were made
        return None
    return rows[0] if rows else None


def clear(folder: Path) -> None:
    """Remove what a killed publish leaves: its copy, and the engine's log beside it."""
    for leftover in folder.glob(".*.tmp*"):
        leftover.unlink()


def _unwritten(newest: Path, written: block_writes.Written | None) -> bytes:
    """Hashes of the marts' blocks that are those of the newest snapshot for sure, zeros for others; or none."""
    is_origin = written is not None and written.origin == proof.state(newest)
    return written.blank(block_hashes.told(newest)) if written is not None and is_origin else b""


def _copy_proven(
    con: duckdb.DuckDBPyConnection, note: proof.Note | None, marts: Path, target: Path, sequence: int, told: bytes
) -> tuple[proof.Note, Copied]:
    """Copy the marts while their rows are counted; returns what is known of them then, and how the copy came about.

    A suspected copy is counted itself: the engine may have read a block of the marts before it was hurt. `told`: hashes
    of the marts' blocks where these are known. Raises CheckFailedError.
    """
    with ThreadPoolExecutor(1) as pool:  # the disk copies while the processor counts
        counted = pool.submit(proof.prove, con, note)
        hashes = spare.take(target.parent, target)
        copied = copy(marts, target) if hashes is None else renew(marts, target, hashes, sequence, told)
        known = counted.result()
    return known if copied.is_sound else prove(target), copied


def prove(path: Path) -> proof.Note:
    """Count all rows of the marts again; returns what is known of them then.

    Raises CheckFailedError where they do not have the digest they claim.
    """
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        return proof.prove(con, None)


def explain(con: duckdb.DuckDBPyConnection, definitions: str) -> None:
    """Add macros, comments and dictionary to the marts, where they are not those of these definitions already.

    The work copy keeps them: to write them takes longer than to copy a file of some hundred megabytes.
    """
    con.execute(_EXPLAINED)
    if con.execute("SELECT signature FROM meta_explained").fetchall() == [(definitions,)]:
        return
    from sql import metric_macros  # noqa: PLC0415 - all the statements; not needed where nothing has changed

    con.execute("DELETE FROM meta_explained")  # first: killed in between, all of it is made again
    for schema in metric_macros.CREATED:
        con.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    con.execute(_SNAPSHOT)
    metric_macros.install(con)
    con.execute("INSERT INTO meta_explained VALUES (?)", [definitions])


def complete(
    path: Path, snapshot_id: str, sequence: int, digest: str, definitions: str, settings: Settings | None = None
) -> None:
    """Add what a snapshot needs to explain itself; `settings` where it is of an installation's night."""
    with duckdb.connect(str(path)) as con:
        _tell(con, snapshot_id, sequence, digest, definitions, settings)


def _tell(
    con: duckdb.DuckDBPyConnection, snapshot_id: str, sequence: int, digest: str, definitions: str,
    settings: Settings | None,
) -> None:  # fmt: skip
    con.execute("SET TimeZone = 'UTC'")
    explain(con, definitions)
    through = con.execute("SELECT data_through FROM meta_build").fetchall()[0][0]
    with transaction(con):  # one wait for the disk, not one a statement
        con.execute("DELETE FROM meta_snapshot")
        con.execute(
            "INSERT INTO meta_snapshot VALUES (?, ?, ?, ?, ?, ?)",
            [snapshot_id, sequence, datetime.now(UTC).replace(tzinfo=None), through, digest, definitions],
        )
        con.execute("DELETE FROM meta_setting")
        if settings is not None:
            lists = [list(values) for values in zip(*shown(settings), strict=True)]
            con.execute("INSERT INTO meta_setting SELECT unnest(?), unnest(?), unnest(?), unnest(?)", lists)
    con.execute("CHECKPOINT")


def point(folder: Path, name: str) -> None:
    """Make a snapshot the newest: readers see the one before or this one."""
    temporary = folder / f".{POINTER}.tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(name)
    os.replace(temporary, folder / POINTER)
    sync(folder)


def retire(home: Home, newest: Path, *, keeps_spare: bool = False) -> None:
    """Remove old snapshots but the last ones, each month's last, and those that editions were made from.

    `keeps_spare`: the newest of those removed is put aside, for the next to be written over it.
    """
    paths = snapshot_paths(home)
    if len(paths) <= home.settings.keep_snapshots:  # all are among the last ones: no need to know when they were built
        return
    built = _when_built(home, paths)
    known = [Kept(number(path), built[path]) for path in paths]
    stay = kept(known, home.settings.keep_snapshots) | pinned_numbers(home)
    for path in paths:
        if path != newest and number(path) not in stay:
            spare.keep(path) if keeps_spare else path.unlink()
    drop_others(home.published, *snapshot_paths(home))


def _when_built(home: Home, paths: list[Path]) -> dict[Path, datetime | None]:
    """When snapshots were built; None where one is damaged. A note beside their folder tells those opened before."""
    note = home.published.with_name(f"{home.published.name}.built")
    try:
        told = {name: datetime.fromisoformat(at) for name, at in json.loads(note.read_text("ascii")).items()}
    except (OSError, ValueError, TypeError, AttributeError):  # no note, or none of ours: snapshots tell it themselves
        told = {}
    names = {path: f"{path.name} {path.stat().st_mtime_ns}" for path in paths}
    built = {path: told.get(name) or _built_at(path) for path, name in names.items()}
    known = {name: at.isoformat() for path, name in names.items() if (at := built[path])}
    if known.keys() != told.keys():
        aside = note.with_name(f".{note.name}.tmp")
        aside.write_text(json.dumps(known), "ascii")
        os.replace(aside, note)
    return built


def _built_at(path: Path) -> datetime | None:
    meta = read_meta(path)
    return meta.built_at if meta else None


def number(path: Path) -> int:
    """The number of a snapshot, by its file's name."""
    return int(path.stem.split("-")[1])


def pinned_numbers(home: Home) -> set[int]:
    """Numbers of the snapshots that editions were made from."""
    return {number(Path(name)) for name in pinned(home.exports)}


def put_in_place(home: Home, temporary: Path, name: str, *, is_newest: bool = True) -> Path:
    """Give a proven and synced copy its name in the published folder; point readers at it. Returns its path."""
    final = home.published / name
    temporary.chmod(0o440)
    os.rename(temporary, final)
    sync(home.published)
    if is_newest:
        point(home.published, final.name)
    return final
