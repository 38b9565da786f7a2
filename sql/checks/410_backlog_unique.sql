-- name: backlog_unique
-- purpose: One backlog row a group and hour.
SELECT b.facility, b.hour_at FROM fct_backlog_hour_new b
GROUP BY b.facility, b.modality, b.priority, b.patient_class, b.hour_at HAVING count(*) > 1
