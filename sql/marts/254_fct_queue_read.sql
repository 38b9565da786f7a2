-- name: fct_queue_read
-- grain: exam that somebody began to read
-- key: exam_key
-- purpose: Each exam's turn on its worklist (facility, service line): what was due sooner and had to wait on.
-- materialize: table
-- scope: worklist taken_at
-- sorted_by: month of taken_at, facility, taken_at
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility
-- column: radiologist VARCHAR - | keyed reader who reported first
-- column: modality VARCHAR - | modality
-- column: device VARCHAR - | device
-- column: procedure VARCHAR - | harmonized procedure
-- column: service_line VARCHAR - | service line
-- column: priority VARCHAR - | priority
-- column: patient_class VARCHAR - | patient class
-- column: ready_at TIMESTAMP UTC | end of the exam, or images available where later and before taken_at
-- column: due_at TIMESTAMP UTC | end of the exam and its target; without one the end, compared within its priority only
-- column: taken_at TIMESTAMP UTC | reading began; where not told 10 min before the first report, not before exam end
-- column: taken_local TIMESTAMP local | wall clock of the facility
-- column: n_passed BIGINT exams | due sooner, ready, and begun later, within 7 days of being ready
-- column: n_passed_by BIGINT exams | due later and begun sooner, while this one was ready
-- column: delay_min DOUBLE min | from the begin as many turns before its own as it was passed by; NULL if it was not
-- column: is_queued BOOLEAN - | begun within 7 days of being ready; one left for longer is lost rather than waiting
WITH since AS (  -- nothing was begun later than the last of what is told of its reading
    SELECT min(t.from_at) - INTERVAL 7 DAY AS since_at FROM touched_worklist t
), begun AS (
    SELECT e.exam_key, e.facility, e.radiologist, e.modality, e.device, e.procedure, e.service_line, e.priority,
           e.patient_class, e.ended_at, e.images_available_at, e.due_at, e.worklist, e.from_at, e.to_at,
           CASE WHEN e.read_started_at <= coalesce(e.reported_at, e.read_started_at) THEN e.read_started_at
                ELSE greatest(e.reported_at - INTERVAL 10 MINUTE, e.ended_at) END AS taken_at
    FROM (SELECT x.exam_key, x.facility, x.modality, x.device, x.procedure, x.service_line, x.priority, x.patient_class,
                 x.images_available_at, x.read_started_at, t.from_at, t.to_at, x.exam_ended_at AS ended_at,
                 least(x.first_prelim_at, x.first_final_at) AS reported_at,
                 concat(coalesce(x.service_line, ''), '|', CASE WHEN x.target_min IS NULL THEN x.priority ELSE '' END)
                     AS worklist, add_seconds(x.exam_ended_at, coalesce(x.target_min, 0) * 60) AS due_at,
                 CASE WHEN x.first_prelim_at <= coalesce(x.first_final_at, x.first_prelim_at)
                      THEN coalesce(x.assistant, x.radiologist) ELSE x.radiologist END AS radiologist
          FROM (SELECT f.* FROM fct_exam f CROSS JOIN since s WHERE f.first_final_at >= s.since_at
                UNION ALL
                SELECT p.* FROM fct_exam p CROSS JOIN since s
                WHERE p.first_prelim_at >= s.since_at AND (p.first_final_at IS NULL OR p.first_final_at < s.since_at)
                UNION ALL
                SELECT o.* FROM fct_exam o CROSS JOIN since s
                WHERE o.read_started_at >= s.since_at AND (o.first_prelim_at IS NULL OR o.first_prelim_at < s.since_at)
                    AND (o.first_final_at IS NULL OR o.first_final_at < s.since_at)) x
          JOIN touched_worklist t ON t.facility = x.facility AND t.service_line IS NOT DISTINCT FROM x.service_line
          WHERE x.is_countable AND x.exam_ended_at < t.to_at + INTERVAL 7 DAY) e
    WHERE least(e.read_started_at, e.reported_at) >= e.ended_at
), turn AS (
    SELECT r.*, r.taken_at < r.ready_at + INTERVAL 7 DAY AS is_queued,
           row_number() OVER (PARTITION BY r.facility, r.worklist, r.from_at
                              ORDER BY r.taken_at, r.due_at, r.exam_key) AS turn
    FROM (SELECT b.*, CASE WHEN b.images_available_at > b.ended_at AND b.images_available_at <= b.taken_at
                           THEN b.images_available_at ELSE b.ended_at END AS ready_at
          FROM begun b
          WHERE b.taken_at >= b.from_at - INTERVAL 7 DAY AND b.taken_at < b.to_at + INTERVAL 7 DAY) r
), passing AS (
    SELECT w.exam_key AS waiting_key, r.exam_key AS taken_key, r.from_at
    FROM (SELECT q.exam_key, q.facility, q.worklist, q.from_at, q.ready_at, q.due_at, q.taken_at,
                 unnest(generate_series(date_trunc('day', q.ready_at), q.taken_at, INTERVAL 1 DAY)) AS day_at
          FROM turn q
          WHERE q.is_queued) w
    JOIN turn r ON r.facility = w.facility AND r.worklist = w.worklist AND r.from_at = w.from_at
        AND date_trunc('day', r.taken_at) = w.day_at
        AND r.taken_at >= w.ready_at AND r.taken_at < w.taken_at AND r.due_at > w.due_at
)
SELECT q.exam_key, q.facility, q.radiologist, q.modality, q.device, q.procedure, q.service_line, q.priority,
       q.patient_class, q.ready_at, q.due_at, q.taken_at,
       local_at(q.taken_at, coalesce(z.zone, d.default_zone)) AS taken_local, coalesce(p.n, 0) AS n_passed,
       coalesce(o.n, 0) AS n_passed_by, minutes_between(s.taken_at, q.taken_at) AS delay_min, q.is_queued
FROM turn q
CROSS JOIN site_zone d
LEFT JOIN site_facility z ON z.facility = q.facility
LEFT JOIN (SELECT g.taken_key, g.from_at, count(*) AS n FROM passing g GROUP BY g.taken_key, g.from_at) p
    ON p.taken_key = q.exam_key AND p.from_at = q.from_at
LEFT JOIN (SELECT g.waiting_key, g.from_at, count(*) AS n FROM passing g GROUP BY g.waiting_key, g.from_at) o
    ON o.waiting_key = q.exam_key AND o.from_at = q.from_at
LEFT JOIN turn s ON s.facility = q.facility AND s.worklist = q.worklist AND s.from_at = q.from_at
    AND s.turn = q.turn - o.n
WHERE q.taken_at >= q.from_at AND q.taken_at < q.to_at
