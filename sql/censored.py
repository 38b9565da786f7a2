"""Turnaround with the exams that still wait: Kaplan-Meier beside the percentiles of what is finished.

A percentile of finished exams improves while the slow ones pile up unread. Here an exam that waits is censored: it is
known to take longer than from its start to the data cut-off, and counts among those at risk until then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl

from sql.asked import QueryError, ask_of
from sql.catalog import PERCENTILES
from sql.curve import reached
from sql.definitions import definition, is_current
from sql.filters import Filters
from sql.kaplan_meier import censored_statement, is_censorable, steps_statement
from sql.measure import answer, metric
from sql.noted import noted
from sql.snapshot import Snapshot

#: Statistics that waiting exams can be part of: a mean of what is not over is not known.
STATISTICS = tuple(name for name, p in PERCENTILES.items() if p is not None)


@noted
def censored(
    snapshot: Snapshot,
    metric_id: str,
    *,
    groups: Sequence[str] = (),
    period: str = "all",
    filters: Filters | None = None,
    statistic: str = "p50",
) -> pl.DataFrame:
    """A percentile metric with waiting exams as censored, in the standard shape.

    `value` is the first length at which the estimated share that still waits (Kaplan and Meier 1958) is at most 1 - p,
    NULL where so many wait that it is not reached; `lower` and `upper` are where the 95 % bounds of that share reach it
    (Brookmeyer and Crowley 1982, Greenwood's variance on the log-log scale). n counts exams whose clock started and did
    not run backwards, numerator those of them that are finished, denominator equals n. Raises QueryError.
    """
    asked = definition(snapshot, metric_id)
    if not is_censorable(asked):
        raise QueryError(f"{asked.id} cannot be censored: it has no start and stop")
    if statistic not in STATISTICS:
        raise QueryError(f"{asked.id}: no {statistic} of what still waits; only percentiles")
    return answer(snapshot, asked, "censored", lambda ask: censored_statement(asked, ask), groups=groups, period=period,
                  filters=filters, statistic=statistic)  # fmt: skip


@noted
def censored_all(snapshot: Snapshot, metric_id: str, *, filters: Filters | None = None) -> pl.DataFrame:
    """What `censored` gives of all together for each percentile, by statistic; of one curve. Raises QueryError."""
    asked = definition(snapshot, metric_id)
    if not is_current(snapshot) or not is_censorable(asked):
        each = {name: censored(snapshot, metric_id, filters=filters, statistic=name) for name in STATISTICS}
        return _by_statistic(each)
    filters = filters or Filters()
    ask, params = ask_of(asked, (), "all", filters, asked.statistic)
    given = (filters.since, filters.until) if asked.has_dates else (None, None)
    return snapshot.execute(steps_statement(asked, ask), params, fold=partial(reached, STATISTICS, given), of="curve")


def _by_statistic(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    names = [name for name, frame in frames.items() for _ in range(frame.height)]
    return pl.concat(frames.values()).insert_column(0, pl.Series("statistic", names, dtype=pl.String))


def beside(snapshot: Snapshot, metric_id: str, *, filters: Filters | None = None) -> pl.DataFrame:
    """Each percentile with waiting exams beside that of the finished ones, a row a statistic; none without exams.

    Columns: group_name, group_value, statistic, n, n_waiting, value, lower, upper (with the waiting; NULL where so many
    wait that it is not reached), finished, finished_n (of the finished alone), gap (value - finished), differs (the
    finished one lies below the interval of the whole, or the whole is not reached: waiting exams are the slow ones).
    """
    whole = censored_all(snapshot, metric_id, filters=filters)
    alone = _by_statistic({name: metric(snapshot, metric_id, filters=filters, statistic=name) for name in STATISTICS})
    finished = alone.select("statistic", pl.col("value").alias("finished"), pl.col("n").alias("finished_n"))
    is_slower = pl.col("value").is_null() | (pl.col("finished") < pl.col("lower"))
    return whole.join(finished, on="statistic", how="left", maintain_order="left").select(
        "group_name", "group_value", "statistic", "n",
        (pl.col("n") - pl.col("numerator")).cast(pl.Int64).alias("n_waiting"), "value", "lower", "upper",
        "finished", "finished_n", (pl.col("value") - pl.col("finished")).alias("gap"),
        ((pl.col("n") > pl.col("numerator")) & is_slower.fill_null(value=False)).alias("differs"),
    )  # fmt: skip
