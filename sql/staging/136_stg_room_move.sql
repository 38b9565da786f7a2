-- name: stg_room_move
-- grain: arrival in a room, or departure from it
-- key: facility, who, room, kind, at, stay_ref, stay_number
-- purpose: What stands of the moves of patients: each once, without cancelled ones; of an encounter, its last version.
-- materialize: table
-- column: facility VARCHAR - | facility; unmapped where no alias is known
-- column: who VARCHAR - | the patient, else the visit; private
-- column: room VARCHAR - | room as sent
-- column: kind VARCHAR - | entered or left
-- column: at TIMESTAMP UTC | when
-- column: stay_ref VARCHAR - | encounter that tells both ends of its stays; NULL where arrivals and departures are told apart
-- column: stay_number BIGINT - | stay of that encounter
WITH told AS (
    SELECT DISTINCT m.facility, m.who, m.room, m.kind, m.at, m.stay_ref, m.stay_number
    FROM (SELECT r.*, rank() OVER (PARTITION BY r.stay_ref ORDER BY r.message_at DESC NULLS LAST, r.message_id DESC)
                     AS age
          FROM room_move r) m
    WHERE m.stay_ref IS NULL OR m.age = 1
), taken_back AS (
    SELECT c.facility, c.who, c.at AS cancelled_at, k.kind, max(k.at) AS at
    FROM told c
    JOIN told k ON k.facility = c.facility AND k.who = c.who AND k.kind = replace(c.kind, 'not_', '')
        AND k.at <= c.at
    WHERE c.kind IN ('not_entered', 'not_left')
    GROUP BY c.facility, c.who, c.at, k.kind
)
SELECT t.facility, t.who, t.room, t.kind, t.at, t.stay_ref, t.stay_number
FROM told t
LEFT JOIN (SELECT DISTINCT b.facility, b.who, b.kind, b.at FROM taken_back b) x
    ON x.facility = t.facility AND x.who = t.who AND x.kind = t.kind AND x.at = t.at AND t.stay_ref IS NULL
WHERE t.kind IN ('entered', 'left') AND t.who IS NOT NULL AND t.room <> '' AND x.who IS NULL
