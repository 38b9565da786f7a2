-- name: counts_not_negative
-- purpose: Counts are not negative.
SELECT e.exam_key FROM fct_exam_new e
WHERE least(e.n_images, e.n_series, e.n_rejected, e.n_addenda, e.n_corrections) < 0
