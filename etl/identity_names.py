"""How many patients share the text of a procedure name, kept up to date batch by batch beside identity.

A text is published only where several patients share it. Patients are told apart as sent: the raw rows are only ever
appended, so a pair of name and patient that was counted once stays counted, whatever becomes of the patient later.
"""

from __future__ import annotations

import duckdb

from etl.identity_nodes import half_md5

TABLES = """
CREATE TABLE IF NOT EXISTS intake.work.name_patient (pair UBIGINT);
CREATE TABLE IF NOT EXISTS intake.work.name_text (
    facility VARCHAR, code VARCHAR, text VARCHAR, n_patients BIGINT);
"""
#: Records that name a procedure.
NAMING = ("order", "report", "appointment")
_NAME = "facility, code, text"
_PATIENT = "patient_authority, patient_id"


def sent_names(where: str) -> str:
    """SQL for the names of the raw rows that satisfy `where`: facility, code, text and the patient as sent."""
    rows = " UNION ALL ".join(
        f"SELECT facility_alias, nullif(procedure_code, '') AS code, trim(procedure_text) AS text, {_PATIENT} "
        f"FROM intake.raw_{record} WHERE procedure_text <> '' AND {where}"
        for record in NAMING
    )
    return (
        f"SELECT coalesce(a.facility, 'unmapped') AS facility, n.code, n.text, {_PATIENT} "
        f"FROM ({rows}) n LEFT JOIN facility_alias a ON a.alias = lower(trim(n.facility_alias))"
    )


def advance_names(con: duckdb.DuckDBPyConnection, since: int, upto: int) -> None:
    """Take the batches after `since` up to `upto` into `work.name_text`."""
    told = ", ".join(f"coalesce({column}, chr(30))" for column in (*_NAME.split(", "), *_PATIENT.split(", ")))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE new_pair AS
        SELECT {half_md5(f"concat_ws(chr(31), {told})")} AS pair, {_NAME}
        FROM (SELECT DISTINCT * FROM ({sent_names(f"batch_id > {since} AND batch_id <= {upto}")}))""")
    con.execute("""
        DELETE FROM new_pair WHERE pair IN (
            SELECT pair FROM intake.work.name_patient WHERE pair IN (SELECT pair FROM new_pair))""")
    con.execute("INSERT INTO intake.work.name_patient SELECT pair FROM new_pair")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE counted_name AS
        SELECT {_NAME}, count(*) AS n_patients FROM new_pair GROUP BY {_NAME}""")
    con.execute("""
        UPDATE intake.work.name_text t SET n_patients = t.n_patients + n.n_patients FROM counted_name n
        WHERE n.facility = t.facility AND n.code IS NOT DISTINCT FROM t.code AND n.text = t.text""")
    con.execute("""
        INSERT INTO intake.work.name_text
        SELECT n.* FROM counted_name n
        ANTI JOIN intake.work.name_text t
            ON n.facility = t.facility AND n.code IS NOT DISTINCT FROM t.code AND n.text = t.text""")
