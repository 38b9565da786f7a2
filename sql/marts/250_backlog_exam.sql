-- name: backlog_exam
-- grain: exam that waited for its report after the hour from which the backlog is derived again
-- key: exam_key
-- purpose: From which hour to which an exam waits: first hour not before its end, first hour not before its report.
-- materialize: work
-- column: exam_key VARCHAR - | exam
-- column: in_at TIMESTAMP UTC | first hour at which it waits
-- column: past_at TIMESTAMP UTC | first hour at which it is past its target
-- column: out_at TIMESTAMP UTC | first hour at which it no longer waits
SELECT b.exam_key, b.facility, b.modality, b.priority, b.patient_class, b.exam_ended_at, b.wrvu,
       greatest(b.in_at, b.since_at) AS in_at, greatest(b.past_at, b.in_at, b.since_at) AS past_at, b.out_at
FROM (SELECT e.exam_key, e.facility, e.modality, e.priority, e.patient_class, e.exam_ended_at,
             CAST(coalesce(e.wrvu, 0) AS DECIMAL(18, 4)) AS wrvu, t.since_at,
             date_trunc('hour', e.exam_ended_at + INTERVAL 3599999999 MICROSECOND) AS in_at,
             date_trunc('hour', add_seconds(e.exam_ended_at, e.target_min * 60)) + INTERVAL 1 HOUR AS past_at,
             least(coalesce(date_trunc('hour', e.first_final_at + INTERVAL 3599999999 MICROSECOND), c.end_at), c.end_at)
                 AS out_at
      FROM fct_exam e
      JOIN touched_facility t ON t.facility = e.facility
      CROSS JOIN (SELECT date_trunc('hour', k.data_through) + INTERVAL 1 HOUR AS end_at FROM clock k) c
      WHERE e.is_countable AND (e.first_final_at IS NULL OR e.first_final_at > t.since_at)) b
WHERE b.in_at < b.out_at AND b.since_at < b.out_at
