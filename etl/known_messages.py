"""Which messages were stored before: by runs of the hashes of older batches, and by a look at the newer ones.

A run holds the first half of a hash and its batch. What it finds is looked up in the batch with the whole hash, so a
message counts as known only where its row is there.
"""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from etl import key_runs
from etl.frames import query
from etl.key_runs import KeyRuns
from etl.run_file import Keys
from etl.run_search import distinct
from etl.transaction import transaction

#: The table that names the runs.
NAMED = "raw_message_run"
#: Messages whose hashes are read at once to make a run.
_STEP = 4 << 20
#: Octets of a hash.
_OCTETS = 16


def _runs(con: duckdb.DuckDBPyConnection) -> KeyRuns:
    return KeyRuns(con, str(con.execute("SELECT current_database()").fetchall()[0][0]), f"main.{NAMED}")


def _first_half(hashes: pl.Series) -> Keys:
    """The first eight bytes of each hash of sixteen as a number."""
    told = hashes.to_arrow()
    octets = np.frombuffer(told.buffers()[2], np.uint8, _OCTETS * len(told), _OCTETS * told.offset)
    return octets.view(np.uint64).reshape(len(told), _OCTETS // 8)[:, 0].copy()


def known_hashes(con: duckdb.DuckDBPyConnection, hashes: pl.Series) -> pl.Series:
    """Those of `hashes` (binary, 16 bytes) that `raw_message` has."""
    runs = _runs(con)
    keys = _first_half(hashes)
    told, batches = runs.find(keys)
    suspects = pl.DataFrame({"message_hash": hashes.filter(pl.Series(np.isin(keys, told)))})
    con.register("incoming", pl.DataFrame({"message_hash": hashes}))
    con.register("suspect", suspects)
    named = ", ".join(map(str, distinct(batches)))
    stored = "SELECT message_hash FROM {} SEMI JOIN (FROM raw_message WHERE {}) USING (message_hash)"
    older = stored.format("suspect", f"batch_id IN ({named})")
    newer = stored.format("incoming", f"batch_id > {runs.upto}")
    try:
        found = query(con, f"{newer} UNION ALL {older}" if named else newer)
    finally:
        con.unregister("incoming")
        con.unregister("suspect")
    return found["message_hash"]


def cover_messages(con: duckdb.DuckDBPyConnection) -> None:
    """Make runs of stored batches where many messages have none yet."""
    rows = con.execute("SELECT batch_id, coalesce(n_kept + n_rejected, 0) FROM raw_batch ORDER BY batch_id").fetchall()
    while True:
        runs = _runs(con)
        loose = [(batch, n) for batch, n in rows if batch > runs.upto]
        if runs.folder is None or sum(n for _, n in loose) <= key_runs.MOST_LOOSE:
            return
        total, last = 0, loose[0][0]
        for batch, n in loose:
            if total and total + n > _STEP:
                break
            total, last = total + n, batch
        with transaction(con):
            stored = query(
                con,
                f"SELECT message_hash, batch_id FROM raw_message WHERE batch_id > {runs.upto} AND batch_id <= {last}",
            )
            runs.extend(_first_half(stored["message_hash"]), stored["batch_id"].cast(pl.UInt32).to_numpy(), last)
