"""Days on which the meaning of a metric changed: its definition, a target that it is held against, a decided name."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.definitions import definition
from sql.filters import Filters
from sql.noted import noted
from sql.snapshot import Snapshot
from sql.unfinished import FIRST_DAY

#: Metrics that are held against the targets of another one.
TARGET_OF = {"within_target": "report_final", "backlog": "report_final"}
#: Groups and filters whose values come from the harmonized procedure.
MAPPED_GROUPS = ("procedure", "service_line")
#: Metrics that compare exams by their harmonized procedure, or judge the harmonization.
MAPPED_METRICS = frozenset({
    "repeat_exam_rate", "duplicate_across_facilities", "prior_availability", "avoidable_repeats", "unmapped_codes",
    "label_consistency",
})  # fmt: skip
_SCHEMA = {"on": pl.Date, "kind": pl.String, "n": pl.Int64, "what": pl.String}


@noted
def marks(
    snapshot: Snapshot, metric_id: str, *, groups: Sequence[str] = (), filters: Filters | None = None
) -> pl.DataFrame:
    """Days within the filters' dates, after the first exam: columns on, kind, n and what, in order of time.

    kind is definition (n its version, what changed), target (n of targets that begin or end to be valid) or mapping (n
    of names decided from that day on; only where the answer depends on harmonized procedures). Raises CatalogError.
    """
    asked, filters = definition(snapshot, metric_id), filters or Filters()
    parts = [
        """SELECT changed AS "on", 'definition' AS kind, CAST("version" AS BIGINT) AS n, what FROM meta_definition
        WHERE id = $metric AND "version" <> '1'""",
        f"""SELECT unnest([t.valid_from, t.valid_to]) AS "on", 'target', count(*), '' FROM dim_target t
        WHERE (t.metric = $target OR starts_with(t.metric, $target || ':'))
        AND {_any_of(filters, "t", ("facility", "modality", "priority", "patient_class"))} GROUP BY "on" """,
    ]
    depends = any(group in groups or getattr(filters, group) for group in MAPPED_GROUPS)
    if asked.id in MAPPED_METRICS or depends:
        parts.append(
            f"""SELECT m.valid_from, 'mapping', count(*), '' FROM dim_mapping m
            WHERE {_any_of(filters, "m", ("facility", "modality"))} GROUP BY m.valid_from"""
        )
    dates = {"since": filters.since, "until": filters.until}
    found = snapshot.execute(
        f"""SELECT u.* FROM ({" UNION ALL ".join(parts)}) u,
        ({FIRST_DAY}) f
        WHERE u."on" > greatest(f.day, $since) AND u."on" < coalesce($until, DATE '9999-12-31')
        ORDER BY u."on", u.kind""",
        {"metric": asked.id, "target": TARGET_OF.get(asked.id, asked.id), **dates},
    )
    return found.cast(_SCHEMA)  # type: ignore[arg-type]


def _any_of(filters: Filters, alias: str, columns: Sequence[str]) -> str:
    """Condition that a row holds for what is filtered; NULL of the row means any."""
    chosen = {column: set(getattr(filters, column)) for column in columns}
    if filters.scope is not None:
        chosen["facility"] = set(filters.scope) & (chosen["facility"] or set(filters.scope)) or {""}
    parts = [
        f"({alias}.{column} IS NULL OR {alias}.{column} IN ({', '.join(map(_text, sorted(values)))}))"
        for column, values in chosen.items() if values
    ]  # fmt: skip
    return " AND ".join(parts) or "TRUE"


def _text(value: str) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'"
