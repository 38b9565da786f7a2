"""Stretches of days in which hours and sessions of a device can have changed.

A changed exam or stay moves the sessions that it touches, the idle time behind them up to the next session, and the
days on which the device counts up to its next exam. An exam that is of another patient now, and of nothing else, moves
nothing unless it is joined to another exam, or parted from it. So the days of a device are derived again from the day
before a change to the first day after it that has a session of its own, and to the end where the clock moved, or where
the device's first day, facility or modality is now seen otherwise. Beside these days, sessions that reach into them are
read; stretches whose reading would meet are one.
"""

from __future__ import annotations

import duckdb

from etl.build_ranges import islands

#: An end that never comes.
OPEN = "9999-01-01"
_DAY = "INTERVAL 1 DAY"
_NEAR = """o.device = n.device AND o.exam_key <> n.exam_key
            AND o.exam_started_at >= n.exam_started_at - INTERVAL 24 HOUR
            AND o.exam_started_at <= n.exam_started_at + INTERVAL 24 HOUR"""
#: Changes of exams of which only the patient is another: where exams so near on the device that they can be of one
#: session were of one patient before and are not now, or the other way round. Exams that are nobody's are each alone.
_REGROUPED = f"""
    SELECT n.device, n.exam_started_at, n.exam_ended_at
    FROM fct_exam_now n JOIN fct_exam_before b ON b.exam_key = n.exam_key
    WHERE b.patient_key IS DISTINCT FROM n.patient_key AND (
        EXISTS (SELECT 1 FROM exam_under o WHERE {_NEAR}
            AND o.before = b.patient_key AND coalesce(o.now <> n.patient_key, TRUE))
        OR EXISTS (SELECT 1 FROM exam_under o WHERE {_NEAR}
            AND o.now = n.patient_key AND coalesce(o.before <> b.patient_key, TRUE)))"""


def derive_device_ranges(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
    """Temp table `touched_device`: device with facility, modality and zone, days from since_day to before until_day,
    and from when to when its exams are read.

    Reads `exam_changed`, `patient_exam`, `stay_changed`, `device_profile`, `device_before`, `clock` and the marts of
    devices as they were. Of a build of all exams, a device has one stretch of all days.
    """
    reach = con.execute(
        "SELECT coalesce(max(date_diff('day', busy_started_at, busy_ended_at)), 0) FROM fct_device_busy"
    ).fetchall()[0][0]
    if not anew:
        _find_patients(con)
    con.execute(f"CREATE OR REPLACE TEMP TABLE device_change AS {_changes(anew)}")
    if anew:
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE device_days AS
            SELECT device, CAST(min(since_at) AS DATE) - 1 AS since_day, DATE '{OPEN}' AS until_day
            FROM device_change GROUP BY device""")
    else:
        _find_days(con, reach)
    _find_reading(con, reach)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE touched_device AS
        SELECT r.device, p.facility, p.modality, p.zone, r.since_day, r.until_day, r.load_from, r.load_to
        FROM device_reading r LEFT JOIN device_profile p ON p.device = r.device""")


def _find_patients(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `exam_under`: all exams that touched patients have on devices, with whose they are `now` and whose
    they were `before`, NULL where they were nobody's or were not there.

    Exams that are no longer theirs are not needed: these are changes themselves.
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE exam_under AS
        SELECT p.exam_key, p.device, p.exam_started_at, p.patient_key AS now,
               CASE WHEN n.exam_key IS NULL THEN p.patient_key ELSE b.patient_key END AS before
        FROM patient_exam p
        LEFT JOIN fct_exam_now n ON n.exam_key = p.exam_key
        LEFT JOIN fct_exam_before b ON b.exam_key = p.exam_key
        WHERE p.device IS NOT NULL""")


def _changes(anew: bool) -> str:
    """SQL: device, since_at, until_at of every change."""
    exams = "SELECT device, exam_started_at, exam_ended_at FROM exam_changed"
    return f"""
        SELECT device, exam_started_at AS since_at,
               CASE WHEN exam_ended_at <= exam_started_at + INTERVAL 24 HOUR
                    THEN greatest(exam_started_at, exam_ended_at) ELSE exam_started_at END AS until_at
        FROM ({exams if anew else f"{exams} UNION ALL {_REGROUPED}"})
        WHERE device IS NOT NULL AND exam_started_at IS NOT NULL
        UNION ALL
        SELECT s.device, s.entered_at, CASE WHEN s.entered_at > f.first_at THEN s.left_at ELSE TIMESTAMP '{OPEN}' END
        FROM stay_changed s
        LEFT JOIN (SELECT device, min(first_at) AS first_at FROM fct_room_day GROUP BY device) f
            ON f.device = s.device
        WHERE s.fate = 'used' AND s.device IS NOT NULL
        UNION ALL
        SELECT p.device, c.previous, TIMESTAMP '{OPEN}' FROM device_profile p, clock c
        WHERE c.data_through > c.told_through
        UNION ALL
        SELECT o.device, least(o.first_at, p.first_at), TIMESTAMP '{OPEN}'
        FROM device_before o LEFT JOIN device_profile p ON p.device = o.device
        WHERE o.first_at IS NOT NULL
            AND (o.facility, o.modality, o.first_at) IS DISTINCT FROM (p.facility, p.modality, p.first_at)"""


def _find_days(con: duckdb.DuckDBPyConnection, reach: int) -> None:
    """Temp table `device_days`: device, since_day, until_day."""
    changes = f"SELECT device, since_at AS from_at, until_at + {_DAY} AS to_at FROM device_change"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE device_stretch AS
        SELECT device, min(from_at) AS since_at, max(to_at) - {_DAY} AS until_at
        FROM ({islands(changes, "device")}) GROUP BY device, island""")
    _find_sessions(con, "SELECT device, unnest([since_at, until_at]) AS held_at FROM device_stretch", reach)
    # The first day after it that is busy by sessions of its own: what stands before them does not reach beyond it.
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE device_days AS
        SELECT s.device, s.since_day, coalesce(min(d.day_local) + 2, DATE '{OPEN}') AS until_day
        FROM (SELECT r.device, CAST(least(r.since_at, f.started_at) AS DATE) - 1 AS since_day,
                     CAST(greatest(r.until_at, l.ended_at) AS DATE) AS last_day
              FROM device_stretch r
              LEFT JOIN device_held f ON f.device = r.device AND f.held_at = r.since_at
              LEFT JOIN device_held l ON l.device = r.device AND l.held_at = r.until_at) s
        LEFT JOIN fct_device_day d ON d.device = s.device AND d.busy_min > 0 AND d.day_local > s.last_day + 1
        GROUP BY s.device, s.since_day, s.last_day""")


def _find_reading(con: duckdb.DuckDBPyConnection, reach: int) -> None:
    """Temp table `device_reading`: `device_days` with load_from and load_to, two days and more apart."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE device_bound AS
        SELECT *, CAST(since_day AS TIMESTAMP) - {_DAY} AS from_at,
               CAST(until_day AS TIMESTAMP) + INTERVAL 2 DAY AS to_at
        FROM device_days""")
    _find_sessions(con, "SELECT device, unnest([from_at, to_at]) AS held_at FROM device_bound", reach)
    read = """
        SELECT b.device, b.since_day, b.until_day, least(b.from_at, f.started_at) AS from_at,
               greatest(b.to_at, l.ended_at) + INTERVAL 2 DAY AS to_at
        FROM device_bound b
        LEFT JOIN device_held f ON f.device = b.device AND f.held_at = b.from_at
        LEFT JOIN device_held l ON l.device = b.device AND l.held_at = b.to_at"""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE device_reading AS
        SELECT device, min(since_day) AS since_day, max(until_day) AS until_day, min(from_at) AS load_from,
               max(to_at) - INTERVAL 2 DAY AS load_to
        FROM ({islands(read, "device")}) GROUP BY device, island""")


def _find_sessions(con: duckdb.DuckDBPyConnection, instants: str, reach: int) -> None:
    """Temp table `device_held`: begin and end of the sessions of a device that hold an instant, as the marts have them.

    Sessions are found by their day: none reaches further than `reach`, the days of the longest that there is.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE device_held AS
        SELECT i.device, i.held_at, min(b.busy_started_at) AS started_at, max(b.busy_ended_at) AS ended_at
        FROM (SELECT device, held_at,
                     unnest(generate_series(date_trunc('day', held_at) - INTERVAL {reach + 1} DAY,
                                            date_trunc('day', held_at) + {_DAY}, {_DAY})) AS day
              FROM ({instants})) i
        JOIN fct_device_busy b ON b.device = i.device AND b.busy_date = CAST(i.day AS DATE)
            AND b.busy_started_at <= i.held_at AND b.busy_ended_at >= i.held_at
        GROUP BY i.device, i.held_at""")
