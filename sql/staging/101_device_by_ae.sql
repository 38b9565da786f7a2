-- name: device_by_ae
-- grain: facility, AE title
-- key: facility, ae_title
-- purpose: Listed devices by AE title within their facility.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: ae_title VARCHAR - | AE title
-- column: device VARCHAR - | device
SELECT d.facility, d.ae_title, min(d.device) AS device
FROM site_devices d
WHERE d.ae_title IS NOT NULL
GROUP BY d.facility, d.ae_title
