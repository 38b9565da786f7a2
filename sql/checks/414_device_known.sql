-- name: device_known
-- purpose: Every device of an exam is in dim_device.
SELECT e.device FROM fct_exam e
LEFT JOIN dim_device d ON d.device = e.device
WHERE e.device IS NOT NULL AND d.device IS NULL AND NOT e.is_imported AND e.exam_started_at IS NOT NULL
