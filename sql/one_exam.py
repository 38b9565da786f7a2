"""One exam by its key. Rows lie by time, not by key: what is known of its time spares reading those of all others.

Nothing of it is noted to be asked again (`sql.noted`): the next exam that somebody looks at is another one.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from sql.filters import Filters
from sql.snapshot import Snapshot


def exam(snapshot: Snapshot, exam_key: str, filters: Filters | None = None, day: date | None = None) -> pl.DataFrame:
    """The row of one exam (fct_exam); none where the scope does not allow its facility.

    `day`: of placed_local, where that is thought to be known; if it is another, the exam is looked for among all.
    """
    if day is not None and day < date.max:
        narrowed = "t.placed_local >= $day AND t.placed_local < $next"
        found = _rows(snapshot, "fct_exam", exam_key, filters, narrowed, day=day, next=day + timedelta(days=1))
        if found.height:
            return found
    return _rows(snapshot, "fct_exam", exam_key, filters)


def timeline(
    snapshot: Snapshot, exam_key: str, filters: Filters | None = None, since: datetime | None = None
) -> pl.DataFrame:
    """Every event of one exam in order of time; empty where the scope does not allow its facility.

    `since` (UTC): when the first is thought to be at the earliest. Events are numbered in order of time, those without
    one at the end, so that all are found if the first is; else they are looked for among all.
    """
    if since is not None:
        narrowed = '(t."at" >= $since OR t."at" IS NULL)'
        found = _rows(snapshot, "fct_exam_event", exam_key, filters, narrowed, since=since)
        if 1 in found["event_number"]:
            return found.sort("event_number")
    return _rows(snapshot, "fct_exam_event", exam_key, filters).sort("event_number")


def _rows(
    snapshot: Snapshot, table: str, exam_key: str, filters: Filters | None, narrowed: str = "TRUE", **params: Any
) -> pl.DataFrame:
    scope = Filters().within(None if filters is None else filters.scope)
    clause = scope.where(("facility",), alias="t", table=table)
    return snapshot.execute(
        f"SELECT t.* FROM {table} t WHERE {clause.sql} AND t.exam_key = $exam AND {narrowed}",
        clause.params | params | {"exam": exam_key},
    )
