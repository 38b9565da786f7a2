-- name: stg_milestone
-- grain: exam milestone
-- key: exam_key, milestone
-- purpose: Each milestone picked by the rule table: best origin first, then first or last in time.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: milestone VARCHAR - | as in the rule table
-- column: at TIMESTAMP UTC | the picked instant; of a rule of slots the slot, as told last
-- column: origin VARCHAR - | origin that won
SELECT p.exam_key, p.milestone,
       at_micros(CASE WHEN p.slot IS NOT NULL THEN -p.slot.slot ELSE p.best.reach * p.best.direction END) AS at,
       p.best.origin AS origin
-- The least of (preference, reach, origin) wins; reach is time, backwards where the last is picked.
FROM (SELECT e.exam_key, r.milestone,
             min({'preference': r.preference, 'reach': micros(e.at) * r.direction, 'origin': e.origin,
                  'direction': r.direction}) AS best,
             min({'preference': r.preference, 'reach': micros(e.at) * r.direction, 'slot': -micros(e.slot_at)})
                 FILTER (WHERE r.value = 'slot_at') AS slot
      FROM stg_milestone_event e
      JOIN (SELECT m.*, CASE WHEN m.pick = 'first' THEN 1 ELSE -1 END AS direction FROM milestone_rule m) r
          ON r.code = e.code AND (r.origin = e.origin OR r.origin = '*')
      WHERE e.at IS NOT NULL AND (r.value = 'at' OR e.slot_at IS NOT NULL)
      GROUP BY e.exam_key, r.milestone) p
