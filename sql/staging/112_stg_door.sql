-- name: stg_door
-- grain: exam that belongs to a visit with a registered arrival
-- key: exam_key
-- purpose: When the patient came through the hospital's door: first ADT arrival of the visit, not in a device's room.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: door_at TIMESTAMP UTC | first arrival of the visit
SELECT v.exam_key, min(e.at) AS door_at
FROM raw_event e
JOIN visit_mention a ON a.mention = e.mention
JOIN (SELECT DISTINCT m.exam_key, m.visit FROM exam_mention m) v ON v.visit = a.visit
LEFT JOIN device_by_room r ON r.facility = a.facility AND r.room = lower(e.station)
LEFT JOIN device_by_room p ON p.facility = a.facility AND p.room = lower(split_part(e.station, '^', 2))
WHERE e.code = 'arrived' AND e.origin = 'adt' AND r.device IS NULL AND p.device IS NULL
GROUP BY v.exam_key
