-- name: repeat_unique
-- purpose: An exam repeats at most one prior.
SELECT r.exam_key FROM fct_repeat r JOIN touched_patient t ON t.patient_key = r.patient_key
GROUP BY r.exam_key HAVING count(*) > 1
