-- name: stg_milestone
-- grain: exam milestone
-- key: exam_key, milestone
-- purpose: Each milestone picked by the rule table: best origin first, then first or last in time.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: milestone VARCHAR - | as in the rule table
-- column: at TIMESTAMP UTC | the picked instant
-- column: origin VARCHAR - | origin that won
SELECT c.exam_key, c.milestone,
       CASE WHEN min(c.pick) = 'first' THEN min(c.value_at) ELSE max(c.value_at) END AS at, min(c.origin) AS origin
FROM (SELECT p.exam_key, p.milestone, p.pick, p.value_at, p.origin,
             CASE WHEN p.pick = 'first' THEN p.value_at = min(p.value_at) OVER w
                  ELSE p.told_at = max(p.told_at) OVER w END AS is_picked
      FROM (SELECT e.exam_key, r.milestone, r.preference, r.pick, e.origin,
                   min(r.preference) OVER (PARTITION BY e.exam_key, r.milestone) AS best,
                   CASE WHEN r.value = 'slot_at' THEN e.slot_told_at WHEN r.pick = 'first' THEN e.first_at
                        ELSE e.last_at END AS told_at,
                   CASE WHEN r.value = 'slot_at' THEN e.slot_at WHEN r.pick = 'first' THEN e.first_at
                        ELSE e.last_at END AS value_at
            FROM stg_milestone_candidate e
            JOIN milestone_rule r ON r.code = e.code AND (r.origin = e.origin OR r.origin = '*')
            WHERE r.value = 'at' OR e.slot_at IS NOT NULL) p
      WHERE p.preference = p.best
      WINDOW w AS (PARTITION BY p.exam_key, p.milestone)) c
WHERE c.is_picked
GROUP BY c.exam_key, c.milestone
