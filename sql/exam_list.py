"""Lists of exams behind a number: the same filters, and which exams by which clock."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sql.catalog import Catalog
from sql.clock_filters import LENGTHS
from sql.filters import CLOCKS, Filters
from sql.rows import RowsError
from sql.snapshot import Snapshot

#: Which exams: name -> condition over `e`.
SHOW: dict[str, str] = {
    "counted": "e.is_countable",
    # as within_target counts: reported too late, or still waiting beyond the target
    "late": """e.is_countable AND ((e.is_within_target IS FALSE AND e.report_final_min >= 0)
        OR (e.first_final_at IS NULL
            AND e.exam_ended_at + to_seconds(e.target_min * 60) < (SELECT s.data_through FROM meta_snapshot s)))""",
    "waiting": "e.is_countable AND e.first_final_at IS NULL",
    "negative": "e.is_countable AND e.report_final_min < 0",
    "rejects": "e.is_countable AND e.n_rejected > 0",
    "repeats": "e.is_countable AND e.exam_key IN (SELECT r.exam_key FROM fct_repeat r WHERE r.kind <> 'follow_up')",
    "duplicates": "e.is_countable AND e.exam_key IN (SELECT r.exam_key FROM fct_repeat r WHERE r.kind = 'duplicate')",
    "excluded": "NOT e.is_countable",
    "all": "TRUE",
}
#: Which wall clock the dates, weekday and hour are about.
ANCHORS: dict[str, str] = {
    "ended": "e.exam_ended_local",
    "started": "coalesce(e.exam_started_local, e.exam_ended_local)",
    "final": "e.first_final_local",
    "any": "coalesce(e.exam_ended_local, e.exam_started_local, e.scheduled_local, e.ordered_local)",
}
SORTS = ("exam_ended_local", "n_images", "n_rejected", *LENGTHS)
COLUMNS = (
    "exam_key", "accession", "facility", "modality", "device", "procedure_name", "procedure_local", "priority",
    "patient_class", "service_line", "exam_started_local", "exam_ended_local", "first_final_local", "order_to_exam_min",
    "wait_min", "exam_duration_min", "first_read_min", "report_final_min", "target_min", "is_within_target",
    "radiologist", "n_images", "n_rejected", "exclusion_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Narrow:
    """What narrows a list beside the filters; `sort` is a name of SORTS, `-` before it for descending."""

    show: str = "counted"
    clock: str = "ended"
    sort: str = "-exam_ended_local"


def exam_list(
    snapshot: Snapshot, filters: Filters, narrow: Narrow, *, limit: int = 50, offset: int = 0
) -> pl.DataFrame:
    """Exams in the order asked for, COLUMNS and `total` (exams of the whole list). Raises RowsError."""
    for what, value, known in (("show", narrow.show, SHOW), ("clock", narrow.clock, ANCHORS),
                               ("sort", narrow.sort.removeprefix("-"), SORTS)):  # fmt: skip
        if value not in known:
            raise RowsError(f"{what} is one of {', '.join(known)}")
    known_columns = [*(column.name for column in Catalog.load().models["fct_exam"].columns), *CLOCKS]
    clause = filters.where(known_columns, anchor="list_local", alias="e", table="fct_exam")
    way = "DESC" if narrow.sort.startswith("-") else "ASC"
    found = f"""FROM (SELECT e.*, {ANCHORS[narrow.clock]} AS list_local FROM fct_exam e) e
        WHERE {" AND ".join([clause.sql, SHOW[narrow.show]])}"""
    return snapshot.execute(
        f"""SELECT {", ".join(f"e.{name}" for name in COLUMNS)}, (SELECT count(*) {found}) AS total
        {found}
        ORDER BY e.{narrow.sort.removeprefix("-")} {way} NULLS LAST, e.exam_key LIMIT {limit:d} OFFSET {offset:d}""",
        clause.params,
    )
