-- name: dim_calendar
-- grain: day
-- key: day
-- purpose: Every day from the first exam to the data cut-off, for periods without gaps.
-- materialize: table
-- column: day DATE - | day
-- column: weekday INTEGER - | ISO, 1 Monday to 7 Sunday
-- column: week_start DATE - | Monday of its week
-- column: month_start DATE - | first of its month
-- column: is_weekend BOOLEAN - | Saturday or Sunday
SELECT CAST(d.day AS DATE) AS day, CAST(isodow(d.day) AS INTEGER) AS weekday,
       CAST(date_trunc('week', d.day) AS DATE) AS week_start, CAST(date_trunc('month', d.day) AS DATE) AS month_start,
       isodow(d.day) > 5 AS is_weekend
FROM (SELECT unnest(generate_series(date_trunc('day', s.first_local), date_trunc('day', c.data_through),
                                    INTERVAL 1 DAY)) AS day
      FROM (SELECT e.exam_started_local AS first_local  -- the table's order: its first months alone are read
            FROM fct_exam e
            WHERE NOT e.is_imported AND e.exam_started_local IS NOT NULL
            ORDER BY e.exam_started_local LIMIT 1) s
      CROSS JOIN clock c) d
