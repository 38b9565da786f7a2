-- name: device_service
-- grain: device, stretch of days in service
-- key: device, from_day
-- purpose: Days on which a device counts: each exam day and 31 more, a year where the site states staffed hours.
-- materialize: work
-- column: device VARCHAR - | device
-- column: from_day DATE local | first day, not before the day from which the device is derived again
-- column: to_day DATE local | last day, not after the data cut-off
WITH reach AS (
    SELECT t.device, t.facility, t.modality, t.zone, t.since_day, t.until_day,
           least(CAST(local_at(c.data_through, t.zone) AS DATE), t.until_day - 1) AS end_day,
           CASE WHEN t.device IN (SELECT s.device FROM staffing s) THEN 366 ELSE 31 END AS n_days
    FROM touched_device t
    CROSS JOIN clock c
), exam_day AS (
    SELECT DISTINCT r.device, r.facility, r.modality, r.zone, r.since_day, r.end_day, r.n_days, e.day_local AS day
    FROM reach r
    JOIN fct_device_start_day e ON e.device = r.device AND e.day_local >= r.since_day - 368
        AND e.day_local <= r.until_day
), marked AS (
    SELECT d.*, CASE WHEN d.day <= lag(d.day) OVER (PARTITION BY d.device, d.since_day ORDER BY d.day) + d.n_days + 1
                     THEN 0 ELSE 1 END AS is_first
    FROM exam_day d
), stretch AS (
    SELECT m.*, sum(m.is_first) OVER (PARTITION BY m.device, m.since_day ORDER BY m.day
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number
    FROM marked m
)
SELECT w.device, w.facility, w.modality, w.zone, w.from_day, w.to_day
FROM (SELECT s.device, s.facility, s.modality, s.zone, greatest(min(s.day), s.since_day) AS from_day,
             least(max(s.day) + max(s.n_days), max(s.end_day)) AS to_day
      FROM stretch s
      GROUP BY s.device, s.facility, s.modality, s.zone, s.since_day, s.number) w
WHERE w.from_day <= w.to_day
