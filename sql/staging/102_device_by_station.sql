-- name: device_by_station
-- grain: facility, station
-- key: facility, station
-- purpose: Listed devices by station name, by id or by name, within their facility.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: station VARCHAR - | station, id or name
-- column: device VARCHAR - | device
SELECT n.facility, n.station, min(n.device) AS device
FROM (SELECT d.facility, d.station, d.device FROM site_devices d
      UNION ALL SELECT d.facility, d.device, d.device FROM site_devices d
      UNION ALL SELECT d.facility, d.name, d.device FROM site_devices d) n
WHERE n.station IS NOT NULL
GROUP BY n.facility, n.station
