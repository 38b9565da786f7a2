"""Counts of lengths by range, from values in order: what a bundle of percentiles tells beside them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable
from typing import Any

import numpy as np
import polars as pl

from sql.filters import Filters

#: Ends of the ranges of a length in minutes: a quarter of an hour to two days, wider as they grow.
EDGES = (0.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 360.0, 720.0, 1440.0, 2880.0)
_RANGES = {"low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "share": pl.Float64, "cumulative": pl.Float64}
#: Of no value at all.
NO_RANGES = pl.DataFrame(schema=_RANGES)


def ranges_key(metric_id: str, filters: Filters) -> Hashable:
    """Under what a snapshot keeps the ranges of a metric that was asked for its percentiles."""
    return "ranges", metric_id, filters.replace(compare="none")


def ranged(ordered: Any, first: int, many: int) -> pl.DataFrame:
    """Values by range: low, high (NULL: open), n, share, cumulative (0-1). Those are asked that lie in order, so many
    from `first` on. Ranges are half-open and start at the first edge; all are there, also empty ones, unless there is
    no value at all."""
    ends = [bisect_left(ordered, edge, first, first + many) for edge in EDGES]
    n = np.diff([*ends, first + many])
    total = int(n.sum())
    if not total:
        return NO_RANGES
    told = {"low": EDGES, "high": (*EDGES[1:], None), "n": n, "share": n / total, "cumulative": np.cumsum(n) / total}
    return pl.DataFrame(told, schema=_RANGES)
