-- name: stg_milestone
-- grain: exam milestone
-- key: exam_key, milestone
-- purpose: Each milestone picked by the rule table: best origin first, then first or last in time.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: milestone VARCHAR - | as in the rule table
-- column: at TIMESTAMP UTC | the picked instant
-- column: origin VARCHAR - | origin that won
SELECT g.exam_key, g.milestone, arg_min(g.at, g.preference) AS at, arg_min(g.origin, g.preference) AS origin
FROM (SELECT p.exam_key, p.milestone, p.preference,
             CASE WHEN p.pick = 'first' THEN arg_min(p.origin, concat(p.at, p.origin))
                  ELSE arg_max(p.origin, concat(p.at, p.origin)) END AS origin,
             CASE WHEN p.pick = 'first' THEN min(p.value_at) ELSE max_by(p.value_at, concat(p.at, p.value_at)) END AS at
      FROM (SELECT e.exam_key, r.milestone, r.preference, r.pick, e.origin, e.at,
                   CASE WHEN r.value = 'slot_at' THEN e.slot_at ELSE e.at END AS value_at
            FROM stg_milestone_event e
            JOIN milestone_rule r ON r.code = e.code AND (r.origin = e.origin OR r.origin = '*')) p
      WHERE p.value_at IS NOT NULL
      GROUP BY p.exam_key, p.milestone, p.preference, p.pick) g
GROUP BY g.exam_key, g.milestone
