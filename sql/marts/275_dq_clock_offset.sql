-- name: dq_clock_offset
-- grain: device
-- key: device
-- purpose: How far a device's clock runs ahead of the RIS: median of device start minus RIS or report start.
-- materialize: table
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: n BIGINT exams | exams with both clocks
-- column: offset_s DOUBLE s | median, positive where the device is ahead
-- column: low_s DOUBLE s | 25th percentile
-- column: high_s DOUBLE s | 75th percentile
SELECT d.device, min(d.facility) AS facility, count(*) AS n, quantile_cont(d.offset_s, 0.5) AS offset_s,
       quantile_cont(d.offset_s, 0.25) AS low_s, quantile_cont(d.offset_s, 0.75) AS high_s
FROM (SELECT e.device, e.facility, 60.0 * minutes_between(s.ris_at, s.device_at) AS offset_s
      FROM (SELECT v.exam_key,
                   coalesce(min(v.at) FILTER (WHERE v.origin = 'mpps'), min(v.at) FILTER (WHERE v.origin = 'image'))
                       AS device_at,
                   coalesce(min(v.at) FILTER (WHERE v.origin = 'ris'), min(v.at) FILTER (WHERE v.origin = 'report'))
                       AS ris_at
            FROM fct_exam_event v
            WHERE v.code = 'exam_started'
            GROUP BY v.exam_key) s
      JOIN fct_exam e ON e.exam_key = s.exam_key
      WHERE s.device_at IS NOT NULL AND s.ris_at IS NOT NULL AND e.device IS NOT NULL) d
GROUP BY d.device
