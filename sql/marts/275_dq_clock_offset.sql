-- name: dq_clock_offset
-- grain: device
-- key: device
-- purpose: How far a device's clock runs ahead of the RIS: device start minus RIS or report start.
-- materialize: table
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: n BIGINT exams | exams with both clocks
-- column: offset_s DOUBLE s | median, positive where the device is ahead
-- column: low_s DOUBLE s | 25th percentile
-- column: high_s DOUBLE s | 75th percentile
-- column: n_days BIGINT d | days with such exams in the last 90 before the data cut-off
-- column: drift_s_day DOUBLE s/d | gain of a day: Theil-Sen slope of the days' medians, from 7 days on
WITH pair AS (
    SELECT e.device, e.facility, CAST(s.ris_at AS DATE) AS day,
           60.0 * minutes_between(s.ris_at, s.device_at) AS offset_s
    FROM (SELECT v.exam_key,
                 coalesce(min(v.at) FILTER (WHERE v.origin = 'mpps'), min(v.at) FILTER (WHERE v.origin = 'image'))
                     AS device_at,
                 coalesce(min(v.at) FILTER (WHERE v.origin = 'ris'), min(v.at) FILTER (WHERE v.origin = 'report'))
                     AS ris_at
          FROM fct_exam_event v
          WHERE v.code = 'exam_started'
          GROUP BY v.exam_key) s
    JOIN fct_exam e ON e.exam_key = s.exam_key
    WHERE s.device_at IS NOT NULL AND s.ris_at IS NOT NULL AND e.device IS NOT NULL
), daily AS (
    SELECT p.device, p.day, quantile_cont(p.offset_s, 0.5) AS offset_s
    FROM pair p
    CROSS JOIN clock c
    WHERE p.day > CAST(c.data_through AS DATE) - 90
    GROUP BY p.device, p.day
), drift AS (
    SELECT n.device, n.n_days, quantile_cont((b.offset_s - a.offset_s) / date_diff('day', a.day, b.day), 0.5) AS slope
    FROM (SELECT y.device, count(*) AS n_days FROM daily y GROUP BY y.device) n
    LEFT JOIN daily a ON a.device = n.device AND n.n_days >= 7
    LEFT JOIN daily b ON b.device = a.device AND b.day > a.day
    GROUP BY n.device, n.n_days
)
SELECT d.device, min(d.facility) AS facility, count(*) AS n, quantile_cont(d.offset_s, 0.5) AS offset_s,
       quantile_cont(d.offset_s, 0.25) AS low_s, quantile_cont(d.offset_s, 0.75) AS high_s,
       coalesce(min(f.n_days), 0) AS n_days, min(f.slope) AS drift_s_day
FROM pair d
LEFT JOIN drift f ON f.device = d.device
GROUP BY d.device
