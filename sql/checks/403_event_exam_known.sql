-- name: event_exam_known
-- purpose: Every event belongs to an exam.
SELECT v.exam_key FROM fct_exam_event_new v
LEFT JOIN fct_exam_new e ON e.exam_key = v.exam_key
WHERE e.exam_key IS NULL
