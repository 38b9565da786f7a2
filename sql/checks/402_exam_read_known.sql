-- name: exam_read_known
-- purpose: Every read belongs to an exam.
SELECT r.exam_key FROM fct_read r
JOIN touched_exam t ON t.exam_key = r.exam_key
LEFT JOIN fct_exam e ON e.exam_key = r.exam_key
WHERE e.exam_key IS NULL
