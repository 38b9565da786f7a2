"""The mentions of the warehouse, found by what they mention: the rows of `work.mention` are never all read at night.

A mention's row is appended once and stays at its place; only its component and its exam change. Rows are found by the
number of the mention, of its patient, of its visit and of its identifiers.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from etl.frames import query, table
from etl.identity_nodes import EXAM_RECORDS, NODE_KINDS, half_md5, mentions_sql, value_or_null
from etl.key_runs import registry
from etl.keyed_rows import KeyedTable, Lookup, numbers_of
from etl.run_file import Keys
from etl.run_search import distinct

#: Bits of a raw row's place in one number with its record.
PLACE_BITS = 48
_NODES = tuple(f"n{kind.rank}" for kind in NODE_KINDS)
TABLES = f"""
CREATE TABLE IF NOT EXISTS intake.work.mention (
    mention UBIGINT, first_batch BIGINT, facility VARCHAR, is_mapped BOOLEAN, patient UBIGINT, authority UBIGINT,
    visit UBIGINT, value UBIGINT, accession VARCHAR, {", ".join(f"{node} UBIGINT" for node in _NODES)},
    study_key VARCHAR, component UBIGINT, exam_key VARCHAR);
"""
MENTIONS = KeyedTable("work.mention", "work.mention_run", ("mention", "patient", "visit", *_NODES))
_VISIT = half_md5("'v' || visit_id")
#: Raw moves from room to room by patient, by visit where no patient was told, and by encounter.
MOVES = KeyedTable(
    "raw_room_move",
    "work.room_move_run",
    ("mover", f"CASE WHEN mover IS NULL THEN {_VISIT} END", half_md5("stay_ref")),
)
#: Raw rows of exams by their mention.
TOLD = {record: KeyedTable(f"raw_{record}", f"work.{record}_run", ("mention",)) for record in EXAM_RECORDS}
KEYED = (MENTIONS, MOVES, *TOLD.values())
RUN_TABLES = "".join(registry(f"intake.{keyed.named}") for keyed in KEYED)


class Mentions(Lookup):
    """The mentions that are stored."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        super().__init__(con, MENTIONS)

    def close(self, name: str, places: str, nodes: str) -> None:
        """Temp table `name` (place): whole raw components, of the mentions at `places` and of those that have `nodes`.

        Both are SQL, for places and for numbers of identifiers in one or several columns. A raw component is all that
        is connected by identifiers in common.
        """
        asked = numbers_of(self.con, nodes)
        known = query(self.con, places)["place"].cast(pl.Int64).to_numpy()
        reached = distinct(np.concatenate([known, self.find(asked).to_numpy()]))
        new = reached
        while len(new):
            fresh = np.setdiff1d(self._nodes_at(new), asked, assume_unique=True)
            asked = np.concatenate([asked, fresh])
            new = np.setdiff1d(self.find(fresh).to_numpy(), reached, assume_unique=True)
            reached = np.concatenate([reached, new])
        table(self.con, name, pl.DataFrame({"place": reached}))

    def _nodes_at(self, places: npt.NDArray[np.int64]) -> Keys:
        table(self.con, "reached_place", pl.DataFrame({"place": places}))
        at = "rowid IN (SELECT place FROM reached_place)"
        return numbers_of(self.con, f"SELECT {', '.join(_NODES)} FROM intake.work.mention WHERE {at}")


def read_mentions(con: duckdb.DuckDBPyConnection, stored: Mentions, since: int, upto: int) -> None:
    """Temp tables `seen` (mention, first_batch, and a raw row's record and place), `seen_mention` (those known before)
    and `new_mention` (all others)."""
    within = f"batch_id > {since} AND batch_id <= {upto}"
    rows = " UNION ALL ".join(
        f"SELECT mention, batch_id, {number}::BIGINT << {PLACE_BITS} | rowid AS place "
        f"FROM intake.raw_{record} WHERE {within}"
        for number, record in enumerate(EXAM_RECORDS)
    )
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE seen AS
        SELECT mention, min(batch_id) AS first_batch, min(place) >> {PLACE_BITS} AS record,
               min(place) & {(1 << PLACE_BITS) - 1} AS place
        FROM ({rows}) GROUP BY mention""")
    identifiers = ", ".join(
        f"{value_or_null(column)} AS {column}" for column in (*(k.column for k in NODE_KINDS), "patient_id", "visit_id")
    )
    stored.find_places("seen_place", "SELECT mention FROM seen")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE seen_mention AS
        SELECT rowid AS place, mention, visit, component, exam_key FROM intake.work.mention
        WHERE rowid IN (SELECT place FROM seen_place) AND mention IN (SELECT mention FROM seen)""")
    con.execute("CREATE OR REPLACE TEMP TABLE unseen AS SELECT * FROM seen ANTI JOIN seen_mention USING (mention)")
    # All raw rows of a mention say the same: of one of them its texts are read.
    sent = " UNION ALL ".join(
        mentions_sql(record, f"intake.raw_{record}",
                     f"{within} AND rowid IN (SELECT place FROM unseen WHERE record = {number})")
        for number, record in enumerate(EXAM_RECORDS)
    )  # fmt: skip
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE new_mention AS
        SELECT s.mention, u.first_batch, coalesce(a.facility, 'unmapped:' || trim(s.facility_alias)) AS facility,
               a.facility IS NOT NULL AS is_mapped, s.source, s.patient_authority, {identifiers}
        FROM ({sent}) s JOIN unseen u USING (mention)
        LEFT JOIN facility_alias a ON a.alias = lower(trim(s.facility_alias))""")
