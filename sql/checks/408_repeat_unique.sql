-- name: repeat_unique
-- purpose: An exam repeats at most one prior.
SELECT r.exam_key FROM fct_repeat_new r
GROUP BY r.exam_key HAVING count(*) > 1
