-- name: dq_unmapped
-- grain: kind of name, facility, name
-- key: kind, facility, name
-- purpose: Names that nobody has mapped, by volume: procedures, devices, facilities, rooms.
-- materialize: table
-- column: kind VARCHAR - | procedure, device, facility or room
-- column: facility VARCHAR - | facility
-- column: name VARCHAR - | local code, device id, unmapped, or room as sent
-- column: n_exams BIGINT exams | exams; of a room, stays
SELECT 'procedure' AS kind, e.facility, coalesce(e.procedure_local, '(no code)') AS name, count(*) AS n_exams
FROM fct_exam e
WHERE e.procedure IS NULL AND NOT e.is_imported
GROUP BY ALL
UNION ALL
SELECT 'device', x.facility, x.device, count(*)
FROM fct_exam x
WHERE x.device IS NOT NULL AND NOT x.is_imported AND x.device NOT IN (SELECT s.device FROM site_devices s)
GROUP BY ALL
UNION ALL
SELECT 'facility', f.facility, 'unmapped', count(*)
FROM fct_exam f
WHERE f.facility = 'unmapped'
GROUP BY ALL
UNION ALL
SELECT 'room', r.facility, r.room, count(*)
FROM fct_room_stay r
WHERE r.fate = 'unmapped'
GROUP BY ALL
