-- name: busy_fits_hour
-- purpose: A device is busy and staffed at most 60 minutes an hour.
SELECT h.device, h.hour_at FROM fct_device_hour_new h
WHERE h.busy_min > 60.0001 OR h.staffed_min > 60.0001 OR h.busy_min < 0 OR h.staffed_min < 0
    OR h.busy_staffed_min > h.busy_min + 0.0001 OR h.busy_staffed_min > h.staffed_min + 0.0001
