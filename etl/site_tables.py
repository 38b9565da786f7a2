"""The site folder as temporary tables that SQL can join: facilities, aliases and one table a CSV file.

`site_devices`, `site_staffing`, ... carry the columns of `etl.site.CSV_FILES` with the types below; a missing optional
file is an empty table. `site_signature` changes whenever an answer could change because the site did.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb

from etl.site import CSV_FILES, OPTIONAL_COLUMNS, Site, SiteError
from etl.site_words import told_fault
from sql.site_files import TYPES, faults


def read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV file of a site as text without outer blanks, '' where empty. Raises SiteError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [c for c in columns if c not in (reader.fieldnames or ()) and c not in OPTIONAL_COLUMNS]
            if missing:
                raise SiteError(f"{path}: missing column {', '.join(missing)}")
            return [{c: (row.get(c) or "").strip() for c in columns} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SiteError(f"{path}: {error}") from error


def _create(con: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...], rows: list[list[str | None]]) -> None:
    types = ", ".join(f"{column} {TYPES.get(column, 'VARCHAR')}" for column in columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({types})")
    if not rows:
        return
    import polars as pl  # noqa: PLC0415 - takes longer to load than a run without anything new

    texts = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()), orient="row")
    con.register("site_rows", texts.to_arrow())  # one statement: the engine takes milliseconds for each
    try:
        con.execute(f"INSERT INTO {table} SELECT * FROM site_rows")
    finally:
        con.unregister("site_rows")


def load_site_tables(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Create `site_facility`, `facility_alias` (folded alias to facility) and a `site_<file>` table a CSV file.

    Raises SiteError naming the file where a column is missing, a value is not of its type or a row would be read
    wrongly (`sql.site_files.FATAL`).
    """
    _create(
        con, "site_facility", ("facility", "facility_name", "zone", "kind"),
        [[f.id, f.name, f.zone, f.kind or None] for f in site.facilities],
    )  # fmt: skip
    aliases: dict[str, str] = {}
    for facility in site.facilities:
        for alias in (facility.id, facility.name, *facility.aliases):
            aliases.setdefault(alias.strip().lower(), facility.id)
    _create(con, "site_alias", ("facility", "alias"), [[f.id, a.strip()] for f in site.facilities for a in f.aliases])
    _create(con, "facility_alias", ("alias", "facility"), [[a, f] for a, f in aliases.items() if a])
    con.execute("CREATE OR REPLACE TEMP TABLE site_zone AS SELECT ? AS default_zone", [site.default_zone])
    for name, columns in CSV_FILES.items():
        path = site.folder / name if site.folder else Path(name)
        rows = read_rows(path, columns) if site.folder and path.is_file() else []
        if wrong := [fault for fault in faults(name, rows) if fault.is_fatal]:
            raise SiteError(f"{path}, {told_fault(wrong[0])}")
        try:
            _create(con, f"site_{path.stem}", columns, [[row[c] or None for c in columns] for row in rows])
        except duckdb.Error as error:
            raise SiteError(f"{path}: a value is not of its column's type: {error}") from error


def site_signature(site: Site) -> str:
    """SHA-256 over the site's files, as hex."""
    digest = hashlib.sha256()
    for name in ("site.toml", *sorted(CSV_FILES)):
        path = site.folder / name if site.folder else None
        content = path.read_bytes() if path and path.is_file() else b""
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
