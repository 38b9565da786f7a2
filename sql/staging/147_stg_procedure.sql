-- name: stg_procedure
-- grain: exam
-- key: exam_key
-- purpose: The harmonized procedure of an exam: as the site decided, else as its codes or its name say.
-- materialize: view
-- column: exam_key VARCHAR - | exam
-- column: procedure VARCHAR - | harmonized procedure, NULL where the name is not mapped or the headers speak against it
SELECT f.exam_key, p.procedure, p.name AS procedure_name, p.region, p.laterality, p.contrast, p.service_line,
       coalesce(f.modality, p.modality) AS modality, p.is_follow_up
FROM stg_exam_fact f
JOIN stg_candidate c ON c.exam_key = f.exam_key
LEFT JOIN stg_label l ON l.exam_key = f.exam_key
LEFT JOIN procedure_reference p ON p.procedure = c.procedure AND (c.method <> 'text' OR NOT coalesce(l.is_against, FALSE))
