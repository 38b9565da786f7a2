-- name: stg_attribute
-- grain: exam
-- key: exam_key
-- purpose: The latest word on each attribute: a field left out changes nothing, an empty value deletes.
-- materialize: table
-- column: exam_key VARCHAR - | exam
SELECT s.exam_key,
       nullif(arg_max(s.procedure_code, s.version) FILTER (WHERE s.procedure_code IS NOT NULL), '') AS procedure_code,
       nullif(arg_max(s.procedure_text, s.version) FILTER (WHERE s.procedure_text IS NOT NULL), '') AS procedure_text,
       nullif(arg_max(s.procedure_system, s.version) FILTER (WHERE s.procedure_system IS NOT NULL), '')
           AS procedure_system,
       nullif(arg_max(s.alternate_system, s.version) FILTER (WHERE s.alternate_system IS NOT NULL), '')
           AS alternate_system,
       nullif(arg_max(s.alternate_code, s.version) FILTER (WHERE s.alternate_code IS NOT NULL), '') AS alternate_code,
       nullif(arg_max(s.alternate_text, s.version) FILTER (WHERE s.alternate_text IS NOT NULL), '') AS alternate_text,
       nullif(arg_max(s.modality, s.version) FILTER (WHERE s.modality IS NOT NULL), '') AS modality,
       nullif(arg_max(s.laterality, s.version) FILTER (WHERE s.laterality IS NOT NULL), '') AS laterality,
       nullif(arg_max(s.priority, s.version) FILTER (WHERE s.priority IS NOT NULL), '') AS priority,
       nullif(arg_max(s.patient_class, s.version) FILTER (WHERE s.patient_class IS NOT NULL), '') AS patient_class,
       nullif(arg_max(s.location, s.version) FILTER (WHERE s.location IS NOT NULL), '') AS location,
       nullif(arg_max(s.reason, s.version) FILTER (WHERE s.reason IS NOT NULL), '') AS reason,
       nullif(arg_max(s.outside_prior, s.version) FILTER (WHERE s.outside_prior IS NOT NULL), '') AS outside_prior,
       nullif(arg_max(s.outside_modality, s.version) FILTER (WHERE s.outside_modality IS NOT NULL), '')
           AS outside_modality,
       nullif(arg_max(s.outside_body_part, s.version) FILTER (WHERE s.outside_body_part IS NOT NULL), '')
           AS outside_body_part,
       nullif(arg_max(s.duplicate_reason, s.version) FILTER (WHERE s.duplicate_reason IS NOT NULL), '')
           AS duplicate_reason,
       arg_max(s.birth_date, s.version) FILTER (WHERE s.birth_date IS NOT NULL) AS birth_date,
       nullif(arg_max(s.sex, s.version) FILTER (WHERE s.sex IS NOT NULL), '') AS sex,
       max(s.weight) = 4 AS has_order
FROM stg_statement s
GROUP BY s.exam_key
