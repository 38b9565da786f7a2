-- name: exam_key_unique
-- purpose: Fct_exam has one row an exam.
SELECT e.exam_key FROM fct_exam e JOIN touched_exam t ON t.exam_key = e.exam_key GROUP BY e.exam_key HAVING count(*) > 1
