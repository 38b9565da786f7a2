"""The review of procedure names: what no harmonized procedure was accepted for, most exams first, with proposals.

Which exams lack a procedure is read from the snapshot; what the senders call them, and what the image headers say
beside it, stays private and is read from the raw store. A reviewed list goes into the site's own map by `take`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from etl.errors import UnreadableInputError
from etl.identity_nodes import EXAM_RECORDS
from etl.procedure_match import procedures
from etl.procedure_names import rows
from etl.procedures import match
from etl.records import RECORDS
from etl.site import CSV_FILES
from etl.site_merge import merge
from sql.csv_text import plain

COLUMNS = {
    "facility": pl.String, "code": pl.String, "text": pl.String, "modality": pl.String, "n_exams": pl.Int64,
    "method": pl.String, "score": pl.Float64, "procedure": pl.String, "others": pl.String, "evidence": pl.String,
    "decided_by": pl.String, "valid_from": pl.String,
}  # fmt: skip
SITE_FILE = "procedures.csv"
#: What image headers may speak against, as `fct_label` names it.
AGAINST = {
    "modality": "modality",
    "region": "body part",
    "laterality": "side",
    "contrast": "contrast",
    "views": "views",
}


def unmapped(con: duckdb.DuckDBPyConnection, snapshot: Path, *, with_mapped: bool = False) -> pl.DataFrame:
    """Rows as in `COLUMNS`; `procedure` holds the proposal to confirm, if there is one. `con` is the raw store's.

    `with_mapped` adds the names that have a procedure, with the headers that speak against it as evidence.
    """
    quoted = str(snapshot).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS published (READ_ONLY)")
    try:
        found = con.execute(f"""
            SELECT e.facility, e.procedure_local, max(t.text), e.modality, e.procedure,
                   count(DISTINCT e.exam_key) AS n_exams, mode(b.part ORDER BY b.part) AS part,
                   {", ".join(f"count(DISTINCT e.exam_key) FILTER (l.is_{kind}_against)" for kind in AGAINST)}
            FROM published.main.fct_exam e
            LEFT JOIN published.main.fct_label l ON l.exam_key = e.exam_key
            LEFT JOIN ({_said("procedure_text")}) t
                ON t.exam_key = e.exam_key AND t.code IS NOT DISTINCT FROM e.procedure_local
            LEFT JOIN (SELECT exam_key, mode(text ORDER BY text) AS part FROM ({_said("body_part")})
                       GROUP BY exam_key) b ON b.exam_key = e.exam_key
            WHERE NOT e.is_imported {"" if with_mapped else "AND e.procedure IS NULL"}
            GROUP BY e.facility, e.procedure_local, e.modality, e.procedure
            ORDER BY n_exams DESC, e.facility, e.procedure_local, e.modality, e.procedure""").fetchall()
    finally:
        con.execute("DETACH published")
    return pl.DataFrame([_row(*fields) for fields in found], schema=COLUMNS, orient="row")


def _row(
    facility: str, code: str | None, text: str | None, modality: str | None, mapped: str | None, *counts: object
) -> tuple[object, ...]:
    n_exams, part, *n_against = counts
    against = [f"{kind} in {n}" for kind, n in zip(AGAINST.values(), n_against, strict=True) if n]
    evidence = [f"headers against it: {', '.join(against)}"] if against else []
    if mapped:
        told = "; ".join(evidence) or None
        return facility, code, text, modality, n_exams, "mapped", None, mapped, None, told, None, None
    found = match([code] if code else [], [text] if text else [], modality or "", str(part or "").upper())
    proposal, others = found.procedure or found.proposal, " ".join(found.others) or None
    method = "conflict" if found.procedure else found.method  # the name alone would be taken: its headers forbid it
    why = "; ".join([*([found.evidence] if found.evidence else []), *evidence]) or None
    return facility, code, text, modality, n_exams, method, found.score, proposal, others, why, None, None


def _said(column: str) -> str:
    """SQL: exam, local code and `column` as text of every mention that has it."""
    parts = []
    for record in EXAM_RECORDS:
        names = {c.name for c in RECORDS[record]}
        if column not in names:
            continue
        code = "procedure_code" if "procedure_code" in names else "NULL"
        parts.append(f"""
            SELECT m.exam_key, r.code, r.text
            FROM (SELECT mention, {code} AS code, {column} AS text
                  FROM raw_{record} WHERE {column} IS NOT NULL) r
            JOIN work.mention m ON m.mention = r.mention""")
    return " UNION ALL ".join(parts)


def take(reviewed: Path, site_folder: Path) -> int:
    """Write the decided rows of a reviewed list (`decided_by` filled) into the site's map; returns how many are new.

    A decision with a `valid_from` holds for exams from that day on; one for the same name and day replaces the older.
    Raises UnreadableInputError naming the line where a procedure or a date is none; then nothing is written.
    """
    columns = CSV_FILES[SITE_FILE]
    try:
        listed = list(rows(reviewed))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInputError(f"{reviewed} cannot be read as CSV in UTF-8") from error
    missing = [name for name in columns if listed and name not in listed[0]]
    if missing:
        raise UnreadableInputError(f"{reviewed}: missing column {', '.join(missing)}; cells are parted by commas")
    decided = [
        {name: plain(row[name] or "") for name in columns} | {"line": str(number)}
        for number, row in enumerate(listed, 2)
        if plain(row["decided_by"] or "")
    ]
    known = {p.id for p in procedures()}
    for row in decided:
        where = f"{reviewed}, line {row.pop('line')}"
        if row["procedure"] not in known:
            raise UnreadableInputError(f"{where}: {row['procedure'] or 'empty'} is no harmonized procedure")
        if not row["facility"] or not (row["code"] or row["text"]):
            raise UnreadableInputError(f"{where}: facility and code (or text) are needed")
        try:
            date.fromisoformat(row["valid_from"] or "2000-01-01")
        except ValueError as error:
            raise UnreadableInputError(f"{where}: valid_from is no date as 2026-01-31") from error
    return merge(site_folder, SITE_FILE, decided, decision_key)


def decision_key(row: Mapping[str, str]) -> tuple[str, str, str]:
    """A decision is of a name within its facility, from a day on."""
    return row["facility"].strip(), row["code"].strip() or row["text"].strip(), row["valid_from"].strip()
