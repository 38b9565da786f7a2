"""Reads that tell how long reading takes, where a night can have changed them: they and the reports beside them.

How long a read took is told by its begin, or by the reader's report before it where that is at most an hour old. So a
report moves what is learned from the next hour, and from nothing else. A read also stops to teach a year after it.
"""

from __future__ import annotations

import duckdb

#: Longest reading time that teaches, as in the model of fct_read_minutes.
LONGEST = "INTERVAL 1 HOUR"
_YEAR = "INTERVAL 365 DAY"
_COLUMNS = "radiologist, role, read_at, read_started_at, is_alone, reported_at, modality, procedure, region"


def derive_reads(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
    """Temp `read_near`: reads as they are (`sign` 1) and were (-1) in the hours that a changed report can move.

    Of a build of all exams it has all reads from the earliest report of those of the last year on.
    """
    if anew:
        con.execute(f"""
            CREATE OR REPLACE TEMP VIEW read_near AS
            SELECT {_COLUMNS}, 1 AS sign FROM fct_read
            WHERE reported_at >= (SELECT min(r.reported_at) - {LONGEST} FROM fct_read r, clock c
                                  WHERE r.read_at > c.data_through - {_YEAR})""")
        return
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE read_hour AS
        SELECT DISTINCT radiologist, unnest(generate_series(date_trunc('hour', reported_at - {LONGEST}),
                                                            date_trunc('hour', reported_at + {LONGEST}), {LONGEST}))
                                         AS hour_at
        FROM (SELECT radiologist, reported_at FROM fct_read_change
              UNION ALL
              SELECT r.radiologist, r.reported_at FROM fct_read r, clock c
              WHERE r.read_at > c.told_through - {_YEAR} AND r.read_at <= c.data_through - {_YEAR})""")
    # A read is not before its report: older ones are not looked at.
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE read_beside AS
        SELECT {_COLUMNS} FROM fct_read r
        WHERE r.read_at >= (SELECT min(hour_at) FROM read_hour)
            AND (r.radiologist, date_trunc('hour', r.reported_at)) IN (SELECT (radiologist, hour_at) FROM read_hour)
            AND r.exam_key NOT IN (SELECT exam_key FROM touched_exam)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW read_near AS
        SELECT {_COLUMNS}, sign FROM fct_read_change
        UNION ALL SELECT *, 1 FROM read_beside
        UNION ALL SELECT *, -1 FROM read_beside""")
