"""How the marts stand after a build, and whether there is anything to build: found out without what a build needs.

After a build a note in the home tells what it was made with: all code and tables of the warehouse, the site's files,
the key, and the settings that change what is published. While these are the same, the signature of the marts is the one
that was noted; and where no batch came since, a build would leave the marts as they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

import sql
from etl.build_digest import overall
from etl.home import Home
from etl.pseudonym import load_key
from etl.records import RECORDS
from etl.signatures import read_note, write_note
from etl.site_tables import site_signature
from sql.fingerprint import fingerprint

#: File of a home: what the last build was made with, and its signature.
NOTE = "build.signature"
#: Batches among which there is one with a record, but where many in a row had none.
NEWEST = 16


@dataclass(frozen=True, slots=True)
class BuildReport:
    """Outcome of a build: digest over all marts, exams in them, exams derived again, and the data cut-off (UTC).

    `took_all_memory`: what a build of few messages usually takes was too little, so it ran once more with all there is.
    """

    digest: str
    n_exams: int
    touched: int
    data_through: datetime | None
    is_full: bool
    took_all_memory: bool = False


def last_batch(con: duckdb.DuckDBPyConnection, catalog: str = "intake") -> int:
    """The last batch of a catalog of raw records that has a record; 0 without one.

    It is looked for among the newest batches first: to find the greatest the engine reads the whole column.
    """
    newest = f"(SELECT max(batch_id) FROM {catalog}.raw_batch)"
    for since in (f"WHERE batch_id > {newest} - {NEWEST}", ""):
        tables = " UNION ALL ".join(
            f"SELECT max(batch_id) AS b FROM {catalog}.raw_{record} {since}" for record in (*RECORDS, "flow")
        )
        row = con.execute(f"SELECT max(b) FROM ({tables})").fetchone()
        if row and row[0] is not None:
            return int(row[0])
    return 0


def made_with(home: Home) -> str:
    """SHA-256 over all that shapes the marts beside the raw rows, as hex. Ask for it before a build."""
    shown = repr((home.settings.publish_accession, home.settings.publish_names))
    key = hashlib.sha256(load_key(home.key_file)).hexdigest()
    folders = (Path(__file__).parent, Path(sql.__file__).parent)
    parts = (*map(fingerprint, folders), site_signature(home.load_site()), shown, key)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def standing(home: Home, made: str) -> BuildReport | None:
    """What a build would report that finds nothing to do; None where it may find something. `made` as `made_with`."""
    noted = read_note(home.root / NOTE, made)
    if noted is None or not (home.marts.exists() and home.intake.exists()):
        return None
    known = _identity(home)
    if known is None or known[0] != noted:
        return None
    with duckdb.connect(str(home.marts), config={"memory_limit": home.settings.memory_limit}) as con:
        try:
            built = con.execute("SELECT signature, epoch, batch_id, data_through FROM meta_build").fetchall()
        except duckdb.CatalogException:
            return None
        if not built or built[0][:3] != known:
            return None
        n_exams = con.execute("SELECT count(*) FROM fct_exam").fetchall()[0][0]
        return BuildReport(overall(con), n_exams, 0, built[0][3], is_full=False)


def _identity(home: Home) -> tuple[str, int, int] | None:
    """Signature, epoch and last batch of the identities; None where they are behind the raw records.

    Asked first: to open the marts takes longer, because the engine reads their macros.
    """
    with duckdb.connect(str(home.intake), config={"memory_limit": home.settings.memory_limit}) as con:
        try:
            known = con.execute("SELECT signature, epoch, batch_id FROM work.state").fetchall()
        except duckdb.CatalogException:
            return None
        return known[0] if known and known[0][2] >= last_batch(con, "main") else None


def note(home: Home, made: str) -> None:
    """Note the signature of a build. `made` as `made_with` told before it."""
    known = _identity(home)
    if known is not None:
        write_note(home.root / NOTE, made, known[0])
