"""Small tables that the models join, made from the site folder and the shipped references at each build."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb
import polars as pl

from etl.frames import query, table
from etl.identity_nodes import NODE_KINDS
from etl.procedures import resolve

REFERENCE = Path(__file__).parent / "reference"
MINUTES_OF_WEEK = 7 * 24 * 60

#: Temporary table to its SQL over the site tables, in order.
SITE_MODELS: dict[str, str] = {
    # A device is found by serial and model, by AE title, or by station; the latter two within its facility.
    "device_by_serial": """
        SELECT serial, model, min(device) AS device FROM site_devices
        WHERE serial IS NOT NULL AND model IS NOT NULL GROUP BY ALL""",
    "device_by_ae": """
        SELECT facility, name AS ae_title, min(device) AS device FROM (
            SELECT facility, ae_title AS name, device FROM site_devices
            UNION ALL SELECT facility, station, device FROM site_devices WHERE station NOT IN (
                SELECT ae_title FROM site_devices WHERE ae_title IS NOT NULL))
        WHERE name IS NOT NULL GROUP BY ALL""",
    "device_by_station": """
        SELECT facility, name AS station, min(device) AS device FROM (
            SELECT facility, station AS name, device FROM site_devices
            UNION ALL SELECT facility, device, device FROM site_devices
            UNION ALL SELECT facility, d.name, device FROM site_devices d)
        WHERE name IS NOT NULL GROUP BY ALL""",
    "fee": """
        SELECT charge_code, wrvu, coalesce(valid_from, DATE '0001-01-01') AS valid_from,
               lead(coalesce(valid_from, DATE '0001-01-01'), 1, DATE '9999-12-31')
                   OVER (PARTITION BY charge_code ORDER BY coalesce(valid_from, DATE '0001-01-01')) AS valid_until
        FROM site_fees""",
    "target": """
        SELECT metric, nullif(facility, '*') AS facility, nullif(modality, '*') AS modality,
               CASE upper(priority) WHEN 'S' THEN 'stat' WHEN 'T' THEN 'stat' WHEN 'A' THEN 'urgent'
                    WHEN 'P' THEN 'urgent' WHEN 'R' THEN 'routine' WHEN '*' THEN NULL ELSE lower(priority) END AS priority,
               CASE upper(patient_class) WHEN 'E' THEN 'emergency' WHEN 'I' THEN 'inpatient' WHEN 'O' THEN 'outpatient'
                    WHEN '*' THEN NULL ELSE lower(patient_class) END AS patient_class,
               target * CASE WHEN unit IN ('h', 'hour', 'hours') THEN 60 WHEN unit IN ('d', 'day', 'days') THEN 1440
                             ELSE 1 END AS target_min,
               target, unit, source, valid_from, valid_to,
               (nullif(facility, '*') IS NOT NULL)::INTEGER + (nullif(modality, '*') IS NOT NULL)::INTEGER
                   + (nullif(priority, '*') IS NOT NULL)::INTEGER + (nullif(patient_class, '*') IS NOT NULL)::INTEGER
                   AS n_conditions
        FROM site_targets""",
    "staffing": """
        SELECT device, CAST(day AS INTEGER) AS weekday, opens, closes,
               CAST(split_part(opens, ':', 1) AS INTEGER) * 60 + CAST(split_part(opens, ':', 2) AS INTEGER) AS opens_minute,
               CAST(split_part(closes, ':', 1) AS INTEGER) * 60 + CAST(split_part(closes, ':', 2) AS INTEGER)
                   AS closes_minute
        FROM (SELECT device, opens, closes, unnest(string_split(weekday, '')) AS day FROM site_staffing)""",
    "shift_span": """
        SELECT shift, is_after_hours, (CAST(day AS INTEGER) - 1) * 1440 + starts AS from_minute,
               CASE WHEN ends > starts THEN ends - starts ELSE ends - starts + 1440 END AS n_minutes
        FROM (SELECT shift, is_after_hours, unnest(string_split(weekday, '')) AS day,
                     CAST(split_part(starts, ':', 1) AS INTEGER) * 60 + CAST(split_part(starts, ':', 2) AS INTEGER) AS starts,
                     CAST(split_part(ends, ':', 1) AS INTEGER) * 60 + CAST(split_part(ends, ':', 2) AS INTEGER) AS ends
              FROM site_shifts)""",
    # Each minute of the week: in hours if any regular shift covers it; the shift that began first is named.
    # A site without shifts works Monday to Friday, 8 to 17.
    "clock_shift": f"""
        SELECT m.minute_of_week,
               arg_min(s.shift, concat(s.is_after_hours, lpad(CAST(s.age AS VARCHAR), 6, '0'), s.shift)) AS shift,
               CASE WHEN (SELECT count(*) FROM shift_span) > 0 THEN coalesce(bool_and(s.is_after_hours), TRUE)
                    ELSE m.minute_of_week // 1440 > 4 OR m.minute_of_week % 1440 < 480 OR m.minute_of_week % 1440 >= 1020
               END AS is_after_hours
        FROM (SELECT CAST(range AS INTEGER) AS minute_of_week FROM range({MINUTES_OF_WEEK})) m
        LEFT JOIN (
            SELECT shift, is_after_hours, CAST((from_minute + r.range) % {MINUTES_OF_WEEK} AS INTEGER) AS minute_of_week,
                   {MINUTES_OF_WEEK} - r.range AS age
            FROM shift_span, range(0, 1440) r WHERE r.range < n_minutes) s USING (minute_of_week)
        GROUP BY m.minute_of_week""",
}

#: Temporary view to its SQL over the raw store.
INTAKE_VIEWS: dict[str, str] = {
    "batch_time": "SELECT batch_id, loaded_at FROM intake.raw_batch",
    "actor_name": "SELECT actor, name FROM intake.work.actor",
    "identity_flag": "SELECT rank, node, flag FROM intake.work.flag",
}


def reference_rows(name: str) -> list[dict[str, str]]:
    """Rows of the shipped `reference/<name>.csv`."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def reference_signature() -> str:
    """SHA-256 over the shipped reference tables, as hex."""
    digest = hashlib.sha256()
    for path in sorted(REFERENCE.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def load_build_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of `SITE_MODELS`, `milestone_rule` and `procedure_reference`. Needs the site tables."""
    for name, sql in SITE_MODELS.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
    rules = pl.DataFrame(reference_rows("milestones")).with_columns(pl.col("preference").cast(pl.Int32))
    table(con, "milestone_rule", rules)
    procedures = pl.DataFrame(reference_rows("procedures")).with_columns(
        pl.col(pl.String).replace("", None), is_follow_up=pl.col("follow_up") == "true"
    )
    table(con, "procedure_reference", procedures.drop("follow_up"))
    table(con, "reject_reason", pl.DataFrame(reference_rows("reject_reasons")))
    table(con, "node_kind", pl.DataFrame({"rank": [k.rank for k in NODE_KINDS], "identifier": [k.column for k in NODE_KINDS]}))
    for name, sql in INTAKE_VIEWS.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")


def load_procedure_names(con: duckdb.DuckDBPyConnection, site_folder: Path | None) -> None:
    """Create `procedure_name`: each distinct local name of the staged exams with its harmonized procedure."""
    names = query(con, """
        SELECT DISTINCT facility, procedure_code AS code, procedure_text AS text, NULL::VARCHAR AS system, alternate_code,
               alternate_text, modality,
               name_key(facility, procedure_code, procedure_text, alternate_code, alternate_text, modality) AS name_key
        FROM stg_exam_fact ORDER BY name_key""")  # fmt: skip
    table(con, "procedure_name", resolve(names, site_folder))
