"""Two ways to weigh a read, side by side: work RVU as charged, and minutes as learned from the site's own reports."""

from __future__ import annotations

import polars as pl

from sql.noted import noted
from sql.rows import rows
from sql.snapshot import Snapshot

#: Procedures below which a rank correlation is chance.
MIN_PROCEDURES = 5
_LEARNED = ("procedure", "modality", "minutes", "low_min", "high_min", "n", "learned_from", "learned_by")
_ALL = "all"


@noted
def weights(snapshot: Snapshot) -> pl.DataFrame:
    """Each harmonized procedure with its learned minutes and, where it was charged, its usual wRVU, heaviest first.

    Columns: procedure, procedure_name, modality, minutes, low_min, high_min (quartiles), n (reads it was learned from),
    learned_from, learned_by, wrvu (NULL without charges).
    """
    return snapshot.keep("weights", lambda: _weights(snapshot))


def _weights(snapshot: Snapshot) -> pl.DataFrame:
    learned = rows(snapshot, "dim_procedure_weight", columns=_LEARNED, limit=100_000)
    known = rows(snapshot, "dim_procedure", columns=("procedure", "procedure_name", "wrvu_usual"), limit=100_000)
    return (
        learned.drop_nulls("procedure")
        .sort("procedure", "modality")
        .unique("procedure", keep="first", maintain_order=True)
        .join(known.rename({"wrvu_usual": "wrvu"}), on="procedure", how="left")
        .sort("minutes", "procedure", descending=[True, False])
        .select("procedure", "procedure_name", *_LEARNED[1:], "wrvu")
    )


def weight_agreement(snapshot: Snapshot) -> pl.DataFrame:
    """Do wRVU and learned minutes order the procedures alike? Spearman's rank correlation, whole and by modality.

    Columns: modality (`all` first), n (procedures with both), value (-1 to 1). Modalities with fewer than 5 procedures
    of their own weight, or with one weight for all, are absent: a median that procedures share has no order.
    """
    both = weights(snapshot).drop_nulls("wrvu")
    own = both.filter(pl.col("learned_from") == "procedure")
    parts = pl.concat([both.with_columns(modality=pl.lit(_ALL)), own])
    return (
        parts.group_by("modality", maintain_order=True)
        .agg(n=pl.len().cast(pl.Int64), value=pl.corr("minutes", "wrvu", method="spearman"))
        .filter(pl.col("n") >= MIN_PROCEDURES, pl.col("value").is_not_nan())
        .sort(pl.col("modality") != _ALL, "modality")
    )
