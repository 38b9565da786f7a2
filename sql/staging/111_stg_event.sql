-- name: stg_event
-- grain: event of an exam, as one source told it
-- key: exam_key, code, at, origin, source, status_code, slot_at, station, reason_code, detail
-- purpose: Events of the exams, each once however often it was sent.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: code VARCHAR - | event of the vocabulary
-- column: at TIMESTAMP UTC | when it happened; rows without an instant (date only) are kept with NULL
-- column: origin VARCHAR - | order, ris, schedule, adt, report, mpps or image
-- column: message_at TIMESTAMP UTC | latest message that told it
-- column: facility VARCHAR - | facility of the message, within which its station is named
SELECT m.exam_key, e.code, e.at, e.origin, e.standard, e.source, e.status_code, e.slot_at, e.station, e.reason_code,
       e.detail, max(e.at_precision) AS at_precision, max(e.at_zone_source) AS at_zone_source,
       max(e.message_at) AS message_at, min(e.batch_id) AS batch_id, min(m.facility) AS facility
FROM raw_event e
JOIN exam_mention m ON m.mention = e.mention
GROUP BY m.exam_key, e.code, e.at, e.origin, e.standard, e.source, e.status_code, e.slot_at, e.station,
         e.reason_code, e.detail
