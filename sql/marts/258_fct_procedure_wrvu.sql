-- name: fct_procedure_wrvu
-- grain: facility, procedure, wRVU
-- key: facility, procedure, wrvu
-- purpose: How much the exams of a procedure weigh, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- column: facility VARCHAR - | facility
-- column: procedure VARCHAR - | harmonized procedure
-- column: wrvu DOUBLE wRVU | by charges and the site's fee schedule
-- column: n_exams BIGINT exams | exams that count
SELECT c.facility, c.procedure, c.wrvu, CAST(sum(c.sign) AS BIGINT) AS n_exams
FROM fct_exam_change c
WHERE c.is_countable AND c.wrvu IS NOT NULL
GROUP BY c.facility, c.procedure, c.wrvu
