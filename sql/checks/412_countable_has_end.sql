-- name: countable_has_end
-- purpose: An exam that counts was performed and has no reason against it.
SELECT e.exam_key FROM fct_exam_new e
WHERE e.is_countable AND (e.exam_ended_at IS NULL OR e.is_cancelled OR e.is_discontinued
                         OR e.exclusion_reason IS NOT NULL)
