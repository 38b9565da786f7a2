-- name: stg_exam_flag
-- grain: exam
-- key: exam_key
-- purpose: Whether an exam counts, and if not the first reason why.
-- materialize: view
-- column: exam_key VARCHAR - | exam
-- column: exclusion_reason VARCHAR - | NULL for an exam that counts
SELECT f.exam_key,
       CASE WHEN f.is_cancelled THEN 'cancelled'
            WHEN f.is_no_show THEN 'no_show'
            WHEN f.is_discontinued THEN 'discontinued'
            WHEN f.is_imported THEN 'outside_import'
            WHEN f.exam_ended_at IS NULL THEN 'not_performed'
            WHEN f.facility = 'unmapped' THEN 'unlinked_facility' END AS exclusion_reason,
       local_at(f.ordered_at, f.zone) AS ordered_local,
       local_at(f.scheduled_at, f.zone) AS scheduled_local,
       local_at(f.arrived_at, f.zone) AS arrived_local,
       local_at(f.exam_started_at, f.zone) AS exam_started_local,
       local_at(f.exam_ended_at, f.zone) AS exam_ended_local,
       local_at(f.first_final_at, f.zone) AS first_final_local,
       floor(date_diff('day', f.birth_date,
                       CAST(coalesce(f.exam_started_at, f.ordered_at, f.scheduled_at, f.first_final_at) AS DATE))
             / 365.25) AS age,
       f.duplicate_reason IS NOT NULL AS is_declared_repeat
FROM stg_exam_fact f
