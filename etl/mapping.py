"""The unmapped queue: local names without a harmonized procedure, from the published snapshot, with proposals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from etl.procedures import match_name

COLUMNS = ("facility", "code", "text", "n_exams", "method", "procedure")


def unmapped(snapshot: Path) -> list[dict[str, Any]]:
    """Rows as in `COLUMNS`, most exams first; `procedure` holds the proposal to confirm, if there is one."""
    with duckdb.connect(str(snapshot), read_only=True) as con:
        rows = con.execute(
            """SELECT facility, code, text, modality, n_exams FROM dq_unmapped
               ORDER BY n_exams DESC, facility, code, text"""
        ).fetchall()
    found = []
    for facility, code, text, modality, n_exams in rows:
        match = match_name(text or "", modality or "")
        found.append(
            dict(zip(COLUMNS, (facility, code, text, n_exams, match.method, match.proposal or ""), strict=True))
        )
    return found
