-- name: stg_milestone_candidate
-- grain: exam, event code, origin
-- key: exam_key, code, origin
-- purpose: First and last instant that each origin told of each kind of event, and the slot last told.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: code VARCHAR - | event of the vocabulary
-- column: origin VARCHAR - | origin
-- column: first_at TIMESTAMP UTC | earliest
-- column: last_at TIMESTAMP UTC | latest
-- column: slot_at TIMESTAMP UTC | slot of the latest that names one
-- column: slot_told_at TIMESTAMP UTC | when that slot was told
SELECT g.exam_key, g.code, g.origin, min(g.at) AS first_at, max(g.at) AS last_at,
       max(g.slot_at) FILTER (WHERE g.at = g.last_slot_told_at) AS slot_at, max(g.last_slot_told_at) AS slot_told_at
FROM (SELECT e.exam_key, e.code, e.origin, e.at, e.slot_at,
             max(CASE WHEN e.slot_at IS NOT NULL THEN e.at END) OVER (PARTITION BY e.exam_key, e.code, e.origin)
                 AS last_slot_told_at
      FROM stg_milestone_event e
      WHERE e.at IS NOT NULL) g
GROUP BY g.exam_key, g.code, g.origin
