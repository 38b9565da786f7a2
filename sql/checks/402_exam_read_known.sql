-- name: exam_read_known
-- purpose: Every read belongs to an exam.
SELECT r.exam_key FROM fct_read_new r
LEFT JOIN fct_exam_new e ON e.exam_key = r.exam_key
WHERE e.exam_key IS NULL
