-- name: backlog_unique
-- purpose: One backlog row a group and hour.
SELECT b.facility, b.hour_at FROM fct_backlog_hour b
JOIN touched_facility t ON t.facility = b.facility AND b.hour_at >= t.since_at
GROUP BY b.facility, b.modality, b.priority, b.patient_class, b.hour_at HAVING count(*) > 1
