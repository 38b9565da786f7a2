-- name: stg_statement
-- grain: message that describes an exam
-- key: exam_key, version
-- purpose: What every message says of its exam in one shape; version grows with the speaker's weight, then with time.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: version BIGINT - | a later version wins: orders over reports over appointments over images
SELECT s.*,
       row_number() OVER (
           PARTITION BY s.exam_key
           ORDER BY s.weight, s.message_at NULLS FIRST, s.source, s.message_id, s.row_number, s.procedure_code,
                    s.procedure_text, s.alternate_code, s.alternate_text, s.modality, s.laterality, s.priority,
                    s.patient_class, s.location, s.reason, s.outside_prior, s.outside_modality, s.outside_body_part,
                    s.duplicate_reason, s.birth_date, s.sex, s.procedure_system, s.alternate_system) AS version
FROM (SELECT exam_key, 4 AS weight, message_at, source, message_id, row_number, procedure_code, procedure_text,
             procedure_system, alternate_code, alternate_text, alternate_system, modality, laterality, priority,
             patient_class, location, reason, outside_prior, outside_modality, outside_body_part, duplicate_reason, birth_date, sex
      FROM stg_order
      UNION ALL
      SELECT exam_key, 3, message_at, source, message_id, row_number, procedure_code, procedure_text,
             procedure_system, alternate_code, alternate_text, alternate_system, modality, laterality, priority,
             patient_class, NULL, NULL, NULL, NULL, NULL, NULL, birth_date, sex
      FROM stg_report
      UNION ALL
      SELECT exam_key, 2, message_at, source, message_id, row_number, procedure_code, procedure_text,
             procedure_system, alternate_code, alternate_text, alternate_system, modality, laterality, NULL, NULL, NULL,
             NULL, NULL, NULL, NULL, NULL, birth_date, sex
      FROM stg_appointment
      UNION ALL
      SELECT exam_key, 1, min(message_at), '', '', 0, procedure_code, procedure_text, procedure_system,
             alternate_code, alternate_text, alternate_system, NULL, NULL, NULL, NULL, NULL,
             NULL, NULL, NULL, NULL, NULL, max(birth_date), max(sex)
      FROM stg_instance
      GROUP BY exam_key, procedure_code, procedure_text, procedure_system, alternate_code, alternate_text,
               alternate_system) s
