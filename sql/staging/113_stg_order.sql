-- name: stg_order
-- grain: order message of an exam
-- key: exam_key, message_at, source, message_id, row_number
-- purpose: What order messages say of an exam, each message once.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: message_at TIMESTAMP UTC | when the message was made
SELECT DISTINCT m.exam_key, coalesce(o.message_at, o.at) AS message_at, o.source, o.message_id, o.row_number,
       o.procedure_code, o.procedure_text, o.procedure_system, o.alternate_code, o.alternate_text, o.alternate_system,
       o.modality, o.laterality, o.order_control, o.order_status, o.priority, o.patient_class, o.location, o.reason, o.station,
       o.replaced_by, o.outside_prior, o.outside_modality, o.outside_body_part, o.duplicate_reason, o.birth_date, o.sex,
       o.at, o.requested_at, m.facility
FROM raw_order o
JOIN exam_mention m ON m.mention = o.mention
