-- name: fct_exam_event
-- grain: event of an exam, as one source told it
-- key: exam_key, event_number
-- purpose: The exam's timeline: every event told, and first and last acquisition, with source and precision.
-- materialize: table
-- scope: exam
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility of the exam
-- column: event_number BIGINT - | from 1 in order of time
-- column: code VARCHAR - | event of the vocabulary
-- column: at TIMESTAMP UTC | when it happened
-- column: at_precision VARCHAR - | day, minute, second, ...
-- column: at_zone_source VARCHAR - | offset, message, facility, facility_fold, facility_gap or assumed
-- column: origin VARCHAR - | order, ris, schedule, adt, report, mpps or image
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: source VARCHAR - | sending system
-- column: status_code VARCHAR - | status as sent
-- column: slot_at TIMESTAMP UTC | start of the booked slot
-- column: loaded_at TIMESTAMP UTC | when its batch was loaded; not in the digest
-- column: is_milestone BOOLEAN - | a milestone of fct_exam was picked from it
-- column: detail VARCHAR - | coded detail
SELECT v.exam_key, x.facility,
       row_number() OVER (
           PARTITION BY v.exam_key
           ORDER BY v.at NULLS LAST, v.code, v.origin, v.standard, v.source, v.status_code, v.slot_at, v.reason_code,
                    v.station, v.detail) AS event_number,
       v.code, v.at, v.at_precision, v.at_zone_source, v.origin, v.standard, v.source, v.status_code, v.slot_at,
       b.loaded_at, m.exam_key IS NOT NULL AS is_milestone, coalesce(v.detail, v.reason_code) AS detail
FROM (SELECT e.exam_key, e.code, e.at, e.at_precision, e.at_zone_source, e.origin, e.standard, e.source, e.status_code,
             e.slot_at, e.station, e.reason_code, e.detail, e.batch_id
      FROM stg_event e
      UNION ALL
      SELECT i.exam_key, i.code, i.at, NULL, NULL, i.origin, 'dicom', NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM stg_milestone_event i
      WHERE i.origin = 'image' AND i.code IN ('exam_started', 'exam_ended')) v
JOIN stg_exam x ON x.exam_key = v.exam_key
LEFT JOIN (SELECT DISTINCT p.exam_key, r.code, p.origin, p.at
           FROM stg_milestone p
           JOIN (SELECT DISTINCT c.milestone, c.code FROM milestone_rule c) r ON r.milestone = p.milestone) m
    ON m.exam_key = v.exam_key AND m.code = v.code AND m.origin = v.origin AND m.at IN (v.at, v.slot_at)
LEFT JOIN batch_time b ON b.batch_id = v.batch_id
