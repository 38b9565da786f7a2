-- name: device_start
-- grain: exam that counts and began on a touched device
-- key: exam_key
-- purpose: Begins of exams with the hour, and whether the device was staffed then.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | hour
-- column: exam_key VARCHAR - | exam
-- column: is_staffed BOOLEAN - | began in staffed time
SELECT x.device, x.hour_at, x.exam_key, max(CASE WHEN s.device IS NULL THEN 0 ELSE 1 END) = 1 AS is_staffed
FROM (SELECT e.device, e.exam_key, e.exam_started_at, k.hour_at
      FROM fct_exam e
      JOIN touched_device t ON t.device = e.device AND e.exam_started_at >= t.load_from
          AND e.exam_started_at < t.load_to
      JOIN device_tick k ON k.device = e.device AND k.utc_hour = date_trunc('hour', e.exam_started_at)
          AND k.from_at <= e.exam_started_at AND k.to_at > e.exam_started_at
      WHERE e.exam_started_at >= (SELECT min(k.load_from) FROM touched_device k) AND e.is_countable) x
LEFT JOIN staffed_piece s ON s.device = x.device AND s.hour_at = x.hour_at
    AND s.staffed_from <= s.hour_local + (x.exam_started_at - x.hour_at)
    AND s.staffed_to > s.hour_local + (x.exam_started_at - x.hour_at)
GROUP BY x.device, x.hour_at, x.exam_key
