-- name: device_by_serial
-- grain: serial number and model
-- key: serial, model
-- purpose: Listed devices by what never changes when a station is renamed.
-- materialize: table
-- column: serial VARCHAR - | serial number
-- column: model VARCHAR - | model
-- column: device VARCHAR - | device
SELECT d.serial, d.model, min(d.device) AS device
FROM site_devices d
WHERE d.serial IS NOT NULL AND d.model IS NOT NULL
GROUP BY d.serial, d.model
