-- name: exam_key_unique
-- purpose: Fct_exam has one row an exam.
SELECT e.exam_key FROM fct_exam_new e GROUP BY e.exam_key HAVING count(*) > 1
