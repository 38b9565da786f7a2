"""What a snapshot knows of the site's facilities, hours and senders."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sql.filters import Filters
from sql.noted import noted
from sql.rows import counts, rows
from sql.site_files import UNMAPPED, Row, parts
from sql.snapshot import Snapshot

_MAX = 100_000


@noted
def facilities_known(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """A row a facility: facility, facility_name, zone, kind, n_devices, n_staffed (with hours stated), staffed_h (a
    week, all devices), n_exams, first_day, last_day (all days, whatever the dates), n_senders, senders, last_at (UTC,
    newest message), n_names (without a procedure). Facilities and scope filter it."""
    asked = filters or Filters()
    place = Filters(facility=asked.facility, scope=asked.scope)
    clause = place.where(("facility",), alias="f", table="dim_facility")
    return snapshot.execute(
        f"""SELECT f.facility, f.facility_name, f.zone, f.kind, d.n_devices, d.n_staffed, d.staffed_h, e.n_exams,
            e.first_day, e.last_day, s.n_senders, s.senders, s.last_at, q.n_names
        FROM dim_facility f
        LEFT JOIN (SELECT v.facility, count(*) AS n_devices, count(h.device) AS n_staffed, sum(h.staffed_h) AS staffed_h
                   FROM dim_device v
                   LEFT JOIN (SELECT w.device, sum(split_part(w.closes, ':', 1)::INTEGER - split_part(w.opens, ':', 1)
                                     ::INTEGER + (split_part(w.closes, ':', 2)::INTEGER
                                                  - split_part(w.opens, ':', 2)::INTEGER) / 60) AS staffed_h
                              FROM dim_staffing w GROUP BY w.device) h ON h.device = v.device
                   GROUP BY v.facility) d ON d.facility = f.facility
        LEFT JOIN (SELECT x.facility, count(*) AS n_exams, CAST(min(x.placed_local) AS DATE) AS first_day,
                          CAST(max(x.placed_local) AS DATE) AS last_day
                   FROM fct_exam x WHERE x.is_countable GROUP BY x.facility) e ON e.facility = f.facility
        LEFT JOIN (SELECT t.facility, count(DISTINCT t.source) AS n_senders,
                          list_sort(list(DISTINCT t.source)) AS senders, max(t.last_at) AS last_at
                   FROM dq_freshness t GROUP BY t.facility) s ON s.facility = f.facility
        LEFT JOIN (SELECT n.facility, count(*) AS n_names FROM dq_procedure_name n WHERE n.procedure IS NULL
                   GROUP BY n.facility) q ON q.facility = f.facility
        WHERE {clause.sql} ORDER BY f.facility = '{UNMAPPED}', f.facility""",
        clause.params,
    )


@noted
def unplaced(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """Senders of messages that no facility carries, most messages first: sender, n_messages, first_day, last_day.

    Empty for who may not see all facilities."""
    clause = Filters(scope=(filters or Filters()).scope).where(("facility",), alias="f", table="dq_system_flow")
    return snapshot.execute(
        f"""SELECT f.sender, CAST(sum(f.n_messages) AS BIGINT) AS n_messages, min(f.day) AS first_day,
            max(f.day) AS last_day
        FROM dq_system_flow f WHERE f.facility = '{UNMAPPED}' AND {clause.sql}
        GROUP BY f.sender ORDER BY n_messages DESC, f.sender""",
        clause.params,
    )


@noted
def alias_preview(snapshot: Snapshot, proposed: Sequence[Row]) -> pl.DataFrame:
    """Facilities with the messages of unplaced senders whose facility (behind the @) they would be called by: facility,
    n_messages, n_senders. What a message names within itself is not in a snapshot and not counted."""
    named = [
        (row["facility"], name.casefold())
        for row in proposed
        for name in (row["facility"], row["name"], *parts(row["aliases"]))
        if name
    ]
    names = pl.DataFrame(named, schema={"facility": pl.String, "alias": pl.String}, orient="row").unique("alias")
    found = unplaced(snapshot).with_columns(
        pl.col("sender").str.split("@").list.last().str.to_lowercase().alias("alias")
    )
    return (
        found.join(names, on="alias").group_by("facility")
        .agg(pl.col("n_messages").sum(), pl.len().alias("n_senders")).sort("facility")
    )  # fmt: skip


@noted
def shift_spans(snapshot: Snapshot) -> pl.DataFrame:
    """Shifts as stretches of the week, in order: shift, is_after_hours, weekday (1 Monday), starts and ends (HH:MM)."""
    return snapshot.execute(
        """SELECT g.shift, g.is_after_hours, g.weekday,
            strftime(TIMESTAMP '2000-01-03' + to_minutes(min(g.minute_of_week)), '%H:%M') AS starts,
            CASE WHEN mod(max(g.minute_of_week) + 1, 1440) = 0 THEN '24:00'
                 ELSE strftime(TIMESTAMP '2000-01-03' + to_minutes(max(g.minute_of_week) + 1), '%H:%M') END AS ends
        FROM (SELECT d.*, d.minute_of_week - row_number() OVER (PARTITION BY d.shift, d.is_after_hours, d.weekday
                  ORDER BY d.minute_of_week) AS stretch FROM dim_shift d WHERE d.shift IS NOT NULL) g
        GROUP BY g.shift, g.is_after_hours, g.weekday, g.stretch ORDER BY g.weekday, starts"""
    )


@noted
def targets_held(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """Exams that count by facility, priority, class and target_min, the target that held for them (NULL: none); n."""
    by = ("facility", "priority", "patient_class", "target_min")
    return counts(snapshot, "fct_exam", by=by, filters=filters, where={"is_countable": True}).drop("share")


@noted
def devices_staffed(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """Devices under the filters with their blocks: device, facility, modality, is_listed, weekday, opens, closes (NULL
    where no hours are stated), a row a block."""
    asked = (filters or Filters()).replace(since=None, until=None)
    devices = rows(snapshot, "dim_device", filters=asked, columns=("device", "facility", "modality", "is_listed"),
                   order_by=("facility", "device"), limit=_MAX)  # fmt: skip
    blocks = rows(snapshot, "dim_staffing", order_by=("device", "weekday", "opens"), limit=_MAX)
    return devices.join(blocks, on="device", how="left", maintain_order="left_right")
