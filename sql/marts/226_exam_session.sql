-- name: exam_session
-- grain: session of one patient on one device
-- key: device, first_exam_key
-- purpose: Exams of a patient on a device merged where they touch or overlap; an exam over 24 hours is a clock fault.
-- materialize: work
-- column: device VARCHAR - | device
-- column: busy_started_at TIMESTAMP UTC | begin of the first exam
-- column: busy_ended_at TIMESTAMP UTC | end of the last
SELECT n.device, min(n.exam_key) AS first_exam_key, min(n.facility) AS facility,
       arg_min(n.modality, concat(n.exam_started_at, n.modality)) AS modality,
       min(n.exam_started_at) AS busy_started_at, max(n.exam_ended_at) AS busy_ended_at, count(*) AS n_exams
FROM (SELECT g.*, sum(g.is_first) OVER (
                 PARTITION BY g.device, g.patient_key ORDER BY g.exam_started_at, g.exam_ended_at, g.exam_key
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session
      FROM (SELECT i.*, CASE WHEN i.exam_started_at <= max(i.exam_ended_at) OVER (
                            PARTITION BY i.device, i.patient_key ORDER BY i.exam_started_at, i.exam_ended_at, i.exam_key
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS is_first
            FROM (SELECT e.exam_key, e.device, coalesce(e.patient_key, e.exam_key) AS patient_key, e.facility,
                         e.modality, e.exam_started_at, e.exam_ended_at
                  FROM fct_exam e
                  JOIN touched_device t ON t.device = e.device AND e.exam_started_at >= t.load_from
                      AND e.exam_started_at < t.load_to
                  WHERE e.exam_started_at >= (SELECT min(k.load_from) FROM touched_device k) AND NOT e.is_imported
                      AND e.exam_ended_at > e.exam_started_at
                      AND e.exam_ended_at <= e.exam_started_at + INTERVAL 24 HOUR) i) g) n
GROUP BY n.device, n.patient_key, n.session
