"""The moves from room to room that a build reads: all of those whose moves have changed, whenever they were told."""

from __future__ import annotations

import duckdb

from etl.identity import WHO
from etl.identity_mentions import MOVES
from etl.identity_nodes import half_md5
from etl.identity_patients import patients_among
from etl.keyed_rows import Lookup

#: Columns of raw moves that the models read.
_COLUMNS = ("facility_alias", "room", "kind", '"at"', "stay_ref", "stay_number", "message_at", "message_id")
_OF_WHOM = f"""
    SELECT {", ".join(f"f.{column}" for column in _COLUMNS)}, {WHO} AS who
    FROM {{rows}} f LEFT JOIN {{patients}} p ON p.patient = f.mover"""
#: Numbers of all identifiers of the persons in `touched_mover`.
_MOVERS = """
    SELECT patient FROM intake.work.patient
    WHERE person IN (SELECT try_cast(substr(who, 2) AS UBIGINT) FROM touched_mover WHERE who LIKE 'p%')
    UNION ALL SELECT try_cast(substr(who, 2) AS UBIGINT) FROM touched_mover WHERE who LIKE 'p%'"""
#: Raw moves of those in `touched_mover`.
_TOUCHED = _OF_WHOM.format(
    rows="""(
    FROM intake.raw_room_move WHERE rowid IN (SELECT place FROM move_place)
        AND (mover IN (SELECT patient FROM mover_patient)
             OR mover IS NULL AND 'v' || visit_id IN (SELECT who FROM touched_mover)))""",
    patients=patients_among("SELECT patient FROM mover_patient"),
)
#: Raw moves of encounters that one of these moves is of.
_SHARED = _OF_WHOM.format(
    rows="""(
    FROM intake.raw_room_move WHERE rowid IN (SELECT place FROM stay_place)
        AND stay_ref IN (SELECT stay_ref FROM touched_move))""",
    patients=patients_among("SELECT mover FROM intake.raw_room_move WHERE rowid IN (SELECT place FROM stay_place)"),
)


def _find_moves(con: duckdb.DuckDBPyConnection, stored: Lookup) -> bool:
    """Temp table `touched_move`: raw moves of `touched_mover`, which gets who shares an encounter; whether any did."""
    visits = f"SELECT {half_md5('who')} FROM touched_mover WHERE who LIKE 'v%'"
    con.execute(f"CREATE OR REPLACE TEMP TABLE mover_patient AS {_MOVERS}")
    stored.find_places("move_place", f"SELECT patient FROM mover_patient UNION ALL {visits}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE touched_move AS {_TOUCHED}")
    stored.find_places("stay_place", f"SELECT {half_md5('stay_ref')} FROM touched_move")
    found = con.execute(f"""
        INSERT INTO touched_mover
        SELECT DISTINCT who, keyed('mover', who) FROM ({_SHARED})
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
    moves = f"({_OF_WHOM.format(rows='intake.raw_room_move', patients='intake.work.patient')})"
    if since is not None:
        moves, stored = "touched_move", Lookup(con, MOVES)
        while _find_moves(con, stored):
            pass
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW room_move AS
        SELECT coalesce(a.facility, 'unmapped') AS facility, m.room, m.kind, m."at", m.stay_ref, m.stay_number,
               m.message_at, m.message_id, m.who
        FROM {moves} m LEFT JOIN facility_alias a ON a.alias = lower(trim(m.facility_alias))""")
