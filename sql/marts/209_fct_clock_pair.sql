-- name: fct_clock_pair
-- grain: exam whose begin or end two clocks tell
-- key: exam_key
-- purpose: What a device's clock was ahead of the RIS in an exam: the mean of what begin and end say, of one the other lacks.
-- materialize: table
-- scope: exam
-- column: exam_key VARCHAR - | exam
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: day DATE UTC | day of the begin by the RIS, of the end where there is none
-- column: offset_s DOUBLE s | by MPPS, else first and last original image, less RIS, else report; positive where ahead
SELECT p.exam_key, p.device, p.facility, p.day,
       (coalesce(p.start_s, p.end_s) + coalesce(p.end_s, p.start_s)) / 2.0 AS offset_s
FROM (SELECT e.exam_key, e.device, e.facility,
             CAST(CASE WHEN s.device_start IS NOT NULL AND s.ris_start IS NOT NULL THEN s.ris_start ELSE s.ris_end END
                  AS DATE) AS day,
             round(60.0 * minutes_between(s.ris_start, s.device_start)) AS start_s,
             round(60.0 * minutes_between(s.ris_end, s.device_end)) AS end_s
      FROM (SELECT v.exam_key,
                   coalesce(min(v.at) FILTER (WHERE v.code = 'exam_started' AND v.origin = 'mpps'),
                            min(v.at) FILTER (WHERE v.code = 'exam_started' AND v.origin = 'image')) AS device_start,
                   coalesce(min(v.at) FILTER (WHERE v.code = 'exam_started' AND v.origin = 'ris'),
                            min(v.at) FILTER (WHERE v.code = 'exam_started' AND v.origin = 'report')) AS ris_start,
                   coalesce(max(v.at) FILTER (WHERE v.code = 'exam_ended' AND v.origin = 'mpps'),
                            max(v.at) FILTER (WHERE v.code = 'exam_ended' AND v.origin = 'image')) AS device_end,
                   coalesce(max(v.at) FILTER (WHERE v.code = 'exam_ended' AND v.origin = 'ris'),
                            max(v.at) FILTER (WHERE v.code = 'exam_ended' AND v.origin = 'report')) AS ris_end
            FROM stg_milestone_event v
            WHERE v.code IN ('exam_started', 'exam_ended')
            GROUP BY v.exam_key) s
      JOIN stg_exam_fact e ON e.exam_key = s.exam_key
      WHERE e.device IS NOT NULL) p
WHERE p.start_s IS NOT NULL OR p.end_s IS NOT NULL
