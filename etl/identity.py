"""Exams and patients out of the identifiers of raw rows, kept up to date batch by batch.

The work tables (schema `work` of intake.duckdb) say for each mention its exam and for each identifier its patient.
`advance` takes the batches after the last one it took, resolves again every raw component that they touch, and
logs the exam keys that may have changed, all in one transaction: killed anywhere, it starts again from the same batch.
The answer depends on the set of raw rows only. Work tables can be dropped at any time; they are derived again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb

from etl import records
from etl.frames import query, table
from etl.identity_graph import resolve
from etl.identity_mentions import KEYED, MENTIONS, RUN_TABLES, Mentions, read_mentions
from etl.identity_mentions import TABLES as MENTION_TABLES
from etl.identity_names import TABLES as NAME_TABLES
from etl.identity_names import advance_names
from etl.identity_nodes import NODE_KINDS, STUDY, half_md5, node_of, patient_of
from etl.identity_patients import TABLES as PATIENT_TABLES
from etl.identity_patients import advance_patients, patients_among
from etl.keyed_rows import cover
from etl.transaction import transaction
from sql.macros import MACROS

TABLES = f"""
CREATE SCHEMA IF NOT EXISTS intake.work;
CREATE TABLE IF NOT EXISTS intake.work.state (batch_id BIGINT, epoch BIGINT, signature VARCHAR);
{MENTION_TABLES}
CREATE TABLE IF NOT EXISTS intake.work.flag (component UBIGINT, rank UTINYINT, node UBIGINT, flag VARCHAR);
CREATE TABLE IF NOT EXISTS intake.work.touched (exam_key VARCHAR, batch_id BIGINT);
CREATE TABLE IF NOT EXISTS intake.work.moved_exam (exam_key VARCHAR, batch_id BIGINT);
CREATE TABLE IF NOT EXISTS intake.work.touched_mention (mention UBIGINT, batch_id BIGINT);
CREATE TABLE IF NOT EXISTS intake.work.touched_visit (visit UBIGINT, batch_id BIGINT);
CREATE TABLE IF NOT EXISTS intake.work.touched_mover (who VARCHAR, batch_id BIGINT);
CREATE TABLE IF NOT EXISTS intake.work.actor (actor VARCHAR, name VARCHAR);
{PATIENT_TABLES}
{NAME_TABLES}
{RUN_TABLES}
"""
#: Code by which mentions are resolved.
_RULES = (*sorted(Path(__file__).parent.glob("identity*.py")), Path(records.__file__))
#: Digits of a signature that tell what identities are made of; those behind them tell the rest that shapes the marts.
GROUND = 64
#: SQL for who moves, of a raw row `f` and its patient `p`, of whom no exam need tell: the patient, else the visit.
WHO = "coalesce('p' || coalesce(p.person, f.mover), 'v' || nullif(f.visit_id, ''))"
#: Logs of what may have changed since a batch; of the exams in `moved_exam` it is the patient alone.
LOGS = ("touched", "moved_exam", "touched_mention", "touched_visit", "touched_mover")
WORK_TABLES = (
    "mention", "flag", *LOGS, "patient", "patient_edge", "actor", "name_patient", "name_text",
    *(keyed.named.removeprefix("work.") for keyed in KEYED),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """How far identity is: the last batch taken, and the epoch, which changes when all marts are derived anew."""

    batch_id: int
    epoch: int
    signature: str


def make_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the work tables that are not there yet."""
    con.execute(TABLES)


def state(con: duckdb.DuckDBPyConnection) -> State:
    """The stored state; batch 0 of epoch 0 where nothing was ever built."""
    row = con.execute("SELECT batch_id, epoch, signature FROM intake.work.state").fetchone()
    return State(*row) if row else State(0, 0, "")


def _open_components(con: duckdb.DuckDBPyConnection, stored: Mentions) -> None:
    """Temp table `open_mention`: new mentions, and all of every component that these or moved patients touch.

    Of a mention that is stored it has what decides its exam, and NULL for the rest.
    """
    nodes = ", ".join(
        f"CASE WHEN {kind.column} IS NOT NULL THEN {node_of(kind)} END AS n{kind.rank}" for kind in NODE_KINDS
    )
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE open_mention AS
        SELECT NULL::BIGINT AS place, mention, first_batch, facility, is_mapped,
               {patient_of("patient_id", "patient_authority")} AS patient,
               {half_md5("patient_authority")} AS authority,
               CASE WHEN visit_id IS NOT NULL THEN {half_md5("concat_ws(chr(31), facility, visit_id)")} END AS visit,
               CASE WHEN accession IS NOT NULL THEN {half_md5("accession")} END AS value, accession, {nodes},
               keyed('study', {STUDY.column}) AS study_key, NULL::UBIGINT AS component, NULL::VARCHAR AS exam_key
        FROM new_mention""")
    stored.find_places("moved_place", "SELECT patient FROM moved_patient")
    of_moved = """
        SELECT rowid AS place FROM intake.work.mention
        WHERE rowid IN (SELECT place FROM moved_place) AND component IS NOT NULL
            AND patient IN (SELECT patient FROM moved_patient)"""
    columns = ", ".join(f"n{kind.rank}" for kind in NODE_KINDS)
    stored.close("open_place", of_moved, f"SELECT {columns} FROM open_mention")
    con.execute(f"""
        INSERT INTO open_mention BY NAME
        SELECT rowid AS place, mention, patient, authority, visit, value, {columns}, component, exam_key
        FROM intake.work.mention WHERE rowid IN (SELECT place FROM open_place)""")


def _resolve_open(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables `closed_mention`, the open mentions with component and exam key, and `moved_mention`, those that were
    stored with others; stores the flags."""
    nodes = ", ".join(f"n{kind.rank}" for kind in NODE_KINDS)
    frame = query(
        con,
        f"""
        SELECT mention, {nodes}, value, p.person, o.authority
        FROM open_mention o LEFT JOIN {patients_among("SELECT patient FROM open_mention")} p USING (patient)""",
    )
    answer, flags = resolve(frame)
    del frame
    table(con, "answer", answer)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE closed_mention AS
        SELECT o.* REPLACE (a.component AS component,
                            keyed('exam', a.node || CASE WHEN a.split = 0 THEN '' ELSE '/' || a.split END) AS exam_key)
        FROM open_mention o LEFT JOIN answer a USING (mention)""")
    con.execute("DELETE FROM intake.work.flag WHERE component IN (SELECT component FROM open_mention)")
    table(con, "new_flag", flags)
    con.execute("INSERT INTO intake.work.flag SELECT component, rank, node, flag FROM new_flag")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE moved_mention AS
        SELECT c.place, c.component, c.exam_key FROM closed_mention c JOIN open_mention o ON o.place = c.place
        WHERE (o.component, o.exam_key) IS DISTINCT FROM (c.component, c.exam_key)""")


def _log_touched(con: duckdb.DuckDBPyConnection, stored: Mentions, batch: int) -> None:
    bridged = """
        SELECT place FROM seen_mention
        WHERE component IN (SELECT component FROM intake.work.flag WHERE flag = 'bridge')"""
    stored.close("bridged_place", bridged, "SELECT NULL")
    # Components that are open for a patient's sake alone: all of their mentions are stored as they were.
    con.execute("""
        CREATE OR REPLACE TEMP TABLE kept_component AS
        SELECT c.component FROM closed_mention c LEFT JOIN moved_mention m ON m.place = c.place
        GROUP BY c.component HAVING bool_and(c.place IS NOT NULL AND m.place IS NULL)""")
    con.execute(f"""
        INSERT INTO intake.work.touched
        SELECT DISTINCT exam_key, {batch} FROM (
            SELECT exam_key FROM seen_mention
            UNION ALL
            SELECT exam_key FROM intake.work.mention WHERE rowid IN (SELECT place FROM bridged_place)
            UNION ALL SELECT exam_key FROM open_mention ANTI JOIN kept_component USING (component)
            UNION ALL SELECT exam_key FROM closed_mention ANTI JOIN kept_component USING (component))
        WHERE exam_key IS NOT NULL""")
    con.execute(f"""
        INSERT INTO intake.work.moved_exam
        SELECT DISTINCT exam_key, {batch} FROM closed_mention SEMI JOIN kept_component USING (component)
        WHERE exam_key IS NOT NULL""")
    con.execute(f"""
        INSERT INTO intake.work.touched_mention
        SELECT DISTINCT mention, {batch}
        FROM (SELECT mention FROM seen_mention UNION ALL SELECT mention FROM closed_mention)""")
    con.execute(f"""
        INSERT INTO intake.work.touched_visit
        SELECT DISTINCT visit, {batch} FROM (
            SELECT visit, exam_key FROM closed_mention
            UNION ALL SELECT visit, exam_key FROM seen_mention)
        WHERE visit IS NOT NULL AND exam_key IS NULL""")


def _log_movers(con: duckdb.DuckDBPyConnection, since: int, batch: int) -> None:
    """Who moved from room to room in new batches, and persons that identifiers left or joined."""
    moves = f"intake.raw_room_move f WHERE f.batch_id > {since} AND f.batch_id <= {batch}"
    con.execute(f"""
        INSERT INTO intake.work.touched_mover
        SELECT DISTINCT who, {batch} FROM (
            SELECT {WHO} AS who
            FROM (FROM {moves}) f LEFT JOIN {patients_among(f"SELECT f.mover FROM {moves}")} p ON p.patient = f.mover
            UNION ALL
            SELECT 'p' || unnest([person, old_person, patient]) FROM closed_patient
            WHERE old_person IS DISTINCT FROM person) WHERE who IS NOT NULL""")


def _name_actors(con: duckdb.DuckDBPyConnection, since: int, upto: int) -> None:
    """Names of readers beside their keys, for sites that publish names. Private otherwise."""
    roles = " UNION ".join(
        f"SELECT actor_key({role}_authority, {role}_id, {role}_name) AS actor, {role}_name AS name "
        f"FROM intake.raw_report WHERE batch_id > {since} AND batch_id <= {upto} AND {role}_name <> ''"
        for role in ("interpreter", "assistant")
    )
    con.execute(f"INSERT INTO intake.work.actor ({roles} EXCEPT SELECT actor, name FROM intake.work.actor)")


def ground(con: duckdb.DuckDBPyConnection, key: bytes) -> str:
    """SHA-256 over all that identities are made of beside raw rows, as hex. Needs the temp table `facility_alias`."""
    aliases = con.execute("SELECT alias, facility FROM facility_alias ORDER BY ALL").fetchall()
    macros = "".join(macro.create_duckdb() for macro in MACROS)
    rules = hashlib.sha256(b"\0".join(path.read_bytes() for path in _RULES)).hexdigest()
    parts = (rules, duckdb.__version__, repr(aliases), macros, hashlib.sha256(key).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def begin_anew(con: duckdb.DuckDBPyConnection, signature: str, *, full: bool) -> None:
    """Begin a new epoch, for marts that are all derived again: those of before it are behind, whatever becomes of this
    build, since batches are taken without a log. Identities of the same ground are kept, unless it is to be `full`."""
    if full or state(con).signature[:GROUND] != signature[:GROUND]:
        reset(con, signature)
    else:
        con.execute("UPDATE intake.work.state SET epoch = epoch + 1, signature = ?", [signature])


def reset(con: duckdb.DuckDBPyConnection, signature: str) -> None:
    """Forget everything derived; the next `advance` starts at the first batch under a new epoch."""
    epoch = state(con).epoch + 1
    with transaction(con):
        con.execute("".join(f"DROP TABLE intake.work.{name};" for name in WORK_TABLES))
        make_tables(con)
        con.execute("DELETE FROM intake.work.state")
        con.execute("INSERT INTO intake.work.state VALUES (0, ?, ?)", [epoch, signature])


def advance(con: duckdb.DuckDBPyConnection, upto: int, *, forget: int | None, most: int) -> State:
    """Take the batches up to `upto`, in transactions of about `most` messages each.

    Drops log entries of batches up to `forget` (the marts have these); nothing is logged where it is None (no mart has
    anything, all will be derived). Needs the catalog `intake`, the temp table `facility_alias` and the macro `keyed`.
    """
    reached = state(con)
    for last in _steps(con, reached.batch_id, upto, most):
        cover(con, MENTIONS)
        reached = _advance(con, reached, last, forget)
    for keyed in KEYED:
        cover(con, keyed)
    return reached


def _steps(con: duckdb.DuckDBPyConnection, since: int, upto: int, most: int) -> list[int]:
    """Last batches of the steps: each has about `most` messages, or is one batch."""
    rows = con.execute(f"""
        SELECT max(batch_id) FROM (
            SELECT batch_id, floor(sum(n_kept) OVER (ORDER BY batch_id) / {most}) AS step
            FROM intake.raw_batch WHERE batch_id > {since} AND batch_id < {upto})
        GROUP BY step ORDER BY 1""").fetchall()
    inner = [int(row[0]) for row in rows[:-1]]
    return [*inner, upto] if since < upto else []


def _store(con: duckdb.DuckDBPyConnection) -> None:
    """Append the new mentions; of the others, write what is another component or exam than before at their place."""
    con.execute("""
        UPDATE intake.work.mention SET component = m.component, exam_key = m.exam_key
        FROM moved_mention m WHERE m.place = mention.rowid""")
    con.execute("INSERT INTO intake.work.mention SELECT * EXCLUDE (place) FROM closed_mention WHERE place IS NULL")


def _advance(con: duckdb.DuckDBPyConnection, before: State, upto: int, forget: int | None) -> State:
    with transaction(con):
        if forget is not None:
            for log in LOGS:
                con.execute(f"DELETE FROM intake.work.{log} WHERE batch_id <= {forget}")
        stored = Mentions(con)
        read_mentions(con, stored, before.batch_id, upto)
        advance_patients(con, before.batch_id, upto)
        _open_components(con, stored)
        _resolve_open(con)
        if forget is not None:
            _log_touched(con, stored, upto)
            _log_movers(con, before.batch_id, upto)
        _name_actors(con, before.batch_id, upto)
        advance_names(con, before.batch_id, upto)
        _store(con)
        con.execute("DELETE FROM intake.work.state")
        con.execute("INSERT INTO intake.work.state VALUES (?, ?, ?)", [upto, before.epoch, before.signature])
    return State(upto, before.epoch, before.signature)
