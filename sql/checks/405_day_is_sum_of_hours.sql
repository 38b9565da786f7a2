-- name: day_is_sum_of_hours
-- purpose: A device's day is the sum of its hours.
SELECT d.device, d.day_local FROM fct_device_day_new d
LEFT JOIN (SELECT h.device, CAST(h.hour_local AS DATE) AS day_local, sum(h.busy_min) AS busy_min,
                  sum(h.staffed_min) AS staffed_min
           FROM fct_device_hour_new h GROUP BY ALL) s ON s.device = d.device AND s.day_local = d.day_local
WHERE abs(d.busy_min - coalesce(s.busy_min, -1)) > 0.001 OR abs(d.staffed_min - coalesce(s.staffed_min, -1)) > 0.001
