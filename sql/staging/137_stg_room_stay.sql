-- name: stg_room_stay
-- grain: stay in a room; an arrival or a departure that found no other end
-- key: facility, who, room, entered_at, left_at
-- purpose: Arrivals with the departure that follows in the same room, else the patient's next arrival within the hour.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: who VARCHAR - | the patient, else the visit; private
-- column: room VARCHAR - | room as sent
-- column: entered_at TIMESTAMP UTC | arrival; NULL for a departure alone
-- column: left_at TIMESTAMP UTC | departure; NULL for an arrival alone
-- column: end_source VARCHAR - | departure, next_arrival or none
WITH step AS (
    SELECT m.*, lead(m.kind) OVER w AS next_kind, lead(m.at) OVER w AS next_at, lag(m.kind) OVER w AS previous_kind
    FROM stg_room_move m
    WHERE m.stay_ref IS NULL
    WINDOW w AS (PARTITION BY m.facility, m.who, m.room ORDER BY m.at, m.kind)
), arrival AS (
    SELECT s.*, lead(s.room) OVER w AS other_room, lead(s.at) OVER w AS other_at
    FROM step s
    WHERE s.kind = 'entered'
    WINDOW w AS (PARTITION BY s.facility, s.who ORDER BY s.at, s.room)
), stay AS (
    SELECT a.facility, a.who, a.room, a.at AS entered_at,
           CASE WHEN a.next_kind = 'left' THEN a.next_at
                WHEN a.other_room <> a.room AND a.other_at <= a.at + INTERVAL 60 MINUTE THEN a.other_at END AS left_at,
           CASE WHEN a.next_kind = 'left' THEN 'departure' ELSE 'next_arrival' END AS end_source
    FROM arrival a
    UNION ALL
    SELECT d.facility, d.who, d.room, NULL, d.at, 'departure'
    FROM step d
    WHERE d.kind = 'left' AND d.previous_kind IS DISTINCT FROM 'entered'
    UNION ALL
    SELECT e.facility, e.who, e.room, max(e.at) FILTER (WHERE e.kind = 'entered'),
           max(e.at) FILTER (WHERE e.kind = 'left'), 'departure'
    FROM stg_room_move e
    WHERE e.stay_ref IS NOT NULL
    GROUP BY e.facility, e.who, e.room, e.stay_ref, e.stay_number
)
SELECT t.facility, t.who, t.room, t.entered_at, max(t.left_at) AS left_at,
       CASE WHEN max(t.left_at) IS NULL THEN 'none' ELSE min(t.end_source) FILTER (WHERE t.left_at IS NOT NULL) END
           AS end_source
FROM stay t
GROUP BY t.facility, t.who, t.room, t.entered_at, CASE WHEN t.entered_at IS NULL THEN t.left_at END
