"""The part of the raw rows that a build reads: the touched exams' mentions, and views that find their rows again."""

from __future__ import annotations

import duckdb

from etl.identity_nodes import EXAM_RECORDS, mention_of


def load_touched(con: duckdb.DuckDBPyConnection, since: int | None) -> None:
    """Temp tables `touched_exam` (keys logged after batch `since`, all where None), `exam_mention`, `visit_mention`."""
    everything = since is None
    logged = "TRUE" if everything else f"batch_id > {since}"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE touched_exam AS
        SELECT DISTINCT exam_key FROM (
            SELECT exam_key FROM intake.work.{"mention" if everything else "touched"} WHERE {logged}
            UNION ALL SELECT exam_key FROM intake.work.mention WHERE visit IN (
                SELECT visit FROM intake.work.touched_visit WHERE {logged})) WHERE exam_key IS NOT NULL""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE exam_mention AS
        SELECT m.mention, m.exam_key, m.facility, m.is_mapped, p.patient_key,
               coalesce(p.authority LIKE 'facility:%' OR p.authority LIKE 'unknown:%', FALSE) AS is_assumed,
               m.accession, m.visit, m.study_key, m.first_batch
        FROM intake.work.mention m
        JOIN touched_exam t ON t.exam_key = m.exam_key
        LEFT JOIN intake.work.patient p ON p.patient = m.patient""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE visit_mention AS
        SELECT mention, visit, facility, first_batch FROM intake.work.mention
        WHERE exam_key IS NULL AND visit IN (SELECT visit FROM exam_mention)""")


def create_raw_views(con: duckdb.DuckDBPyConnection) -> None:
    """Temp views `raw_<record>` with the column `mention`, from the first batch that a touched exam needs on."""
    row = con.execute("""
        SELECT min(first_batch) FROM (
            SELECT first_batch FROM exam_mention UNION ALL SELECT first_batch FROM visit_mention)""").fetchone()
    floor = row[0] if row and row[0] is not None else 0
    for record in EXAM_RECORDS:
        con.execute(f"""
            CREATE OR REPLACE TEMP VIEW raw_{record} AS
            SELECT *, {mention_of(record)} AS mention FROM intake.raw_{record} WHERE batch_id >= {floor}""")


def load_clock(con: duckdb.DuckDBPyConnection, since: int, previous: object) -> None:
    """Temp table `clock`: data_through (latest event not dated after its message or its load) and the value before."""
    row = con.execute(f"""
        SELECT max(e."at") FROM intake.raw_event e LEFT JOIN intake.raw_batch b USING (batch_id)
        WHERE e.batch_id > {since}
            AND e."at" <= least(e.message_at, b.loaded_at, e."at") + INTERVAL 1 DAY""").fetchone()
    con.execute(
        """CREATE OR REPLACE TEMP TABLE clock AS
        SELECT greatest(CAST($new AS TIMESTAMP), CAST($old AS TIMESTAMP)) AS data_through,
               date_trunc('hour', CAST($old AS TIMESTAMP)) AS previous""",
        {"new": row[0] if row else None, "old": previous},
    )
