-- name: dim_device_usual
-- grain: device
-- key: device
-- purpose: What is usual for a device over all data, so that days can be compared with it.
-- materialize: table
-- column: device VARCHAR - | device
-- column: slots BIGINT slots | booked slots of a day, 90th percentile; NULL below 20 booked days
-- column: bookings_from DATE local | 28 days after the first booking that is known: from then on all are
-- column: idle_run_min DOUBLE min | staffed time from one session to the next, 99th percentile
-- column: n_idle_runs BIGINT runs | runs from one session to the next
-- column: exam_min DOUBLE min | median duration of the exams that count
-- column: turnover_min DOUBLE min | median gap between two sessions that is a turnover
SELECT v.device, max(v.slots) AS slots, max(v.bookings_from) AS bookings_from, max(v.idle_run_min) AS idle_run_min,
       max(v.n_idle_runs) AS n_idle_runs, max(v.exam_min) AS exam_min, max(v.turnover_min) AS turnover_min
FROM (SELECT n.device, quantile_disc(n.n_slots, 0.9) AS slots, min(n.told_day) + 28 AS bookings_from,
             NULL AS idle_run_min, NULL AS n_idle_runs, NULL AS exam_min, NULL AS turnover_min
      FROM (SELECT a.device, CAST(a.slot_local AS DATE) AS day, min(CAST(a.slot_told_local AS DATE)) AS told_day,
                   count(*) AS n_slots
            FROM fct_appointment a
            WHERE a.slot_local IS NOT NULL AND a.slot_told_local IS NOT NULL AND a.status <> 'deleted'
                AND a.outcome IS DISTINCT FROM 'cancelled'
            GROUP BY a.device, CAST(a.slot_local AS DATE)) n
      GROUP BY n.device
      HAVING count(*) >= 20
      UNION ALL
      SELECT r.device, NULL, NULL, quantile_cont(r.run_min, 0.99), count(*), NULL, NULL
      FROM (SELECT q.device, q.idle_since_at, sum(q.idle_min) AS run_min
            FROM fct_device_idle q
            WHERE q.idle_since_at IS NOT NULL
            GROUP BY q.device, q.idle_since_at) r
      GROUP BY r.device
      UNION ALL
      SELECT e.device, NULL, NULL, NULL, NULL, median(e.exam_duration_min), NULL
      FROM fct_exam e
      WHERE e.is_countable AND e.exam_duration_min > 0
      GROUP BY e.device
      UNION ALL
      SELECT b.device, NULL, NULL, NULL, NULL, NULL, median(b.gap_before_min)
      FROM fct_device_busy b
      WHERE b.is_turnover
      GROUP BY b.device) v
WHERE v.device IS NOT NULL
GROUP BY v.device
