"""The same exams under five definitions of turnaround: why a RIS, a PACS and a registry contradict each other.

Each system is right by its own clocks. What differs is where the clock starts, where it stops, which statistic is
customary, and which exams have both stamps; asked of the same exams, only the first three are left.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from sql.catalog import Catalog
from sql.filters import CLOCKS, Filters
from sql.noted import noted
from sql.snapshot import Snapshot

_FOUR_WEEKS_MIN = 28 * 1440


class View(NamedTuple):
    """Whose definition: column of the length, its ends, the customary statistic, a target where one is set, source."""

    id: str
    column: str
    clock_start: str
    clock_stop: str
    statistic: str
    target_min: int | None
    source: str


VIEWS = (
    View("radiologist", "read_final_min", "images_available", "first_final", "p50", None,
         "reading room: images ready to first final report, without the send delay"),
    View("grid", "report_final_min", "exam_ended", "first_final", "mean", None,
         "ACR General Radiology Improvement Database: exam completed to report signed, published as means"),
    View("referrer", "order_to_final_min", "ordered", "first_final", "p50", None,
         "referrer and patient: order to first final report"),
    View("nhs_england", "report_final_min", "exam_ended", "first_final", "within", _FOUR_WEEKS_MIN,
         "NHS England, August 2023: exam to verified report within four weeks"),
    View("first_read", "first_read_min", "exam_ended", "first_read", "p50", None,
         "emergency practice: exam end to the first preliminary or final report"),
)  # fmt: skip


@noted
def five_definitions(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """A row a definition: view, clock_start, clock_stop, statistic (the customary one), source, n_own, n, mean, p50,

    p90 (minutes), target_min and within (share in target, NULL without one). All values are of the same n exams: those
    that count, have every clock, and run forwards under each definition; n_own counts those that a definition has by
    itself. A row has n 0 and no values where no exam has all clocks.
    """
    columns = (*(column.name for column in Catalog.load().models["fct_exam"].columns), *CLOCKS)
    clause = (filters or Filters()).where(columns, anchor="exam_ended_local", alias="e", table="fct_exam")
    lengths = sorted({view.column for view in VIEWS})
    is_common = " AND ".join(f"e.{name} >= 0" for name in lengths)
    parts = [
        f"""SELECT {number} AS number, '{view.id}' AS "view", '{view.clock_start}' AS clock_start,
        '{view.clock_stop}' AS clock_stop, '{view.statistic}' AS statistic, '{view.source}' AS source,
        e.{view.column} AS value, coalesce(e.is_common, FALSE) AS is_common,
        CAST({"NULL" if view.target_min is None else view.target_min} AS DOUBLE) AS target_min FROM exams e"""
        for number, view in enumerate(VIEWS)
    ]
    return snapshot.execute(
        f"""WITH exams AS (SELECT {", ".join(f"e.{name}" for name in lengths)}, {is_common} AS is_common
                          FROM fct_exam e WHERE e.is_countable AND {clause.sql}),
        told AS ({" UNION ALL ".join(parts)})
        SELECT t."view", t.clock_start, t.clock_stop, t.statistic, t.source,
               count(*) FILTER (WHERE t.value >= 0) AS n_own, count(*) FILTER (WHERE t.is_common) AS n,
               avg(t.value) FILTER (WHERE t.is_common) AS mean,
               quantile_cont(t.value, 0.5) FILTER (WHERE t.is_common) AS p50,
               quantile_cont(t.value, 0.9) FILTER (WHERE t.is_common) AS p90, t.target_min,
               avg(CASE WHEN t.target_min IS NOT NULL THEN CAST(t.value <= t.target_min AS INTEGER) END)
                   FILTER (WHERE t.is_common) AS within
        FROM told t
        GROUP BY t.number, t."view", t.clock_start, t.clock_stop, t.statistic, t.source, t.target_min
        ORDER BY t.number""",
        clause.params,
    )
