-- name: stg_decision
-- grain: exam whose name the site decided
-- key: exam_key
-- purpose: The harmonized procedure that the site's own map gives, as valid on the day of the exam.
-- materialize: view
-- column: exam_key VARCHAR - | exam
-- column: procedure VARCHAR - | decided procedure
SELECT c.exam_key, c.procedure
FROM (SELECT n.exam_key, d.procedure,
             row_number() OVER (PARTITION BY n.exam_key ORDER BY n.preference, d.valid_from DESC NULLS LAST, d.procedure)
                 AS choice
      FROM (SELECT e.exam_key, e.facility, w.preference,
                   CASE w.preference WHEN 1 THEN coalesce(e.procedure_code, trim(e.procedure_text))
                                     ELSE e.alternate_code END AS name,
                   CAST(local_at(coalesce(e.exam_started_at, e.exam_ended_at, e.scheduled_at, e.ordered_at,
                                          e.first_final_at), e.zone) AS DATE) AS day
            FROM stg_exam_fact e
            CROSS JOIN (SELECT 1 AS preference UNION ALL SELECT 2) w) n
      JOIN site_procedures d ON d.facility = n.facility AND coalesce(d.code, d.text) = n.name
          AND (d.valid_from IS NULL OR n.day IS NULL OR d.valid_from <= n.day)
      JOIN procedure_reference r ON r.procedure = d.procedure) c
WHERE c.choice = 1
