-- name: device_known
-- purpose: Every device of an exam is in dim_device.
SELECT p.device FROM device_profile p
LEFT JOIN dim_device d ON d.device = p.device
WHERE d.device IS NULL
