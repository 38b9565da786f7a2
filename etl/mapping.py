"""The unmapped queue: local names without a harmonized procedure, most exams first, with proposals.

Which exams lack a procedure is read from the snapshot; what the senders call them stays private and is read from the
raw store.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from etl.identity_nodes import EXAM_RECORDS, mention_of
from etl.procedures import match_name
from etl.records import RECORDS

COLUMNS = {
    "facility": pl.String, "code": pl.String, "text": pl.String, "modality": pl.String, "n_exams": pl.Int64,
    "method": pl.String, "procedure": pl.String,
}  # fmt: skip


def unmapped(con: duckdb.DuckDBPyConnection, snapshot: Path) -> pl.DataFrame:
    """Rows as in `COLUMNS`; `procedure` holds the proposal to confirm, if there is one. `con` is the raw store's."""
    quoted = str(snapshot).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS published (READ_ONLY)")
    try:
        found = con.execute(f"""
            SELECT e.facility, e.procedure_local, max(t.text), e.modality, count(DISTINCT e.exam_key) AS n_exams
            FROM published.main.fct_exam e
            LEFT JOIN ({_texts()}) t ON t.exam_key = e.exam_key AND t.code IS NOT DISTINCT FROM e.procedure_local
            WHERE e.procedure IS NULL AND NOT e.is_imported
            GROUP BY e.facility, e.procedure_local, e.modality
            ORDER BY n_exams DESC, e.facility, e.procedure_local, e.modality""").fetchall()
    finally:
        con.execute("DETACH published")
    rows = []
    for facility, code, text, modality, n_exams in found:
        match = match_name(text or "", modality or "")
        rows.append((facility, code, text, modality, n_exams, match.method, match.proposal or None))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _texts() -> str:
    """SQL: exam, local code and text of every mention that names a procedure."""
    named = [r for r in EXAM_RECORDS if {"procedure_code", "procedure_text"} <= {c.name for c in RECORDS[r]}]
    return " UNION ALL ".join(
        f"""SELECT m.exam_key, r.code, r.text
        FROM (SELECT {mention_of(record)} AS mention, procedure_code AS code, procedure_text AS text
              FROM raw_{record} WHERE procedure_text IS NOT NULL) r
        JOIN work.mention m ON m.mention = r.mention"""
        for record in named
    )
