-- name: busy_staffed_piece
-- grain: device, hour, busy piece, staffed piece
-- key: device, hour_at, busy_from, staffed_from
-- purpose: Busy time that lies within staffed time. The wall clock does not jump inside an hour.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | hour
-- column: seconds DOUBLE s | overlap
SELECT o.device, o.hour_at, o.busy_from, o.staffed_from,
       seconds_between(greatest(o.busy_from, o.staffed_from), least(o.busy_to, o.staffed_to)) AS seconds
FROM (SELECT p.device, p.hour_at, s.staffed_from, s.staffed_to,
             s.hour_local + (p.started_at - p.hour_at) AS busy_from, s.hour_local + (p.ended_at - p.hour_at) AS busy_to
      FROM device_piece p
      JOIN staffed_piece s ON s.device = p.device AND s.hour_at = p.hour_at) o
WHERE o.busy_from < o.staffed_to AND o.busy_to > o.staffed_from
