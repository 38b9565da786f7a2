"""What a number is made of: what became of every row that it could have used, and which clocks told its times."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from sql.candidates import CLOCKED, candidates, completeness_sql, fate_sql, source_of
from sql.catalog import Catalog, Metric
from sql.definitions import definition
from sql.filters import Filters
from sql.measure import clause_of, dates_of, must_have
from sql.noted import noted
from sql.snapshot import Snapshot

#: Tables of devices: their busy time is told by the clocks of the exams on them.
DEVICE_TABLES = frozenset({"fct_device_hour", "fct_device_day", "fct_device_busy"})
#: Tables whose rows are of one exam each.
EXAM_TABLES = frozenset({"fct_exam", "fct_read", "fct_appointment", "fct_header", "fct_prior_case", "fct_discrepancy"})


class Verdict(NamedTuple):
    """Whether a number can be relied on: `fault` is few, incomplete, or empty where it can; `share` of values known."""

    fault: str
    n: int
    share: float


@noted
def completeness(
    snapshot: Snapshot, metric_id: str, filters: Filters | None = None, statistic: str | None = None
) -> pl.DataFrame:
    """What became of every row that a metric could have used: columns kind, reason, n, share (of n, 0-1), n_rows.

    n counts as the metric's n does, n_rows counts rows of its table; `used` has the n of the metric. Kinds are used;
    missing (a value is not known, named by the milestone); waiting (its end may still come); negative (runs backwards);
    excluded (exams that do not count, by exclusion_reason); other (rows that the metric does not ask about).
    """
    asked = definition(snapshot, metric_id)
    must_have(asked, (), "all", statistic or asked.statistic)
    clause = clause_of(asked, filters or Filters())
    since, until = dates_of(clause)
    return snapshot.execute(
        completeness_sql(asked, clause.sql, since, until, {statistic or asked.statistic: ""}), clause.params
    )


@noted
def clocks(snapshot: Snapshot, metric_id: str, filters: Filters | None = None) -> pl.DataFrame:
    """Which source told each end of the intervals that a metric used: milestone, source, rung, n, share (0-1).

    rung 1 is the preferred clock of the milestone, higher ones its fallbacks. For device time, the exams that count and
    ended in the period. Empty for a metric whose ends are not milestones.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    is_device, has_exams = asked.table in DEVICE_TABLES, asked.table in EXAM_TABLES
    ends = [
        m for m in dict.fromkeys((asked.clock_start, asked.clock_stop)) if m in CLOCKED and (is_device or has_exams)
    ]
    if not ends:
        return snapshot.execute(
            """SELECT '' AS milestone, '' AS source, CAST(NULL AS INTEGER) AS rung, 0 AS n, 0.0 AS share WHERE FALSE"""
        )
    known = {column.name for column in Catalog.load().models[asked.table].columns}
    has_sources = is_device or {*map(source_of, ends)} <= known
    if is_device:
        clause = filters.where(_exam_columns(), anchor="exam_ended_local", alias="b", table="fct_exam")
        rows = f"fct_exam b WHERE b.is_countable AND {clause.sql}"
    else:
        clause = clause_of(asked, filters)
        fate = fate_sql(asked, asked.statistic, "NULL")
        join = "" if has_sources else "JOIN fct_exam e ON e.exam_key = b.exam_key"
        rows = f"({candidates(asked, *dates_of(clause))}) b {join} WHERE {fate} = 'used|' AND {clause.sql}"
    sources = ", ".join(f"{'b' if has_sources else 'e'}.{source_of(milestone)}" for milestone in ends)
    told = " UNION ALL ".join(
        f"SELECT '{milestone}' AS milestone, {number} AS number, coalesce(u.{source_of(milestone)}, 'none') AS source, "
        "u.n FROM used u"
        for number, milestone in enumerate(ends)
    )
    return snapshot.execute(
        f"""WITH used AS (SELECT {sources}, count(*) AS n FROM {rows} GROUP BY {sources}), told AS ({told}),
        ladder AS (SELECT c.milestone, c.source, min(c.rung) AS rung FROM dq_completeness c GROUP BY ALL)
        SELECT t.milestone, t.source, l.rung, CAST(sum(t.n) AS BIGINT) AS n,
        sum(t.n) / sum(sum(t.n)) OVER (PARTITION BY t.milestone) AS share
        FROM told t LEFT JOIN ladder l ON l.milestone = t.milestone AND l.source = t.source
        GROUP BY t.milestone, t.number, t.source, l.rung ORDER BY t.number, l.rung NULLS LAST, n DESC, t.source""",
        clause.params,
    )


def verdict(asked: Metric, fates: pl.DataFrame) -> Verdict:
    """What `completeness` says of a number: `few` rows for its min_n, or `incomplete`: fewer known than its floor.

    The share is of used among used, missing and negative: what still waits will have a value, and is not held against.
    """
    n: dict[str, int] = dict(fates.group_by("kind").agg(pl.col("n").sum()).iter_rows())
    used = n.get("used", 0)
    due = used + n.get("missing", 0) + n.get("negative", 0)
    share = used / due if due else 1.0
    fault = "incomplete" if share < asked.floor else "few" if used < asked.min_n else ""
    return Verdict(fault, used, share)


def _exam_columns() -> tuple[str, ...]:
    return tuple(column.name for column in Catalog.load().models["fct_exam"].columns)
