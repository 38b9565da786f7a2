"""Quarantine: messages that could not be used, kept whole with a reason, to be replayed after a fix."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import polars as pl

from etl.frames import query
from etl.home import Home
from etl.load import insert
from etl.parsing import frames_of, parse_bytes
from etl.sources import sniff

OPEN = "replayed_batch IS NULL"


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
    """The structure of a message without its values: letters become x, digits 9; segment names stay readable."""
    text = content.decode("latin-1")
    if sniff(content) != "hl7" and not text[:3].isalpha():
        return f"{len(content)} bytes, first 16 as hex: {content[:16].hex(' ')}"
    lines = re.split(r"[\r\n]+", text)
    masked = (line[:4] + re.sub(r"\d", "9", re.sub(r"[A-Za-z\x80-\xff]", "x", line[4:])) for line in lines)
    return "\n".join(line if line.isprintable() else ascii(line) for line in masked)


def show(con: duckdb.DuckDBPyConnection, number: int, *, reveal: bool) -> str | None:
    """One entry's structure, or its content where `reveal` says so; None where there is no such entry."""
    content = _content(con, number)
    if content is None:
        return None
    return content.decode("utf-8", "backslashreplace") if reveal else shape(content)


def replay(con: duckdb.DuckDBPyConnection, home: Home) -> dict[str, int]:
    """Parse all open entries again; those that can be used now join the raw store in a batch of their own."""
    site = home.load_site()
    entries = con.execute(
        f"SELECT file_id, position, content FROM raw_quarantine WHERE {OPEN} ORDER BY batch_id, file_id, position"
    ).fetchall()
    accepted = 0
    con.begin()
    try:
        batch_id = con.execute("SELECT coalesce(max(batch_id), 0) + 1 FROM raw_batch").fetchall()[0][0]
        for file_id, position, content in entries:
            parsed, _ = parse_bytes(bytes(content), site, home.settings.file_seconds)
            if parsed.rejected:
                continue
            for record, rows in frames_of(file_id, parsed).items():
                insert(con, f"raw_{record}", rows.with_columns(position=pl.lit(position, pl.Int64)), batch_id)
            _settle(con, file_id, position, batch_id)
            accepted += 1
        if accepted:
            con.execute(
                "INSERT INTO raw_batch VALUES (?, now()::TIMESTAMP, 0, 0, ?, ?, 0, 0)", [batch_id, accepted, -accepted]
            )
        con.commit()
    except BaseException:
        con.rollback()
        raise
    return {"replayed": len(entries), "accepted": accepted, "still_rejected": len(entries) - accepted}


def _settle(con: duckdb.DuckDBPyConnection, file_id: str, position: int, batch_id: int) -> None:
    """Mark an entry as replayed and move it from rejected to kept in its file's ledger line."""
    con.execute(
        f"UPDATE raw_quarantine SET replayed_batch = ? WHERE file_id = ? AND position = ? AND {OPEN}",
        [batch_id, file_id, position],
    )
    con.execute(
        """UPDATE raw_file SET n_kept = n_kept + 1, n_rejected = n_rejected - 1
           WHERE file_id = ? AND n_rejected > 0""",
        [file_id],
    )


def summary(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Open entries by reason."""
    return dict(
        con.execute(f"SELECT reason, count(*) FROM raw_quarantine WHERE {OPEN} GROUP BY 1 ORDER BY 1").fetchall()
    )
