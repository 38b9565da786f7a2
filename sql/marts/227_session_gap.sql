-- name: session_gap
-- grain: session of one patient on one device
-- key: device, busy_started_at, first_exam_key
-- purpose: Sessions with the end of the busy time before them on the same local day.
-- materialize: work
-- column: device VARCHAR - | device
-- column: previous_ended_at TIMESTAMP UTC | when the device was last busy before, on the same local day
SELECT w.device, w.facility, w.modality, w.busy_started_at, w.busy_ended_at, w.busy_started_local,
       CAST(w.busy_started_local AS DATE) AS busy_date, w.n_exams,
       row_number() OVER (PARTITION BY w.device, CAST(w.busy_started_local AS DATE)
                          ORDER BY w.busy_started_at, w.busy_ended_at, w.first_exam_key) AS session_number,
       CASE WHEN CAST(local_at(w.previous_ended_at, w.zone) AS DATE) = CAST(w.busy_started_local AS DATE)
            THEN w.previous_ended_at END AS previous_ended_at,
       local_at(w.previous_ended_at, w.zone) AS previous_ended_local
FROM (SELECT s.*, coalesce(z.zone, d.default_zone) AS zone,
             local_at(s.busy_started_at, coalesce(z.zone, d.default_zone)) AS busy_started_local,
             max(s.busy_ended_at) OVER (
                 PARTITION BY s.device ORDER BY s.busy_started_at, s.busy_ended_at, s.first_exam_key
                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS previous_ended_at
      FROM exam_session s
      CROSS JOIN site_zone d
      LEFT JOIN site_facility z ON z.facility = s.facility) w
JOIN touched_device t ON t.device = w.device AND CAST(w.busy_started_local AS DATE) >= t.since_day
    AND CAST(w.busy_started_local AS DATE) < t.until_day
