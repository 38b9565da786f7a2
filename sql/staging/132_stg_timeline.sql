-- name: stg_timeline
-- grain: exam with a milestone
-- key: exam_key
-- purpose: The milestones of an exam side by side.
-- materialize: table
-- column: exam_key VARCHAR - | exam
SELECT m.exam_key,
       max(m.at) FILTER (WHERE m.milestone = 'ordered') AS ordered_at,
       max(m.at) FILTER (WHERE m.milestone = 'booked') AS booked_at,
       max(m.at) FILTER (WHERE m.milestone = 'scheduled') AS scheduled_at,
       max(m.at) FILTER (WHERE m.milestone = 'arrived') AS arrived_at,
       max(m.at) FILTER (WHERE m.milestone = 'protocoled') AS protocoled_at,
       max(m.at) FILTER (WHERE m.milestone = 'exam_started') AS exam_started_at,
       max(m.at) FILTER (WHERE m.milestone = 'exam_ended') AS exam_ended_at,
       max(m.at) FILTER (WHERE m.milestone = 'images_available') AS images_available_at,
       max(m.at) FILTER (WHERE m.milestone = 'read_started') AS read_started_at,
       max(m.at) FILTER (WHERE m.milestone = 'dictated') AS dictated_at,
       max(m.at) FILTER (WHERE m.milestone = 'first_prelim') AS first_prelim_at,
       max(m.at) FILTER (WHERE m.milestone = 'last_prelim') AS last_prelim_at,
       max(m.at) FILTER (WHERE m.milestone = 'first_final') AS first_final_at,
       max(m.at) FILTER (WHERE m.milestone = 'last_final') AS last_final_at,
       max(m.at) FILTER (WHERE m.milestone = 'critical_found') AS critical_found_at,
       max(m.at) FILTER (WHERE m.milestone = 'critical_communicated') AS critical_communicated_at,
       max(m.at) FILTER (WHERE m.milestone = 'cancelled') AS cancelled_at,
       max(m.origin) FILTER (WHERE m.milestone = 'ordered') AS ordered_source,
       max(m.origin) FILTER (WHERE m.milestone = 'arrived') AS arrived_source,
       max(m.origin) FILTER (WHERE m.milestone = 'exam_started') AS exam_started_source,
       max(m.origin) FILTER (WHERE m.milestone = 'exam_ended') AS exam_ended_source,
       max(m.origin) FILTER (WHERE m.milestone = 'images_available') AS images_available_source,
       max(m.origin) FILTER (WHERE m.milestone = 'first_prelim') AS first_prelim_source,
       max(m.origin) FILTER (WHERE m.milestone = 'first_final') AS first_final_source
FROM stg_milestone m
GROUP BY m.exam_key
