"""The part of the raw rows that a build reads: the touched exams in parts, their mentions, and their raw rows.

A part is so many exams that their staged rows fit the memory limit, in the order in which they were first told, so that
its raw rows lie together. Exams whose identifiers were ever mentioned together are in one part: they may share a study.
Beyond that an exam depends on its own mentions only, so the answer does not depend on the parts.
"""

from __future__ import annotations

import duckdb

from etl.identity import WHO
from etl.identity_nodes import EXAM_RECORDS


def find_touched(con: duckdb.DuckDBPyConnection, since: int | None, most: int) -> int:
    """Temp table `scoped_exam` (exam_key, part): exams logged after batch `since`, all where None; returns the parts.

    A part has about `most` exams, more only where one batch told more.
    """
    everything = since is None
    logged = "TRUE" if everything else f"batch_id > {since}"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE scoped_exam AS
        SELECT DISTINCT exam_key, 0 AS part FROM (
            SELECT exam_key FROM intake.work.{"mention" if everything else "touched"} WHERE {logged}
            UNION ALL SELECT exam_key FROM intake.work.mention WHERE visit IN (
                SELECT visit FROM intake.work.touched_visit WHERE {logged})) WHERE exam_key IS NOT NULL""")
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


def load_touched(con: duckdb.DuckDBPyConnection, part: int | None) -> None:
    """Temp table `touched_exam`: the keys of one part, of all parts where None."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE touched_exam AS
        SELECT exam_key FROM scoped_exam WHERE {"TRUE" if part is None else f"part = {part}"}""")


def load_mentions(con: duckdb.DuckDBPyConnection, parts: int) -> None:
    """Temp tables `exam_mention` and `visit_mention` of the touched exams, and temp views `raw_<record>` on their rows.

    The views hold the batches from the first to the last that told a mention of them; of few exams, from the first on.
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE mention_place AS
        SELECT rowid AS place FROM intake.work.mention WHERE exam_key IN (SELECT exam_key FROM touched_exam)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE exam_mention AS
        SELECT m.mention, m.exam_key, m.facility, m.is_mapped, p.patient_key,
               coalesce(p.authority LIKE 'facility:%' OR p.authority LIKE 'unknown:%', FALSE) AS is_assumed,
               m.accession, m.visit, m.study_key, m.first_batch
        FROM (SELECT * FROM intake.work.mention WHERE rowid IN (SELECT place FROM mention_place)) m
        LEFT JOIN intake.work.patient p ON p.patient = m.patient""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE visit_mention AS
        SELECT mention, visit, facility, first_batch FROM intake.work.mention
        WHERE exam_key IS NULL AND visit IN (SELECT visit FROM exam_mention)""")
    mentions = (
        "(SELECT mention, first_batch FROM exam_mention UNION ALL SELECT mention, first_batch FROM visit_mention)"
    )
    if parts > 1:
        bounds = f"SELECT min(s.first_batch), max(s.last_batch) FROM {mentions} JOIN mention_span s USING (mention)"
    else:
        bounds = f"SELECT min(first_batch), NULL FROM {mentions}"
    first, last = con.execute(bounds).fetchall()[0]
    held = f"batch_id >= {first or 0}" + ("" if last is None else f" AND batch_id <= {last}")
    for record in EXAM_RECORDS:
        con.execute(f"CREATE OR REPLACE TEMP VIEW raw_{record} AS SELECT * FROM intake.raw_{record} WHERE {held}")


_MOVES = f"""
    SELECT f.*, {WHO} AS who FROM {{rows}} f LEFT JOIN {{patients}} p ON p.patient = f.mover"""
_ALL_PATIENTS = "intake.work.patient"


def _moves_at(con: duckdb.DuckDBPyConnection, places: str) -> str:
    """SQL for the raw moves at `places` (SQL: place), with who moved; of other moves only places are read."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE move_place AS {places}")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE move_row AS
        SELECT * FROM intake.raw_room_move WHERE rowid IN (SELECT place FROM move_place)""")
    patients = f"(SELECT * FROM {_ALL_PATIENTS} WHERE patient IN (SELECT mover FROM move_row))"
    return _MOVES.format(rows="move_row", patients=patients)


def _find_moves(con: duckdb.DuckDBPyConnection) -> bool:
    """Temp table `touched_move`: raw moves of `touched_mover`, which gets who shares an encounter; whether any did."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE mover_number AS
        SELECT patient FROM {_ALL_PATIENTS}
        WHERE person IN (SELECT try_cast(substr(who, 2) AS UBIGINT) FROM touched_mover WHERE who LIKE 'p%')
        UNION SELECT try_cast(substr(who, 2) AS UBIGINT) FROM touched_mover WHERE who LIKE 'p%'""")
    moves = _moves_at(con, """
        SELECT rowid AS place FROM intake.raw_room_move WHERE mover IN (SELECT patient FROM mover_number)
        UNION ALL
        SELECT rowid FROM intake.raw_room_move
        WHERE mover IS NULL AND 'v' || visit_id IN (SELECT who FROM touched_mover)""")  # fmt: skip
    con.execute(f"CREATE OR REPLACE TEMP TABLE touched_move AS {moves}")
    shared = _moves_at(con, """
        SELECT rowid AS place FROM intake.raw_room_move
        WHERE stay_ref IN (SELECT stay_ref FROM touched_move WHERE stay_ref IS NOT NULL)""")  # fmt: skip
    found = con.execute(f"""
        INSERT INTO touched_mover
        SELECT DISTINCT who, keyed('mover', who) FROM ({shared})
        WHERE who IS NOT NULL AND who NOT IN (SELECT who FROM touched_mover)""").fetchall()
    return bool(found[0][0])


def load_movers(con: duckdb.DuckDBPyConnection, since: int | None) -> None:
    """Temp table `touched_mover` (who, mover_key) of those logged after batch `since`, and temp view `room_move`.

    The view has all moves of them; where `since` is None it has all there are. Who was told in the same encounter
    belongs to them: its last version counts.
    """
    log = "FALSE" if since is None else f"batch_id > {since}"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE touched_mover AS
        SELECT DISTINCT who, keyed('mover', who) AS mover_key FROM intake.work.touched_mover WHERE {log}""")
    moves = f"({_MOVES.format(rows='intake.raw_room_move', patients=_ALL_PATIENTS)})"
    if since is not None:
        moves = "touched_move"
        while _find_moves(con):
            pass
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW room_move AS
        SELECT coalesce(a.facility, 'unmapped') AS facility, m.room, m.kind, m."at", m.stay_ref, m.stay_number,
               m.message_at, m.message_id, m.who
        FROM {moves} m LEFT JOIN facility_alias a ON a.alias = lower(trim(m.facility_alias))""")


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
