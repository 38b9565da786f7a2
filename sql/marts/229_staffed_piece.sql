-- name: staffed_piece
-- grain: device, UTC hour, staffed block
-- key: device, hour_at, staffed_from
-- purpose: Staffed time cut at the hours and at the data cut-off; an hour can reach into the next local day.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | hour
-- column: staffed_from TIMESTAMP local | begin of the piece
-- column: staffed_to TIMESTAMP local | end of the piece
SELECT c.device, c.hour_at, c.hour_local, greatest(c.hour_local, b.opens_local) AS staffed_from,
       least(add_seconds(c.hour_local, c.cut_min * 60), b.closes_local) AS staffed_to
FROM (SELECT k.device, k.hour_at, k.hour_local, k.cut_min, CAST(k.hour_local AS DATE) AS day_local
      FROM device_clock k
      UNION ALL
      SELECT k.device, k.hour_at, k.hour_local, k.cut_min, CAST(k.hour_local + INTERVAL 59 MINUTE AS DATE)
      FROM device_clock k
      WHERE CAST(k.hour_local + INTERVAL 59 MINUTE AS DATE) > CAST(k.hour_local AS DATE)) c
JOIN device_block b ON b.device = c.device AND b.day_local = c.day_local
WHERE b.opens_local < add_seconds(c.hour_local, c.cut_min * 60) AND b.closes_local > c.hour_local
