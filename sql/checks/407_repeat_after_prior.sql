-- name: repeat_after_prior
-- purpose: A repeat follows its prior within 90 days.
SELECT r.exam_key FROM fct_repeat r JOIN touched_patient t ON t.patient_key = r.patient_key
WHERE r.days <= 0 OR r.days > 90 OR r.exam_key = r.prior_exam_key
