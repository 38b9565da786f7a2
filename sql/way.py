"""The way of exams from order to final report: its stages, what became of it, and five definitions of how long it took.

All three are told of the same rows, which are read once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pyarrow as pa

from sql.catalog import Catalog
from sql.filters import CLOCKS, Filters
from sql.five_definitions import LENGTHS, Definitions
from sql.five_definitions import SCHEMA as DEFINED
from sql.noted import noted
from sql.snapshot import Snapshot
from sql.stages import AT, FATE_SCHEMA, NONE, Fates, Stages, Times, changed
from sql.stages import SCHEMA as STAGED


def stages(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """A row a stage and `total` last: stage, clock_start, clock_stop, owner, n, n_crossed, mean, p50, p90, n_exams;

    previous, previous_n (exams), delta and share_of_change (of the change of the whole, may be negative or above 1).
    `mean` is minutes per exam over all exams of the set, so it adds up; p50 and p90 are of the n exams that have the
    stage, and do not. Empty where no exam has all milestones; delta is NULL where nothing is compared.
    """
    filters = filters or Filters()
    now, before = _part(snapshot, filters, STAGED), filters.before()
    return changed(now, None if before is None else _part(snapshot, before, STAGED))


def stage_fates(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """What became of the exams that count: kind (used, missing, negative), reason (first missing milestone), n."""
    return _part(snapshot, filters or Filters(), FATE_SCHEMA)


def five_definitions(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """A row a definition: view, clock_start, clock_stop, statistic (the customary one), source, n_own, n, mean, p50,

    p90 (minutes), target_min and within (share in target, NULL without one). All values are of the same n exams: those
    that count, have every clock, and run forwards under each definition; n_own counts those that a definition has by
    itself. A row has n 0 and no values where no exam has all clocks.
    """
    return _part(snapshot, filters or Filters(), DEFINED)


def _part(snapshot: Snapshot, filters: Filters, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The rows of one of the three, by its first column."""
    return _way(snapshot, filters).filter(pl.col(next(iter(schema))).is_not_null()).select(*schema)


@noted
def _way(snapshot: Snapshot, filters: Filters) -> pl.DataFrame:
    """The rows of all three below each other."""
    columns = (*(column.name for column in Catalog.load().models["fct_exam"].columns), *CLOCKS)
    clause = filters.where(columns, anchor="exam_ended_local", alias="e", table="fct_exam")
    told = ", ".join([*(f"{at} AS {name}" for name, at in AT.items()), *(f"e.{name}" for name in LENGTHS)])
    return snapshot.execute(f"SELECT {told} FROM fct_exam e WHERE e.is_countable AND {clause.sql}", clause.params,
                            fold=_folded, of="way")  # fmt: skip


def _folded(exams: pa.RecordBatchReader) -> pl.DataFrame:
    found, fates, definitions = Stages(), Fates(), Definitions()
    for batch in exams:
        definitions.add(batch)
        told = {name: _instants(batch.column(name)) for name in AT}
        is_used = fates.add(told)
        found.add(told if is_used.all() else {name: at[is_used] for name, at in told.items()})
    with ThreadPoolExecutor(2) as pool:  # two of them order millions of lengths
        frames = [pool.submit(part.frame) for part in (found, definitions, fates)]
    return pl.concat([frame.result() for frame in frames], how="diagonal")


def _instants(column: pa.Array) -> Times:
    """Microseconds, `NONE` where there is no instant."""
    told = column.cast(pa.int64())
    return np.asarray((told.fill_null(NONE) if told.null_count else told).to_numpy())
