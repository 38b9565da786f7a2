"""Raw rows kept as Parquet at a place of their own, so that a build on Spark writes only what has come since the last.

Raw rows are never changed, so a file holds those of a stretch of batches for good. A manifest names the files that
count, and is swapped in when they are there; what it does not name is swept. It tells which raw store it is of: the
lake of another home is refused, and one that does not fit this raw store (restored, of another radops, hurt) is made
anew, since all of it is in intake.duckdb. What changes in place (the tables of identity) is handed over by each build.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from etl.errors import StoreError
from etl.identity_nodes import EXAM_RECORDS
from etl.inbox import named
from etl.spark import files, tables
from etl.spark.folder import Folder
from etl.spark.lake_manifest import FILE, Kept, Ledger, Stretch, read_manifest
from etl.store.manifest import sha256_of
from etl.store.place import Place, open_place

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MANIFEST = "radops-lake.json"
#: A stretch is written again with the next where it is less than so many times as long, but never one of so many rows.
GROWTH, MOST_ROWS = 4, 4 << 20


@dataclass(frozen=True)
class Lake:
    """The raw rows of a home at a place, up to its last batch; `folder` is how executors reach them."""

    place: Place
    folder: Folder
    stretches: tuple[Stretch, ...]

    def holds(self, table: str) -> bool:
        """Whether a table of raw rows is kept here."""
        return table.removeprefix("raw_") in EXAM_RECORDS and table.startswith("raw_")

    def read(self, spark: SparkSession, con: duckdb.DuckDBPyConnection, view: str) -> DataFrame:
        """The rows of `raw_<record>`, a view on a stretch of batches of the raw store, for Spark."""
        first, last = con.execute(f"SELECT min(batch_id), max(batch_id) FROM {view}").fetchall()[0]
        schema = ", ".join(f"`{name}` {tables.spark_type(kind)}" for name, kind in tables.kept(con, view))
        asked = [s.part for s in self.stretches if f"raw_{s.record}" == view and s.meets(first, last)]
        if self.folder.url or not asked:
            rows = files.read_parts(spark, self.folder, schema, asked)
        else:
            rows = spark.read.schema(schema).parquet(*(self.place.path(part.name) for part in asked))
        return rows.where(f"batch_id BETWEEN {first} AND {last}") if asked else rows


def bring_up(con: duckdb.DuckDBPyConnection, url: str, endpoint: str) -> Lake:
    """The lake at a place with all batches of the catalog `intake`; what it lacks is written now.

    Needs the writer's lock. Raises StoreError where another home's rows lie there, or the place cannot be used.
    """
    place = _place(url, endpoint)
    folder = Folder(Path(), "" if place.kind == "file" else place.url, endpoint)
    ledger = ledger_of(con)
    if not ledger.upto:
        return Lake(place, folder, ())
    seen = place.seen(MANIFEST)
    sizes = {name: size for name, size in place.sizes("raw/").items() if FILE.fullmatch(name)}
    old = _usable(con, read_manifest(seen.data), ledger, sizes, place)
    made = tuple(stretch for record in EXAM_RECORDS for stretch in _extended(con, place, record, old))
    kept = Kept(ledger, made)
    if kept.to_bytes() != seen.data:
        place.swap(MANIFEST, kept.to_bytes(), seen)
        _hide(place, MANIFEST)
    for name in sizes.keys() - {stretch.part.name for stretch in made}:
        place.remove(name)
    return Lake(place, folder, made)


def _place(url: str, endpoint: str) -> Place:
    """The place; folders of this machine are made for their owner's eyes only."""
    path = named(url)
    if not isinstance(path, Path):
        return open_place(url, endpoint)
    for folder in (path, path / "raw", *(path / "raw" / record for record in EXAM_RECORDS)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_place(str(path.absolute()))


def ledger_of(con: duckdb.DuckDBPyConnection, upto: int | None = None) -> Ledger:
    """The ledger of the raw store, up to a batch. A batch is told by its number and the microsecond of its load."""
    within = "TRUE" if upto is None else f"batch_id <= {upto}"
    rows = con.execute(f"SELECT batch_id, loaded_at FROM intake.raw_batch WHERE {within} ORDER BY 1").fetchall()
    lines = [f"{batch} {loaded_at.isoformat()}\n" for batch, loaded_at in rows]
    columns = [repr((record, tables.kept(con, f"intake.raw_{record}"), tables.TYPES)) for record in EXAM_RECORDS]
    return Ledger(_digest(lines[:1]), _digest(columns), int(rows[-1][0]) if rows else 0, _digest(lines))


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()


def _usable(
    con: duckdb.DuckDBPyConnection, old: Kept | None, now: Ledger, sizes: Mapping[str, int], place: Place
) -> dict[str, list[Stretch]]:
    """By record, the stretches that hold all rows up to the batch of the manifest; none where anything does not fit."""
    if old is not None and old.ledger.home != now.home:
        raise StoreError(
            f"{place.url}: raw rows of another home lie there; name another place in RADOPS_LAKE, or empty this one"
        )
    if old is None or ledger_of(con, old.ledger.upto) != old.ledger:
        return {}
    found: dict[str, list[Stretch]] = {}
    for record in EXAM_RECORDS:
        mine = [stretch for stretch in old.stretches if stretch.record == record]
        is_whole = all(sizes.get(stretch.part.name) == stretch.part.n_bytes for stretch in mine)
        n_rows = _n_rows(con, record, 0, old.ledger.upto)
        if is_whole and sum(stretch.part.n_rows for stretch in mine) == n_rows:
            found[record] = mine
    return found


def _n_rows(con: duckdb.DuckDBPyConnection, record: str, since: int, upto: int) -> int:
    where = f"batch_id > {since} AND batch_id <= {upto}"
    return int(con.execute(f"SELECT count(*) FROM intake.raw_{record} WHERE {where}").fetchall()[0][0])


def _extended(
    con: duckdb.DuckDBPyConnection, place: Place, record: str, old: Mapping[str, list[Stretch]]
) -> Iterator[Stretch]:
    """The stretches of a record with what they lack; short ones are made one with what comes after them."""
    stay = list(old.get(record, ()))
    counts = _counts(con, record, stay[-1].last if stay else 0)
    n_new = sum(n for _, n in counts)
    while stay and n_new and stay[-1].part.n_rows < min(GROWTH * n_new, MOST_ROWS):
        n_new += stay.pop().part.n_rows
    yield from stay
    if n_new:
        for first, last in _cut(_counts(con, record, stay[-1].last if stay else 0)):
            yield _written(con, place, record, first, last)


def _counts(con: duckdb.DuckDBPyConnection, record: str, since: int) -> list[tuple[int, int]]:
    """(batch, rows) of each batch after one that has rows of a record."""
    told = f"SELECT batch_id, count(*) FROM intake.raw_{record} WHERE batch_id > {since} GROUP BY 1 ORDER BY 1"
    return con.execute(told).fetchall()


def _cut(counts: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """First and last batch of stretches of enough rows; the last one may have fewer."""
    first, n_rows = counts[0][0], 0
    for number, (batch, n) in enumerate(counts):
        n_rows += n
        if n_rows >= MOST_ROWS or number == len(counts) - 1:
            yield first, batch
            first, n_rows = batch + 1, 0


def _written(con: duckdb.DuckDBPyConnection, place: Place, record: str, first: int, last: int) -> Stretch:
    with tempfile.TemporaryDirectory(prefix="radops-") as folder:
        path = Path(folder, "rows.parquet")
        tables.copy(con, f"intake.raw_{record}", path, f"batch_id BETWEEN {first} AND {last}")
        name = f"raw/{record}/{first}-{last}-{sha256_of(path)[:16]}.parquet"
        place.put(name, path)
        _hide(place, name)
        return Stretch(record, first, last, files.part_of(path, name))


def _hide(place: Place, name: str) -> None:
    """A file on this machine is for its owner's eyes only."""
    if place.kind == "file":
        os.chmod(place.path(name), 0o600)
