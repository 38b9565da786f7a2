-- name: stg_target
-- grain: exam with a report_final target
-- key: exam_key
-- purpose: The most specific target that is valid on the local day on which the exam ended.
-- materialize: view
-- column: exam_key VARCHAR - | exam
-- column: target_min DOUBLE min | exam end to first final report
SELECT m.exam_key, m.target_min
FROM (SELECT f.exam_key, t.target_min,
             row_number() OVER (
                 PARTITION BY f.exam_key
                 ORDER BY t.n_conditions DESC, t.valid_from DESC NULLS LAST, t.target_min) AS choice
      FROM stg_exam_fact f
      JOIN target t ON t.metric = 'report_final'
          AND (t.facility IS NULL OR t.facility = f.facility)
          AND (t.modality IS NULL OR t.modality = f.modality)
          AND (t.priority IS NULL OR t.priority = f.priority)
          AND (t.patient_class IS NULL OR t.patient_class = f.patient_class)
          AND (t.valid_from IS NULL OR t.valid_from <= CAST(local_at(f.exam_ended_at, f.zone) AS DATE))
          AND (t.valid_to IS NULL OR t.valid_to > CAST(local_at(f.exam_ended_at, f.zone) AS DATE))) m
WHERE m.choice = 1
