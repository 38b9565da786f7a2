-- name: stg_procedure
-- grain: exam
-- key: exam_key
-- purpose: The harmonized procedure of an exam: as the site decided, else as its local name says.
-- materialize: view
-- column: exam_key VARCHAR - | exam
-- column: procedure VARCHAR - | harmonized procedure, NULL where the name is not mapped
SELECT f.exam_key, p.procedure, p.name AS procedure_name, p.region, p.laterality, p.contrast, p.service_line,
       coalesce(f.modality, p.modality) AS modality, p.is_follow_up
FROM stg_exam_fact f
LEFT JOIN procedure_name n ON n.name_key = name_key(f.facility, f.procedure_code, f.procedure_text, f.alternate_code,
                                                    f.alternate_text, f.modality)
LEFT JOIN stg_decision d ON d.exam_key = f.exam_key
LEFT JOIN procedure_reference p ON p.procedure = coalesce(d.procedure, n.procedure)
