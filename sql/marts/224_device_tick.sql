-- name: device_tick
-- grain: device, UTC hour, hour of the wall clock
-- key: device, utc_hour, hour_at
-- purpose: The hours of the wall clock cut at UTC hours, by which instants find theirs.
-- materialize: work
-- column: device VARCHAR - | device
-- column: utc_hour TIMESTAMP UTC | hour of UTC
-- column: hour_at TIMESTAMP UTC | begin of the hour of the wall clock
-- column: from_at TIMESTAMP UTC | begin of what lies in both
-- column: to_at TIMESTAMP UTC | end of what lies in both
SELECT u.device, u.utc_hour, u.hour_at, greatest(u.hour_at, u.utc_hour) AS from_at,
       least(u.hour_ended_at, u.utc_hour + INTERVAL 1 HOUR) AS to_at
FROM (SELECT c.device, c.hour_at, c.hour_ended_at, date_trunc('hour', c.hour_at) AS utc_hour
      FROM device_clock c
      UNION ALL
      SELECT c.device, c.hour_at, c.hour_ended_at, date_trunc('hour', c.hour_at) + INTERVAL 1 HOUR
      FROM device_clock c
      WHERE c.hour_ended_at > date_trunc('hour', c.hour_at) + INTERVAL 1 HOUR) u
