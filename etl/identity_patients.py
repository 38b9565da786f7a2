"""Patients: identifiers (authority, value) connected by what was sent, and the links between them.

`same`, `merge` and `link` connect; an `unlink` takes away the earlier merges and links of its pair. Identifiers of two
authorities are one patient only where a message said so. The work tables live beside the raw rows, never in a mart.
"""

from __future__ import annotations

import duckdb
import polars as pl

from etl.frames import query, table
from etl.identity_graph import bipartite
from etl.identity_nodes import patient_of, value_or_null

TABLES = """
CREATE TABLE IF NOT EXISTS intake.work.patient (
    patient UBIGINT, authority VARCHAR, patient_id VARCHAR, component UBIGINT, person UBIGINT, patient_key VARCHAR);
CREATE TABLE IF NOT EXISTS intake.work.patient_edge (
    low UBIGINT, high UBIGINT, kind VARCHAR, said_at TIMESTAMP, prior UBIGINT);
"""


def patients_among(numbers: str) -> str:
    """SQL for the rows of `work.patient` of the numbers that the SQL `numbers` gives, to be joined to what has those.

    Of all patients one column is then compared with these, while a left join reads all and makes a table of them.
    """
    return f"(FROM intake.work.patient WHERE patient IN ({numbers}))"


def _read_new(con: duckdb.DuckDBPyConnection, since: int, upto: int) -> None:
    """Temp tables `new_patient` (identifiers not known before) and `new_edge` (links not known before)."""
    left = patient_of("patient_id", "patient_authority")
    right = patient_of("prior_id", "prior_authority")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE sent_link AS
        SELECT DISTINCT patient_id, patient_authority, prior_id, prior_authority, kind,
               CASE WHEN kind = 'same' THEN NULL ELSE coalesce(l."at", message_at) END AS said_at
        FROM (SELECT * REPLACE ({value_or_null("patient_id")} AS patient_id, {value_or_null("prior_id")} AS prior_id,
                                coalesce(patient_authority, '') AS patient_authority,
                                coalesce(prior_authority, '') AS prior_authority)
              FROM intake.raw_patient_link WHERE batch_id > {since} AND batch_id <= {upto}) l
        WHERE patient_id IS NOT NULL AND prior_id IS NOT NULL""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE new_edge AS
        SELECT DISTINCT least(a, b) AS low, greatest(a, b) AS high, kind, said_at,
               CASE WHEN kind IN ('merge', 'link') THEN b END AS prior
        FROM (SELECT {left} AS a, {right} AS b, kind, said_at FROM sent_link) WHERE a <> b""")
    con.execute("""
        DELETE FROM new_edge USING intake.work.patient_edge e
        WHERE e.low = new_edge.low AND e.high = new_edge.high AND e.kind = new_edge.kind
            AND e.said_at IS NOT DISTINCT FROM new_edge.said_at AND e.prior IS NOT DISTINCT FROM new_edge.prior""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE new_patient AS
        SELECT patient, any_value(authority) AS authority, any_value(patient_id) AS patient_id FROM (
            SELECT {left} AS patient, patient_authority AS authority, patient_id FROM new_mention
            WHERE patient_id IS NOT NULL
            UNION ALL SELECT {left}, patient_authority, patient_id FROM sent_link
            UNION ALL SELECT {right}, prior_authority, prior_id FROM sent_link)
        GROUP BY patient""")
    con.execute("""
        DELETE FROM new_patient WHERE patient IN (
            SELECT patient FROM intake.work.patient WHERE patient IN (SELECT patient FROM new_patient))""")


def advance_patients(con: duckdb.DuckDBPyConnection, since: int, upto: int) -> None:
    """Take the batches after `since` up to `upto` into `work.patient`; leaves temp table `moved_patient`(patient).

    Reads temp table `new_mention`. A moved patient identifier is new, or belongs to another person than before.
    """
    _read_new(con, since, upto)
    con.execute("INSERT INTO intake.work.patient_edge SELECT * FROM new_edge")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE open_patient AS
        SELECT patient, authority, patient_id, NULL::UBIGINT AS old_person, NULL::VARCHAR AS old_key FROM new_patient
        UNION ALL
        SELECT patient, authority, patient_id, person, patient_key FROM intake.work.patient WHERE component IN (
            SELECT component FROM intake.work.patient p
            JOIN (SELECT low AS patient FROM new_edge UNION SELECT high FROM new_edge) e USING (patient))""")
    edges = query(
        con,
        """
        SELECT low, high, bool_or(kind = 'same') OR arg_max(
                   kind <> 'unlink', (coalesce(said_at, TIMESTAMP '1970-01-01'), kind = 'unlink')) AS is_joined
        FROM intake.work.patient_edge WHERE low IN (SELECT patient FROM open_patient) GROUP BY low, high""",
    )
    edges = edges.with_row_index("edge")
    for name, chosen in (("raw_set", edges), ("person_set", edges.filter(pl.col("is_joined")))):
        ends = pl.concat([chosen.select("edge", patient="low"), chosen.select("edge", patient="high")])
        table(con, name, bipartite(ends, "patient", "edge"))
    con.execute("""
        CREATE OR REPLACE TEMP TABLE closed_patient AS
        SELECT patient, authority, patient_id, old_person, old_key,
               min(patient) OVER (PARTITION BY raw_set) AS component,
               min(patient) OVER (PARTITION BY person_set) AS person,
               keyed('patient', min(authority || chr(31) || patient_id) OVER (PARTITION BY person_set)) AS patient_key
        FROM (SELECT o.*, coalesce('c' || r.component, 'p' || o.patient) AS raw_set,
                     coalesce('c' || s.component, 'p' || o.patient) AS person_set
              FROM open_patient o LEFT JOIN raw_set r USING (patient) LEFT JOIN person_set s USING (patient))""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE moved_patient AS
        SELECT patient FROM closed_patient
        WHERE old_person IS DISTINCT FROM person OR old_key IS DISTINCT FROM patient_key""")
    con.execute("DELETE FROM intake.work.patient WHERE patient IN (SELECT patient FROM open_patient)")
    con.execute("""
        INSERT INTO intake.work.patient
        SELECT patient, authority, patient_id, component, person, patient_key FROM closed_patient""")
