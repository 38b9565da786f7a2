-- name: stg_door
-- grain: exam that belongs to a visit with a registered arrival
-- key: exam_key
-- purpose: When the patient came through the hospital's door: first ADT arrival of the exam's visit.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: door_at TIMESTAMP UTC | first arrival of the visit
SELECT v.exam_key, min(e.at) AS door_at
FROM raw_event e
JOIN visit_mention a ON a.mention = e.mention
JOIN (SELECT DISTINCT m.exam_key, m.visit FROM exam_mention m) v ON v.visit = a.visit
WHERE e.code = 'arrived' AND e.origin = 'adt'
GROUP BY v.exam_key
