"""That the rows of the marts give the digest they claim: what is counted again at a publish, and what in turn.

The digest is carried along by subtraction and addition, so rows themselves must be counted from time to time. A note
beside the marts tells in which state this code left the file, by the engine's headers of it. Any other state (another
process wrote, a build was killed, all was derived anew) or another engine is counted whole. Else a publish counts the
number of rows of every table, the rows that the last build wrote as they are in the file, and all rows of those tables
whose day of the week it is.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from etl.build_digest import columns_of, measure, recount, stored
from etl.copying import HEADER
from etl.errors import CheckFailedError

NOTE = "marts.proof"
#: Days within which every row is counted again.
DAYS = 7
#: Rows and their sum by table.
Measured = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Note:
    """`due`: when each table is to be counted whole again; `written`: rows of the last build, not yet read back."""

    due: dict[str, date]
    written: Measured = field(default_factory=dict)


def state(marts: Path) -> str:
    """SHA-256 over the engine's headers, which each of its writes changes; empty where its log is not yet taken up."""
    if marts.with_name(f"{marts.name}.wal").exists():
        return ""
    with marts.open("rb") as file:
        return hashlib.sha256(file.read(HEADER)).hexdigest()


def read_note(marts: Path, name: str) -> dict[str, Any] | None:
    """What a note beside the marts tells of them as they are now, before anything opens them.

    None where there is none, or it is not of their state or of this engine.
    """
    try:
        told = json.loads(marts.with_name(name).read_text("ascii"))
        is_of_now = told["engine"] == duckdb.__version__ and told["state"] == (state(marts) or None)
    except (OSError, ValueError, KeyError, TypeError):  # no note, or none of ours: the marts are looked at as a whole
        return None
    return told if is_of_now else None


def write_note(marts: Path, name: str, told: dict[str, Any]) -> None:
    """Note something of the marts, as this process leaves them."""
    aside = marts.with_name(f".{name}.tmp")
    aside.write_text(json.dumps({"engine": duckdb.__version__, "state": state(marts)} | told), "ascii")
    os.replace(aside, marts.with_name(name))


def noted(marts: Path) -> Note | None:
    """What is known of the marts as they are now, before anything opens them; None where all has to be counted."""
    told = read_note(marts, NOTE)
    if told is None:
        return None
    try:
        due = {table: date.fromisoformat(day) for table, day in told["due"].items()}
        return Note(due, {table: (int(n), int(total)) for table, (n, total) in told["written"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):  # none of ours
        return None


def write(marts: Path, note: Note) -> None:
    """Note what is known of the marts, as this process leaves them."""
    due = {table: day.isoformat() for table, day in note.due.items()}
    written = {table: (n, str(total)) for table, (n, total) in note.written.items()}
    write_note(marts, NOTE, {"due": due, "written": written})


def after_build(marts: Path, before: Note | None, written: Measured) -> None:
    """Note what a build wrote. What one before it wrote and no publish has read back is counted whole."""
    if before is None:
        marts.with_name(NOTE).unlink(missing_ok=True)
    elif written:
        write(marts, Note({t: day for t, day in before.due.items() if t not in before.written}, written))


def today() -> date:
    """The day by which turns are taken, of UTC."""
    return datetime.now(UTC).date()


def prove(con: duckdb.DuckDBPyConnection, note: Note | None) -> Note:
    """Count what is due; returns what is known then. Raises CheckFailedError where rows do not give the digest."""
    claimed, day = stored(con), today()
    due = set(claimed) if note is None else _due(con, note, claimed, day)
    if recount(con, [table for table in claimed if table in due]) != {t: claimed[t] for t in claimed if t in due}:
        raise CheckFailedError("the marts do not have the digest they claim; run: radops rebuild")
    held = note.due if note else {}
    out_of_turn = {t for t in due if t not in held or held[t] > day}
    spread = _spread({t: claimed[t][0] * len(columns_of(con, t)) for t in out_of_turn}, day)
    return Note({t: spread.get(t) or (_next(held[t], day) if t in due else held[t]) for t in claimed})


def _due(con: duckdb.DuckDBPyConnection, note: Note, claimed: Measured, day: date) -> set[str]:
    """Tables all of whose rows must be counted: it is their day, or their number or the newest rows are not right."""
    new = {table: note.written.get(table, (0, 0)) for table in claimed}
    due = {t for t, (n, _) in claimed.items() if note.due.get(t, day) <= day or 0 < new[t][0] == n}
    counts = [f"SELECT '{table}', count(*), max(rowid) FROM {table}" for table in claimed.keys() - due]
    for table, n, last in con.execute(" UNION ALL ".join(counts)).fetchall() if counts else ():
        # New rows are always appended: they are the last ones.
        if n != claimed[table][0] or (
            new[table][0]
            and measure(con, table, columns_of(con, table), f"rowid > {last - new[table][0]}") != new[table]
        ):
            due.add(table)
    return due


def _spread(weights: dict[str, int], day: date) -> dict[str, date]:
    """A day of the coming week for each table, so that about the same is counted on each."""
    load, due = [0] * DAYS, {}
    for table in sorted(weights, key=lambda name: (-weights[name], name)):
        number = load.index(min(load))
        load[number] += weights[table]
        due[table] = day + timedelta(days=number + 1)
    return due


def _next(due: date, day: date) -> date:
    """The next such day of the week."""
    return due + timedelta(days=DAYS * max((day - due).days // DAYS + 1, 0))
