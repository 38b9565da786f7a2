"""How a metric's values spread: counts by range, for a histogram beside the percentiles."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from sql.asked import QueryError
from sql.bundle import Bundle
from sql.definitions import definition
from sql.filters import Filters
from sql.ordered import lists_statement, values_of
from sql.ranges import ranged, ranges_key
from sql.snapshot import Snapshot


def spread(snapshot: Snapshot, metric_id: str, *, filters: Filters | None = None) -> pl.DataFrame:
    """Values of a percentile metric by range, as `sql.ranges.ranged` tells them: told of the values that its
    percentiles were told of, where these were asked before.

    Values that run backwards are left out, as the metric leaves them out. Raises QueryError.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    if asked.kind != "percentile":
        raise QueryError(f"{asked.id} has no spread: it is no percentile")
    known = snapshot.kept(ranges_key(asked.id, filters))
    if known is not None:
        return known
    one = Bundle(asked, (((), "all"),), (asked.statistic,), (filters.replace(compare="none"),))
    return snapshot.execute(*lists_statement(one), fold=_counted, of="ranges")


def _counted(rows: pa.RecordBatchReader) -> pl.DataFrame:
    values = np.sort(np.concatenate([np.empty(0), *values_of(rows)]))
    return ranged(values, 0, len(values))
