-- name: stg_report
-- grain: report version of an exam
-- key: exam_key, message_at, source, message_id, row_number
-- purpose: Report versions, each once; people as keyed pseudonyms.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: status VARCHAR - | partial, preliminary, final, corrected, addendum or cancelled
-- column: at TIMESTAMP UTC | time of the version
-- column: radiologist VARCHAR - | keyed principal interpreter: identifier within authority, else name
-- column: assistant VARCHAR - | keyed assistant interpreter
-- column: discrepancy VARCHAR - | grade of the preliminary report: none, minor, major; empty where it is taken back
SELECT DISTINCT m.exam_key, coalesce(r.message_at, r.at) AS message_at, r.source, r.message_id, r.row_number,
       r.status, r.at, r.document_id,
       actor_key(r.interpreter_authority, r.interpreter_id, r.interpreter_name) AS radiologist,
       actor_key(r.assistant_authority, r.assistant_id, r.assistant_name) AS assistant,
       r.read_started_at, r.procedure_code, r.procedure_text, r.procedure_system, r.alternate_code, r.alternate_text,
       r.alternate_system, r.modality, r.laterality, r.priority, r.patient_class, r.birth_date, r.sex, r.critical_category,
       r.discrepancy
FROM raw_report r
JOIN exam_mention m ON m.mention = r.mention
