"""What is known of messages beside their rows: who sends what kind to whom, how much a day, and with what defects.

Envelopes are added up by batch as they are loaded, so that the system map does not grow with the messages.
"""

from __future__ import annotations

import duckdb
import polars as pl

from etl.frames import insert

#: A row a defect of a message, as the parser hands it over.
DEFECT = {"file_id": pl.String, "position": pl.Int64, "field": pl.String, "reason": pl.String}
#: What messages are added up by.
FLOW = ("standard", "source", "receiver", "kind", "facility_alias", "day")
FAULT = ("standard", "source", "kind", "facility_alias", "day", "field", "reason")


def store_flow(con: duckdb.DuckDBPyConnection, batch_id: int, envelopes: pl.DataFrame, defects: pl.DataFrame) -> None:
    """Append one batch's envelopes to `raw_flow`, its defects to `raw_fault`; both of messages that are no duplicates.

    `envelopes` has a row a message (file_id, position and the columns of `etl.records.ENVELOPE`), `defects` a row a
    defect (file_id, position, field, reason).
    """
    sent = envelopes.with_columns(day=pl.col("message_at").dt.date())
    found = defects.join(sent, on=["file_id", "position"], how="inner")
    defective = found.select("file_id", "position").unique().with_columns(is_defective=pl.lit(value=True))
    flow = (
        sent.join(defective, on=["file_id", "position"], how="left")
        .group_by(FLOW)
        .agg(n_messages=pl.len().cast(pl.Int64), n_defective=pl.col("is_defective").count().cast(pl.Int64))
    )
    insert(con, "raw_flow", flow, batch_id)
    insert(con, "raw_fault", found.group_by(FAULT).agg(n_defects=pl.len().cast(pl.Int64)), batch_id)
