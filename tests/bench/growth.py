"""A raw store of any size out of a simulated one: its rows copied under other identifiers, places and days.

One simulated network is ingested as it is; its raw rows are then written for `places` networks and `WINDOWS` stretches
of time, each with identifiers, facilities and senders of its own, in the order in which a site would have loaded them:
a batch a day. Patients come back in the windows of one year. The newest window of the first place is the original, so
that messages held back from it can be read as they come. What is measured on the copies is the work of load, build,
publish and questions; reading is measured on real messages.
"""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import duckdb

from etl.intake import numbers
from etl.records import RECORDS

#: Days between two copies of a place: whole weeks, so that weekends stay weekends.
STRIDE_DAYS = 63
#: Copies of a place in time: five years.
WINDOWS = 29
#: Windows in which the same patients come back.
WINDOWS_OF_PATIENT = 6
#: Columns that name something of one window; of a patient; of a place.
_OF_WINDOW = {
    "accession", "filler_id", "placer_id", "order_ref", "requested_procedure_id", "step_uid", "appointment_id",
    "study_uid", "series_uid", "sop_uid", "visit_id", "message_id", "file_id", "path", "stay_ref", "document_id",
    "replaced_by",
}  # fmt: skip
_OF_PATIENT = {"patient_id", "prior_id"}
_OF_PLACE = {"facility_alias", "source", "receiver", "patient_authority", "prior_authority"}
#: Tables copied: of the records those that have rows, and the ledger.
_LEDGER = ("raw_message", "raw_file", "raw_path", "raw_defect", "raw_flow", "raw_fault")


def _copied(column: str, kind: str) -> str:
    """SQL for one column of a copied row `r` in the copy `c`."""
    suffixes = ((_OF_WINDOW, "of_window"), (_OF_PATIENT, "of_patient"), (_OF_PLACE, "of_place"))
    for columns, suffix in suffixes:
        if column in columns:
            return f"{column} || c.{suffix} AS {column}"
    if column == "batch_id":
        return f"r.day_number + c.first_batch AS {column}"
    if column == "message_hash":
        made = f"unhex(md5(hex({column}) || c.of_window))"
        return f"CASE WHEN c.of_window = '' THEN {column} ELSE {made} END AS {column}"
    if kind == "TIMESTAMP" or column == "day":
        return f'CAST("{column}" - to_days(CAST(c.days AS INTEGER)) AS {kind}) AS "{column}"'
    return f'"{column}"'


def _load_base(con: duckdb.DuckDBPyConnection) -> int:
    """Temp tables `base_<table>`: rows of the base by day, with `day_number` from 1; returns the number of days."""
    told = " UNION ALL ".join(f"SELECT file_id, message_at FROM base.raw_{record}" for record in RECORDS)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE file_day AS
        SELECT file_id, coalesce(min(CAST(message_at AS DATE)), (SELECT min(CAST(message_at AS DATE)) FROM ({told})))
                   AS file_day
        FROM base.raw_file LEFT JOIN ({told}) USING (file_id) GROUP BY file_id""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE day_number AS
        SELECT file_day, row_number() OVER (ORDER BY file_day) AS day_number FROM (
            SELECT file_day FROM file_day UNION SELECT day FROM base.raw_flow UNION SELECT day FROM base.raw_fault)""")
    for table in _tables():
        names = {row[1] for row in con.execute(f"PRAGMA table_info('base.{table}')").fetchall()}
        day = "JOIN file_day f USING (file_id) JOIN day_number n USING (file_day)"
        if "file_id" not in names:
            day = "JOIN day_number n ON n.file_day = r.day"
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE base_{table} AS
            SELECT r.*, n.day_number FROM base.{table} r {day} ORDER BY n.day_number""")
    return int(con.execute("SELECT count(*) FROM day_number").fetchall()[0][0])


def _tables() -> tuple[str, ...]:
    return (*(f"raw_{record}" for record in RECORDS), *_LEDGER)


def _name_copies(con: duckdb.DuckDBPyConnection, window: int, places: int, n_days: int) -> None:
    """Temp table `copy_of`: suffixes, days back and first batch of each place in this window."""
    back, year = WINDOWS - 1 - window, (WINDOWS - 1 - window) // WINDOWS_OF_PATIENT
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE copy_of AS
        SELECT p, {back * STRIDE_DAYS} AS days, {window * n_days} AS first_batch,
               CASE WHEN p = 0 THEN '' ELSE '~' || p END AS of_place,
               CASE WHEN p = 0 AND {back} = 0 THEN '' ELSE '~' || p || '.' || {back} END AS of_window,
               CASE WHEN p = 0 AND {year} = 0 THEN '' ELSE '~' || p || '.' || {year} END AS of_patient
        FROM range({places}) t(p)""")


def _copy_table(con: duckdb.DuckDBPyConnection, table: str) -> None:
    numbered = numbers(table.removeprefix("raw_"))
    columns = [row[1:3] for row in con.execute(f"PRAGMA table_info('{table}')").fetchall() if row[1] not in numbered]
    made = ", ".join(_copied(name, kind) for name, kind in columns)
    counted = "".join(f", {sql} AS {name}" for name, sql in numbered.items())
    con.execute(f"""
        INSERT INTO {table} BY NAME
        SELECT *{counted} FROM (SELECT {made} FROM base_{table} r CROSS JOIN copy_of c)""")


def multiply(base: Path, grown: Path, places: int, progress: Callable[[int], None] = lambda _window: None) -> None:
    """Fill the empty raw store `grown` from `base`: `places` times `WINDOWS` copies of every row."""
    con = duckdb.connect(str(grown), config={"memory_limit": "4GB"})
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"ATTACH '{base}' AS base (READ_ONLY)")
    n_days = _load_base(con)
    for window in range(WINDOWS):
        _name_copies(con, window, places, n_days)
        for table in _tables():
            _copy_table(con, table)
        con.execute("""
            INSERT INTO raw_batch
            SELECT n.day_number + c.first_batch, any_value(CAST(n.file_day AS TIMESTAMP)) + INTERVAL 1 DAY
                       - to_days(CAST(min(c.days) AS INTEGER)),
                   count(r.file_id), sum(n_read), sum(n_kept), sum(n_rejected), sum(n_duplicate), 0
            FROM day_number n LEFT JOIN base_raw_file r USING (day_number) CROSS JOIN copy_of c
            GROUP BY n.day_number, c.first_batch""")
        progress(window)
    con.execute("CHECKPOINT")
    con.close()


def _suffixed(value: str, place: int) -> str:
    return f"{value}~{place}" if place and value else value


def write_site(base: Path, grown: Path, places: int) -> None:
    """The site of the grown network: every facility and device once a place, valid for all five years."""
    grown.mkdir(parents=True, exist_ok=True)
    told = (base / "site.toml").read_text(encoding="utf-8")
    site = tomllib.loads(told)
    lines = [told]
    for place in range(1, places):
        for facility in site["facility"]:
            aliases = [_suffixed(alias, place) for alias in (facility["id"], *facility["aliases"])]
            lines.append(
                f"\n[[facility]]\nid = {json.dumps(_suffixed(facility['id'], place))}\n"
                f"name = {json.dumps(_suffixed(facility['name'], place))}\nzone = {json.dumps(facility['zone'])}\n"
                f"kind = {json.dumps(facility['kind'])}\naliases = {json.dumps(aliases)}\n"
            )
    (grown / "site.toml").write_text("".join(lines), encoding="utf-8")
    for path in sorted(base.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        copies = [_copied_row(row, place) for place in range(places) for row in rows if place == 0 or _is_of_place(row)]
        with (grown / path.name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
            writer.writeheader()
            writer.writerows(copies)


def _is_of_place(row: dict[str, str]) -> bool:
    return bool(row.get("facility") or row.get("device"))


def _copied_row(row: dict[str, str], place: int) -> dict[str, str]:
    named = {name: _suffixed(row[name], place) for name in ("facility", "device", "serial") if name in row}
    return {**row, **named, **({"valid_from": "2000-01-01"} if row.get("valid_from") else {})}
