-- name: device_clock
-- grain: device, hour of the wall clock
-- key: device, hour_at
-- purpose: The hours in service of a touched device as its wall clock shows them; the clock does not jump inside an hour.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | begin of the hour; half past in zones of half hours
-- column: hour_ended_at TIMESTAMP UTC | its end, sooner than an hour where the clock jumps to or from within an hour
-- column: hour_local TIMESTAMP local | its begin on the wall clock
-- column: cut_min DOUBLE min | minutes of the hour up to the data cut-off
WITH utc_hour AS (
    SELECT d.device, d.zone, d.facility, d.modality, c.data_through, d.from_day, d.to_day,
           unnest(generate_series(CAST(d.from_day AS TIMESTAMP) - INTERVAL 14 HOUR,
                                  CAST(d.to_day AS TIMESTAMP) + INTERVAL 36 HOUR, INTERVAL 1 HOUR)) AS utc_at
    FROM device_service d
    CROSS JOIN clock c
), full_hour AS (
    SELECT u.*, add_seconds(u.utc_at, mod(60 - minute(local_at(u.utc_at, u.zone)), 60) * 60) AS full_at FROM utc_hour u
), jump AS (
    SELECT DISTINCT q.device, q.zone, q.facility, q.modality, q.data_through, q.from_day, q.to_day, q.tick_at
    FROM (SELECT u.*, unnest(generate_series(u.utc_at + INTERVAL 15 MINUTE, u.utc_at + INTERVAL 60 MINUTE,
                                             INTERVAL 15 MINUTE)) AS tick_at
          FROM utc_hour u
          WHERE local_at(u.utc_at + INTERVAL 1 HOUR, u.zone) <> local_at(u.utc_at, u.zone) + INTERVAL 1 HOUR) q
    WHERE local_at(q.tick_at, q.zone) <> local_at(q.tick_at - INTERVAL 15 MINUTE, q.zone) + INTERVAL 15 MINUTE
), span AS (
    SELECT b.*, lead(b.hour_at, 1, b.hour_at + INTERVAL 1 HOUR) OVER (
                    PARTITION BY b.device, b.from_day ORDER BY b.hour_at) AS hour_ended_at
    FROM (SELECT f.device, f.zone, f.facility, f.modality, f.data_through, f.from_day, f.to_day, f.full_at AS hour_at
          FROM full_hour f
          UNION
          SELECT j.device, j.zone, j.facility, j.modality, j.data_through, j.from_day, j.to_day, j.tick_at
          FROM jump j) b
)
SELECT h.device, h.hour_at, h.hour_ended_at, h.hour_local, h.facility, h.modality,
       greatest(minutes_between(h.hour_at, least(h.hour_ended_at, h.data_through)), 0) AS cut_min
FROM (SELECT s.*, local_at(s.hour_at, s.zone) AS hour_local FROM span s) h
WHERE CAST(h.hour_local AS DATE) >= h.from_day AND CAST(h.hour_local AS DATE) <= h.to_day
