"""Rows of the marts for drilling down and for single facts, under the same filters and scope as the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from sql.filters import CLOCKS, Filters
from sql.noted import noted
from sql.snapshot import Snapshot

#: Wall clock that places a table's rows in the dates of the filters. Tables without one ignore the dates.
ANCHORS: dict[str, str] = {
    "fct_exam": "exam_ended_local",
    "fct_read": "read_local",
    "fct_discrepancy": "read_local",
    "fct_device_busy": "busy_started_local",
    "fct_device_hour": "hour_local",
    "fct_device_day": "day_local",
    "fct_device_idle": "idle_from_local",
    "fct_room_stay": "told_local",
    "fct_room_hour": "hour_local",
    "fct_image_reject": "taken_local",
    "fct_image_count": "taken_local",
    "fct_repeat": "exam_started_local",
    "fct_prior_case": "declared_local",
    "fct_appointment": "slot_local",
    "fct_backlog_hour": "hour_local",
    "fct_reading_session": "started_local",
    "dq_linkage": "day",
    "dq_completeness": "day",
    "dq_negative": "day",
    "dq_message_flow": "day",
    "dq_system_flow": "day",
}
MAX_ROWS = 100_000


class RowsError(ValueError):
    """A table or column that the snapshot does not have, or a limit out of range."""


@noted
def rows(  # noqa: PLR0913 - one question with named parts
    snapshot: Snapshot,
    table: str,
    *,
    filters: Filters | None = None,
    columns: Sequence[str] = (),
    where: dict[str, Any] | None = None,
    order_by: Sequence[str] = (),
    limit: int = 1000,
    offset: int = 0,
    anchor: str | None = None,
) -> pl.DataFrame:
    """Rows of a mart: all columns or the named ones, `where` column = value (None = is missing), at most `limit` rows.

    `order_by` names columns, `-` before one for descending. `anchor` is another wall clock for the dates than the
    table's own ("" for none). Raises RowsError.
    """
    known = _known(snapshot, table)
    wanted = tuple(columns) or tuple(known)
    order = [(name.removeprefix("-"), "DESC" if name.startswith("-") else "ASC") for name in order_by]
    _must_exist(table, known, [*wanted, *(name for name, _ in order), *(where or {})])
    if not 0 < limit <= MAX_ROWS or offset < 0:
        raise RowsError(f"limit is 1 to {MAX_ROWS}, offset not negative")
    condition, params = _condition(known, table, filters, where, anchor)
    sorting = "".join(f", t.{_name(name)} {way} NULLS LAST" for name, way in order)[2:]
    return snapshot.execute(
        f"""SELECT {", ".join(f"t.{_name(name)}" for name in wanted)} FROM {_name(table)} t WHERE {condition}
        {f"ORDER BY {sorting}" if sorting else ""} LIMIT {limit:d} OFFSET {offset:d}""",
        params,
    )


@noted
def counts(  # noqa: PLR0913 - one question with named parts
    snapshot: Snapshot,
    table: str,
    *,
    by: Sequence[str],
    sums: Sequence[str] = (),
    filters: Filters | None = None,
    where: dict[str, Any] | None = None,
    anchor: str | None = None,
) -> pl.DataFrame:
    """Rows of a mart counted by columns: `by`, n, share of all (0-1), and the sum of each column of `sums`.

    Largest first. For flows (facility to facility) and reasons; metrics are asked through `metric`. Raises RowsError.
    """
    known = _known(snapshot, table)
    _must_exist(table, known, [*by, *sums, *(where or {})])
    condition, params = _condition(known, table, filters, where, anchor)
    keys = [f"t.{_name(name)}" for name in by]
    totals = [f"CAST(sum(t.{_name(name)}) AS DOUBLE) AS {_name(name)}" for name in sums]
    selected = ", ".join([*keys, "count(*) AS n", "count(*) / sum(count(*)) OVER () AS share", *totals])
    return snapshot.execute(
        f"""SELECT {selected} FROM {_name(table)} t WHERE {condition}
        GROUP BY {", ".join(keys) or "()"} ORDER BY {", ".join(["n DESC", *keys])}""",
        params,
    )


def facts(snapshot: Snapshot) -> dict[str, Any]:
    """What is said of a snapshot on every page: id, seq, built_at, data_through (UTC) and digest."""
    return {name: getattr(snapshot, name) for name in ("id", "seq", "built_at", "data_through", "digest")}


def _known(snapshot: Snapshot, table: str) -> dict[str, str]:
    known = snapshot.columns(table)
    if not known:
        raise RowsError(f"no table {table!r}")
    return known


def _must_exist(table: str, known: dict[str, str], names: Sequence[str]) -> None:
    if wrong := [name for name in names if name not in known]:
        raise RowsError(f"{table} has no column {', '.join(wrong)}")


def _condition(
    known: dict[str, str], table: str, filters: Filters | None, where: dict[str, Any] | None, anchor: str | None
) -> tuple[str, dict[str, Any]]:
    place = ANCHORS.get(table, "") if anchor is None else anchor
    if place:
        _must_exist(table, known, [place])
    clocks = CLOCKS if known.get(place, "").startswith("TIMESTAMP") else CLOCKS[:1]  # a day has no hour
    clause = (filters or Filters()).where((*known, *clocks), anchor=place, alias="t", table=table)
    params = dict(clause.params)
    parts = [clause.sql]
    for number, (name, value) in enumerate((where or {}).items()):
        if value is None:
            parts.append(f"t.{_name(name)} IS NULL")
        else:
            params[f"where_{number}"] = value
            parts.append(f"t.{_name(name)} = $where_{number}")
    return " AND ".join(parts), params


def _name(identifier: str) -> str:
    """A known identifier, quoted."""
    return '"' + identifier.replace('"', '""') + '"'
