-- name: stg_interval
-- grain: exam
-- key: exam_key
-- purpose: Lengths of the ways between an exam's milestones; NULL where an end is missing, negative where they cross.
-- materialize: view
-- column: exam_key VARCHAR - | exam
-- column: order_to_exam_min DOUBLE min | ordered to exam start
-- column: wait_min DOUBLE min | arrived to exam start
-- column: exam_duration_min DOUBLE min | exam start to exam end
-- column: schedule_lag_days DOUBLE d | ordered to booked slot
-- column: image_availability_min DOUBLE min | exam end to images available
-- column: time_to_read_min DOUBLE min | exam end to begin of reading
-- column: report_prelim_min DOUBLE min | exam end to first preliminary
-- column: report_final_min DOUBLE min | exam end to first final
-- column: read_final_min DOUBLE min | images available to first final
-- column: first_read_min DOUBLE min | exam end to first preliminary or final
-- column: prelim_to_final_min DOUBLE min | first preliminary to first final
-- column: order_to_final_min DOUBLE min | ordered to first final
-- column: arrival_to_final_min DOUBLE min | arrived to first final
SELECT f.exam_key,
       minutes_between(f.ordered_at, f.exam_started_at) AS order_to_exam_min,
       minutes_between(f.arrived_at, f.exam_started_at) AS wait_min,
       minutes_between(f.exam_started_at, f.exam_ended_at) AS exam_duration_min,
       minutes_between(f.ordered_at, f.scheduled_at) / 1440 AS schedule_lag_days,
       minutes_between(f.exam_ended_at, f.images_available_at) AS image_availability_min,
       minutes_between(f.exam_ended_at, f.read_started_at) AS time_to_read_min,
       minutes_between(f.exam_ended_at, f.first_prelim_at) AS report_prelim_min,
       minutes_between(f.exam_ended_at, f.first_final_at) AS report_final_min,
       minutes_between(f.images_available_at, f.first_final_at) AS read_final_min,
       minutes_between(f.exam_ended_at, least(f.first_prelim_at, f.first_final_at)) AS first_read_min,
       minutes_between(f.first_prelim_at, f.first_final_at) AS prelim_to_final_min,
       minutes_between(f.ordered_at, f.first_final_at) AS order_to_final_min,
       minutes_between(f.arrived_at, f.first_final_at) AS arrival_to_final_min
FROM stg_exam_fact f
