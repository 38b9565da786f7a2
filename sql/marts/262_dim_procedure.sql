-- name: dim_procedure
-- grain: harmonized procedure
-- key: procedure
-- purpose: The harmonized procedures, and what their exams usually weigh.
-- materialize: table
-- column: procedure VARCHAR - | id
-- column: procedure_name VARCHAR - | name
-- column: modality VARCHAR - | DICOM modality
-- column: region VARCHAR - | body region
-- column: laterality VARCHAR - | N, L, R or B
-- column: contrast VARCHAR - | WO, W, WWO or N
-- column: service_line VARCHAR - | reading service
-- column: loinc VARCHAR - | LOINC code, where there is one
-- column: is_follow_up BOOLEAN - | planned serial imaging
-- column: wrvu_usual DOUBLE wRVU | median of its exams with charges, NULL where there are none
SELECT p.procedure, p.name AS procedure_name, p.modality, p.region, p.laterality, p.contrast, p.service_line,
       coalesce(p.loinc, s.loinc) AS loinc,
       p.is_follow_up, w.wrvu_usual
FROM procedure_reference p
LEFT JOIN (SELECT l.procedure, min(l.loinc) AS loinc FROM site_loinc l GROUP BY l.procedure) s
    ON s.procedure = p.procedure
LEFT JOIN (SELECT b.procedure, b.below * 0.5E0 + b.above * 0.5E0 AS wrvu_usual
           FROM (SELECT r.procedure, min(r.wrvu) FILTER (WHERE 2 * r.upto >= r.n) AS below,
                        min(r.wrvu) FILTER (WHERE 2 * r.upto > r.n) AS above
                 FROM (SELECT c.procedure, c.wrvu, sum(c.n) OVER (PARTITION BY c.procedure) AS n,
                              sum(c.n) OVER (PARTITION BY c.procedure ORDER BY c.wrvu
                                             ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
                       FROM (SELECT e.procedure, e.wrvu, sum(e.n_exams) AS n
                             FROM fct_procedure_wrvu e
                             GROUP BY e.procedure, e.wrvu) c) r
                 GROUP BY r.procedure) b) w ON w.procedure = p.procedure
