"""What executors hand over: parsed files as Parquet in the folder of the run.

A part is one JobResult: a file for what the ledger needs, and one a record type. Its name is that of one attempt of one
task, so nothing is ever written twice; it counts once Spark has told the driver of it, and not because it lies there.
"""

from __future__ import annotations

import io
from dataclasses import astuple, dataclass
from typing import Any

import polars as pl

from etl.errors import ClusterError
from etl.inbox import Candidate
from etl.parsing import FileResult, JobResult
from etl.records import Rejected
from etl.spark.folder import Folder

_FILES = "file"
_SCHEMA: dict[str, pl.DataType] = {
    "number": pl.Int64(),
    "file_id": pl.String(),
    "standard": pl.String(),
    "skipped": pl.String(),
    "n_read": pl.Int64(),
    "n_bytes": pl.Int64(),
    "hashed": pl.Binary(),
    "rejected": pl.List(
        pl.Struct({"position": pl.Int64(), "reason": pl.String(), "detail": pl.String(), "content": pl.Binary()})
    ),
    "defects": pl.List(pl.Struct({"position": pl.Int64(), "field": pl.String(), "reason": pl.String()})),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part as an executor tells of it: its name, and the rows of each of its files as `name:n name:n`."""

    name: str
    rows: str

    @property
    def heights(self) -> dict[str, int]:
        """Rows by record type, and of `file`."""
        return {name: int(n) for name, _, n in (word.partition(":") for word in self.rows.split())}


def write(folder: Folder, name: str, result: JobResult, candidates: list[Candidate]) -> Part:
    """Write a result under a name that is new. Files are told by their place among the candidates of the task."""
    places = {candidate: number for number, candidate in enumerate(candidates)}
    frames = {_FILES: _told(result, places), **result.frames}
    for kind, frame in frames.items():
        held = io.BytesIO()
        frame.write_parquet(held, compression="lz4", statistics=False)
        folder.put(_file_name(name, kind), held.getbuffer())
    return Part(name, " ".join(f"{kind}:{frame.height}" for kind, frame in frames.items()))


def read(folder: Folder, part: Part, candidates: list[Candidate]) -> JobResult:
    """The result of a part of a task with these candidates. Raises ClusterError where it is not as told."""
    frames = {kind: pl.read_parquet(folder.get(_file_name(part.name, kind))) for kind in part.heights}
    if {kind: frame.height for kind, frame in frames.items()} != part.heights:
        raise ClusterError(f"{part.name} holds other rows than its executor wrote: do all hosts see the same folder?")
    files = [_file(candidates[number], *values) for number, *values in frames.pop(_FILES).iter_rows()]
    return JobResult(files, frames)


def _file(candidate: Candidate, *values: Any) -> FileResult:
    file = FileResult(candidate, *values[:-2])
    file.rejected = tuple((Rejected(r["position"], r["reason"], r["detail"]), r["content"]) for r in values[-2])
    file.defects = tuple((d["position"], d["field"], d["reason"]) for d in values[-1])
    return file


def remove(folder: Folder, part: Part) -> None:
    """Remove a part that is loaded."""
    for kind in part.heights:
        folder.remove(_file_name(part.name, kind))


def _told(result: JobResult, places: dict[Candidate, int]) -> pl.DataFrame:
    rows = [
        (places[f.candidate], f.file_id, f.standard, f.skipped, f.n_read, f.n_bytes, f.hashed,
         [dict(zip(("position", "reason", "detail", "content"), (*astuple(r), content), strict=True))
          for r, content in f.rejected],
         [dict(zip(("position", "field", "reason"), defect, strict=True)) for defect in f.defects])
        for f in result.files
    ]  # fmt: skip
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def _file_name(name: str, kind: str) -> str:
    return f"{name}-{kind}.parquet"
