"""Where a run hands rows over to executors and takes theirs: a folder that all hosts see, or any place of fsspec.

In a folder Spark writes and reads Parquet itself. Elsewhere executors do it by fsspec and Arrow, so that Spark needs no
client of its own for S3 or what else there is. A file bears the name of one attempt of one task; it counts because
Spark told the driver of it, and not because it lies there. Keys come from each host's own environment.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from etl.spark.folder import Folder, quiet

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

#: Rows that an executor writes at once and a task reads at least, and tasks that read for each core.
GROUP_ROWS, TASKS_A_CORE = 1 << 17, 2
#: Octets of a file that is read at once.
SMALL_BYTES = 4 << 20
#: What an executor tells of a file: a `Part`.
TOLD = "name string, n_groups long, n_rows long, n_bytes long"
Batches = Iterable["pa.RecordBatch"]
#: A group of rows of a file, by its number.
Group = tuple["Part", int]


class Part(NamedTuple):
    """A file elsewhere, with its groups of rows, its rows and its octets."""

    name: str
    n_groups: int
    n_rows: int
    n_bytes: int


@dataclass(frozen=True)
class Rows:
    """Rows in files: `schema` in Spark's words or types; elsewhere `parts` names the files."""

    folder: Folder
    name: str
    schema: Any
    parts: tuple[Part, ...] = ()


def write(rows: DataFrame, folder: Folder, name: str) -> Rows:
    """Write rows under a name, once each, whatever becomes of executors meanwhile."""
    if not folder.url:
        rows.write.mode("overwrite").parquet(str(folder.here / name))
        return Rows(folder, name, rows.schema)
    told = rows.mapInArrow(_writer(folder, name), TOLD).collect()
    return Rows(folder, name, rows.schema, tuple(sorted(Part(*row) for row in told)))


def hand_over(path: Path, schema: str, folder: Folder) -> Rows:
    """A file of this machine in `folder.here`, for executors to read."""
    if not folder.url:
        return Rows(folder, path.name, schema)
    part = part_of(path, path.name)
    folder.place.put(path.name, path)
    path.unlink()
    return Rows(folder, path.name, schema, (part,))


def part_of(path: Path, name: str) -> Part:
    """What there is to tell of a file of this machine that gets a name elsewhere."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    told = pq.read_metadata(path)
    return Part(name, told.num_row_groups, told.num_rows, path.stat().st_size)


def read(spark: SparkSession, rows: Rows) -> DataFrame:
    """Rows that were written, for Spark; they may be read many times."""
    if not rows.folder.url:
        return spark.read.schema(rows.schema).parquet(str(rows.folder.here / rows.name))
    return read_parts(spark, rows.folder, rows.schema, rows.parts)


def read_parts(spark: SparkSession, folder: Folder, schema: Any, parts: Sequence[Part]) -> DataFrame:
    """Rows of files elsewhere; a group of rows is the least that a task reads."""
    groups = [(part, group) for part in parts for group in range(part.n_groups)]
    if not groups:
        return spark.createDataFrame([], schema)
    enough = 1 + sum(part.n_rows for part in parts) // GROUP_ROWS
    n_tasks = min(len(groups), enough, TASKS_A_CORE * spark.sparkContext.defaultParallelism)
    return spark.range(0, len(groups), 1, n_tasks).mapInArrow(_reader(folder, groups), schema)


@contextmanager
def taken(rows: Rows) -> Iterator[Path]:
    """A folder of this machine with the files of rows, `*.parquet`, of which there is one at least."""
    target = rows.folder.here / rows.name
    if not rows.folder.url:
        yield target
        return
    target.mkdir(mode=0o700)
    try:
        for number, part in enumerate(rows.parts):
            rows.folder.place.get(part.name, target / f"{number:05}.parquet")
        if not rows.parts:
            _write_none(target / "none.parquet", rows.schema)
        yield target
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _write_none(path: Path, schema: Any) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415
    from pyspark.sql.pandas.types import to_arrow_schema  # noqa: PLC0415

    pq.write_table(to_arrow_schema(schema).empty_table(), path)


def _writer(folder: Folder, name: str) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """The function that writes on executors. It is pickled by value, and finds the rest of radops there."""

    def on_executor(batches: Batches) -> Iterator[pa.RecordBatch]:
        import pyarrow  # noqa: PLC0415
        from pyspark import TaskContext  # noqa: PLC0415

        context = TaskContext.get()
        assert context is not None  # noqa: S101 - this runs in a task
        own = f"{name}/{context.partitionId():05}-{context.taskAttemptId()}.parquet"
        with quiet():
            part = put_batches(folder, own, batches)
        if part.n_groups:
            yield pyarrow.RecordBatch.from_pylist([part._asdict()])

    return on_executor


def _reader(folder: Folder, groups: Sequence[Group]) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """The function that reads on executors the groups of rows whose numbers it gets."""

    def on_executor(numbers: Batches) -> Iterator[pa.RecordBatch]:
        asked = [groups[number] for batch in numbers for number in batch.column(0).to_pylist()]
        with quiet():
            yield from get_batches(folder, asked)

    return on_executor


def put_batches(folder: Folder, name: str, batches: Batches) -> Part:
    """Write batches elsewhere as one file; without a row there is none."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    groups = _grouped(batches)
    first = next(groups, None)
    if first is None:
        return Part(name, 0, 0, 0)
    n_groups = n_rows = 0
    with folder.place.writing(name) as file:
        writer = pq.ParquetWriter(file, first[0].schema, compression="lz4")
        while first:
            rows = pa.Table.from_batches(first)
            writer.write_table(rows, row_group_size=rows.num_rows)
            n_groups, n_rows, first = n_groups + 1, n_rows + rows.num_rows, next(groups, None)
        writer.close()
        return Part(name, n_groups, n_rows, file.tell())


def _grouped(batches: Batches) -> Iterator[list[pa.RecordBatch]]:
    held: list[pa.RecordBatch] = []
    n_rows = 0
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
            n_rows += batch.num_rows
        if n_rows >= GROUP_ROWS:
            yield held
            held, n_rows = [], 0
    if held:
        yield held


def get_batches(folder: Folder, groups: Iterable[Group]) -> Iterator[pa.RecordBatch]:
    """The rows of groups of files elsewhere, each file opened once."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    for part, asked in groupby(groups, lambda group: group[0]):
        with _opened_part(folder, part) as file, pq.ParquetFile(file, pre_buffer=True) as rows:
            yield from map(_alike, rows.iter_batches(row_groups=[number for _, number in asked]))


def _alike(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Columns that may be NULL: a writer that sees none in its rows may say so in its file, another does not."""
    import pyarrow as pa  # noqa: PLC0415

    fields = [pa.field(field.name, field.type) for field in batch.schema]
    return pa.RecordBatch.from_arrays(batch.columns, schema=pa.schema(fields))


def _opened_part(folder: Folder, part: Part) -> AbstractContextManager[IO[bytes]]:
    return (
        nullcontext(BytesIO(folder.get(part.name))) if part.n_bytes <= SMALL_BYTES else folder.place.reading(part.name)
    )
