"""How evenly work is spread over the readers of a group: made of `wrvu_per_hour`, whose rates it compares."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.asked import QueryError
from sql.definitions import definition
from sql.filters import Filters
from sql.measure import SHAPE, metric
from sql.snapshot import Snapshot

METRIC = "wrvu_per_hour"
#: Active hours below which a reader's rate says nothing of the share that was carried.
MIN_HOURS = 1.0
_RATE = pl.col("value")
#: n readers from the least to the busiest: sum of their rank less the mean rank, times the rate, is n² times half the
#: mean difference of any two of them, each with itself included (Gini 1912, by ranks).
_RANK = _RATE.rank("ordinal") - (pl.len() + 1) / 2
#: Statistic -> what is divided by the mean rate.
STATISTICS: dict[str, pl.Expr] = {
    "cv": _RATE.std(ddof=1),
    "gini": 2 * (_RANK * _RATE).sum() / (pl.len() * pl.len()),
}


def workload_balance(
    snapshot: Snapshot,
    *,
    groups: Sequence[str] = ("shift",),
    period: str = "all",
    filters: Filters | None = None,
    statistic: str = "cv",
) -> pl.DataFrame:
    """Spread of readers' wRVU per active hour within each group, in the standard shape: 0 where all carry the same.

    `cv` is the coefficient of variation (sample standard deviation by mean), `gini` the Gini coefficient (half the mean
    difference by mean). Numerator and denominator are the spread and the mean of the readers' rates, unweighted, and n
    counts readers. A reader counts with an active hour or more in the group and period; groups of fewer than two such
    readers, or without any work, are absent. No interval: the readers are all there were. Raises QueryError.
    """
    allowed = [group for group in definition(snapshot, METRIC).groups if group != "radiologist"]
    if wrong := [group for group in groups if group not in allowed]:
        raise QueryError(f"workload_balance has no group {', '.join(wrong)}; it has {', '.join(allowed)}")
    if statistic not in STATISTICS:
        raise QueryError(f"workload_balance: statistic is one of {', '.join(STATISTICS)}")
    readers = metric(snapshot, METRIC, groups=(*groups, "radiologist"), period=period, filters=filters)
    keys = ("period_start", "period_end", "group_name", "group_value")
    return (
        readers.filter(pl.col("denominator").round(6) >= MIN_HOURS)  # sums of thirds of an hour
        .with_columns(
            pl.lit(" | ".join(groups) or "all").alias("group_name"),
            pl.col("group_value").str.extract(r"^(.*) \| ", 1).fill_null("all"),
        )
        .group_by(keys, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            STATISTICS[statistic].cast(pl.Float64).alias("numerator"),
            _RATE.mean().alias("denominator"),
        )
        .filter(pl.col("n") >= 2, pl.col("denominator") > 0)
        .with_columns(
            (pl.col("numerator") / pl.col("denominator")).alias("value"),
            *(pl.lit(None, dtype=pl.Float64).alias(bound) for bound in ("lower", "upper")),
        )
        .select(SHAPE)
    )
