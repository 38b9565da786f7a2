-- name: dq_clock_offset
-- grain: device
-- key: device
-- purpose: How far a device's clock runs ahead of the RIS, how fast it drifts, and when it was set.
-- materialize: table
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: n BIGINT exams | exams with both clocks
-- column: offset_s DOUBLE s | median, positive where the device is ahead
-- column: low_s DOUBLE s | 25th percentile
-- column: high_s DOUBLE s | 75th percentile
-- column: n_days BIGINT d | days with such exams in the last 90 before the data cut-off
-- column: drift_s_day DOUBLE s/d | gain of a day: Theil-Sen slope of these days' medians without steps, from 7 days on
-- column: n_steps BIGINT - | steps in these days: ten days that lie over 150 s off the ten before, beyond the drift
-- column: last_step DATE UTC | day of the latest step
WITH daily AS (
    SELECT p.device, p.day, quantile_cont(p.offset_s, 0.5) AS offset_s
    FROM fct_clock_pair p
    CROSS JOIN clock c
    WHERE p.day > CAST(c.data_through AS DATE) - 90
    GROUP BY p.device, p.day
), near AS (  -- the drift by days of at most ten days apart, of which few have a step between
    SELECT b.device, quantile_cont((b.offset_s - a.offset_s) / date_diff('day', a.day, b.day), 0.5) AS slope
    FROM daily a
    JOIN daily b ON b.device = a.device AND b.day > a.day AND b.day <= a.day + 10
    GROUP BY b.device
), jump AS (  -- of the ten days from a day on, against the ten before it, without that drift
    SELECT t.device, t.day, t.own_s,
           abs(quantile_cont(d.offset_s - r.slope * date_diff('day', t.day, d.day), 0.5) FILTER (WHERE d.day >= t.day)
               - quantile_cont(d.offset_s - r.slope * date_diff('day', t.day, d.day), 0.5)
                     FILTER (WHERE d.day < t.day)) AS jump_s
    FROM (SELECT y.device, y.day,
                 abs(y.offset_s - lag(y.offset_s) OVER (PARTITION BY y.device ORDER BY y.day)) AS own_s
          FROM daily y) t
    JOIN near r ON r.device = t.device
    JOIN daily d ON d.device = t.device AND d.day >= t.day - 10 AND d.day < t.day + 10
    GROUP BY t.device, t.day, t.own_s
    HAVING count(*) FILTER (WHERE d.day >= t.day) >= 3 AND count(*) FILTER (WHERE d.day < t.day) >= 3
), step AS (  -- the largest within ten days, of equal ones that of the day that differs most from the one before
    SELECT j.device, j.day
    FROM jump j
    LEFT JOIN jump o ON o.device = j.device AND o.day > j.day - 10 AND o.day < j.day + 10
        AND (o.jump_s > j.jump_s OR (o.jump_s = j.jump_s AND (o.own_s > j.own_s
                                     OR (o.own_s = j.own_s AND o.day > j.day))))
    WHERE j.jump_s > 150 AND o.device IS NULL
), part AS (
    SELECT y.device, y.day, y.offset_s, count(s.day) AS part, max(s.day) AS last_step
    FROM daily y
    LEFT JOIN step s ON s.device = y.device AND s.day <= y.day
    GROUP BY y.device, y.day, y.offset_s
), drift AS (
    SELECT n.device, n.n_days, n.n_steps, n.last_step,
           quantile_cont((b.offset_s - a.offset_s) / date_diff('day', a.day, b.day), 0.5) AS slope
    FROM (SELECT q.device, count(*) AS n_days, max(q.part) AS n_steps, max(q.last_step) AS last_step
          FROM part q
          GROUP BY q.device) n
    LEFT JOIN part a ON a.device = n.device AND n.n_days >= 7
    LEFT JOIN part b ON b.device = a.device AND b.part = a.part AND b.day > a.day
    GROUP BY n.device, n.n_days, n.n_steps, n.last_step
)
SELECT p.device, min(p.facility) AS facility, count(*) AS n, quantile_cont(p.offset_s, 0.5) AS offset_s,
       quantile_cont(p.offset_s, 0.25) AS low_s, quantile_cont(p.offset_s, 0.75) AS high_s,
       coalesce(min(f.n_days), 0) AS n_days, min(f.slope) AS drift_s_day, coalesce(min(f.n_steps), 0) AS n_steps,
       min(f.last_step) AS last_step
FROM fct_clock_pair p
LEFT JOIN drift f ON f.device = p.device
GROUP BY p.device
