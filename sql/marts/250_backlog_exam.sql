-- name: backlog_exam
-- grain: exam (those of a group that end at once are alike), stretch in which the backlog of its group is derived again
-- key: facility, modality, priority, patient_class, exam_ended_at, from_at
-- purpose: From which hour to which an exam waits: first hour not before its end, first hour not before its report.
-- materialize: work
-- column: n_exams BIGINT exams | such exams
-- column: from_at TIMESTAMP UTC | begin of the stretch
-- column: in_at TIMESTAMP UTC | first hour at which it waits
-- column: past_at TIMESTAMP UTC | first hour at which it is past its target
-- column: out_at TIMESTAMP UTC | first hour at which it no longer waits
SELECT b.facility, b.modality, b.priority, b.patient_class, b.exam_ended_at, b.n_exams, b.wrvu, b.from_at,
       greatest(b.in_at, b.from_at) AS in_at, greatest(b.past_at, b.in_at, b.from_at) AS past_at,
       least(b.out_at, b.to_at) AS out_at
FROM (SELECT e.facility, e.modality, e.priority, e.patient_class, e.exam_ended_at,
             e.n_exams, CAST(CAST(coalesce(e.wrvu, 0) AS DECIMAL(18, 4)) * e.n_exams AS DECIMAL(18, 4)) AS wrvu,
             t.from_at, t.to_at,
             date_trunc('hour', e.exam_ended_at + INTERVAL 3599999999 MICROSECOND) AS in_at,
             date_trunc('hour', add_seconds(e.exam_ended_at, e.target_min * 60)) + INTERVAL 1 HOUR AS past_at,
             least(coalesce(date_trunc('hour', e.first_final_at + INTERVAL 3599999999 MICROSECOND), c.end_at), c.end_at)
                 AS out_at
      FROM (SELECT x.facility, x.modality, x.priority, x.patient_class, x.exam_ended_at, x.target_min, x.wrvu,
                   x.first_final_at, 1 AS n_exams
            FROM fct_exam x
            WHERE x.is_countable AND x.first_final_at > (SELECT min(b.from_at) FROM touched_backlog b)
            UNION ALL
            SELECT w.facility, w.modality, w.priority, w.patient_class, w.exam_ended_at, w.target_min, w.wrvu,
                   CAST(NULL AS TIMESTAMP), w.n_exams
            FROM fct_waiting w) e
      JOIN touched_backlog t ON t.facility = e.facility AND t.modality IS NOT DISTINCT FROM e.modality
          AND t.priority IS NOT DISTINCT FROM e.priority AND t.patient_class IS NOT DISTINCT FROM e.patient_class
      CROSS JOIN (SELECT date_trunc('hour', k.data_through) + INTERVAL 1 HOUR AS end_at FROM clock k) c
      WHERE e.exam_ended_at < t.to_at
          AND (e.first_final_at IS NULL OR e.first_final_at > t.from_at)) b
WHERE b.in_at < b.out_at AND b.in_at < b.to_at AND b.out_at > b.from_at
