-- name: dq_completeness
-- grain: facility, modality, device, day, milestone, source
-- key: facility, modality, device, day, milestone, source
-- purpose: Which clock each milestone came from, and how often there was none, among exams that count.
-- materialize: table
-- scope: tally
-- least: rung
-- again: fct_exam exam_ended_local day
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: device VARCHAR - | device
-- column: day DATE local | day of exam end
-- column: milestone VARCHAR - | milestone
-- column: source VARCHAR - | origin that won; none where the milestone is missing
-- column: rung INTEGER - | preference of that origin for the milestone, 1 the preferred clock; NULL where none
-- column: n_exams BIGINT exams | exams
SELECT k.facility, k.modality, k.device, k.day, k.milestone, k.source,
       CAST(min(CASE WHEN k.source <> 'none' AND (p.origin = k.source OR p.origin = '*') THEN p.preference END) AS INTEGER)
           AS rung,
       max(k.n_exams) AS n_exams, CAST(NULL AS INTEGER) AS lost_rung
FROM (SELECT e.facility, e.modality, e.device, e.day, m.milestone,
             coalesce(CASE m.milestone WHEN 'ordered' THEN e.ordered_source WHEN 'arrived' THEN e.arrived_source
                                       WHEN 'exam_started' THEN e.exam_started_source
                                       WHEN 'exam_ended' THEN e.exam_ended_source
                                       WHEN 'images_available' THEN e.images_available_source
                                       WHEN 'first_prelim' THEN e.first_prelim_source
                                       WHEN 'first_final' THEN e.first_final_source END, 'none') AS source,
             CAST(sum(e.n) AS BIGINT) AS n_exams
      FROM (SELECT x.facility, x.modality, x.device, CAST(x.exam_ended_local AS DATE) AS day, x.ordered_source,
                   x.arrived_source, x.exam_started_source, x.exam_ended_source, x.images_available_source,
                   x.first_prelim_source, x.first_final_source, sum(x.sign) AS n
            FROM fct_exam_change x
            WHERE x.is_countable AND x.exam_ended_local IS NOT NULL
            GROUP BY ALL) e
      CROSS JOIN (SELECT DISTINCT r.milestone FROM milestone_rule r
                  WHERE r.milestone IN ('ordered', 'arrived', 'exam_started', 'exam_ended', 'images_available',
                                        'first_prelim', 'first_final')) m
      GROUP BY ALL) k
JOIN milestone_rule p ON p.milestone = k.milestone
GROUP BY k.facility, k.modality, k.device, k.day, k.milestone, k.source
