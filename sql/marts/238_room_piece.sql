-- name: room_piece
-- grain: device, hour, piece of occupied time
-- key: device, hour_at, started_at
-- purpose: Occupied time of a device's room cut at the hours.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | hour
-- column: started_at TIMESTAMP UTC | begin of the piece
-- column: ended_at TIMESTAMP UTC | end of the piece
SELECT p.device, k.hour_at, greatest(p.started_at, k.from_at) AS started_at, least(p.ended_at, k.to_at) AS ended_at
FROM (SELECT i.device, i.started_at, i.ended_at,
             unnest(generate_series(date_trunc('hour', i.started_at), i.ended_at, INTERVAL 1 HOUR)) AS utc_hour
      FROM room_island i) p
JOIN device_tick k ON k.device = p.device AND k.utc_hour = p.utc_hour
WHERE k.from_at < p.ended_at AND k.to_at > p.started_at
