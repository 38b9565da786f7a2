"""Stretches of time in which rows of a group can have changed: an exam moves what it stood in, no more.

An exam waits from its end to its report, so a change of it moves the backlog of its group in these hours; the turns of
a worklist move while it waits and for the seven days in which others may still pass it or be passed. A late correction
of an old exam so derives some days of its group again, and not all since then.
"""

from __future__ import annotations

import duckdb

#: SQL for the first full hour not before a time.
_NEXT_HOUR = "date_trunc('hour', {} + INTERVAL 3599999999 MICROSECOND)"
_END = "(SELECT date_trunc('hour', data_through) + INTERVAL 1 HOUR FROM clock)"
BACKLOG = "facility, modality, priority, patient_class"
WORKLIST = "facility, service_line"


def derive_ranges(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
    """Temp tables `touched_backlog` and `touched_worklist`: group, from_at, to_at (after the last), apart from another.

    Temp view `touched_backlog_hour` has the hours of the first.

    Reads temp table `wait_changed`: exams as they were and as they are where what waits depends on what changed. Of a
    build of all exams, a group has one range.
    """
    out_at = f"least(coalesce({_NEXT_HOUR.format('first_final_at')}, {_END}), {_END})"
    _range(con, "touched_backlog", BACKLOG, anew, f"""
        SELECT {BACKLOG}, {_NEXT_HOUR.format("exam_ended_at")} AS from_at, {out_at} AS to_at
        FROM wait_changed WHERE is_countable AND exam_ended_at IS NOT NULL
        UNION ALL
        SELECT {BACKLOG}, clock.previous, {_END} FROM ({_waiting()}), clock""")  # fmt: skip
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW touched_backlog_hour AS
        SELECT {BACKLOG}, unnest(generate_series(from_at, to_at - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS hour_at
        FROM touched_backlog""")
    # Taken between these two: when its reading began as told, or ten minutes before its first report.
    first, last = (f"{pick}(read_started_at, first_prelim_at, first_final_at)" for pick in ("least", "greatest"))
    _range(con, "touched_worklist", WORKLIST, anew, f"""
        SELECT {WORKLIST}, greatest(exam_ended_at, {first} - INTERVAL 8 DAY) AS from_at,
               {last} + INTERVAL 8 DAY AS to_at
        FROM wait_changed WHERE is_countable AND exam_ended_at IS NOT NULL AND {first} IS NOT NULL""")  # fmt: skip


def _waiting() -> str:
    """SQL for the groups whose exams wait on from the last hour before the clock moved, or only since then; none where
    it is the same hour still."""
    groups = ", ".join(f"b.{key}" for key in BACKLOG.split(", "))
    moved = f"(SELECT previous FROM clock WHERE previous + INTERVAL 1 HOUR < {_END})"
    return f"""
        SELECT {groups} FROM fct_backlog_hour b JOIN {moved} c ON b.hour_at = c.previous
        UNION
        SELECT {groups} FROM fct_exam b JOIN {moved} c ON b.exam_ended_at > c.previous WHERE b.is_countable"""


def _range(con: duckdb.DuckDBPyConnection, name: str, keys: str, anew: bool, rows: str) -> None:
    """Temp table `name`: the ranges of `rows`, those of the same keys that meet as one."""
    found = f"SELECT * FROM ({rows}) WHERE from_at < to_at"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT {keys}, min(from_at) AS from_at, max(to_at) AS to_at
        FROM ({found if anew else islands(found, keys)}) GROUP BY {keys}{"" if anew else ", island"}""")


def islands(ranges: str, keys: str) -> str:
    """SQL for rows with keys, from_at and to_at, with `island`: the same number for those that overlap or meet."""
    order, until = f"PARTITION BY {keys} ORDER BY from_at, to_at", "ROWS BETWEEN UNBOUNDED PRECEDING AND"
    return f"""
        SELECT *, sum(is_new) OVER ({order}, is_new DESC {until} CURRENT ROW) AS island
        FROM (SELECT *, CASE WHEN from_at <= max(to_at) OVER ({order} {until} 1 PRECEDING) THEN 0 ELSE 1 END AS is_new
              FROM ({ranges}))"""
