"""Quarantine: messages that could not be used, kept whole with a reason, to be replayed after a fix."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import duckdb
import polars as pl

from etl.frames import query
from etl.home import Home
from etl.inbox import Candidate
from etl.intake import insert_record
from etl.load import append, next_batch
from etl.message_flow import DEFECT, store_flow
from etl.parsing import KEEP_BYTES, JobResult, file_result, parse_bytes
from etl.records import RECORDS, Parsed
from etl.row_frames import frames_of
from etl.sources import sniff
from etl.transaction import transaction

OPEN = "replayed_batch IS NULL"
SHOWN_BYTES = 64
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}\|")


class _File(NamedTuple):
    """A file rejected as a whole, parsed again."""

    file_id: str
    position: int
    parsed: Parsed
    messages: list[bytes]


def listing(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Open entries: number, batch, path, position, standard, reason, size in bytes; never content."""
    return query(
        con,
        f"""SELECT row_number() OVER (ORDER BY batch_id, file_id, position) AS number, batch_id, path, position,
                   standard, reason, detail, octet_length(content) AS size
            FROM raw_quarantine WHERE {OPEN} ORDER BY number""",
    )


def _content(con: duckdb.DuckDBPyConnection, number: int) -> bytes | None:
    rows = con.execute(
        f"SELECT content FROM raw_quarantine WHERE {OPEN} ORDER BY batch_id, file_id, position LIMIT 1 OFFSET ?",
        [number - 1],
    ).fetchall()
    return bytes(rows[0][0]) if rows and number > 0 else None


def shape(content: bytes) -> str:
    """The structure of a message without its values: letters become x, digits 9; segment names stay readable.

    Of other content only the beginning is shown, masked too.
    """
    if sniff(content) != "hl7":
        return f"{len(content)} bytes, beginning with: {_mask(content[:SHOWN_BYTES].decode('latin-1'))}"
    lines = re.split(r"[\r\n]+", content.decode("latin-1"))
    return "\n".join(
        line[:4] + _mask(line[4:]) if _SEGMENT.match(line) else _mask(line) for line in lines
    )  # text that was broken into lines has no segment name


def _mask(text: str) -> str:
    masked = re.sub(r"\d", "9", re.sub(r"[A-Za-z\x80-\xff]", "x", text))
    return masked if masked.isprintable() else ascii(masked)


def show(con: duckdb.DuckDBPyConnection, number: int, *, reveal: bool) -> str | None:
    """One entry's structure, or its content where `reveal` says so; None where there is no such entry."""
    content = _content(con, number)
    if content is None:
        return None
    return content.decode("utf-8", "backslashreplace") if reveal else shape(content)


def replay(con: duckdb.DuckDBPyConnection, home: Home) -> dict[str, int]:
    """Parse all open entries again; what can be used now joins the raw store in batches of its own.

    An entry that was cut when it was kept stays: its file must be delivered again.
    """
    site = home.load_site()
    entries = con.execute(
        f"SELECT file_id, position, content FROM raw_quarantine WHERE {OPEN} ORDER BY batch_id, file_id, position"
    ).fetchall()
    accepted = 0
    files: list[_File] = []
    with transaction(con):
        batch_id = next_batch(con)
        for file_id, position, content in entries:
            if len(content) >= KEEP_BYTES:
                continue
            parsed, messages = parse_bytes(bytes(content), site, home.settings.file_seconds)
            if len(parsed.rejected) == parsed.read:
                continue
            if parsed.read > 1:
                files.append(_File(file_id, position, parsed, messages))
                continue
            frames = {name: rows.with_columns(position=pl.lit(position, pl.Int64))
                      for name, rows in frames_of(file_id, parsed).items()}  # fmt: skip
            for record in RECORDS:
                insert_record(con, record, frames.get(record, pl.DataFrame()), batch_id)
            found = [(file_id, position, defect.field, defect.reason) for defect in parsed.defects]
            store_flow(con, batch_id, frames["envelope"], pl.DataFrame(found, DEFECT, orient="row"))
            _settle(con, file_id, position, batch_id)
            accepted += 1
        if accepted:
            con.execute(
                "INSERT INTO raw_batch VALUES (?, now()::TIMESTAMP, 0, 0, ?, ?, 0, 0)", [batch_id, accepted, -accepted]
            )
        _replay_files(con, files)
    accepted += len(files)
    return {"replayed": len(entries), "accepted": accepted, "still_rejected": len(entries) - accepted}


def _settle(con: duckdb.DuckDBPyConnection, file_id: str, position: int, batch_id: int) -> None:
    """Mark an entry as replayed and move it from rejected to kept in its file's ledger line."""
    _mark(con, file_id, position, batch_id)
    con.execute(
        """UPDATE raw_file SET n_kept = n_kept + 1, n_rejected = n_rejected - 1
           WHERE file_id = ? AND n_rejected > 0""",
        [file_id],
    )


def _mark(con: duckdb.DuckDBPyConnection, file_id: str, position: int, batch_id: int) -> None:
    con.execute(
        f"UPDATE raw_quarantine SET replayed_batch = ? WHERE file_id = ? AND position = ? AND {OPEN}",
        [batch_id, file_id, position],
    )


def _replay_files(con: duckdb.DuckDBPyConnection, files: list[_File]) -> None:
    """Load files that had been rejected as a whole, as one message, and turn out to hold several."""
    if not files:
        return
    batch_id = next_batch(con)
    results = []
    for file in files:
        _mark(con, file.file_id, file.position, batch_id)
        con.execute("DELETE FROM raw_message WHERE file_id = ? AND position = ?", [file.file_id, file.position])
        con.execute(
            "UPDATE raw_file SET n_read = n_read - 1, n_rejected = n_rejected - 1 WHERE file_id = ? AND n_rejected > 0",
            [file.file_id],
        )
        known = con.execute("SELECT path, size, modified_ns FROM raw_path WHERE file_id = ?", [file.file_id]).fetchall()
        result = file_result(Candidate(*known[0]), file.file_id, file.parsed, file.messages)
        results.append(JobResult([result], frames_of(file.file_id, file.parsed)))
    append(con, results)
    con.execute(
        "UPDATE raw_batch SET n_read = n_read - ?, n_rejected = n_rejected - ? WHERE batch_id = ?",
        [len(files), len(files), batch_id],
    )


def summary(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Open entries by reason."""
    return dict(
        con.execute(f"SELECT reason, count(*) FROM raw_quarantine WHERE {OPEN} GROUP BY 1 ORDER BY 1").fetchall()
    )
