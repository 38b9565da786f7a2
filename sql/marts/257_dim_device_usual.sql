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
WITH ranked AS (
    SELECT t.device, t.measure, t.minutes, CASE t.measure WHEN 'idle_run' THEN 0.99E0 ELSE 0.5E0 END AS part,
           sum(t.n) OVER (PARTITION BY t.device, t.measure) AS n,
           sum(t.n) OVER (PARTITION BY t.device, t.measure ORDER BY t.minutes
                          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM fct_device_minutes t
), beside AS (  -- the two beside the place of the part, from 0 on
    SELECT r.device, r.measure, CAST(max(r.n) AS BIGINT) AS n, max(r.part * (r.n - 1)) AS place,
           min(r.minutes) FILTER (WHERE r.upto > floor(r.part * (r.n - 1))) AS below_min,
           min(r.minutes) FILTER (WHERE r.upto > ceil(r.part * (r.n - 1))) AS above_min
    FROM ranked r
    GROUP BY r.device, r.measure
)
SELECT v.device, max(v.slots) AS slots, max(v.bookings_from) AS bookings_from, max(v.idle_run_min) AS idle_run_min,
       max(v.n_idle_runs) AS n_idle_runs, max(v.exam_min) AS exam_min, max(v.turnover_min) AS turnover_min
FROM (SELECT d.device, quantile_disc(d.n_slots, 0.9) AS slots, min(CAST(d.first_told_local AS DATE)) + 28 AS bookings_from,
             NULL AS idle_run_min, NULL AS n_idle_runs, NULL AS exam_min, NULL AS turnover_min
      FROM fct_slot_day d
      GROUP BY d.device
      HAVING count(*) >= 20
      UNION ALL
      SELECT u.device, NULL, NULL, CASE u.measure WHEN 'idle_run' THEN u.minutes END,
             CASE u.measure WHEN 'idle_run' THEN u.n END, CASE u.measure WHEN 'exam' THEN u.minutes END,
             CASE u.measure WHEN 'turnover' THEN u.minutes END
      FROM (SELECT b.device, b.measure, b.n,
                   b.below_min + (b.above_min - b.below_min) * (b.place - floor(b.place)) AS minutes
            FROM beside b) u) v
GROUP BY v.device
