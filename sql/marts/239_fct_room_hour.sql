-- name: fct_room_hour
-- grain: device whose room is told of, hour of the wall clock
-- key: device, hour_at
-- purpose: Minutes with a patient in the device's room, from the day on which the room was first told of.
-- materialize: table
-- scope: device CAST(hour_local AS DATE)
-- sorted_by: month of hour_at, facility, hour_at
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: hour_at TIMESTAMP UTC | begin of the hour
-- column: hour_local TIMESTAMP local | wall clock of the facility
-- column: staffed_min DOUBLE min | staffed minutes up to the data cut-off
-- column: busy_staffed_min DOUBLE min | of these, with an exam on the device
-- column: room_min DOUBLE min | union of stays
-- column: room_staffed_min DOUBLE min | of these, within staffed time
-- column: is_reported BOOLEAN - | a day with a stay, or without any exam on the device: an empty room, and not a silent one
WITH staffed AS (
    SELECT o.device, o.hour_at,
           sum(seconds_between(greatest(o.room_from, o.staffed_from), least(o.room_to, o.staffed_to))) / 60 AS minutes
    FROM (SELECT p.device, p.hour_at, f.staffed_from, f.staffed_to,
                 f.hour_local + (p.started_at - p.hour_at) AS room_from, f.hour_local + (p.ended_at - p.hour_at) AS room_to
          FROM room_piece p
          JOIN staffed_piece f ON f.device = p.device AND f.hour_at = p.hour_at) o
    WHERE o.room_from < o.staffed_to AND o.room_to > o.staffed_from
    GROUP BY o.device, o.hour_at
)
SELECT h.device, h.facility, h.modality, h.hour_at, h.hour_local, h.staffed_min, h.busy_staffed_min,
       coalesce(r.room_min, 0.0) AS room_min, coalesce(q.minutes, 0.0) AS room_staffed_min,
       d.device IS NOT NULL OR coalesce(y.busy_min, 0) = 0 AS is_reported
FROM fct_device_hour h
JOIN touched_device t ON t.device = h.device AND CAST(h.hour_local AS DATE) >= t.since_day
    AND CAST(h.hour_local AS DATE) < t.until_day
JOIN (SELECT u.device, min(u.day_local) AS first_day FROM fct_room_day u WHERE u.n_entered > 0 GROUP BY u.device) b
    ON b.device = h.device AND CAST(h.hour_local AS DATE) >= b.first_day
LEFT JOIN fct_room_day d ON d.device = h.device AND d.day_local = CAST(h.hour_local AS DATE)
LEFT JOIN fct_device_day y ON y.device = h.device AND y.day_local = CAST(h.hour_local AS DATE)
LEFT JOIN (SELECT p.device, p.hour_at, sum(seconds_between(p.started_at, p.ended_at)) / 60 AS room_min
           FROM room_piece p GROUP BY p.device, p.hour_at) r ON r.device = h.device AND r.hour_at = h.hour_at
LEFT JOIN staffed q ON q.device = h.device AND q.hour_at = h.hour_at
WHERE h.hour_local >= (SELECT CAST(min(k.since_day) AS TIMESTAMP) FROM touched_device k)
