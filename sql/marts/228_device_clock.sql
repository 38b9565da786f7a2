-- name: device_clock
-- grain: device, UTC hour
-- key: device, hour_at
-- purpose: The hours of a touched device with their wall clock; cut_min says how much of the hour the data covers.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | hour
-- column: hour_local TIMESTAMP local | its begin on the wall clock
-- column: cut_min DOUBLE min | minutes of the hour up to the data cut-off
SELECT h.device, h.hour_at, h.hour_local, h.facility, h.modality, h.cut_min
FROM (SELECT r.device, r.hour_at, local_at(r.hour_at, r.zone) AS hour_local, r.facility, r.modality, r.from_day,
             greatest(least(minutes_between(r.hour_at, r.data_through), 60), 0) AS cut_min
      FROM (SELECT t.device, t.zone, t.facility, t.modality, c.data_through,
                   greatest(t.since_day, t.first_day) AS from_day,
                   unnest(generate_series(CAST(greatest(t.since_day, t.first_day) AS TIMESTAMP) - INTERVAL 14 HOUR,
                                          date_trunc('hour', c.data_through) + INTERVAL 24 HOUR,
                                          INTERVAL 1 HOUR)) AS hour_at
            FROM touched_device t
            CROSS JOIN clock c) r) h
WHERE CAST(h.hour_local AS DATE) >= h.from_day
