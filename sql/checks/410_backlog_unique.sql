-- name: backlog_unique
-- purpose: One backlog row a group and hour.
SELECT b.facility, b.hour_at FROM fct_backlog_hour b
JOIN touched_backlog t ON t.facility = b.facility AND t.modality IS NOT DISTINCT FROM b.modality
    AND t.priority IS NOT DISTINCT FROM b.priority AND t.patient_class IS NOT DISTINCT FROM b.patient_class
    AND b.hour_at >= t.from_at AND b.hour_at < t.to_at
GROUP BY b.facility, b.modality, b.priority, b.patient_class, b.hour_at HAVING count(*) > 1
