"""Strata of a case mix: cases alike enough that facilities may be compared within them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

#: Cases of the whole network below which a stratum says too little of what is usual.
FLOOR = 20


def stratified(frame: pl.DataFrame, keys: Sequence[str], cases: str, floor: float = FLOOR) -> pl.DataFrame:
    """The frame with `stratum` and is_pooled: the finest stratum by leading `keys` that has `floor` cases.

    Strata below the floor go together with their likes by one key less, from the last key on, until they have enough;
    what is left at the end is one stratum whatever its size.
    """
    stratum, is_pooled = pl.lit(None, dtype=pl.String), pl.lit(value=False)
    made = frame.with_columns(stratum.alias("stratum"), is_pooled.alias("is_pooled"))
    for depth in range(len(keys), -1, -1):
        is_left = pl.col("stratum").is_null()
        size = pl.when(is_left).then(pl.col(cases)).otherwise(0.0).sum()
        enough = (size.over(keys[:depth]) if depth else size) >= (floor if depth else 0.0)
        name = pl.concat_str([pl.lit(str(depth)), *keys[:depth]], separator=" | ")
        made = made.with_columns(
            pl.when(is_left & enough).then(name).otherwise("stratum").alias("stratum"),
            pl.when(is_left & enough).then(pl.lit(depth < len(keys))).otherwise("is_pooled").alias("is_pooled"),
        )
    return made
