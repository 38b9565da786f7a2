-- name: staffed_piece
-- grain: device, hour, staffed block
-- key: device, hour_at, staffed_from
-- purpose: Staffed time cut at the hours and at the data cut-off.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | hour
-- column: staffed_from TIMESTAMP local | begin of the piece
-- column: staffed_to TIMESTAMP local | end of the piece
SELECT c.device, c.hour_at, c.hour_local, b.day_local, b.opens_local, greatest(c.hour_local, b.opens_local) AS staffed_from,
       least(add_seconds(c.hour_local, c.cut_min * 60), b.closes_local) AS staffed_to
FROM device_clock c
JOIN device_block b ON b.device = c.device AND b.day_local = CAST(c.hour_local AS DATE)
WHERE b.opens_local < add_seconds(c.hour_local, c.cut_min * 60) AND b.closes_local > c.hour_local
