"""The part of the raw rows that a build reads: the touched exams in parts, their mentions, and their raw rows.

A part is so many exams that their staged rows fit the memory limit, in the order in which they were first told, so that
its raw rows lie together. Exams whose identifiers were ever mentioned together are in one part: they may share a study.
Beyond that an exam depends on its own mentions only, so the answer does not depend on the parts.
"""

from __future__ import annotations

import duckdb

from etl.frames import table
from etl.identity_mentions import TOLD, Mentions
from etl.identity_nodes import EXAM_RECORDS
from etl.identity_patients import patients_among
from etl.keyed_rows import Lookup, numbers_of

#: A place after all others.
NOWHERE = (1 << 63) - 1


def find_touched(con: duckdb.DuckDBPyConnection, since: int | None, most: int) -> int:
    """Temp table `scoped_exam` (exam_key, part): exams logged after batch `since`, all where None; returns the parts.

    Temp table `moved_exam` beside has those logged of which only the patient is another. A part has about `most`
    exams, more only where one batch told more.
    """
    exams = "SELECT exam_key FROM intake.work.mention"
    if since is not None:
        _find_logged(con, since)
        exams = f"""
            SELECT exam_key FROM intake.work.touched WHERE batch_id > {since}
            UNION ALL SELECT exam_key FROM logged_mention WHERE visit IN (
                SELECT visit FROM intake.work.touched_visit WHERE batch_id > {since})"""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE scoped_exam AS
        SELECT DISTINCT exam_key, 0 AS part FROM ({exams}) WHERE exam_key IS NOT NULL""")
    log = "FALSE" if since is None else f"batch_id > {since}"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE moved_exam AS
        SELECT DISTINCT exam_key FROM intake.work.moved_exam ANTI JOIN scoped_exam USING (exam_key) WHERE {log}""")
    n = con.execute("SELECT count(*) FROM scoped_exam").fetchall()[0][0]
    if n <= most:
        return 1
    told = " UNION ALL ".join(f"SELECT mention, batch_id FROM intake.raw_{record}" for record in EXAM_RECORDS)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE mention_span AS
        SELECT mention, min(batch_id) AS first_batch, max(batch_id) AS last_batch FROM ({told}) GROUP BY mention""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE scoped_exam AS
        WITH told AS (
            SELECT m.exam_key, m.component, min(m.first_batch) AS batch_id
            FROM intake.work.mention m JOIN scoped_exam USING (exam_key) GROUP BY m.exam_key, m.component
        ), first_told AS (
            SELECT component, min(batch_id) AS batch_id, count(*) AS n FROM told GROUP BY component
        ), boundary AS (
            SELECT batch_id, CAST(floor((sum(sum(n)) OVER (ORDER BY batch_id) - 1) / {most}) AS INTEGER) AS part
            FROM first_told GROUP BY batch_id
        )
        SELECT t.exam_key, dense_rank() OVER (ORDER BY b.part) - 1 AS part
        FROM told t JOIN first_told f USING (component) JOIN boundary b ON b.batch_id = f.batch_id""")
    return int(con.execute("SELECT max(part) + 1 FROM scoped_exam").fetchall()[0][0])


def _find_logged(con: duckdb.DuckDBPyConnection, since: int) -> None:
    """Temp table `logged_mention`: all mentions, with their `place`, of the components logged after batch `since`, by
    what a build reads of them.

    Those of a mention or of a visit that was logged: no exam that is touched has a mention elsewhere.
    """
    stored = Mentions(con)
    stored.find_places("told_place", f"SELECT mention FROM intake.work.touched_mention WHERE batch_id > {since}")
    stored.find_places("visit_place", f"SELECT visit FROM intake.work.touched_visit WHERE batch_id > {since}")
    stored.close("logged_place", "FROM told_place UNION ALL FROM visit_place", "SELECT NULL")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE logged_mention AS
        SELECT rowid AS place, mention, exam_key, facility, is_mapped, patient, accession, visit, study_key, first_batch
        FROM intake.work.mention WHERE rowid IN (SELECT place FROM logged_place)""")


def load_touched(con: duckdb.DuckDBPyConnection, part: int | None) -> None:
    """Temp table `touched_exam`: the keys of one part, of all parts where None."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE touched_exam AS
        SELECT exam_key FROM scoped_exam WHERE {"TRUE" if part is None else f"part = {part}"}""")


def load_mentions(con: duckdb.DuckDBPyConnection, parts: int, since: int | None) -> None:
    """Temp tables `exam_mention` and `visit_mention` of the touched exams, and temp views `raw_<record>` on their rows.

    At night the views hold their rows alone; else the batches from the first to the last that told a mention of them.
    """
    _find_exam_mentions(con, since)
    at = "TRUE"
    if since is not None:
        Mentions(con).find_places("visit_place", "SELECT visit FROM exam_mention")
        at = "rowid IN (SELECT place FROM visit_place)"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE visit_mention AS
        SELECT mention, visit, facility, first_batch FROM intake.work.mention
        WHERE {at} AND exam_key IS NULL AND visit IN (SELECT visit FROM exam_mention)""")
    _show_rows(con, parts, since)


def load_moved(con: duckdb.DuckDBPyConnection, since: int) -> int:
    """Temp tables `touched_exam` and `exam_mention` of those in `moved_exam`; returns how many they are."""
    con.execute("CREATE OR REPLACE TEMP TABLE touched_exam AS FROM moved_exam")
    n = int(con.execute("SELECT count(*) FROM touched_exam").fetchall()[0][0])
    if n:
        _find_exam_mentions(con, since)
    return n


def _find_exam_mentions(con: duckdb.DuckDBPyConnection, since: int | None) -> None:
    if since is None:  # found by one column, then read by place: the other columns of all other rows are not read
        con.execute("""
            CREATE OR REPLACE TEMP TABLE mention_place AS
            SELECT rowid AS place FROM intake.work.mention WHERE exam_key IN (SELECT exam_key FROM touched_exam)""")
        kept, patients = "intake.work.mention WHERE rowid IN (SELECT place FROM mention_place)", "intake.work.patient"
    else:
        kept = "logged_mention WHERE exam_key IN (SELECT exam_key FROM touched_exam)"
        patients = patients_among("SELECT patient FROM logged_mention")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE exam_mention AS
        SELECT m.mention, m.exam_key, m.facility, m.is_mapped, p.patient_key,
               coalesce(p.authority LIKE 'facility:%' OR p.authority LIKE 'unknown:%', FALSE) AS is_assumed,
               m.accession, m.visit, m.study_key, m.first_batch
        FROM (SELECT * FROM {kept}) m
        LEFT JOIN {patients} p ON p.patient = m.patient""")


def _show_rows(con: duckdb.DuckDBPyConnection, parts: int, since: int | None) -> None:
    """Temp views `raw_<record>` on the rows of `exam_mention` and `visit_mention`, in a full build with others."""
    mentions = (
        "(SELECT mention, first_batch FROM exam_mention UNION ALL SELECT mention, first_batch FROM visit_mention)"
    )
    if since is not None and parts == 1:
        told = numbers_of(con, f"SELECT mention FROM {mentions} WHERE first_batch <= {since}")
        new = numbers_of(con, f"SELECT mention FROM {mentions} WHERE first_batch > {since}")
        for record, keyed in TOLD.items():  # a mention has no row before the batch that told it first
            later = f"SELECT coalesce(min(rowid), {NOWHERE}) FROM intake.raw_{record} WHERE batch_id > {since}"
            found = Lookup(con, keyed).find(told, new, con.execute(later).fetchall()[0][0])
            table(con, f"{record}_place", found.to_frame())
    if parts > 1:
        bounds = f"SELECT min(s.first_batch), max(s.last_batch) FROM {mentions} JOIN mention_span s USING (mention)"
    else:
        bounds = f"SELECT min(first_batch), NULL FROM {mentions}"
    first, last = con.execute(bounds).fetchall()[0]
    held = f"batch_id >= {first or 0}" + ("" if last is None else f" AND batch_id <= {last}")
    for record in EXAM_RECORDS:
        rows = f"SELECT * FROM intake.raw_{record} WHERE {held}"
        if since is not None and parts == 1:
            # Before anything else: who joins mentions to these would have the engine look for the mentions first, and
            # read that column between the first and the last place.
            rows = f"WITH held AS MATERIALIZED ({rows} AND rowid IN (SELECT place FROM {record}_place)) FROM held"
        con.execute(f"CREATE OR REPLACE TEMP VIEW raw_{record} AS {rows}")


def load_clock(con: duckdb.DuckDBPyConnection, since: int, previous: object) -> None:
    """Temp table `clock`: data_through (latest event not dated after its message or its load), told_through, the
    value before, and its full hour, previous."""
    row = con.execute(f"""
        SELECT max(e."at") FROM intake.raw_event e LEFT JOIN intake.raw_batch b USING (batch_id)
        WHERE e.batch_id > {since}
            AND e."at" <= least(e.message_at, b.loaded_at, e."at") + INTERVAL 1 DAY""").fetchone()
    con.execute(
        """CREATE OR REPLACE TEMP TABLE clock AS
        SELECT greatest(CAST($new AS TIMESTAMP), CAST($old AS TIMESTAMP)) AS data_through,
               date_trunc('hour', CAST($old AS TIMESTAMP)) AS previous, CAST($old AS TIMESTAMP) AS told_through""",
        {"new": row[0] if row else None, "old": previous},
    )
