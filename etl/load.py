"""Load: parsed files into the raw store. One transaction a batch holds records, ledger, counts and quarantine.

Every message is one of kept, rejected or duplicate, and the batch is refused if these do not add up to what was read.
A file or a message that was loaded before, under whatever name, has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Protocol

import duckdb
import polars as pl

from etl.frames import insert
from etl.inbox import Candidate
from etl.intake import insert_record, tidy_seldom
from etl.known_messages import cover_messages, known_hashes
from etl.ledger import Counts
from etl.message_flow import DEFECT, store_flow
from etl.parsing import FileResult, JobResult
from etl.records import RECORDS
from etl.settings import Settings
from etl.transaction import transaction


class Parses(Protocol):
    """Whatever makes results of candidates, in their order: processes of this machine, or Spark's executors."""

    @property
    def settings(self) -> Settings: ...

    def parse(self, candidates: list[Candidate]) -> Iterator[JobResult]: ...


def load(
    con: duckdb.DuckDBPyConnection,
    parser: Parses,
    candidates: list[Candidate],
    progress: Callable[[Counts], None] = lambda _counts: None,
) -> Counts:
    """Parse and store `candidates`, batch by batch; what a crash leaves undone is found again by the next scan."""
    total, before = Counts(), next_batch(con) - 1
    for results in _batches(parser.parse(candidates), parser.settings.batch_files, parser.settings.batch_mb << 20):
        cover_messages(con)
        total.add(store(con, results))
        progress(total)
    tidy_seldom(con, before, before + total.batches)
    return total


def _batches(results: Iterator[JobResult], most_files: int, most_bytes: int) -> Iterator[list[JobResult]]:
    batch: list[JobResult] = []
    n = size = 0
    for result in results:
        batch.append(result)
        n += len(result.files)
        size += sum(file.n_bytes for file in result.files)
        if n >= most_files or size >= most_bytes:
            yield batch
            batch, n, size = [], 0, 0
    if batch:
        yield batch


def store(con: duckdb.DuckDBPyConnection, results: list[JobResult]) -> Counts:
    """Store one batch in one transaction; an error leaves everything as it was."""
    with transaction(con):
        return append(con, results)


def append(con: duckdb.DuckDBPyConnection, results: list[JobResult]) -> Counts:
    """Append one batch within the caller's transaction; files that were skipped leave no trace."""
    files = [file for result in results for file in result.files if not file.skipped]
    n_skipped = sum(bool(file.skipped) for result in results for file in result.files)
    if not files:
        return Counts(skipped=n_skipped)
    batch_id = next_batch(con)
    messages = _classify(con, files)
    counts = _count(files, messages)
    counts.skipped = n_skipped
    fresh = messages.filter(pl.col("fate") != "duplicate").select("file_id", "position", "message_hash")
    _store_rows(con, batch_id, results, fresh)
    defects = _store_findings(con, batch_id, files, messages, counts)
    if sent := [result.frames["envelope"] for result in results if "envelope" in result.frames]:
        envelopes = pl.concat(sent).unique(["file_id", "position"])
        store_flow(con, batch_id, envelopes.join(fresh, on=["file_id", "position"], how="semi"), defects)
    _store_ledger(con, batch_id, files, messages, counts)
    return counts


def next_batch(con: duckdb.DuckDBPyConnection) -> int:
    """Number of the batch to come."""
    return int(con.execute("SELECT coalesce(max(batch_id), 0) + 1 FROM raw_batch").fetchall()[0][0])


def _classify(con: duckdb.DuckDBPyConnection, files: list[FileResult]) -> pl.DataFrame:
    """One row a message: file number in the batch, file_id, position, message_hash, and its fate."""
    rejected = {(n, r.position) for n, file in enumerate(files) for r, _ in file.rejected}
    rows = [
        (n, file.file_id, position, hashed, (n, position) in rejected)
        for n, file in enumerate(files)
        for position, hashed in enumerate(file.hashes)
    ]
    schema = {
        "file": pl.Int64,
        "file_id": pl.String,
        "position": pl.Int64,
        "message_hash": pl.Binary,
        "bad": pl.Boolean,
    }
    messages = pl.DataFrame(rows, schema=schema, orient="row")
    is_known = pl.col("message_hash").is_in(known_hashes(con, messages["message_hash"]).implode())
    return messages.with_columns(
        fate=pl.when(is_known | ~pl.col("message_hash").is_first_distinct())
        .then(pl.lit("duplicate"))
        .when(pl.col("bad"))
        .then(pl.lit("rejected"))
        .otherwise(pl.lit("kept"))
    )


def _count(files: list[FileResult], messages: pl.DataFrame) -> Counts:
    fates: dict[str, int] = dict(messages.group_by("fate").len().iter_rows())
    counts = Counts(
        files=len(files), read=sum(file.n_read for file in files), kept=fates.get("kept", 0),
        rejected=fates.get("rejected", 0), duplicate=fates.get("duplicate", 0), batches=1,
    )  # fmt: skip
    if counts.read != counts.kept + counts.rejected + counts.duplicate:
        raise AssertionError("read is not kept + rejected + duplicate; nothing of this batch was stored")
    for file in files:
        standard = file.standard or "unknown"
        counts.standards[standard] = counts.standards.get(standard, 0) + file.n_read
    return counts


def _store_rows(con: duckdb.DuckDBPyConnection, batch_id: int, results: list[JobResult], fresh: pl.DataFrame) -> None:
    insert(con, "raw_message", fresh, batch_id)
    for record in RECORDS:
        frames = [result.frames[record] for result in results if record in result.frames]
        if frames:
            rows = pl.concat(frames).join(fresh, on=["file_id", "position"], how="semi")
            insert_record(con, record, rows.unique(["file_id", "position", "row_number"]), batch_id)


def _store_findings(
    con: duckdb.DuckDBPyConnection, batch_id: int, files: list[FileResult], messages: pl.DataFrame, counts: Counts
) -> pl.DataFrame:
    """Defects and quarantined bytes of the messages that are not duplicates; returns the defects."""
    taken = set(messages.filter(pl.col("fate") != "duplicate").select("file", "position").iter_rows())
    defects = [
        (file.file_id, position, name, reason)
        for n, file in enumerate(files)
        for position, name, reason in file.defects
        if (n, position) in taken
    ]
    counts.defects = len(defects)
    found = pl.DataFrame(defects, DEFECT, orient="row")
    insert(con, "raw_defect", found, batch_id)
    rejected = [
        (file.file_id, r.position, file.candidate.name, file.standard, r.reason, r.detail, content)
        for n, file in enumerate(files)
        for r, content in file.rejected
        if (n, r.position) in taken
    ]
    for row in rejected:
        counts.reasons[row[4]] = counts.reasons.get(row[4], 0) + 1
    columns = ["file_id", "position", "path", "standard", "reason", "detail", "content"]
    insert(con, "raw_quarantine", pl.DataFrame(rejected, columns, orient="row"), batch_id)
    return found


def _store_ledger(
    con: duckdb.DuckDBPyConnection, batch_id: int, files: list[FileResult], messages: pl.DataFrame, counts: Counts
) -> None:
    fates = {(n, fate): size for n, fate, size in messages.group_by("file", "fate").len().iter_rows()}
    insert(
        con,
        "raw_file",
        pl.DataFrame(
            [
                {
                    "file_id": file.file_id,
                    "path": file.candidate.name,
                    "size": file.candidate.size,
                    "standard": file.standard,
                    "n_read": file.n_read,
                    **{f"n_{fate}": fates.get((n, fate), 0) for fate in ("kept", "rejected", "duplicate")},
                }
                for n, file in enumerate(files)
            ],
        ),
        batch_id,
    )
    paths = [(f.candidate.name, f.candidate.size, f.candidate.modified_ns, f.file_id) for f in files]
    con.register("incoming", pl.DataFrame(paths, ["path", "size", "modified_ns", "file_id"], orient="row"))
    con.execute("INSERT INTO raw_path SELECT * FROM incoming")
    con.unregister("incoming")
    con.execute(
        "INSERT INTO raw_batch VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [batch_id, datetime.now(UTC).replace(tzinfo=None), counts.files, counts.read, counts.kept, counts.rejected,
         counts.duplicate, counts.defects],
    )  # fmt: skip
