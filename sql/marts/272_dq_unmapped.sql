-- name: dq_unmapped
-- grain: kind of name, facility, name
-- key: kind, facility, name
-- purpose: Names that nobody has mapped, by volume: procedures, devices, facilities, rooms.
-- materialize: table
-- scope: tally
-- column: kind VARCHAR - | procedure, device, facility or room
-- column: facility VARCHAR - | facility
-- column: name VARCHAR - | local code, device id, unmapped, or room as sent
-- column: n_exams BIGINT exams | exams; of a room, stays
SELECT 'procedure' AS kind, e.facility, coalesce(e.procedure_local, '(no code)') AS name,
       CAST(sum(e.sign) AS BIGINT) AS n_exams
FROM fct_exam_change e
WHERE e.procedure IS NULL AND NOT e.is_imported
GROUP BY ALL
UNION ALL
SELECT 'device', x.facility, x.device, CAST(sum(x.sign) AS BIGINT)
FROM fct_exam_change x
WHERE x.device IS NOT NULL AND NOT x.is_imported AND x.device NOT IN (SELECT s.device FROM site_devices s)
GROUP BY ALL
UNION ALL
SELECT 'facility', f.facility, 'unmapped', CAST(sum(f.sign) AS BIGINT)
FROM fct_exam_change f
WHERE f.facility = 'unmapped'
GROUP BY ALL
UNION ALL
SELECT 'room', r.facility, r.room, CAST(sum(r.sign) AS BIGINT)
FROM fct_room_stay_change r
WHERE r.fate = 'unmapped'
GROUP BY ALL
