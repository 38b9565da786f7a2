-- name: stg_appointment
-- grain: appointment message of an exam
-- key: exam_key, message_at, source, message_id, row_number
-- purpose: What scheduling messages say, each message once.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: appointment_key VARCHAR - | keyed appointment number
SELECT DISTINCT m.exam_key, coalesce(a.message_at, a.at) AS message_at, a.source, a.message_id, a.row_number,
       keyed('appointment', concat_ws('^', a.source, a.appointment_id)) AS appointment_key,
       a.status, a.slot_at, a.duration_min, a.resource, a.at, a.procedure_code, a.procedure_text, a.procedure_system,
       a.alternate_code, a.alternate_text, a.alternate_system, a.modality, a.laterality, a.birth_date, a.sex, m.facility
FROM raw_appointment a
JOIN exam_mention m ON m.mention = a.mention
