-- name: device_by_room
-- grain: facility, room
-- key: facility, room
-- purpose: Listed devices by the room they stand in, in lower case, within their facility.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: room VARCHAR - | room as HL7 (point of care^room, or the room alone) or FHIR name it
-- column: device VARCHAR - | device
SELECT d.facility, lower(trim(d.room)) AS room, min(d.device) AS device
FROM site_devices d
WHERE d.room IS NOT NULL
GROUP BY d.facility, lower(trim(d.room))
