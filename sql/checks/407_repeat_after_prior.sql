-- name: repeat_after_prior
-- purpose: A repeat follows its prior within 90 days.
SELECT r.exam_key FROM fct_repeat_new r
WHERE r.days <= 0 OR r.days > 90 OR r.exam_key = r.prior_exam_key
